"""uvicorn around the application: one process or several, on a socket of our own."""

import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from ipaddress import IPv6Address
from pathlib import Path
from threading import Thread

import uvicorn
from uvicorn.supervisors import Multiprocess

from inkdigit.errors import SettingError
from inkdigit.files import make_folder
from inkdigit.processes import end_with_parent
from inkdigit.reading import Reader
from inkdigit.serving.app import create_app
from inkdigit.serving.forms import load_templates
from inkdigit.serving.metrics import SHARED_DIR
from inkdigit.serving.middleware import AccessLog
from inkdigit.serving.settings import Settings

_Create = Callable[[Settings], AccessLog]
# More than a browser sends by far. h11 holds whatever has no end yet to it: the head of a request,
# its trailer, the size of a chunk.
_MAX_UNFINISHED = 32_768
# Each takes about 30 kB; beyond, uvicorn answers 503 without asking the application.
MAX_CONNECTIONS = 10_000

# uvicorn warns of each request that is no proper HTTP: whoever sends them would fill the log, so of
# its own only errors are told.
_LOGGING = Path(__file__).with_name("logging.json")


def serve(
    settings: Settings, announce: Callable[[str], None], create: _Create = create_app
) -> None:
    """Serve until a signal; SIGTERM and Ctrl-C let what was begun be finished.

    `announce` is given the address once connections are taken, `create` makes the
    application. Raises `ModelError` for a model file that cannot be used, and `SettingError` for a
    template that cannot be, or an address that cannot be listened at.
    """
    if settings.model:
        Reader.load(settings.model)
    if settings.forms:
        load_templates(settings.forms)
    if settings.collect:
        make_folder(settings.collect)
    # After all is finished, uvicorn raises the signal once more.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with _listening(settings) as listener, _shared_figures(settings):
        config = _config(settings, partial(_app, settings, create))
        announce(_address(listener))
        if settings.workers > 1:
            Multiprocess(config, sockets=[listener]).run()
        else:
            uvicorn.Server(config).run(sockets=[listener])


@contextmanager
def serving_beside(
    settings: Settings, announce: Callable[[str], None], create: _Create
) -> Iterator[None]:
    """Serve while the block runs, in a thread beside it, and leave its log as it is."""
    with _listening(settings) as listener:
        config = _config(settings, partial(create, settings))
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        announce(_address(listener))
        try:
            yield
        finally:
            server.should_exit = True
            thread.join()


def _config(settings: Settings, app: Callable[[], AccessLog]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        factory=True,
        workers=settings.workers,
        http="h11",
        h11_max_incomplete_event_size=_MAX_UNFINISHED,
        limit_concurrency=MAX_CONNECTIONS,
        ws="none",
        lifespan="on",
        log_config=str(_LOGGING),
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=round(settings.timeout) + 1,
    )


def _app(settings: Settings, create: _Create) -> AccessLog:
    """Return the application, in the process that serves it."""
    # A worker whose parent was killed would go on holding the port.
    end_with_parent()
    _take_handles(2 * MAX_CONNECTIONS)
    return create(settings)


def _take_handles(count: int) -> None:
    """Let this process open so many files: the usual 1,024 are too few for a rush."""
    with suppress(ImportError, ValueError, OSError):  # not on Windows, or not allowed
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < count and soft != resource.RLIM_INFINITY:
            allowed = count if hard == resource.RLIM_INFINITY else min(count, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))


@contextmanager
def _listening(settings: Settings) -> Iterator[socket.socket]:
    host = settings.host.removeprefix("[").removesuffix("]")  # as in an address of a page
    with suppress(ValueError):
        host = str(IPv6Address(host).ipv4_mapped or host)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, settings.port), family=family, backlog=2048)
    except (OSError, UnicodeError) as error:
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
        raise SettingError(
            f"{settings.host} cannot be listened at on port {settings.port}: {reason}: choose "
            "another --host or --port"
        ) from None
    with listener:
        # Connections inherit it: uvicorn writes a head and its body apart, and Nagle's algorithm
        # would hold the body back until the client acknowledges the head, 40 ms later.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield listener


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@contextmanager
def _shared_figures(settings: Settings) -> Iterator[None]:
    if settings.workers == 1:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="inkdigit-") as folder:
        os.environ[SHARED_DIR] = folder
        yield
