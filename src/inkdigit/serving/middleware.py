"""What is around every request: access log, lingering close, load shedding."""

import asyncio
import logging
import random
import re
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from inkdigit.serving.metrics import REQUESTS, SECONDS
from inkdigit.serving.problems import ProblemResponse, unavailable
from inkdigit.serving.quota import QuotaFull
from inkdigit.serving.settings import PREFIX

log = logging.getLogger("inkdigit.requests")

# The page needs nothing but its own service.
SECURITY_HEADERS = [
    (b"content-security-policy", b"default-src 'none'; script-src 'self'; style-src 'self'; "
     b"img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
     b"frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cache-control", b"no-cache"),
]  # fmt: skip
_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_LINGER_SECONDS = 5
_TOO_SLOW = 408


class AccessLog:
    """Gives every request its id, its line in the log, its metrics and its security headers.

    Neither log nor metrics hold anything of a picture, a file's name or a query.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start, status = time.perf_counter(), 500
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = message["headers"]
                known = {name for name, _ in headers}
                headers.append((b"x-request-id", request_id.encode()))
                headers.extend(one for one in SECURITY_HEADERS if one[0] not in known)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        finally:
            _note(scope, request_id, status, time.perf_counter() - start)


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    return given if _ID.fullmatch(given) else f"{random.getrandbits(128):032x}"


def _note(scope: Scope, request_id: str, status: int, seconds: float) -> None:
    # Neither label may grow without end by what clients make up.
    route = getattr(scope.get("route"), "path", "") or "page"
    method = scope["method"] if scope["method"] in _METHODS else "other"
    REQUESTS.labels(method, route, status).inc()
    SECONDS.labels(route).observe(seconds)
    known = {"request_id": request_id, "method": method, "route": route, "status": status}
    log.info("request", extra={**known, "ms": round(1000 * seconds, 2)})


class LingeringClose:
    """Lets a client that is refused finish sending, at most `limit` bytes, so that it hears why.

    A connection that is closed while bytes still arrive is reset, and the answer on it is lost
    (RFC 9112, section 9.6; nginx calls it lingering_close).
    """

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app, self._limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        # A client that asks first has not begun to send.
        arriving = scope["type"] == "http" and "expect" not in Headers(scope=scope)

        async def watched_receive() -> Message:
            nonlocal arriving
            message = await receive()
            arriving = message.get("more_body", False)
            return message

        async def patient_send(message: Message) -> None:
            status, left = message.get("status", 0), self._limit
            if arriving and status >= 400 and status != _TOO_SLOW:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_LINGER_SECONDS):
                        while arriving and left > 0:
                            left -= len((await watched_receive()).get("body", b""))
            await send(message)

        await self._app(scope, watched_receive, patient_send)


class Prefix:
    """Lets the application know the path under which a proxy shows it: as set, or as it says.

    Proxies take that path away before they ask, or leave it; both are understood. What a client
    makes up in `X-Forwarded-Prefix` changes no more than the paths of its own answer.
    """

    def __init__(self, app: ASGIApp, root_path: str) -> None:
        self._app, self._root_path = app, root_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] == "http":
            said = Headers(scope=scope).get("x-forwarded-prefix", "").rstrip("/")
            prefix = self._root_path or (said if PREFIX.fullmatch(said) else "")
            if not f"{scope['path']}/".startswith(f"{prefix}/"):
                scope["path"] = prefix + scope["path"]
            scope["root_path"] = prefix
        await self._app(scope, receive, send)


class LoadShedding:
    """Refuses in a rush, before any work that costs more than to refuse.

    Calls `check_room` before each request for one of the routes; `QuotaFull` is answered here.
    """

    def __init__(
        self, app: ASGIApp, routes: Iterable[BaseRoute], check_room: Callable[[], None]
    ) -> None:
        self._app, self._check_room = app, check_room
        self._routes = {route.path: route for route in routes if isinstance(route, Route)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or refuse it."""
        route = self._routes.get(scope.get("path", "").removeprefix(scope.get("root_path", "")))
        try:
            if route:
                self._check_room()
        except QuotaFull as full:
            scope["route"] = route
            await ProblemResponse(unavailable(full), scope)(scope, receive, send)
        else:
            await self._app(scope, receive, send)
