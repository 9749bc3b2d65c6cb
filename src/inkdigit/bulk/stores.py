"""Where the parts of a table lie: in a folder on a disk, or in a bucket.

A file appears whole or not at all, and one run at a time writes. A folder on a disk is locked
meanwhile. In a bucket nothing can be: there `_RUN` names the run that began last, and any other
ends where it would write.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from inkdigit.bulk.storage import is_uri, located, without_secrets
from inkdigit.errors import OutputError, RunError
from inkdigit.files import leftovers, write_atomically, writing

CLAIM = "_RUN"
# Readers of folders of Parquet pass over what begins with a dot or a _.
_LOCK = ".lock"


class LocalStore:
    """A folder on a disk; if `temporary` it goes once it is empty."""

    def __init__(self, name: str, *, temporary: bool = False) -> None:
        self.name, self._path, self._temporary = name, Path(name), temporary

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make the folder if need be, and lock it; take away what a killed run was writing."""
        with ExitStack() as opened:
            with writing(self.name):
                self._path.mkdir(exist_ok=True)
                opened.callback(self._leave)
                opened.enter_context(locked(self._path / _LOCK, self.name))
                for left in leftovers(self._path):
                    shutil.rmtree(left)
            yield

    def claim(self) -> None:
        """Do nothing: the lock keeps others out."""

    def names(self) -> list[str]:
        """Return the names of its files; none where it is not there."""
        with writing(self.name), suppress(FileNotFoundError):
            return [path.name for path in self._path.iterdir()]
        return []

    def read(self, name: str) -> bytes | None:
        """Return what a file holds, `None` where it is not there."""
        with writing(self.name), suppress(FileNotFoundError):
            return (self._path / name).read_bytes()
        return None

    def write(self, name: str, content: bytes) -> None:
        """Write a file, or replace it; it is on the disk when this returns."""
        write_atomically(self._path / name, lambda path: path.write_bytes(content))

    def append(self, name: str, content: bytes) -> None:
        """Add to a file that is there; it is on the disk when this returns."""
        path = self._path / name
        with writing(path), path.open("r+b") as file:
            file.seek(0, os.SEEK_END)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())

    def delete(self, name: str) -> None:
        """Take a file away."""
        with writing(self.name):
            (self._path / name).unlink()

    def _leave(self) -> None:
        if self._temporary:
            with suppress(OSError):  # something lies in it
                self._path.rmdir()


class BucketStore:
    """A folder in a bucket."""

    def __init__(self, uri: str) -> None:
        """Raise `SourceError` for a store that is not known; nothing is written yet."""
        self.name = without_secrets(uri)
        self._store, self._folder = located(uri)
        self._run = uuid4().hex.encode()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Take away in the end what `claim` has written."""
        try:
            yield
        finally:
            with suppress(OutputError):
                if self._is_claimed():
                    self.delete(CLAIM)

    def claim(self) -> None:
        """Take it from any other run, which ends where it would write."""
        self._put(CLAIM, self._run)

    def names(self) -> list[str]:
        """Return the names of its files; none where it is not there."""
        from pyarrow.fs import FileSelector

        with writing(self.name):
            found = self._store.get_file_info(FileSelector(self._folder, allow_not_found=True))
        return [entry.base_name for entry in found]

    def read(self, name: str) -> bytes | None:
        """Return what a file holds, `None` where it is not there."""
        with (
            writing(self.name),
            suppress(FileNotFoundError),
            self._store.open_input_stream(f"{self._folder}/{name}") as stream,
        ):
            return bytes(stream.read())
        return None

    def write(self, name: str, content: bytes) -> None:
        """Write a file, or replace it; `RunError` where a later run has claimed the folder."""
        if not self._is_claimed():
            raise RunError(f"{self.name} is being written by another run, which began later")
        self._put(name, content)

    def delete(self, name: str) -> None:
        """Take a file away."""
        with writing(self.name):
            self._store.delete_file(f"{self._folder}/{name}")

    def _is_claimed(self) -> bool:
        return self.read(CLAIM) == self._run

    def _put(self, name: str, content: bytes) -> None:
        # An object appears when its stream is closed.
        path = f"{self._folder}/{name}"
        with writing(self.name), self._store.open_output_stream(path) as stream:
            stream.write(content)


# A folder of files, and the `name` by which it is shown: `OutputError` where it does not answer,
# `RunError` where another run writes there.
Store = LocalStore | BucketStore


def store_of(folder: str) -> Store:
    """Return the store of a folder that is named by a path or a URI."""
    return BucketStore(folder) if is_uri(folder) else LocalStore(folder)


@contextmanager
def locked(path: Path, name: str) -> Iterator[None]:
    """Hold a lock, which a kill frees as well; `RunError` where another process does."""
    try:
        import fcntl
    except ImportError:  # on Windows, where nothing of the kind is freed by a kill
        yield
        return
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            mine = os.fstat(file.fileno()).st_nlink > 0  # else its holder took it away meanwhile
        except BlockingIOError:
            mine = False
        if not mine:
            raise RunError(f"{name} is being written by another process")
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
