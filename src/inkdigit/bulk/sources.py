"""What is to be read: names as a command line gives them, each opened when its turn comes."""

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

from inkdigit.bulk.folders import FileFilter, Found, files_below, first_bytes
from inkdigit.bulk.storage import is_uri, objects_below, without_secrets
from inkdigit.errors import ImageError, InkdigitError, SettingError
from inkdigit.reading.result import Box

STDIN = "-"
_ALL = FileFilter()


@dataclass(frozen=True)
class Picture:
    """Something to read: its name, and where it lies, what it holds, or why it cannot be read.

    A manifest may say which page, counted from 1, and which box of it, `(x, y, width, height)` in
    pixels; what is expected there; and how it calls it.
    """

    name: str
    source: str | bytes | InkdigitError
    page: int | None = None
    box: Box | None = None
    pattern: str | None = None
    check: str | None = None
    id: str | None = None

    def is_document(self) -> bool:
        """Return whether it is of a kind that holds pages, TIFF or PDF, by its first bytes."""
        from inkdigit.images import may_have_pages

        match self.source:
            case InkdigitError():
                return False
            case bytes(content):
                return may_have_pages(content)
            case path:
                return may_have_pages(first_bytes(path) or b"")

    @property
    def key(self) -> bytes:
        """What tells it from others, wherever the work on it is done."""
        asked = (self.name, self.page, self.box, self.pattern, self.check, self.id)
        return repr(asked).encode("utf-8", "backslashreplace")


def pictures(names: Sequence[str], wanted: FileFilter = _ALL) -> Iterator[Picture]:
    """Return the pictures of these names, in order; `-` is standard input, a URI lies in a bucket.

    Of a folder the files that are wanted come, by name. What cannot be listed is a picture that
    cannot be read, so that the others still are. Raises `SettingError` where standard input is
    named twice.
    """
    if names.count(STDIN) > 1:
        raise SettingError("standard input (-) can be read once, received it several times")
    return (picture for name in names for picture in _pictures(name, wanted))


def count_pictures(names: Sequence[str], wanted: FileFilter = _ALL) -> int:
    """Return how many pictures these names stand for, reading none."""
    return sum(sum(1 for _ in _found(name, wanted)) if is_many(name) else 1 for name in names)


def is_many(name: str) -> bool:
    """Return whether a name may stand for many pictures: a folder, or something in a bucket."""
    return is_uri(name) or (name != STDIN and os.path.isdir(name))  # noqa: PTH112  (never raises)


def _pictures(name: str, wanted: FileFilter) -> Iterator[Picture]:
    if not is_many(name):
        yield _picture(name)
        return
    for found in _found(name, wanted):
        shown = name if isinstance(found, InkdigitError) else found
        yield Picture(without_secrets(shown), found)


def _found(name: str, wanted: FileFilter) -> Found:
    return objects_below(name, wanted) if is_uri(name) else files_below(name, wanted)


def _picture(name: str) -> Picture:
    if name != STDIN:
        return Picture(name, name)
    # A stream can be read once, and to tell its kind takes its beginning.
    from inkdigit.images.sources import read_whole

    try:
        return Picture(name, read_whole(sys.stdin.buffer if sys.stdin else BytesIO()))
    except ImageError as error:
        return Picture(name, error)
