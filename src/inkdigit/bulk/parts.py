"""A table as a folder of Parquet parts, on a disk or in a bucket.

A part is there or not. Each carries in its metadata how far the input had been gone through, so
the last one says where to go on. `_SUCCESS`, which readers of such folders pass over, comes last.
A folder on a disk is locked while it is written. In a bucket nothing can be: there `_RUN` names the
run that began last, and any other ends where it would write.
"""

import json
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from inkdigit.bulk.chunks import ChunkResult, Position
from inkdigit.bulk.journal import differing, lock
from inkdigit.bulk.parquet import table
from inkdigit.bulk.storage import located, reason
from inkdigit.bulk.tally import Tally
from inkdigit.bulk.uris import is_uri, without_secrets
from inkdigit.errors import OutputError, RunError
from inkdigit.files import write_atomically

if TYPE_CHECKING:
    import pyarrow as pa

# Rows of a part, and so the most that a kill can cost.
PART_ROWS = 20_000
_SUCCESS = "_SUCCESS"
# Lies in a folder on a disk while it is written; readers pass over it as well.
_LOCK = ".lock"
_RUN = "_RUN"
_NOTE = b"inkdigit"
_PART = re.compile(r"part-(\d{6,})\.parquet")


@dataclass(frozen=True)
class Note:
    """What a run says of itself in its parts: what it was asked for, and how far it had come."""

    asked: dict[str, Any]
    position: Position
    tally: Tally

    def to_json(self) -> bytes:
        """Return it as it is written."""
        known = {"position": asdict(self.position), "tally": self.tally.to_dict()}
        return json.dumps({"asked": self.asked, **known}, indent=2).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Rebuild from `to_json`; `ValueError` for anything else."""
        try:
            known = json.loads(text)
            position, tally = known["position"], known["tally"]
            return cls(dict(known["asked"]), Position.from_dict(position), Tally.from_dict(tally))
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError from error


class Parts:
    """The parts in a folder, which is named by a path or a URI and ends in /."""

    def __init__(self, name: str) -> None:
        """Raise `SourceError` for a store that is not known; nothing is written yet."""
        self._name, self._shown = name, without_secrets(name)
        self._store, self._folder = located(name)
        self._run = uuid4().hex.encode()

    def __str__(self) -> str:
        return self._shown

    @contextmanager
    def held(self) -> Iterator[None]:
        """Make a folder on a disk if need be, and hold it; `RunError` where another process does.

        Of a bucket it takes away what `claim` has written.
        """
        if is_uri(self._name):
            try:
                yield
            finally:
                with suppress(OSError, OutputError):
                    if self._is_claimed():
                        self._delete(_RUN)
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

    def claim(self) -> None:
        """Take a folder in a bucket from any other run, which ends where it would write."""
        if is_uri(self._name):
            self._put(_RUN, self._run)

    def is_begun(self) -> bool:
        """Return whether another run has written there, or is about to."""
        return self._read(_RUN) is not None or bool(self.numbers())

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
        return self._read(_SUCCESS) is not None

    def finished(self, asked: dict[str, Any]) -> Tally:
        """Return what was counted in all parts, where all are there.

        Raises `RunError` where they are of a run that was asked for something else.
        """
        try:
            note = Note.from_json(self._read(_SUCCESS) or b"")
        except ValueError:
            raise RunError(f"{self._shown} was not finished by Inkdigit") from None
        self.check(note.asked, asked)
        return note.tally

    def check(self, before: dict[str, Any], asked: dict[str, Any]) -> None:
        """Raise `RunError` where the parts are of a run that was asked for something else."""
        now = json.loads(json.dumps(asked))
        if before != now:
            raise RunError(f"{self._shown} is of another run ({differing(before, now)})")

    def note(self, number: int) -> Note:
        """Return what a part says of the run that wrote it."""
        from pyarrow.parquet import read_schema

        try:
            found = read_schema(self._path(_part(number)), filesystem=self._store)
            return Note.from_json(found.metadata[_NOTE])
        except (OSError, ValueError, KeyError, TypeError):
            raise RunError(f"{self._shown}{_part(number)} is no part of Inkdigit's") from None

    def write(self, number: int, rows: "pa.Table", note: Note) -> None:
        """Write a part; it has its name only when it is whole."""
        from pyarrow.parquet import write_table

        content = BytesIO()
        noted = rows.replace_schema_metadata({_NOTE: note.to_json()})
        write_table(noted, content, compression="zstd")
        self._write(_part(number), content.getvalue())

    def finish(self, note: Note) -> None:
        """Say that all parts are there."""
        self._write(_SUCCESS, note.to_json())

    def clear(self) -> None:
        """Take away what an earlier run has written, and nothing else."""
        try:
            if self.is_finished():
                self._delete(_SUCCESS)
            for number in self.numbers():
                self._delete(_part(number))
        except OSError as error:
            raise self._unwritable(error) from None

    def _is_claimed(self) -> bool:
        return self._read(_RUN) == self._run

    def _write(self, name: str, content: bytes) -> None:
        if is_uri(self._name) and not self._is_claimed():
            raise RunError(f"{self._shown} is being written by another run, which began later")
        self._put(name, content)

    def _put(self, name: str, content: bytes) -> None:
        try:
            if is_uri(self._name):
                # An object appears when its stream is closed.
                with self._store.open_output_stream(self._path(name)) as stream:
                    stream.write(content)
            else:
                write_atomically(Path(self._folder, name), lambda path: path.write_bytes(content))
        except OSError as error:
            raise self._unwritable(error) from None

    def _read(self, name: str) -> bytes | None:
        """Return what a file holds, `None` where it is not there."""
        try:
            with self._store.open_input_stream(self._path(name)) as stream:
                return bytes(stream.read())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unwritable(error) from None

    def _delete(self, name: str) -> None:
        self._store.delete_file(self._path(name))

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
            if not overwrite:
                self._go_on(resume=resume)
            parts.claim()
            if overwrite:
                parts.clear()
            self._held = held.pop_all()

    def append(self, done: ChunkResult) -> None:
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
        if self._parts.numbers() != list(range(self._number)):
            raise RunError(f"{self._parts} holds parts of another run: start with --overwrite")
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

    def _go_on(self, *, resume: bool) -> None:
        if not resume and self._parts.is_begun():
            raise OutputError(
                f"{self._parts} holds parts already, or another run is writing some: go on with "
                "--resume, or start anew with --overwrite"
            )
        there = self._parts.numbers()
        if there != list(range(len(there))):
            raise RunError(f"{self._parts} lacks some of its parts: start with --overwrite")
        if there:
            note = self._parts.note(there[-1])
            self._parts.check(note.asked, self._asked)
            self.position, self.tally, self._number = note.position, note.tally, len(there)

    def _note(self) -> Note:
        return Note(self._asked, self.position, self.tally)


def _part(number: int) -> str:
    return f"part-{number:06}.parquet"
