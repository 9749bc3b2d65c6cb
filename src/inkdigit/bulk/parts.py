"""A table as a folder of Parquet parts, on a disk or in a bucket.

A part is there or not. Each carries in its metadata how far the input had been gone through, so
the last one says where to go on. `_SUCCESS`, which readers of such folders pass over, comes last.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inkdigit.bulk.journal import differing, lock
from inkdigit.bulk.parquet import table
from inkdigit.bulk.sources import is_uri, without_query
from inkdigit.bulk.storage import located, reason
from inkdigit.bulk.tally import Tally
from inkdigit.bulk.work import Done, Position
from inkdigit.errors import OutputError, RunError
from inkdigit.files import write_atomically

if TYPE_CHECKING:
    import pyarrow as pa

# Rows of a part, and so the most that a kill can cost.
PART_ROWS = 20_000
_SUCCESS = "_SUCCESS"
# Lies in a folder on a disk while it is written; readers pass over it as well.
_LOCK = ".lock"
_NOTE = b"inkdigit"
_PART = re.compile(r"part-(\d{6,})\.parquet")


class Parts:
    """The parts in a folder, which is named by a path or a URI and ends in /."""

    def __init__(self, name: str) -> None:
        """Raise `SourceError` for a store that is not known; nothing is written yet."""
        self._name, self._shown = name, without_query(name)
        self._store, self._folder = located(name)

    def __str__(self) -> str:
        return self._shown

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make a folder on a disk if need be, and hold it; `RunError` where another process does.

        Nothing in a bucket can be held.
        """
        if is_uri(self._name):
            yield
            return
        path = Path(self._folder, _LOCK)
        with ExitStack() as opened:
            try:
                path.parent.mkdir(exist_ok=True)
                file = opened.enter_context(path.open("ab", buffering=0))
                lock(file, self._shown)
            except OSError as error:
                raise self._unwritable(error) from None
            if not os.fstat(file.fileno()).st_nlink:  # who held it took it away meanwhile
                raise RunError(f"{self._shown} is being written by another process")
            try:
                yield
            finally:
                with suppress(OSError):  # Windows keeps what is open
                    path.unlink()

    def numbers(self) -> list[int]:
        """Return the numbers of the parts that are there, from 0."""
        from pyarrow.fs import FileSelector

        try:
            found = self._store.get_file_info(FileSelector(self._folder, allow_not_found=True))
        except OSError as error:
            raise self._unwritable(error) from None
        names = (_PART.fullmatch(entry.base_name) for entry in found)
        return sorted(int(name[1]) for name in names if name)

    def is_finished(self) -> bool:
        """Return whether all parts are there."""
        from pyarrow.fs import FileType

        try:
            found = self._store.get_file_info(self._path(_SUCCESS))
        except OSError as error:
            raise self._unwritable(error) from None
        return bool(found.type == FileType.File)

    def finished(self, asked: dict[str, Any]) -> Tally:
        """Return what was counted in all parts, where all are there.

        Raises `RunError` where they are of a run that was asked for something else.
        """
        try:
            with self._store.open_input_stream(self._path(_SUCCESS)) as stream:
                note = json.loads(stream.read())
            tally = Tally.from_dict(note["tally"])
            before: dict[str, Any] = dict(note["asked"])
        except OSError as error:
            raise self._unwritable(error) from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise RunError(f"{self._shown} was not finished by Inkdigit") from None
        self.check(before, asked)
        return tally

    def check(self, before: dict[str, Any], asked: dict[str, Any]) -> None:
        """Raise `RunError` where the parts are of a run that was asked for something else."""
        now = json.loads(json.dumps(asked))
        if before != now:
            raise RunError(f"{self._shown} is of another run ({differing(before, now)})")

    def note(self, number: int) -> dict[str, Any]:
        """Return what a part says of the run that wrote it."""
        from pyarrow.parquet import read_schema

        try:
            found = read_schema(self._path(_part(number)), filesystem=self._store)
            note: dict[str, Any] = json.loads(found.metadata[_NOTE])
        except (OSError, ValueError, KeyError, TypeError):
            raise RunError(f"{self._shown}{_part(number)} is no part of Inkdigit's") from None
        return note

    def write(self, number: int, rows: "pa.Table", note: dict[str, Any]) -> None:
        """Write a part; it has its name only when it is whole."""
        from pyarrow.parquet import write_table

        noted = rows.replace_schema_metadata({_NOTE: json.dumps(note)})
        self._write(_part(number), lambda stream: write_table(noted, stream, compression="zstd"))

    def finish(self, note: dict[str, Any]) -> None:
        """Say that all parts are there."""
        self._write(_SUCCESS, lambda stream: stream.write(json.dumps(note, indent=2).encode()))

    def clear(self) -> None:
        """Take away what an earlier run has written, and nothing else."""
        try:
            if self.is_finished():
                self._store.delete_file(self._path(_SUCCESS))
            for number in self.numbers():
                self._store.delete_file(self._path(_part(number)))
        except OSError as error:
            raise self._unwritable(error) from None

    def _write(self, name: str, write: Callable[[Any], object]) -> None:
        content = BytesIO()
        write(content)
        try:
            if is_uri(self._name):
                # An object appears when its stream is closed.
                with self._store.open_output_stream(self._path(name)) as stream:
                    stream.write(content.getvalue())
            else:
                write_atomically(
                    Path(self._folder, name), lambda path: path.write_bytes(content.getvalue())
                )
        except OSError as error:
            raise self._unwritable(error) from None

    def _path(self, name: str) -> str:
        return f"{self._folder}/{name}"

    def _unwritable(self, error: OSError) -> OutputError:
        return OutputError(f"{self._shown} cannot be written: {reason(error)}")


class PartsTable:
    """Rows that become parts as there are enough of them."""

    def __init__(
        self, parts: Parts, asked: dict[str, Any], *, overwrite: bool, resume: bool
    ) -> None:
        """Go on behind the last part where `resume`; `OutputError` where there are any otherwise.

        Raises `RunError` where they are of a run that was asked for something else, or one that is
        still going on.
        """
        self.position, self.tally = Position(), Tally()
        self._parts, self._asked = parts, asked
        self._rows: list[pa.Table] = []
        self._number = 0
        with ExitStack() as held:
            held.enter_context(parts.held())
            if overwrite:
                parts.clear()
            elif there := parts.numbers():
                self._go_on(there, resume=resume)
            self._held = held.pop_all()

    def append(self, done: Done) -> None:
        """Add a chunk, and write a part if there are rows enough for one."""
        for record, code in zip(done.records, done.codes, strict=True):
            self.tally.count(record, code)
        self.position = done.end
        self._rows.append(table(done.records))
        if sum(rows.num_rows for rows in self._rows) >= PART_ROWS:
            self._flush()

    def finish(self) -> None:
        """Write the last part, and that it is the last."""
        self._flush()
        self._parts.finish(self._note())

    def close(self) -> None:
        """Write what is left, finished or not, and let go of the folder."""
        with self._held:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if self._rows:
            rows, self._rows = pa.concat_tables(self._rows), []
            self._parts.write(self._number, rows, self._note())
            self._number += 1

    def _go_on(self, there: list[int], *, resume: bool) -> None:
        if not resume:
            raise OutputError(
                f"{self._parts} holds parts already: go on with --resume, or start anew with "
                "--overwrite"
            )
        if there != list(range(len(there))):
            raise RunError(f"{self._parts} lacks some of its parts: start with --overwrite")
        note = self._parts.note(there[-1])
        self._parts.check(note["asked"], self._asked)
        self.position = Position(**note["position"])
        self.tally = Tally.from_dict(note["tally"])
        self._number = len(there)

    def _note(self) -> dict[str, Any]:
        return {
            "asked": self._asked,
            "position": asdict(self.position),
            "tally": self.tally.to_dict(),
        }


def _part(number: int) -> str:
    return f"part-{number:06}.parquet"
