"""What is to be read: names as a command line gives them, each opened when its turn comes."""

import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from inkdigit.errors import ImageError, SettingError

STDIN = "-"
# Enough of a file to tell its kind.
_HEAD = 1024


@dataclass(frozen=True)
class Picture:
    """Something to read: its name, and where it lies, what it holds, or why it cannot be read."""

    name: str
    source: str | bytes | ImageError

    def is_document(self) -> bool:
        """Return whether it is of a kind that holds pages, TIFF or PDF, by its first bytes."""
        from inkdigit.images.kinds import may_have_pages

        return not isinstance(self.source, ImageError) and may_have_pages(_head(self.source))


def pictures(names: Sequence[str]) -> Iterator[Picture]:
    """Return the pictures of these names, in order; `-` is standard input.

    A folder is a picture that cannot be read, so that the others still are. Raises `SettingError`
    where standard input is named twice.
    """
    if names.count(STDIN) > 1:
        raise SettingError("standard input (-) can be read once, received it several times")
    return map(_picture, names)


def _picture(name: str) -> Picture:
    try:
        return Picture(name, _source(name))
    except ImageError as error:
        return Picture(name, error)
    except OSError as error:
        shown = "standard input" if name == STDIN else name
        return Picture(name, ImageError(f"{shown} cannot be opened: {error.strerror or error}"))


def _source(name: str) -> str | bytes:
    if name == STDIN:
        return _all_of(sys.stdin.buffer if sys.stdin else BytesIO())
    if not name:
        raise ImageError("'' names no picture")
    mode = Path(name).stat().st_mode
    if stat.S_ISDIR(mode):
        raise ImageError(
            f"{name} is a folder: name its pictures, for example with the pattern "
            f"{Path(name, '*.png')}"
        )
    if stat.S_ISFIFO(mode):
        with Path(name).open("rb") as pipe:
            return _all_of(pipe)
    return name


def _all_of(stream: BinaryIO) -> bytes:
    """Return what a stream holds: it can be read once, and to tell its kind takes its beginning."""
    from inkdigit.images.sources import read_whole

    return read_whole(stream)


def _head(source: str | bytes) -> bytes:
    if isinstance(source, bytes):
        return source[:_HEAD]
    try:
        with Path(source).open("rb") as file:
            return file.read(_HEAD)
    except OSError:
        return b""
