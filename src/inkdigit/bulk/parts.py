"""Parts: rows in files that a kill leaves whole, so that a stopped run goes on behind them.

Each part carries a note of what the run was asked for and how far it had come, so the last one says
where to go on. `_SUCCESS` comes when all are there. Parts of Parquet are a table themselves: each
is there whole or not at all. Parts of JSON lines are what a file is made from at the end: they grow
by the chunk, and what stands behind the last whole one counts for nothing.
"""

import json
import re
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, ClassVar, Self

from inkdigit.bulk.chunks import Position
from inkdigit.bulk.rows import ReadJob, Record, Tally
from inkdigit.bulk.stores import CLAIM, LocalStore, Store
from inkdigit.bulk.writers import Output, as_arrow
from inkdigit.errors import OutputError, RunError

if TYPE_CHECKING:
    import pyarrow as pa

_SUCCESS = "_SUCCESS"
# How a line begins that closes a chunk; a row begins with its source.
_DONE = b'{"done": '
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
    # Rows of a full part.
    rows: ClassVar[int]
    # Whether each chunk goes to its part at once, not only when there are rows enough.
    grows: ClassVar[bool]

    # The file that is made from them; they may be a table themselves.
    output: Output | None = None

    def __init__(self, store: Store) -> None:
        self.store = store
        self._pattern = re.compile(rf"part-(\d{{6,}})\.{self.suffix}")

    @abstractmethod
    def pack(self, records: list[Record]) -> Any:
        """Return rows as they are held until they are written."""

    def begin(self, number: int, note: Note) -> None:  # noqa: B027  (there may be nothing to do)
        """Do what comes before the rows of a part; `note` is of what was written so far."""

    @abstractmethod
    def write(self, number: int, packed: Sequence[Any], note: Note) -> None:
        """Write a part, or what comes next in it."""

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
    rows = 20_000  # and so the most that a kill costs
    grows = False
    _KEY = b"inkdigit"

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

    In each stands a note, then the rows of each chunk and the note behind it.
    """

    suffix = "jsonl"
    rows = 2_000  # few enough to be held in memory
    grows = True

    def __init__(self, output: Output) -> None:
        self.output: Output = output
        self._local = LocalStore(f"{output.path}.part", temporary=True)
        super().__init__(self._local)

    def pack(self, records: list[Record]) -> bytes:
        """Return a line for each row."""
        return b"".join(json.dumps(record).encode() + b"\n" for record in records)

    def begin(self, number: int, note: Note) -> None:
        """Make a part without rows."""
        self.store.write(self._name(number), _closed(b"", note))

    def write(self, number: int, packed: Sequence[bytes], note: Note) -> None:
        """Add rows to a part: they are on the disk when this returns."""
        self._local.append(self._name(number), _closed(b"".join(packed), note))

    def read_note(self, content: bytes) -> Note:
        """Return the note behind the last whole chunk."""
        *_, (_, note) = _whole(content)
        return Note.from_json(note)

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
            for lines, _ in _whole(self.store.read(self._name(number)) or b""):
                yield from map(json.loads, lines)


def _closed(rows: bytes, note: Note) -> bytes:
    """Return rows, and behind them a line that says that they are whole, and the note."""
    return b'%s%s%d, "note": %s}\n' % (rows, _DONE, zlib.crc32(rows), note.to_json())


def _whole(content: bytes) -> Iterator[tuple[list[bytes], bytes]]:
    """Yield the rows and the note of each chunk up to the first that is not whole."""
    lines, checksum = list[bytes](), 0
    for line in content.splitlines(keepends=True):
        if not line.startswith(_DONE):
            lines.append(line)
            checksum = zlib.crc32(line, checksum)
            continue
        crc32, _, note = line.removeprefix(_DONE).partition(b', "note": ')
        if crc32 != b"%d" % checksum or not note.endswith(b"}\n"):
            return
        yield lines, note.removesuffix(b"}\n")
        lines, checksum = [], 0
