"""A table that survives a kill."""

from contextlib import ExitStack
from copy import deepcopy
from typing import Any

from inkdigit.bulk.chunks import ChunkResult, Position
from inkdigit.bulk.parts import Note, Parts
from inkdigit.bulk.rows import Tally
from inkdigit.errors import RunError


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
