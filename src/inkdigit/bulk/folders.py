"""The pictures below a folder, listed lazily and in a defined order; what else is there is told."""

import errno
import heapq
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import partial

from inkdigit.errors import SourceError
from inkdigit.files import NOT_PLAIN, open_plain

# These are taken to be pictures unopened; of any other name the first bytes decide.
SUFFIXES = (
    ".avif", ".bmp", ".gif", ".heic", ".heif", ".jp2", ".jpeg", ".jpg", ".pbm", ".pdf", ".pgm",
    ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp",
)  # fmt: skip
# Names held at a time. A folder with more is gone through again for the next ones in order, which
# takes a second for a million.
_HELD = 20_000
# Enough of a file to tell its kind.
HEAD = 1024
# What systems leave beside pictures, as they do `._NAME`.
_NOTHING = (".ds_store", "__macosx", "desktop.ini", "thumbs.db")
# The errors for a pipe, a device, and a link that leads nowhere.
_NO_FILE = (NOT_PLAIN, errno.ELOOP, errno.ENOENT)
# Names of what was left out that a sentence tells.
_SHOWN = 5
# Names of files, or in its place what cannot be listed.
Found = Iterator[str | SourceError]


@dataclass
class LeftOut:
    """What lies in folders and is not read: files of other kinds, folders not entered.

    `names` are the first of them; those of folders end in a slash.

    >>> left_out = LeftOut()
    >>> left_out.add("a.txt")
    >>> left_out.add("old/")
    >>> str(left_out)
    'left out files of other kinds (1), folders for --recursive (1): a.txt, old/'
    """

    files: int = 0
    folders: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        """Count one more."""
        self.folders += name.endswith("/")
        self.files += not name.endswith("/")
        if len(self.names) < _SHOWN:
            self.names.append(name)

    def __str__(self) -> str:
        """Return one sentence."""
        kinds = {"files of other kinds": self.files, "folders for --recursive": self.folders}
        told = ", ".join(f"{kind} ({count:,})" for kind, count in kinds.items() if count)
        more = ", …" * (self.files + self.folders > len(self.names))
        return f"left out {told}: {', '.join(self.names)}{more}"


@dataclass(frozen=True)
class FileFilter:
    """Which files of a folder: by patterns of their names, and whether of folders below as well.

    Without patterns they are the pictures: what is named like one, or begins like one. What lies at
    one of the run's `own` places is nothing, neither read nor told. `tell` is told the name of each
    thing that is left out, that of a folder with a slash behind it.
    """

    include: tuple[str, ...] = ()
    recursive: bool = False
    own: frozenset[str] = frozenset()
    tell: Callable[[str], object] = lambda _: None

    def ignores(self, name: str, place: str) -> bool:
        """Return whether something is nothing to anyone."""
        return name.startswith("._") or name.lower() in _NOTHING or place in self.own

    def takes(self, name: str, path: str, head: Callable[[], bytes | None]) -> bool:
        """Return whether a file is wanted; upper and lower case are alike.

        One whose `head` cannot be looked at may be a picture: it is wanted, and then says why.
        """
        name = name.lower()
        if self.include:
            return any(fnmatchcase(name, pattern.lower()) for pattern in self.include)
        if name.endswith(SUFFIXES):
            return True
        if name.startswith("."):  # hidden
            return False
        # The command line should not wait for numpy.
        from inkdigit.images import is_picture

        begun = head()
        wanted = begun is None or is_picture(begun)
        if not wanted:
            self.tell(path)
        return wanted

    def enters(self, name: str, path: str) -> bool:
        """Return whether what lies in a folder below is wanted."""
        if not (self.recursive or name.startswith(".")):
            self.tell(f"{path}/")
        return self.recursive

    def or_none(self, found: Found, folder: str) -> Found:
        """Yield what was found in a folder, or that it holds none."""
        sought = f" ({', '.join(self.include)})" if self.include else ""
        below = "" if self.recursive else "; --recursive looks into the folders below as well"
        yield next(found, SourceError(f"{folder} holds no pictures{sought}{below}"))
        yield from found


def files_below(folder: str, wanted: FileFilter) -> Found:
    """Yield the wanted files, by name in each folder, or in its place what cannot be listed.

    Links are followed, but not round in a circle. A folder that holds none is said to.
    """
    return wanted.or_none(_files_below(folder, wanted), folder)


def first_bytes(path: str) -> bytes | None:
    """Return enough of a file to tell its kind; nothing of what is none, `None` where it fails."""
    try:
        with open_plain(path) as file:
            return file.read(HEAD)
    except (OSError, ValueError) as error:
        return b"" if getattr(error, "errno", None) in _NO_FILE else None


def _files_below(folder: str, wanted: FileFilter, above: tuple[tuple[int, int], ...] = ()) -> Found:
    try:
        found = os.stat(folder)  # noqa: PTH116  (a name need not be normal to be listed as given)
        here = (found.st_dev, found.st_ino)
        if here in above:
            yield SourceError(f"{folder} is a link that leads back to a folder above it: left out")
            return
        place = os.path.realpath(folder)
        for name, is_folder in _entries(folder):
            path = os.path.join(folder, name)  # noqa: PTH118
            if wanted.ignores(name, os.path.join(place, name)):  # noqa: PTH118
                continue
            if not is_folder:
                if wanted.takes(name, path, partial(first_bytes, path)):
                    yield path
            elif wanted.enters(name, path):
                yield from _files_below(path, wanted, (*above, here))
    except OSError as error:
        yield SourceError(f"{folder} cannot be listed: {error.strerror or error}")


def _entries(folder: str) -> Iterator[tuple[str, bool]]:
    """Yield name and whether it is a folder, by name, no more than `_HELD` of them held."""
    last = ("", False)
    while True:
        with os.scandir(folder) as entries:
            listed = ((entry.name, _is_folder(entry)) for entry in entries)
            some = heapq.nsmallest(_HELD, (one for one in listed if one > last))
        yield from some
        if len(some) < _HELD:
            return
        last = some[-1]


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
