"""The journal of a run: what is done already, beside the table that it becomes.

`results.csv.part` grows by whole chunks: a line of JSON for each row, then a line that closes the
chunk with the position behind it, the counts so far and a checksum, all on the disk before the next
one is begun. Whatever stops a run, what stands behind the last closed chunk is cut off when it goes
on. The table is made from the journal at the end, and appears whole.
"""

import json
import os
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO

from inkdigit.bulk.chunks import ChunkResult, Position
from inkdigit.bulk.rows import Record
from inkdigit.bulk.tally import Tally
from inkdigit.errors import OutputError, RunError

# How a line begins that closes a chunk; a row begins with its source.
_CLOSING = b'{"done": '


class Journal:
    """Rows that are done, and how far the input has been gone through."""

    def __init__(self, path: Path, asked: dict[str, Any], *, anew: bool = False) -> None:
        """Open the journal at `path`, or begin it, `anew` even where there is one.

        Raises `RunError` where it belongs to a run that was asked for something else, or one that
        is still going on, and `OutputError` where it cannot be written.
        """
        self.path = path
        self.position = Position()
        self.tally = Tally()
        self._head = json.dumps(asked).encode() + b"\n"
        self._asked = json.loads(self._head)
        with ExitStack() as opened:
            try:
                self._file = opened.enter_context(path.open("ab", buffering=0))
                lock(self._file, str(path))
                if anew:
                    self._file.truncate(0)
                self._go_on()
            except OSError as error:
                raise self._unwritable(error) from None
            opened.pop_all()

    def append(self, done: ChunkResult) -> None:
        """Add a chunk: it is on the disk when this returns."""
        for record, code in zip(done.records, done.codes, strict=True):
            self.tally.count(record, code)
        rows = b"".join(json.dumps(record).encode() + b"\n" for record in done.records)
        closing = {
            "position": asdict(done.end),
            "tally": self.tally.to_dict(),
            "crc32": zlib.crc32(rows),
        }
        try:
            self._write(rows + _CLOSING + json.dumps(closing).encode() + b"}\n")
        except OSError as error:
            raise self._unwritable(error) from None
        if not os.fstat(self._file.fileno()).st_nlink:
            raise OutputError(f"{self.path} cannot be written: its folder has vanished")
        self.position = done.end

    def records(self) -> Iterator[Record]:
        """Yield every row that is done, in order."""
        with self.path.open("rb") as file:
            next(file)
            for line in file:
                if not line.startswith(_CLOSING):
                    yield json.loads(line)

    def remove(self) -> None:
        """Take the journal away, once the table that was made from it is sure to be there."""
        if hasattr(os, "O_DIRECTORY"):  # not on Windows
            folder = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
            os.fsync(folder)
            os.close(folder)
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Close the file, which stays if there is anything in it to go on with."""
        # By its size, as what stopped it may have come between the chunk and the note of it.
        if os.fstat(self._file.fileno()).st_size <= len(self._head):
            self.path.unlink(missing_ok=True)
        self._file.close()

    def _go_on(self) -> None:
        """Take up what is there, without what stands behind the last closed chunk."""
        with self.path.open("rb") as file:
            head = file.readline()
            if head.endswith(b"\n") or not self._head.startswith(head):
                self._check(head)
                self._file.truncate(self._take_up(file))
                return
        # It was begun at most, and by a run like this.
        self._file.truncate(0)
        self._write(self._head)

    def _check(self, head: bytes) -> None:
        try:
            asked = json.loads(head)
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict) or not head.endswith(b"\n"):
            raise self._foreign()
        if asked != self._asked:
            raise RunError(f"{self.path} is of another run ({differing(asked, self._asked)})")

    def _take_up(self, file: BinaryIO) -> int:
        """Go through the chunks that are whole, and return where they end."""
        end, checksum = file.tell(), 0
        for line in file:
            if not line.startswith(_CLOSING):
                checksum = zlib.crc32(line, checksum)
            elif (closing := _closed(line)) and self._is_whole(closing["done"], checksum):
                end, checksum = file.tell(), 0
            else:
                break
        return end

    def _is_whole(self, closing: Any, checksum: int) -> bool:
        """Return whether the rows of a chunk are what was written, and take up its end if so."""
        try:
            if closing["crc32"] != checksum:
                return False
            self.position = Position.from_dict(closing["position"])
            self.tally = Tally.from_dict(closing["tally"])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise self._foreign() from None
        return True

    def _write(self, content: bytes) -> None:
        left = memoryview(content)
        while left:  # a disk that fills up takes a part
            left = left[self._file.write(left) :]
        os.fsync(self._file.fileno())

    def _foreign(self) -> RunError:
        return RunError(
            f"{self.path} is no journal of Inkdigit's: move it away, or replace it with --overwrite"
        )

    def _unwritable(self, error: OSError) -> OutputError:
        return OutputError(f"{self.path} cannot be written: {error.strerror or error}")


def journal_of(path: Path) -> Path:
    """Return where the journal of a table lies."""
    return path.with_name(path.name + ".part")


def _closed(line: bytes) -> dict[str, Any] | None:
    """Return what a closing line says, `None` where it is cut off."""
    if not line.endswith(b"\n"):
        return None
    try:
        closing: dict[str, Any] = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return closing


def differing(before: dict[str, Any], now: dict[str, Any]) -> str:
    """Return in words what a run was asked for first that differs from another."""
    name = next(name for name in {**before, **now} if before.get(name) != now.get(name))
    return f"{name} was {before.get(name)}, and is {now.get(name)}"


def lock(file: FileIO, name: str) -> None:
    """Hold a file of the table of this name while it is open; `RunError` where another one does."""
    try:
        import fcntl
    except ImportError:  # on Windows, where nothing of the kind is freed by a kill
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise RunError(f"{name} is being written by another process") from None
