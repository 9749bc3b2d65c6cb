"""Files: opened where they are plain ones, and written whole or not at all."""

import errno
import os
import re
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from inkdigit.errors import InkdigitError, OutputError, SettingError, shown

SCRATCH = ".writing-"
_MAX_REASON = 200
# The number of the error for a pipe or a device.
NOT_PLAIN = errno.EINVAL


def as_path(name: object, what: str) -> Path:
    """Return the path that a name is; `SettingError` where it is none, which says what it is of."""
    if not isinstance(name, str | os.PathLike):
        raise SettingError(f"{what} is the name of a file or folder, received {shown(name)}")
    return Path(name)


def open_plain(path: str | Path) -> BinaryIO:
    """Open a file to be read; `OSError` for a pipe or a device as well, which may wait for ever."""
    path = Path(path)
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, "it is a folder: name a file in it", str(path))
    if not stat.S_ISREG(mode):
        raise OSError(NOT_PLAIN, "it is not a plain file: save it as one first", str(path))
    return path.open("rb")


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file beside `path`, then give it its name; `OutputError` if it cannot be.

    The file has the same suffix while it is made, because some libraries choose a format by it.
    """
    with writing(path), tempfile.TemporaryDirectory(dir=path.parent, prefix=SCRATCH) as scratch:
        temporary = Path(scratch, path.name)
        write(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
        _sync(path.parent)


@contextmanager
def writing(name: str | Path) -> Iterator[None]:
    """Turn what goes wrong inside into one sentence, an `OutputError`."""
    try:
        yield
    # HDF5 reports a full disk as a RuntimeError when it closes the file.
    except (OSError, RuntimeError) as error:
        raise OutputError(f"{name} cannot be written: {reason(error)}") from None


@contextmanager
def reading(name: str | Path, refusal: type[InkdigitError]) -> Iterator[None]:
    """Turn what a disk refuses inside into one sentence, an error of this kind."""
    try:
        yield
    except OSError as error:
        raise refusal(f"{name} cannot be read: {reason(error)}") from None


def _sync(folder: Path) -> None:
    """Bring the names of files in a folder to the disk."""
    if hasattr(os, "O_DIRECTORY"):  # not on Windows
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def reason(error: Exception) -> str:
    """Return why a disk or a store refused, on one line."""
    # HDF5 and Arrow tell the reason amid their internals, Arrow what a store says by its name.
    told = re.search(
        r"(?:error message = '|Detail: \[errno \d+\] |AWS Error (?=[A-Z_]+\b))([^'\s]+ ?[^']*?)"
        r"(?:'|$| during )",
        str(error),
    )
    why = told[1] if told else getattr(error, "strerror", None) or error
    return " ".join(str(why).split())[:_MAX_REASON]


def leftovers(folder: Path) -> list[Path]:
    """Return what a writing that was killed has left in a folder."""
    return list(folder.glob(f"{SCRATCH}*"))


def is_taken(path: Path) -> bool:
    """Return whether something lies at a path already: a file, or a folder with anything in it."""
    if not path.is_dir():
        return path.exists()
    return bool(set(path.iterdir()) - set(leftovers(path)))


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    write_atomically(path, lambda file: file.write_text(text, "utf-8", "backslashreplace"))


def make_folder(path: Path) -> None:
    """Make a folder and those above it; `OutputError` if it cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path} cannot be made: {error.strerror or error}") from None
