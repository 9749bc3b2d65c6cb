"""Lets a client that is refused go on sending for a while, for only then does it hear why.

A connection that is closed while bytes still come is reset, and the answer on it is lost.
"""

import asyncio
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SECONDS = 5
# Who was too slow has had its time.
_TOO_SLOW = 408


class Drainer:
    """ASGI middleware; takes at most `limit` bytes that nobody reads."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app, self._limit = app, limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Who asks first has not begun to send.
        coming = "expect" not in Headers(scope=scope)

        async def watched_receive() -> Message:
            nonlocal coming
            message = await receive()
            coming = message.get("more_body", False)
            return message

        async def drain() -> None:
            left = self._limit
            while coming and left > 0:
                left -= len((await watched_receive()).get("body", b""))

        async def patient_send(message: Message) -> None:
            status = message.get("status", 0)
            if coming and status >= 400 and status != _TOO_SLOW:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_SECONDS):
                        await drain()
            await send(message)

        await self._app(scope, watched_receive, patient_send)
