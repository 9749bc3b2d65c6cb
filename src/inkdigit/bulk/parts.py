"""Parts: rows in files that are there whole or not at all, so that a stopped run goes on.

Each part carries a note of what the run was asked for and how far it had come, so the last one says
where to go on. `_SUCCESS` comes when all are there. Parts of Parquet are a table themselves. Parts
of JSON lines are what a single file is made from at the end; the last of them grows by the chunk.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any, Self

from inkdigit.bulk.chunks import Position
from inkdigit.bulk.rows import Record, Tally
from inkdigit.bulk.stores import CLAIM, Store
from inkdigit.bulk.writers import as_arrow
from inkdigit.errors import OutputError, RunError

if TYPE_CHECKING:
    import pyarrow as pa

_SUCCESS = "_SUCCESS"


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
        """Rebuild from `to_json`; `ValueError` for anything else."""
        try:
            known = json.loads(text)
            position, tally = known["position"], known["tally"]
            return cls(dict(known["asked"]), Position.from_dict(position), Tally.from_dict(tally))
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError from error

    def check(self, asked: dict[str, Any], name: str) -> None:
        """Raise `RunError` where it was asked for something else than now."""
        now = json.loads(json.dumps(asked))
        for key in {**self.asked, **now}:
            if (was := self.asked.get(key)) != (wanted := now.get(key)):
                raise RunError(f"{name} is of another run ({key} was {was}, and is {wanted})")


class JsonLines:
    """Parts of JSON lines: one for the note, then one for each row."""

    suffix = "jsonl"
    # Of a full part: few enough to be written anew with each chunk, many enough that there are few
    # thousand parts of a million rows.
    rows = 512
    # Whether a part that is not full is written with each chunk.
    grows = True

    def pack(self, records: list[Record]) -> bytes:
        """Return a line for each row."""
        return b"".join(json.dumps(record).encode() + b"\n" for record in records)

    def join(self, packed: Sequence[bytes], note: bytes) -> bytes:
        """Return the note on a line, and the rows behind it."""
        return b"".join([note, b"\n", *packed])

    def note(self, content: bytes) -> bytes:
        """Return the first line."""
        return content.partition(b"\n")[0]


class ParquetParts:
    """Parts of Parquet, with the note in their metadata."""

    suffix = "parquet"
    # Of a full part, and so the most that a kill can cost.
    rows = 20_000
    grows = False
    _key = b"inkdigit"

    def pack(self, records: list[Record]) -> "pa.Table":
        """Return rows as an Arrow table."""
        return as_arrow(records)

    def join(self, packed: "Sequence[pa.Table]", note: bytes) -> bytes:
        """Return a Parquet file."""
        import pyarrow as pa
        from pyarrow.parquet import write_table

        content = BytesIO()
        rows = pa.concat_tables(packed).replace_schema_metadata({self._key: note})
        write_table(rows, content, compression="zstd")
        return content.getvalue()

    def note(self, content: bytes) -> bytes:
        """Return what stands in the metadata."""
        from pyarrow.parquet import read_schema

        try:
            return bytes(read_schema(BytesIO(content)).metadata[self._key])
        except (KeyError, TypeError) as error:
            raise ValueError from error


Format = JsonLines | ParquetParts


class Parts:
    """The parts that lie in a store, numbered from 0."""

    def __init__(self, store: Store, format_: Format) -> None:
        self.store, self.format = store, format_
        self._pattern = re.compile(rf"part-(\d{{6,}})\.{format_.suffix}")

    def numbers(self) -> list[int]:
        """Return the numbers of the parts that are there."""
        names = map(self._pattern.fullmatch, self.store.names())
        return sorted(int(name[1]) for name in names if name)

    def is_begun(self) -> bool:
        """Return whether another run has written, or is about to."""
        return bool(self.numbers()) or CLAIM in self.store.names()

    def is_finished(self) -> bool:
        """Return whether all parts are there."""
        return self.store.read(_SUCCESS) is not None

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
            note = Note.from_json(self.format.note(self.store.read(name) or b""))
        except (OSError, ValueError):
            raise RunError(f"{name} in {self.store.name} is no part of Inkdigit's") from None
        note.check(asked, self.store.name)
        return len(there), note

    def finished(self, asked: dict[str, Any]) -> Tally:
        """Return what was counted in all parts, where all are there.

        Raises `RunError` where they are of a run that was asked for something else.
        """
        try:
            note = Note.from_json(self.store.read(_SUCCESS) or b"")
        except ValueError:
            raise RunError(f"{self.store.name} was not finished by Inkdigit") from None
        note.check(asked, self.store.name)
        return note.tally

    def write(self, number: int, packed: Sequence[Any], note: Note) -> None:
        """Write a part, or write it anew."""
        self.store.write(self._name(number), self.format.join(packed, note.to_json()))

    def records(self) -> Iterator[Record]:
        """Yield the rows of parts of JSON lines, in order."""
        for number in self.numbers():
            _, *lines = (self.store.read(self._name(number)) or b"").splitlines()
            yield from map(json.loads, lines)

    def finish(self, note: Note) -> None:
        """Say that all parts are there."""
        self.store.write(_SUCCESS, note.to_json())

    def clear(self) -> None:
        """Take away what an earlier run has written, and nothing else."""
        if _SUCCESS in self.store.names():
            self.store.delete(_SUCCESS)
        self._delete()

    def remove(self) -> None:
        """Take away what is finished and of no more use; a kill meanwhile leaves it finished."""
        self._delete()
        self.store.delete(_SUCCESS)

    def _delete(self) -> None:
        for number in self.numbers():
            self.store.delete(self._name(number))

    def _name(self, number: int) -> str:
        return f"part-{number:06}.{self.format.suffix}"
