"""From a request's body to the files in it; bytes are counted as they arrive."""

import asyncio
import json
import re
import sys
from base64 import b64decode
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import quote
from typing import Any

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from inkdigit.errors import shown
from inkdigit.serving.batching import Unavailable
from inkdigit.serving.encodings import unpacked
from inkdigit.serving.problems import Problem, too_large
from inkdigit.serving.request_options import FILES, is_option
from inkdigit.serving.settings import Settings

# As `inkdigit read` names standard input.
NAMELESS = "-"
_LONGEST_NAME = 255
# Every field of a form takes its time.
_MOST_FIELDS = 100

_Body = AsyncGenerator[bytes, None]
_Take = Callable[[int], None]


@dataclass(frozen=True)
class Upload:
    """A file as it was sent."""

    name: str
    content: bytes


@dataclass(frozen=True)
class Body:
    """What a request holds: files, and what it says beside them, as it says it."""

    uploads: list[Upload]
    options: list[tuple[str, Any]] = field(default_factory=list)


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


async def receive_body(
    request: Request, settings: Settings, take: _Take, *, most: int, refusal: Problem
) -> Body:
    """Return the files in a body: multipart, JSON with base64, or the picture itself.

    Raises `Problem` 408 for a body that is too slow, 413 for one too large or of too many fields,
    415 for another kind or coding, 422 for one without files or with a broken form, `refusal` as
    soon as there are more than `most` files, and `MemoryFull` where there is no room for it.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = _counted(unpacked(request, settings.max_bytes), settings.max_bytes, take)
    try:
        async with asyncio.timeout(settings.timeout):
            if kind == "multipart/form-data":
                return await _from_form(request, body, most, refusal)
            if kind == "application/json":
                found = await asyncio.to_thread(from_json, await _joined(body), most)
                if found is None:
                    raise refusal
                return found
            if kind.startswith("image/") or kind in {"application/pdf", "application/octet-stream"}:
                return Body([Upload(NAMELESS, await _joined(body))])
    except TimeoutError:
        raise Problem(408, f"the body did not arrive within {settings.timeout:g} seconds") from None
    raise Problem(
        415,
        f"the content type {kind[:60]!r} is not taken: send multipart/form-data, application/json, "
        "or a picture as image/* or application/pdf",
        {"Accept-Post": "multipart/form-data, application/json, image/*, application/pdf"},
    )


async def _counted(body: AsyncIterator[bytes], limit: int, take: _Take) -> _Body:
    total = 0
    async for chunk in body:
        total += len(chunk)
        if total > limit:
            raise too_large(limit)
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
            max_files=most_files + 1,  # so that a field sent as a file is told
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


async def _from_form(request: Request, body: _Body, most: int, refusal: Problem) -> Body:
    try:
        form = await _FormParser(request.headers["content-type"], body, most).parse()
    except MultiPartException as error:
        # Starlette tells its limits apart by their messages alone.
        limits = {
            "Too many files": refusal,
            "Too many fields": Problem(
                413, f"the form has more than {_MOST_FIELDS} fields that are no files"
            ),
            "Part exceeded": Problem(413, "the form holds a field over 1 MB that is no file"),
        }
        broken = Problem(422, "the multipart form is broken")
        exceeded = (limits[said] for said in limits if error.message.startswith(said))
        raise next(exceeded, broken) from None
    uploads, options = list[Upload](), list[tuple[str, Any]]()
    for name, value in form.multi_items():
        if isinstance(value, UploadFile) and is_option(name):
            raise Problem(422, f"the field {name!r} is sent as a file: send it as text")
        if isinstance(value, UploadFile):
            uploads.append(Upload(shown_name(value.filename), await value.read()))
        elif name in FILES:
            raise Problem(422, f"the field {name!r} holds text: send the picture as a file")
        else:
            options.append((name, value))
    await form.close()
    if len(uploads) > most:
        raise refusal
    if not uploads:
        raise Problem(422, "the form holds no file: send one as the field 'file'")
    return Body(uploads, options)


class _Object(list[tuple[str, Any]]):
    """The members of a JSON object as they stand there, one twice as well."""


def from_json(text: bytes, most: int) -> Body | None:
    """Return what JSON holds: `file` with its `name`, or `files`, and options; None if too many.

    Raises `Problem` 422 for anything else.
    """
    try:
        members = json.loads(text, object_pairs_hook=_Object)
    except json.JSONDecodeError as error:
        detail = f"the body is no JSON: it breaks at character {error.pos + 1:,}"
        raise Problem(422, detail) from None
    except (ValueError, RecursionError):  # no UTF-8, or nested without end
        raise Problem(422, "the body is no JSON") from None
    if isinstance(members, _Object):
        sent = [(name, value) for name, value in members if name in {"file", "name"}]
        several = [value for name, value in members if name == "files"]
        if not several:
            files = [_Object(sent)]
        elif len(several) == 1 and type(several[0]) is list and several[0] and not sent:
            files = several[0]
        else:
            raise _UNEXPECTED
        if len(files) > most:
            return None
        options = [(n, value) for n, value in members if n not in {"file", "name", "files"}]
        return Body([_named(one, n) for n, one in enumerate(files, start=1)], options)
    raise _UNEXPECTED


_UNEXPECTED = Problem(
    422,
    'the JSON is not as expected: {"file": "<base64>", "name": "<optional>"}, or for several '
    '{"files": ["<base64>", …]}; options stand beside them',
)


def _named(member: Any, number: int) -> Upload:
    """Return a file by its base64, or by an object of that and a name; its number tells it."""
    sent = member if isinstance(member, _Object) else [("file", member)]
    known = dict(sent)
    encoded, name = known.pop("file", None), known.pop("name", None)
    wrong = known or len(sent) != len(dict(sent)) or not isinstance(encoded, str)
    if wrong or not isinstance(name, str | None):
        raise _UNEXPECTED
    try:
        return Upload(shown_name(name), decode_base64(encoded))
    except ValueError as error:
        told = f"{shown(name)} (file {number})" if name else f"file {number}"
        raise Problem(422, f"the base64 of {told} {error}") from None


def decode_base64(text: str) -> bytes:
    r"""Return the bytes of base64 as other tools write it.

    A canvas gives a data URL; others break lines, leave out the padding, take the alphabet that is
    safe in URLs, or encode by percent. Raises `ValueError` for what is none of these.

    >>> decode_base64("data:image/png;base64,aGk%3D"), decode_base64("a-_\n-")
    (b'hi', b'k\xef\xfe')
    """
    text = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text.rpartition(",")[2])
    text = _LINE_BREAK.sub("", text.strip()).translate(_URL_SAFE).rstrip("=")
    if wrong := _NOT_BASE64.search(text):
        hint = "a + that was not encoded?" if wrong[0] == " " else "it is no base64"
        raise ValueError(f"holds {wrong[0]!r}: {hint}")
    if len(text) % 4 == 1:
        raise ValueError("is cut short: it ends within a byte")
    return b64decode(text + "=" * (-len(text) % 4))


# Those of what base64 has.
_ESCAPE = re.compile(r"%(2B|2F|3D|0A|0D)", re.I)
_LINE_BREAK = re.compile(r"[ \t]*[\r\n]+[ \t]*")
_URL_SAFE = str.maketrans("-_", "+/")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")


def shown_name(name: str | None) -> str:
    """Return the name of a file as an answer shows it."""
    return (name or NAMELESS)[:_LONGEST_NAME]
