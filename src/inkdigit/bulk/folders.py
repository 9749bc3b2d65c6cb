"""The files below a folder, listed lazily and in a defined order."""

import heapq
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from inkdigit.errors import SourceError

# Of what the reader opens; anything else is read when it is asked for by --include.
SUFFIXES = (
    ".bmp", ".gif", ".jpeg", ".jpg", ".pbm", ".pdf", ".pgm", ".png", ".pnm", ".ppm", ".tif",
    ".tiff", ".webp",
)  # fmt: skip
# Names held at a time. A folder with more is gone through again for the next ones in order, which
# takes a second for a million.
_HELD = 20_000
_Entry = tuple[str, bool]
_Lister = Callable[[str], Iterator[_Entry]]


@dataclass(frozen=True)
class FileFilter:
    """Which files of a folder: by patterns of their names, and whether of folders below as well."""

    include: tuple[str, ...] = ()
    recursive: bool = False

    def takes(self, name: str) -> bool:
        """Return whether a file of this name is wanted; upper and lower case are alike."""
        name = name.lower()
        if not self.include:
            return name.endswith(SUFFIXES)
        return any(fnmatchcase(name, pattern.lower()) for pattern in self.include)

    def or_none(
        self, found: Iterator[str | SourceError], folder: str
    ) -> Iterator[str | SourceError]:
        """Yield what was found in a folder, or that it holds none."""
        sought = ", ".join(self.include or SUFFIXES)
        below = "" if self.recursive else "; --recursive looks into the folders below as well"
        yield next(found, SourceError(f"{folder} holds no pictures ({sought}){below}"))
        yield from found


def files_below(folder: str, wanted: FileFilter) -> Iterator[str | SourceError]:
    """Yield the wanted files, by name in each folder, or in its place what cannot be listed.

    Links are followed, but not round in a circle. A folder that holds none is said to.
    """
    return wanted.or_none(_files_below(folder, wanted, _sorted_entries), folder)


def count_below(folder: str, wanted: FileFilter) -> int:
    """Return how many `files_below` yields; in no order, so that nothing is held."""
    return sum(1 for _ in _files_below(folder, wanted, _entries)) or 1


def _files_below(
    folder: str, wanted: FileFilter, list_: _Lister, above: tuple[tuple[int, int], ...] = ()
) -> Iterator[str | SourceError]:
    try:
        found = os.stat(folder)  # noqa: PTH116  (a name need not be normal to be listed as given)
        here = (found.st_dev, found.st_ino)
        if here in above:
            yield SourceError(f"{folder} is a link that leads back to a folder above it: left out")
            return
        for name, is_folder in list_(folder):
            path = os.path.join(folder, name)  # noqa: PTH118
            if not is_folder:
                if wanted.takes(name):
                    yield path
            elif wanted.recursive:
                yield from _files_below(path, wanted, list_, (*above, here))
    except OSError as error:
        yield SourceError(f"{folder} cannot be listed: {error.strerror or error}")


def _entries(folder: str) -> Iterator[_Entry]:
    """Yield name and whether it is a folder, in no order."""
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry.name, _is_folder(entry)


def _sorted_entries(folder: str) -> Iterator[_Entry]:
    """Yield the same by name, no more than `_HELD` of them held."""
    last: _Entry | None = None
    while True:
        some = heapq.nsmallest(_HELD, (e for e in _entries(folder) if last is None or e > last))
        yield from some
        if len(some) < _HELD:
            return
        last = some[-1]


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
