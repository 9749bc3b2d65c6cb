"""From a request's body to the files in it; bytes are counted as they arrive."""

import asyncio
import json
import sys
from base64 import b64decode
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import quote

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from inkdigit.serving.batching import Unavailable
from inkdigit.serving.problems import Problem
from inkdigit.serving.settings import Settings

# As `inkdigit read` names standard input.
NAMELESS = "-"
_LONGEST_NAME = 255
# Fields of a form are passed over, and every one takes its time.
_MOST_FIELDS = 100

_Body = AsyncGenerator[bytes, None]
_Take = Callable[[int], None]


@dataclass(frozen=True)
class Upload:
    """A file as it was sent."""

    name: str
    content: bytes


class MemoryFull(Unavailable):
    """The requests that are arriving or waiting hold as many bytes as they may."""


class Memory:
    """The bytes of all requests that are arriving or waiting, held to a limit."""

    def __init__(self, limit: int) -> None:
        self._limit, self.held = limit, 0

    @contextmanager
    def share(self) -> Iterator[_Take]:
        """Yield what counts the bytes of one request; they are given back at its end.

        It raises `MemoryFull` where they would be too many.
        """
        share = 0

        def take(count: int) -> None:
            nonlocal share
            if self.held + count > self._limit:
                raise MemoryFull("the service is busy with other pictures: try again in a moment")
            self.held += count
            share += count

        try:
            yield take
        finally:
            self.held -= share


async def receive_uploads(
    request: Request, settings: Settings, take: _Take, *, most: int, refusal: Problem
) -> list[Upload]:
    """Return the files in a body: multipart, JSON with base64, or the picture itself.

    Raises `Problem` 408 for a body that is too slow, 413 for one too large or of too many fields,
    415 for another kind, 422 for one without files or with a broken form, `refusal` as soon as
    there are more than `most` files, and `MemoryFull` where there is no room for it.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = _counted(request, settings.max_bytes, take)
    try:
        async with asyncio.timeout(settings.timeout):
            if kind == "multipart/form-data":
                return await _from_form(request, body, most, refusal)
            if kind == "application/json":
                return [await asyncio.to_thread(_decoded, await _joined(body))]
            if kind.startswith("image/") or kind in {"application/pdf", "application/octet-stream"}:
                return [Upload(NAMELESS, await _joined(body))]
    except TimeoutError:
        raise Problem(408, f"the body did not arrive within {settings.timeout:g} seconds") from None
    raise Problem(
        415,
        f"the content type {kind[:60]!r} is not taken: send multipart/form-data, application/json, "
        "or a picture as image/* or application/pdf",
        {"Accept-Post": "multipart/form-data, application/json, image/*, application/pdf"},
    )


async def _counted(request: Request, limit: int, take: _Take) -> _Body:
    total = 0
    async for chunk in request.stream():
        total += len(chunk)
        if total > limit:
            raise Problem(413, f"the request is larger than {limit:,} bytes: shrink or split it")
        take(len(chunk))
        yield chunk


async def _joined(body: _Body) -> bytes:
    return b"".join([chunk async for chunk in body])


class _FormParser(MultiPartParser):
    """Starlette's parser of forms; nothing reaches a disk, and a form without its end is broken."""

    spool_max_size = sys.maxsize  # the bytes of a body are counted already

    def __init__(self, kind: str, body: _Body, most_files: int) -> None:
        super().__init__(
            Headers({"Content-Type": _without_charset(kind)}),
            self._whole(body),
            max_files=most_files,
            max_fields=_MOST_FIELDS,
        )
        self._ended = False

    def on_end(self) -> None:
        self._ended = True

    async def _whole(self, body: _Body) -> _Body:
        async for chunk in body:
            yield chunk
        if not self._ended:  # raised here, it makes the parser close its files
            raise MultiPartException("the form has no end")


def _without_charset(kind: str) -> str:
    """Keep the boundary alone: names are UTF-8 (RFC 7578), and some codecs take minutes or fail."""
    boundary = parse_options_header(kind)[1].get(b"boundary")
    if not boundary:
        raise MultiPartException("the boundary is missing")
    return f'multipart/form-data; boundary="{quote(boundary.decode("latin-1"))}"'


async def _from_form(request: Request, body: _Body, most: int, refusal: Problem) -> list[Upload]:
    try:
        form = await _FormParser(request.headers["content-type"], body, most).parse()
    except MultiPartException as error:
        # Starlette tells its limits apart by their messages alone.
        if error.message.startswith("Too many files"):
            raise refusal from None
        if error.message.startswith("Too many fields"):
            detail = f"the form holds more than {_MOST_FIELDS} fields that are no files"
            raise Problem(413, detail) from None
        if error.message.startswith("Part exceeded"):
            raise Problem(413, "the form holds a field over 1 MB that is no file") from None
        raise Problem(422, "the multipart form is broken") from None
    files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
    uploads = [Upload(_shown(file.filename), await file.read()) for file in files]
    await form.close()
    if not uploads:
        raise Problem(422, "the form holds no file: send one as the field 'file'")
    return uploads


def _decoded(text: bytes) -> Upload:
    try:
        fields = json.loads(text)
        encoded, name = fields["file"], fields.get("name")
        # A canvas gives its picture as a data URL.
        content = b64decode(encoded.rpartition(",")[2], validate=True)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise Problem(
            422, 'the JSON is not as expected: {"file": "<base64>", "name": "<optional>"}'
        ) from None
    return Upload(_shown(name if isinstance(name, str) else None), content)


def _shown(name: str | None) -> str:
    return (name or NAMELESS)[:_LONGEST_NAME]
