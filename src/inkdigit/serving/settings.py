"""The settings of the service, each once.

The flags of `inkdigit serve`, the variables `INKDIGIT_*` and the table in the documents are made
from the fields of `Settings`. The command line reads them for its help, so only the standard
library is imported here.
"""

import logging
import os
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import Field, dataclass, field, fields
from ipaddress import IPv6Address
from math import inf
from numbers import Real
from pathlib import Path
from typing import Any, Self

from inkdigit.errors import SettingError, check_number, shown

log = logging.getLogger("inkdigit.serving")

# So many requests of the largest size may be in memory at a time.
_LARGEST_AT_ONCE = 8
_Kind = Callable[[str], Any]
# What Kubernetes sets for a Service of this name, INKDIGIT_PORT=tcp://10.0.0.1:8000, is not ours.
_OF_KUBERNETES = re.compile(r"(tcp|udp|sctp)://")
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Scheme, host and port; of some schemes browsers name no origin.
_ORIGIN = re.compile(
    r"(?!(?:blob|data|file|ftp|wss?):)([a-z][a-z0-9+.-]*)://"
    r"(?:\[([0-9a-f:.]+)\]|([\w.-]+))(?::([0-9]{1,5}))?/?"
)
# A path prefix, which comes to stand in addresses.
PREFIX = re.compile(r"(?=.{0,200}$)(/(?!\.\.?(/|$))[\w.~-]+)*", re.ASCII)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _origins(text: str) -> tuple[str, ...]:
    origins = _words(text)
    if text and not origins:
        raise SettingError(f"the list of origins holds none: {shown(text)}")
    if "*" in origins and len(origins) > 1:
        raise SettingError(f"* takes every origin: name it alone, received {shown(text)}")
    return origins


def _setting(
    default: Any, what: str, metavar: str, kind: _Kind = str, shown: str = "", **limits: float
) -> Any:
    about = {"help": what, "metavar": metavar, "kind": kind, "default": shown or str(default)}
    return field(default=default, metadata={**about, **limits})


def _count(default: int, what: str, *, most: float = inf) -> Any:
    return _setting(default, what, "N", int, f"{default:,}", least=1, most=most)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How to serve. Raises `SettingError` for a value that makes no sense.

    >>> Settings(port=0).max_files
    32
    """

    host: str = _setting("127.0.0.1", "the address to listen at", "HOST")
    port: int = _setting(8000, "the port; 0 takes a free one", "N", int, least=0, most=65_535)
    model: Path | None = _setting(  # noqa: RUF009  (a field)
        None, "a model file", "FILE", Path, "the models inside"
    )
    forms: Path | None = _setting(  # noqa: RUF009  (a field)
        None, "a folder of templates, whose forms are read by name", "DIR", Path, "none"
    )
    workers: int = _count(1, "processes, each with its own models and queue", most=256)
    threads: int = _count(1, "threads of each process that read", most=256)
    batch: int = _count(16, "the most pictures read together", most=1024)
    queue: int = _count(
        64, "the most files that a process holds, waiting or being read; 503 beyond", most=100_000
    )
    max_bytes: int = _count(20_000_000, "the largest request, in bytes")
    max_pixels: int = _count(64_000_000, "the largest picture, in pixels")
    max_pages: int = _count(50, "the longest document, in pages", most=10_000)
    max_files: int = _count(32, "the most files in a batch; no more than --queue", most=1000)
    timeout: float = _setting(
        30.0, "seconds for a request to arrive, and again to be read", "SECONDS", float, "30",
        least=0.1, most=3600,
    )  # fmt: skip
    cors_origins: tuple[str, ...] = _setting(
        (), "other origins whose pages may ask, with commas between", "LIST", _origins, "none"
    )
    root_path: str = _setting(
        "", "the path under which a proxy shows the service, such as /digits", "PATH",
        shown="X-Forwarded-Prefix, or none",
    )  # fmt: skip
    collect: Path | None = _setting(  # noqa: RUF009  (a field)
        None, "keep what a class draws on its phones in this folder", "DIR", Path, "keep nothing"
    )
    # No flag: a list of processes would show it.
    api_keys: tuple[str, ...] = field(default=(), repr=False, metadata={"kind": _words})

    @classmethod
    def from_environment(cls, **flags: Any) -> Self:
        """Return the settings of these flags, then of the environment, then the defaults."""
        given = {
            known.name: _parsed(known, os.environ[variable])
            for known in fields(cls)
            if known.name not in flags and _is_set(variable := _variable(known.name))
        }
        return cls(**given, **flags)

    def __post_init__(self) -> None:
        for known in fields(self):
            if (least := known.metadata.get("least")) is not None:
                name = f"{flag_of(known.name)} ({_variable(known.name)})"
                most = known.metadata.get("most", inf)
                check_number(name, getattr(self, known.name), least, most, Real)
        if not self.host:  # it would mean every address
            raise SettingError(
                "--host (INKDIGIT_HOST) is empty: give an address, 0.0.0.0 for all of them"
            )
        object.__setattr__(self, "cors_origins", tuple(map(_origin, self.cors_origins)))
        object.__setattr__(self, "root_path", self.root_path.rstrip("/"))
        if not PREFIX.fullmatch(self.root_path):
            raise SettingError(
                f"--root-path (INKDIGIT_ROOT_PATH) is a path such as /digits, received "
                f"{shown(self.root_path)}"
            )
        if self.collect and self.api_keys:
            raise SettingError("--collect is for pupils, who have no key: unset INKDIGIT_API_KEYS")
        if self.collect and self.workers > 1:
            raise SettingError("--collect is for one process: leave out --workers")
        if self.queue < self.max_files:
            raise SettingError(
                f"a queue of {self.queue} has no room for the {self.max_files} files of one batch: "
                "raise --queue or lower --max-files"
            )

    @property
    def max_held(self) -> int:
        """Bytes of all requests together, arriving or waiting to be read."""
        return _LARGEST_AT_ONCE * self.max_bytes


def flag_of(name: str) -> str:
    """Return the flag of a setting."""
    return f"--{name.replace('_', '-')}"


def _variable(name: str) -> str:
    return f"INKDIGIT_{name.upper()}"


def _is_set(variable: str) -> bool:
    value = os.environ.get(variable)
    if value is not None and _OF_KUBERNETES.match(value):
        log.warning("%s=%s is of a Service in Kubernetes, and passed over", variable, value)
        return False
    return value is not None


def _origin(text: str) -> str:
    """Return an origin as browsers send it (RFC 6454); `SettingError` for what can't be one."""
    if text in {"*", "null"}:
        return text
    with suppress(ValueError):
        if found := _ORIGIN.fullmatch(text.lower()):
            scheme, numbers, name, port = found.groups()
            host = f"[{_hexadecimal(numbers)}]" if numbers else name.encode("idna").decode()
            if not port or int(port) == _DEFAULT_PORTS.get(scheme):
                return f"{scheme}://{host}"
            if int(port) < 65536:
                return f"{scheme}://{host}:{int(port)}"
    raise SettingError(
        f"--cors-origins (INKDIGIT_CORS_ORIGINS) takes origins such as https://a.example, received "
        f"{shown(text)}"
    )


def _hexadecimal(numbers: str) -> str:
    """Return an IPv6 address as browsers write it: Python ends a mapped IPv4 one in dots."""
    address = IPv6Address(numbers)
    low = int(address) & 0xFFFFFFFF
    return f"::ffff:{low >> 16:x}:{low & 0xFFFF:x}" if address.ipv4_mapped else str(address)


def _parsed(known: "Field[Any]", text: str) -> Any:
    variable, kind = _variable(known.name), known.metadata["kind"]
    try:
        value = kind(text)
    except ValueError:
        raise SettingError(f"{variable} must be a number, received {text!r}") from None
    # Whoever sets keys means to ask for one.
    if known.name == "api_keys" and not value:
        raise SettingError(f"{variable} is set and holds no key: separate keys by commas")
    return value
