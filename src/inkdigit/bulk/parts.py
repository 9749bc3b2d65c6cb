"""Parts: rows in files that a kill leaves whole, so that a stopped run goes on behind them.

Each part carries a note of what the run was asked for and how far it had come, so the last one says
where to go on. Each is there whole or not at all, and `_SUCCESS` comes when all are. Parts of
Parquet are a table themselves. Parts of JSON lines, one a chunk, are what a file is made from at
the end.
"""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar, Self

from inkdigit.bulk.chunks import ChunkResult, Position
from inkdigit.bulk.rows import ReadJob, Record, Tally
from inkdigit.bulk.stores import CLAIM, LocalStore, Store
from inkdigit.bulk.writers import Output, as_arrow
from inkdigit.errors import OutputError, RunError, need

if TYPE_CHECKING:
    import pyarrow as pa

_SUCCESS = "_SUCCESS"
# What reading a note raises where it is none.
_NO_NOTE = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True)
class Note:
    """What a run says of itself: what it was asked for, and how far it had come."""

    asked: dict[str, Any]
    position: Position
    tally: Tally

    def to_json(self) -> bytes:
        """Return it as it is written, on one line."""
        known = {"position": asdict(self.position), "tally": self.tally.to_dict()}
        return json.dumps({"asked": self.asked, **known}).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        """Rebuild from `to_json`; one of `_NO_NOTE` for anything else."""
        known = json.loads(text)
        position = Position(int(known["position"]["pictures"]), str(known["position"]["digest"]))
        return cls(dict(known["asked"]), position, Tally.from_dict(known["tally"]))

    def check(self, asked: dict[str, Any], name: str) -> None:
        """Raise `RunError` where it was asked for something else than now."""
        now = json.loads(json.dumps(asked))
        for key in {**self.asked, **now}:
            if (was := self.asked.get(key)) != (wanted := now.get(key)):
                raise RunError(f"{name} is of another run ({key} was {was}, and is {wanted})")


class Parts(ABC):
    """The parts that lie in a store, numbered from 0."""

    suffix: ClassVar[str]
    # Rows that make a part, and so about the most that a kill costs.
    rows: ClassVar[int]

    # The file that is made from them; they may be a table themselves.
    output: Output | None = None

    def __init__(self, store: Store) -> None:
        self.store = store
        self._pattern = re.compile(rf"part-(\d{{6,}})\.{self.suffix}")

    @abstractmethod
    def pack(self, records: list[Record]) -> Any:
        """Return rows as they are held until they are written."""

    @abstractmethod
    def write(self, number: int, packed: Sequence[Any], note: Note) -> None:
        """Write a part, with how far the run had come."""

    @abstractmethod
    def read_note(self, content: bytes) -> Note:
        """Return what a part says of how far its run had come; one of `_NO_NOTE` if nothing."""

    def __str__(self) -> str:
        return str(self.output.path) if self.output else self.store.name

    def numbers(self) -> list[int]:
        """Return the numbers of the parts that are there."""
        names = map(self._pattern.fullmatch, self.store.names())
        return sorted(int(name[1]) for name in names if name)

    def is_begun(self) -> bool:
        """Return whether another run has written, or is about to."""
        return bool(self.numbers()) or CLAIM in self.store.names()

    def check_free(self) -> None:
        """Raise `OutputError` where another run has written, or is about to."""
        if self.is_begun():
            raise OutputError(
                f"{self.store.name} holds what an earlier run has done, or another run is writing "
                "there: go on with --resume, or start anew with --overwrite"
            )

    def last(self, asked: dict[str, Any]) -> tuple[int, Note | None]:
        """Return how many parts there are, and the note of the last.

        Raises `RunError` where they are not all there, or of a run that was asked for something
        else.
        """
        there = self.numbers()
        if there != list(range(len(there))):
            raise RunError(f"{self.store.name} lacks some of its parts: start with --overwrite")
        if not there:
            return 0, None
        name = self._name(there[-1])
        try:
            note = self.read_note(self.store.read(name) or b"")
        except _NO_NOTE:
            raise RunError(f"{name} in {self.store.name} is no part of Inkdigit's") from None
        note.check(asked, self.store.name)
        return len(there), note

    def finished(self, job: ReadJob) -> Tally | None:
        """Return what was counted in the table if it is finished.

        Raises `RunError` where it was made by a run that was asked for something else.
        """
        success = self.store.read(_SUCCESS)
        if success is None:
            return None
        try:
            note = Note.from_json(success)
        except _NO_NOTE:
            raise RunError(f"{self.store.name} was not finished by Inkdigit") from None
        note.check(job.asked(), self.store.name)
        return note.tally

    def finish(self, note: Note) -> None:
        """Make the table whole, and say that it is."""
        self.store.write(_SUCCESS, note.to_json())

    def clear(self) -> None:
        """Take away what an earlier run has written, and nothing else."""
        if _SUCCESS in self.store.names():
            self.store.delete(_SUCCESS)
        self._delete_parts()

    def _delete_parts(self) -> None:
        for number in self.numbers():
            self.store.delete(self._name(number))

    def _name(self, number: int) -> str:
        return f"part-{number:06}.{self.suffix}"


class ParquetParts(Parts):
    """Parts of Parquet, with the note in their metadata."""

    suffix = "parquet"
    rows = 20_000
    _KEY = b"inkdigit"

    def __init__(self, store: Store) -> None:
        """Raise `MissingExtraError` where pyarrow is not installed."""
        need("parquet", "pyarrow")
        super().__init__(store)

    def pack(self, records: list[Record]) -> "pa.Table":
        """Return rows as an Arrow table."""
        return as_arrow(records)

    def write(self, number: int, packed: "Sequence[pa.Table]", note: Note) -> None:
        """Write a part."""
        import pyarrow as pa
        from pyarrow.parquet import write_table

        content = BytesIO()
        rows = pa.concat_tables(packed).replace_schema_metadata({self._KEY: note.to_json()})
        write_table(rows, content, compression="zstd")
        self.store.write(self._name(number), content.getvalue())

    def read_note(self, content: bytes) -> Note:
        """Return what stands in the metadata."""
        from pyarrow.parquet import read_schema

        return Note.from_json(read_schema(BytesIO(content)).metadata[self._KEY])


class JsonLinesParts(Parts):
    """Parts of JSON lines beside the file that is made from them in the end.

    In each stands a note, and then the rows of one chunk.
    """

    suffix = "jsonl"
    rows = 0

    def __init__(self, output: Output) -> None:
        self.output: Output = output
        super().__init__(LocalStore(f"{output.path}.part", temporary=True))

    def pack(self, records: list[Record]) -> bytes:
        """Return a line for each row."""
        return b"\n".join(json.dumps(record).encode() for record in records)

    def write(self, number: int, packed: Sequence[bytes], note: Note) -> None:
        """Write a part."""
        self.store.write(self._name(number), b"\n".join([note.to_json(), *packed]))

    def read_note(self, content: bytes) -> Note:
        """Return the first line."""
        return Note.from_json(content.partition(b"\n")[0])

    def finished(self, job: ReadJob) -> Tally | None:  # noqa: ARG002  (a file does not say)
        """Return a tally of nothing if the file is there and nothing is left of its parts."""
        if self.output.path is None or not self.output.path.exists():
            return None
        if self.store.read(_SUCCESS) is not None:  # killed while they were taken away
            with self.store.held():
                self._remove()
        return None if self.is_begun() else Tally()

    def finish(self, note: Note) -> None:
        """Make the file, and take the parts away."""
        self.output.write(self.records(), several=True)
        super().finish(note)
        self._remove()

    def _remove(self) -> None:
        self._delete_parts()
        self.store.delete(_SUCCESS)

    def records(self) -> Iterator[Record]:
        """Yield the rows of all parts, in order."""
        for number in self.numbers():
            _, *rows = (self.store.read(self._name(number)) or b"").splitlines()
            yield from map(json.loads, rows)


class Table:
    """Rows that become parts as they are read, and from where a stopped run goes on.

    `position` is how far the input had been gone through when rows were last written, `tally` what
    has been counted.
    """

    def __init__(
        self, parts: Parts, asked: dict[str, Any], *, overwrite: bool = False, resume: bool = False
    ) -> None:
        """Go on behind the last part where `resume`; `OutputError` where there are any otherwise.

        Raises `RunError` where they are of a run that was asked for something else, or one that is
        still going on.
        """
        self.position, self.tally = Position(), Tally()
        self._parts, self._asked = parts, asked
        # The part that comes next, how many rows it has, and those rows.
        self._number, self._rows, self._held = 0, 0, list[Any]()
        with ExitStack() as opened:
            opened.enter_context(parts.store.held())
            if not overwrite:
                if not resume:
                    parts.check_free()
                self._number, note = parts.last(asked)
                if note:
                    self.position, self.tally = note.position, note.tally
            parts.store.claim()
            if overwrite:
                parts.clear()
            self._open = opened.pop_all()

    def append(self, done: ChunkResult) -> None:
        """Add a chunk; write a part when there are rows enough."""
        packed = self._parts.pack(done.records)
        tally = deepcopy(self.tally)  # Ctrl-C may come meanwhile
        for record, code in zip(done.records, done.codes, strict=True):
            tally.count(record, code)
        self._rows += len(done.records)
        self._held.append((packed, done.end, tally))
        self.tally = tally
        if self._rows >= self._parts.rows:
            self._write()

    def finish(self) -> None:
        """Write what is left, and make the table whole."""
        self._write()
        if self._parts.numbers() != list(range(self._number)):
            raise RunError(
                f"{self._parts.store.name} holds parts of another run: start with --overwrite"
            )
        self._parts.finish(self._note(self.position, self.tally))

    def close(self) -> None:
        """Write what is left, finished or not, and let go of the folder."""
        with self._open:
            self._write()

    def _write(self) -> None:
        if not self._held:
            return
        # What cannot be written is not tried again.
        held, self._held, self._rows = self._held, [], 0
        _, end, tally = held[-1]
        self._parts.write(self._number, [packed for packed, *_ in held], self._note(end, tally))
        self.position, self._number = end, self._number + 1

    def _note(self, position: Position, tally: Tally) -> Note:
        return Note(self._asked, position, tally)
