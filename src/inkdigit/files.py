"""Files that appear whole or not at all."""

import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path

from inkdigit.errors import OutputError

SCRATCH = ".writing-"


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` make a file beside `path`, then give it its name; `OutputError` if it cannot be.

    The file has the same suffix while it is made, because some libraries choose a format by it.
    """
    try:
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=SCRATCH) as scratch:
            temporary = Path(scratch, path.name)
            write(temporary)
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
            _sync(path.parent)
    # HDF5 reports a full disk as a RuntimeError when it closes the file.
    except (OSError, RuntimeError) as error:
        raise OutputError(f"{path} cannot be written: {_reason(error)}") from None


def _sync(folder: Path) -> None:
    """Bring the names of files in a folder to the disk."""
    if hasattr(os, "O_DIRECTORY"):  # not on Windows
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _reason(error: OSError | RuntimeError) -> str:
    # HDF5 tells the reason amid a page of its internals.
    told = re.search(r"error message = '([^']+)'", str(error))
    plain = getattr(error, "strerror", None) or " ".join(str(error).split())[:120]
    return told[1] if told else plain


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
    write_atomically(
        path,
        lambda temporary: temporary.write_text(text, encoding="utf-8", errors="backslashreplace"),
    )


def make_folder(path: Path) -> None:
    """Make a folder and those above it; `OutputError` if it cannot be."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{path} cannot be made: {error.strerror or error}") from None
