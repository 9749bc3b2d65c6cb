"""Bodies that are packed: `Content-Encoding: gzip` and `deflate` (RFC 9110, section 8.4)."""

import asyncio
import zlib
from collections.abc import AsyncGenerator
from typing import Any

from fastapi import Request

from inkdigit.serving.problems import Problem, too_large

_TAKEN = "gzip, deflate"
# Bytes that say what is packed, and how.
_HEADER = 2
# A bomb is unpacked in pieces, so that it is refused by the first that is too much.
_PIECE = 2**20
# Members of gzip that hold nothing: any number of them would take any time.
_MOST_EMPTY = 16


async def unpacked(request: Request, limit: int) -> AsyncGenerator[bytes, None]:
    """Yield a request's body, unpacked if it is packed, in pieces of at most `limit` bytes or so.

    Raises `Problem` 413 for more than `limit` packed bytes, 415 for a coding that is not taken, 422
    for one that is broken.
    """
    named = ", ".join(request.headers.getlist("content-encoding")).lower().replace("x-gzip", "gzip")
    codings = [coding.strip() for coding in named.split(",")]
    codings = [coding for coding in codings if coding not in {"", "identity"}]
    if not codings:
        async for chunk in request.stream():
            yield chunk
        return
    if codings not in (["gzip"], ["deflate"]):
        raise Problem(
            415,
            f"the content encoding {', '.join(codings)[:60]!r} is not taken: send gzip, deflate or "
            "none",
            {"Accept-Encoding": _TAKEN},
        )
    unpacker, packed = _Unpacker(codings[0]), 0
    async for chunk in request.stream():
        packed += len(chunk)
        if packed > limit:
            raise too_large(limit)
        unpacker.feed(chunk)
        while piece := await asyncio.to_thread(unpacker.take, min(limit, _PIECE)):
            yield piece
    unpacker.finish()


class _Unpacker:
    """Packed bytes in, unpacked pieces out."""

    def __init__(self, coding: str) -> None:
        self._coding, self._packed = coding, b""
        self._zlib: Any = None
        # What the member that is unpacked has given, and whether it has more without more bytes.
        self._given, self._more = 0, False
        self._empty = 0

    def feed(self, chunk: bytes) -> None:
        """Add bytes as they arrive."""
        self._packed += chunk

    def take(self, most: int) -> bytes:
        """Return the next piece, of at most so many bytes; nothing where more has to arrive."""
        piece = b""
        while not piece and (self._packed or self._more):
            if self._zlib is None or self._zlib.eof:  # another member may follow, or padding
                self._packed = self._packed.lstrip(b"\0") if self._zlib else self._packed
                if len(self._packed) < _HEADER:
                    break
                self._empty += self._zlib is not None and not self._given
                if self._empty > _MOST_EMPTY:
                    raise self._broken()
                self._zlib, self._given = zlib.decompressobj(self._kind()), 0
            try:
                piece = self._zlib.decompress(self._packed, most)
            except zlib.error:
                raise self._broken() from None
            self._given += len(piece)
            self._more = len(piece) == most and not self._zlib.eof
            self._packed = self._zlib.unused_data if self._zlib.eof else self._zlib.unconsumed_tail
        return piece

    def finish(self) -> None:
        """Raise where the end is missing."""
        if self._packed or (self._zlib and not self._zlib.eof):
            raise self._broken()

    def _kind(self) -> int:
        """Return zlib's number for what begins: some send deflate without its header."""
        first, second = self._packed[:_HEADER]
        headed = first % 16 == zlib.DEFLATED and (256 * first + second) % 31 == 0  # RFC 1950
        bare = self._coding == "deflate" and not headed
        return -zlib.MAX_WBITS if bare else zlib.MAX_WBITS | 32

    def _broken(self) -> Problem:
        return Problem(422, f"the body is no whole {self._coding}: it is damaged or cut short")
