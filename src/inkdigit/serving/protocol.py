"""HTTP as uvicorn's fast parser takes it, held to what a service can bear."""

import asyncio
import re
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

# More than a browser sends by far.
_MOST_HEAD = 32_768
_TOO_LARGE = "The head of the request is too large."
_LEAST_HEADER = 4  # a colon, a space and the end of the line
_MOST_AHEAD = 16
# A tenth of it waits in a rush of five times what can be read; each takes about 30 kB.
MOST_CONNECTIONS = 10_000
_OFFER = re.compile(rb"\r\nupgrade(?=:)", re.IGNORECASE)


class BoundedProtocol(HttpToolsProtocol):
    """HTTP/1 and nothing else, its heads bounded; bodies are counted later.

    Raising in a method that the parser calls answers 400 and ends the connection.
    """

    _between = True  # no request is begun
    _head = 0  # bytes of the head so far
    _loose = 0  # bytes of a head, a trailer or the size of a chunk, whose end has not come

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection, unless there are too many even to refuse it in words."""
        super().connection_made(cast(asyncio.Transport, _Gathering(transport, self.loop)))
        if len(self.connections) > MOST_CONNECTIONS:
            self.transport.abort()

    def data_received(self, data: bytes) -> None:
        """Take bytes of requests."""
        self._got_on = False
        super().data_received(_without_offer(data) if self._between else data)
        self._loose = 0 if self._got_on else self._loose + len(data)
        if self._loose > _MOST_HEAD and not self.transport.is_closing():
            self.send_400_response(_TOO_LARGE)

    def send_400_response(self, msg: str) -> None:
        """Refuse a request, and end the connection."""
        super().send_400_response(_TOO_LARGE if self._head > _MOST_HEAD else msg)

    def on_message_begin(self) -> None:
        """Begin a request."""
        if len(self.pipeline) >= _MOST_AHEAD:
            raise ValueError("too many requests before the first one's answer")
        self._between, self._head = False, 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a piece of the path and query."""
        self._bear(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        self._bear(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer."""
        if self.parser.should_upgrade():
            raise ValueError("another protocol that would take the body")
        self._got_on = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self._got_on = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a request."""
        self._got_on = self._between = True
        super().on_message_complete()

    def _bear(self, length: int) -> None:
        self._head += length + _LEAST_HEADER
        if self._head > _MOST_HEAD:
            raise ValueError(_TOO_LARGE)


class _Gathering:
    """A transport that sends together what is written together: a head with its body.

    Each call of the system costs as much as parsing, and lets the threads that read go first.
    """

    def __init__(self, transport: asyncio.BaseTransport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = cast(asyncio.Transport, transport), loop
        self._written: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._written:
            self._loop.call_soon(self._send)
        self._written.append(data)

    def close(self) -> None:
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._written:
            self._transport.write(b"".join(self._written))
            self._written.clear()


def _without_offer(data: bytes) -> bytes:
    """Return data that begins with a head without its offer to speak HTTP/2.

    The parser would leave out the body. An offer that comes in two pieces is refused.
    """
    end = data.find(b"\r\n\r\n")
    return _OFFER.sub(b"\r\nX-Upgrade", data[:end]) + data[end:] if end > 0 else data
