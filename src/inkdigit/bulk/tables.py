"""Where rows go, and tables that survive a kill."""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from inkdigit.bulk.chunks import ChunkResult, Position, ReadJob
from inkdigit.bulk.parts import JsonLines, Note, ParquetParts, Parts
from inkdigit.bulk.rows import Tally
from inkdigit.bulk.storage import is_uri, without_secrets
from inkdigit.bulk.stores import LocalStore, store_of
from inkdigit.bulk.writers import PARQUET, Output, need_pyarrow
from inkdigit.errors import InkdigitError, RunError, SettingError


@dataclass(frozen=True)
class Target:
    """Where rows go: a folder of parts, a file that is made from parts, or a stream without any."""

    name: str
    output: Output | None
    parts: Parts | None

    def finished(self, job: ReadJob) -> Tally | None:
        """Return what was counted in the table where it is whole already, of a file nothing.

        Raises `RunError` for a folder of parts that another job has finished; a file does not say.
        """
        if self.parts is None:
            return None
        if self.output is None:
            return self.parts.finished(job.asked()) if self.parts.is_finished() else None
        if not self.output.is_there():
            return None
        if self.parts.is_finished():  # and killed before they were taken away
            with self.parts.store.held():
                self.parts.remove()
        return None if self.parts.is_begun() else Tally()


def choose_target(
    out: str | None, format_: str | None, *, overwrite: bool = False, resume: bool = False
) -> Target:
    """Return where rows go; a folder for parts is named by a URI, or ends in /.

    Raises as `Output.choose` does, and `OutputError` where an earlier run was stopped that is
    neither to be resumed nor overwritten.
    """
    if out and (is_uri(out) or out.endswith("/")):
        target = _choose_folder(out, format_)
    else:
        output = Output.choose(out, format_, overwrite=overwrite or resume)
        if resume and not output.is_file:
            raise SettingError("--resume goes on with a table: name it with --out")
        target = Target(str(out), output, parts_of(str(out)) if output.is_file else None)
    if target.parts and not (overwrite or resume):
        target.parts.check_free()
    return target


def _choose_folder(out: str, format_: str | None) -> Target:
    shown = without_secrets(out)
    if not shown.endswith("/"):
        raise SettingError(
            f"{shown} is no folder: a bucket takes a table in parts, name a folder such as {shown}/"
        )
    if format_ not in {None, PARQUET}:
        raise SettingError(f"a folder takes parts of Parquet: leave out --format {format_}")
    need_pyarrow()
    return Target(shown, None, Parts(store_of(out), ParquetParts()))


def parts_of(file: str) -> Parts:
    """Return the parts that a file is made from, in a folder beside it."""
    return Parts(LocalStore(f"{file}.part", temporary=True), JsonLines())


class Table:
    """Rows that become parts as they are read, and from where a stopped run goes on.

    `position` is how far the input had been gone through when the last part was written, `tally`
    what has been counted.
    """

    def __init__(
        self,
        target: Target,
        asked: dict[str, Any],
        *,
        overwrite: bool = False,
        resume: bool = False,
    ) -> None:
        """Go on behind the last part where `resume`; `OutputError` where there are any otherwise.

        Raises `RunError` where they are of a run that was asked for something else, or one that is
        still going on.
        """
        if target.parts is None:
            raise SettingError("a table is a file or a folder: name it with --out")
        self._parts, self._output, self._asked = target.parts, target.output, asked
        self.position, self.tally = Position(), Tally()
        # Rows of the part that is not full yet, each chunk with the position behind it.
        self._held: list[tuple[Any, int, Position]] = []
        self._number = 0
        with ExitStack() as opened:
            opened.enter_context(self._parts.store.held())
            if not overwrite:
                self._go_on(resume=resume)
            self._parts.store.claim()
            if overwrite:
                self._parts.clear()
            self._open = opened.pop_all()

    def append(self, done: ChunkResult) -> None:
        """Add a chunk; write a part where there are rows enough for one, or where parts grow."""
        packed = self._parts.format.pack(done.records)
        for record, code in zip(done.records, done.codes, strict=True):
            self.tally.count(record, code)
        self._held.append((packed, len(done.records), done.end))
        if self._parts.format.grows or self._is_full():
            self._write()

    def finish(self) -> None:
        """Write what is left, and make the table whole."""
        self._write()
        if self._parts.numbers() != list(range(self._number + bool(self._held))):
            raise RunError(
                f"{self._parts.store.name} holds parts of another run: start with --overwrite"
            )
        if self._output:
            self._output.write(self._parts.records(), several=True)
        self._parts.finish(Note(self._asked, self.position, self.tally))
        if self._output:
            self._parts.remove()

    def close(self) -> None:
        """Write what is left, finished or not, and let go of the folder."""
        with self._open:
            self._write()

    def _is_full(self) -> bool:
        return sum(rows for _, rows, _ in self._held) >= self._parts.format.rows

    def _write(self) -> None:
        """Write the part that is not full yet, if there is anything new in it."""
        if not self._held or self._held[-1][-1] == self.position:
            return
        end = self._held[-1][-1]
        packed = [packed for packed, *_ in self._held]
        try:
            self._parts.write(self._number, packed, Note(self._asked, end, self.tally))
        except InkdigitError:
            self._held = []  # is not tried again
            raise
        self.position = end
        if self._is_full():
            self._held, self._number = [], self._number + 1

    def _go_on(self, *, resume: bool) -> None:
        if not resume:
            self._parts.check_free()
        self._number, note = self._parts.last(self._asked)
        if note:
            self.position, self.tally = note.position, note.tally
