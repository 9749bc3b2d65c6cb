"""Parts: rows in files that a kill leaves whole, so that a stopped run goes on behind them.

Each part carries a note of what the run was asked for and how far it had come, so the last one says
where to go on. Each is there whole or not at all, and `_SUCCESS` comes when all are. Parts of
Parquet are a table themselves. Parts of JSON lines, one a chunk, are what a file is made from at
the end.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from copy import deepcopy
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Self

from inkdigit.bulk.chunks import ChunkResult, Position
from inkdigit.bulk.rows import ReadJob, Record, Tally
from inkdigit.bulk.stores import CLAIM, LocalStore, Store, store_of
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


@dataclass(frozen=True)
class Format:
    """How rows lie in a part, beside a note of how far the run had come.

    A chunk's rows are held as `pack` returns them. Some of those and a note `encode` makes the
    content of a part, of which `note` returns the note; `rows` are enough for one, and so about the
    most that a kill costs.
    """

    suffix: str
    rows: int
    pack: Callable[[list[Record]], Any]
    encode: Callable[[Sequence[Any], bytes], bytes]
    note: Callable[[bytes], bytes]


def _lines(records: list[Record]) -> bytes:
    return b"\n".join(json.dumps(record).encode() for record in records)


# The note, and then a line for each row of one chunk.
JSON_LINES = Format(
    "jsonl",
    0,
    _lines,
    lambda packed, note: b"\n".join([note, *packed]),
    lambda content: content.partition(b"\n")[0],
)
_KEY = b"inkdigit"


def _as_parquet(tables: "Sequence[pa.Table]", note: bytes) -> bytes:
    import pyarrow as pa
    from pyarrow.parquet import write_table

    content = BytesIO()
    rows = pa.concat_tables(tables).replace_schema_metadata({_KEY: note})
    write_table(rows, content, compression="zstd")
    return content.getvalue()


def _metadata(content: bytes) -> bytes:
    from pyarrow.parquet import read_schema

    note: bytes = read_schema(BytesIO(content)).metadata[_KEY]
    return note


# The note stands in the metadata.
PARQUET = Format("parquet", 20_000, as_arrow, _as_parquet, _metadata)


class Parts:
    """The parts that lie in a store, numbered from 0.

    They are a table themselves, or an `output` file is made from them.
    """

    def __init__(self, store: Store, format_: Format, output: Output | None = None) -> None:
        self.store, self.format, self.output = store, format_, output
        self._pattern = re.compile(rf"part-(\d{{6,}})\.{format_.suffix}")

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

    def write(self, number: int, packed: Sequence[Any], note: Note) -> None:
        """Write a part, with how far the run had come."""
        self.store.write(self._name(number), self.format.encode(packed, note.to_json()))

    def records(self) -> Iterator[Record]:
        """Yield the rows of all parts of JSON lines, in order."""
        for number in self.numbers():
            _, *rows = (self.store.read(self._name(number)) or b"").splitlines()
            yield from map(json.loads, rows)

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
        return len(there), self._note(name, self.store.read(name), self.format.note, asked)

    def finished(self, job: ReadJob) -> Tally | None:
        """Return what was counted in the table if it is finished; of a file that is not known.

        Raises `RunError` where it was made by a run that was asked for something else.
        """
        if self.output:
            there = self.output.path is not None and self.output.path.exists()
            return Tally() if there and not self.is_begun() else None
        if (success := self.store.read(_SUCCESS)) is None:
            return None
        return self._note(_SUCCESS, success, bytes, job.asked()).tally

    def finish(self, note: Note) -> None:
        """Make the table whole, and say that it is."""
        if self.output:
            self.output.write(self.records(), several=True)
            # What a kill leaves now are the first of them: a run that may be resumed.
            self._delete(reversed(self.numbers()))
        else:
            self.store.write(_SUCCESS, note.to_json())

    def clear(self) -> None:
        """Take away what an earlier run has written, and nothing else."""
        if _SUCCESS in self.store.names():
            self.store.delete(_SUCCESS)
        self._delete(self.numbers())

    def _note(
        self,
        name: str,
        content: bytes | None,
        note_of: Callable[[bytes], bytes],
        asked: dict[str, Any],
    ) -> Note:
        try:
            note = Note.from_json(note_of(content or b""))
        except _NO_NOTE:
            raise RunError(f"{name} in {self.store.name} was not written by Inkdigit") from None
        note.check(asked, self.store.name)
        return note

    def _delete(self, numbers: Iterable[int]) -> None:
        for number in numbers:
            self.store.delete(self._name(number))

    def _name(self, number: int) -> str:
        return f"part-{number:06}.{self.format.suffix}"


def parts_of_file(output: Output) -> Parts:
    """Return the parts beside a file that is made from them in the end."""
    return Parts(LocalStore(f"{output.path}.part", temporary=True), JSON_LINES, output)


def parts_of_folder(folder: str) -> Parts:
    """Return the parts that are a table; `MissingExtraError` where pyarrow is not installed."""
    need("parquet", "pyarrow")
    return Parts(store_of(folder), PARQUET)


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
        packed = self._parts.format.pack(done.records)
        tally = deepcopy(self.tally)  # Ctrl-C may come meanwhile
        for record, code in zip(done.records, done.codes, strict=True):
            tally.count(record, code)
        self._rows += len(done.records)
        self._held.append((packed, done.end, tally))
        self.tally = tally
        if self._rows >= self._parts.format.rows:
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
