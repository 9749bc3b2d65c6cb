"""From a request's body to the files in it; bytes are counted as they arrive."""

import asyncio
import json
import re
import sys
from base64 import b64decode
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, field
from email.utils import quote
from typing import Any
from urllib.parse import unquote

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from inkdigit.errors import shown
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


class _TooManyFilesError(Exception):
    """A body holds more files than are taken."""


async def receive_body(
    request: Request, settings: Settings, take: _Take, *, most: int, beyond: Problem
) -> Body:
    """Return the files in a body: multipart, JSON with base64, or the picture itself.

    Raises `Problem` 408 for a body that is too slow, 413 for one too large or of too many fields,
    415 for another kind or coding, 422 for one without files or with a broken form, the one
    `beyond` for more than `most` files, and `QuotaFull` where there is no room for it.
    """
    _check_not_packed(request.headers)
    body = _counted(request.stream(), settings.max_bytes, take)
    try:
        async with asyncio.timeout(settings.timeout):
            return await _received(request.headers.get("content-type", ""), body, most)
    except TimeoutError:
        raise Problem(408, f"the body did not arrive within {settings.timeout:g} seconds") from None
    except _TooManyFilesError:
        raise beyond from None


async def _received(content_type: str, body: _Body, most: int) -> Body:
    kind = content_type.partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        return await _from_form(content_type, body, most)
    if kind == "application/json":
        return await asyncio.to_thread(_from_json, await _joined(body), most)
    if kind.startswith("image/") or kind in {"application/pdf", "application/octet-stream"}:
        return Body([Upload(NAMELESS, await _joined(body))])
    raise Problem(
        415,
        f"the content type {kind[:60]!r} is not taken: send multipart/form-data, application/json, "
        "or a picture as image/* or application/pdf",
        {"Accept-Post": "multipart/form-data, application/json, image/*, application/pdf"},
    )


def _check_not_packed(headers: Headers) -> None:
    coding = headers.get("content-encoding", "").strip().lower()
    if coding not in {"", "identity"}:
        detail = f"the content encoding {coding[:60]!r} is not taken: send the body as it is"
        raise Problem(415, detail, {"Accept-Encoding": "identity"})


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


async def _from_form(kind: str, body: _Body, most: int) -> Body:
    try:
        form = await _FormParser(kind, body, most).parse()
    except MultiPartException as error:
        # Starlette tells its limits apart by their messages alone.
        if error.message.startswith("Too many files"):
            raise _TooManyFilesError from None
        if error.message.startswith("Too many fields") or "exceeded" in error.message:
            raise Problem(
                413,
                f"the form has more than {_MOST_FIELDS} fields that are no files, or over 1 MB in "
                "one of them: send pictures as files",
            ) from None
        raise Problem(422, "the multipart form is broken") from None
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
    if not uploads:
        raise Problem(422, "the form holds no file: send one as the field 'file'")
    if len(uploads) > most:
        raise _TooManyFilesError
    return Body(uploads, options)


def _unexpected() -> Problem:
    """Return the refusal anew: one that is raised again would hold all that it was raised in."""
    return Problem(
        422,
        'the JSON is not as expected: {"file": "<base64>", "name": "<optional>"}, or for several '
        '{"files": ["<base64>", …]}; options stand beside them, each once',
    )


def _from_json(text: bytes, most: int) -> Body:
    """Return what JSON holds: `file` with its `name`, or `files`, and options."""
    try:
        members = json.loads(text, object_pairs_hook=_once)
    except json.JSONDecodeError as error:
        detail = f"the body is no JSON: it breaks at character {error.pos + 1:,}"
        raise Problem(422, detail) from None
    except (ValueError, RecursionError):  # no UTF-8, or nested without end
        raise Problem(422, "the body is no JSON") from None
    if not isinstance(members, dict):
        raise _unexpected()
    sent = {name: members.pop(name) for name in ("file", "name", "files") if name in members}
    match sent:
        case {"files": [_, *_] as files} if len(sent) == 1:
            pass
        case {"file": _} if "files" not in sent:
            files = [sent]
        case _:
            raise _unexpected()
    if len(files) > most:
        raise _TooManyFilesError
    return Body([_named(file, n) for n, file in enumerate(files, start=1)], [*members.items()])


def _once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(members)
    if len(found) < len(members):
        raise _unexpected()
    return found


def _named(member: Any, number: int) -> Upload:
    """Return a file by its base64, or by an object of that and a name; its number tells it."""
    match {"file": member} if isinstance(member, str) else member:
        case {"file": str(encoded), **more} if more.keys() <= {"name"}:
            name = more.get("name")
        case _:
            raise _unexpected()
    if not isinstance(name, str | None):
        raise _unexpected()
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
    text = unquote(text.rpartition(",")[2])
    text = _LINE_BREAK.sub("", text.strip()).translate(_URL_SAFE).rstrip("=")
    if wrong := _NOT_BASE64.search(text):
        hint = "a + that was not encoded?" if wrong[0] == " " else "it is no base64"
        raise ValueError(f"holds {wrong[0]!r}: {hint}")
    if len(text) % 4 == 1:
        raise ValueError("is cut short: it ends within a byte")
    return b64decode(text + "=" * (-len(text) % 4))


# Those of what base64 has.
_LINE_BREAK = re.compile(r"[ \t]*[\r\n]+[ \t]*")
_URL_SAFE = str.maketrans("-_", "+/")
_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")


def shown_name(name: str | None) -> str:
    """Return the name of a file as an answer shows it."""
    return (name or NAMELESS)[:_LONGEST_NAME]
