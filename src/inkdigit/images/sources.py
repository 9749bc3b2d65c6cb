"""The bytes of a file or a stream, read whole.

So no file stays open between pages, and none changes while it is decoded.
"""

import io
import os
from pathlib import Path
from typing import BinaryIO

from inkdigit.errors import ImageError
from inkdigit.files import open_plain

File = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO

MAX_BYTES = 2**30
_CHUNK = 2**20
_LONGEST_NAME = 200
# Where a PDF says that it is one; some carry other bytes ahead of it.
_PDF_WITHIN = 1024
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


def is_pdf(content: bytes) -> bool:
    """Say whether the bytes are a PDF's, whole or not."""
    return b"%PDF-" in content[:_PDF_WITHIN]


def may_have_pages(head: bytes) -> bool:
    """Return whether a file that begins so is of a kind that holds pages: TIFF or PDF."""
    return head.startswith(_TIFF) or is_pdf(head)


def name_of(file: File) -> str:
    """Return what messages call the file: its path, where it has one."""
    if not isinstance(file, str | os.PathLike):
        return "the picture"
    name = os.fsdecode(file) or "''"
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


def read_whole(file: File) -> bytes:
    """Return all bytes of a path, a stream (from its start, if it can seek) or bytes.

    Raises `ImageError` for what is none of these, cannot be read, is empty, or exceeds `MAX_BYTES`.
    """
    name = name_of(file)
    if isinstance(file, str | os.PathLike):
        content = _read_path(Path(os.fsdecode(file)), name)
    elif isinstance(file, bytes | bytearray | memoryview):
        content = bytes(file)
    elif hasattr(file, "read"):
        content = _read_stream(file, name)
    else:
        raise ImageError(
            f"a {type(file).__name__} is no picture: expected a path, bytes, a binary stream, "
            "a PIL image or an array"
        )
    if not content:
        raise ImageError(f"{name} is empty (0 bytes)")
    return content


def _read_path(path: Path, name: str) -> bytes:
    try:
        with open_plain(path) as stream:
            return _read_stream(stream, name)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "no file can have this name"
        raise ImageError(f"{name} cannot be opened: {reason}") from None


def _read_stream(stream: BinaryIO, name: str) -> bytes:
    content = io.BytesIO()
    try:
        if hasattr(stream, "seekable") and stream.seekable():
            stream.seek(0)
        while chunk := stream.read(_CHUNK):
            if isinstance(chunk, str):
                raise ImageError(f"{name} comes as text: open it in binary mode")
            content.write(chunk)
            if content.tell() > MAX_BYTES:
                raise ImageError(f"{name} is larger than {MAX_BYTES:,} bytes: split it")
    except ImageError:
        raise
    except Exception as error:
        raise ImageError(f"{name} cannot be read: {error or type(error).__name__}") from error
    return content.getvalue()
