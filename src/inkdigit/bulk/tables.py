"""Tables that survive a kill: one file by way of a journal, or a folder of Parquet parts."""

from typing import Any, Protocol

from inkdigit.bulk.chunks import ChunkResult, Position, ReadJob
from inkdigit.bulk.journal import Journal, journal_of
from inkdigit.bulk.parquet import need_pyarrow
from inkdigit.bulk.parts import Parts, PartsTable
from inkdigit.bulk.tally import Tally
from inkdigit.bulk.uris import is_uri, without_secrets
from inkdigit.bulk.writers import PARQUET, Output
from inkdigit.errors import OutputError, SettingError


class Table(Protocol):
    """Where finished chunks go, in order, and from where a stopped run goes on."""

    @property
    def position(self) -> Position:
        """How far the input has been gone through."""

    @property
    def tally(self) -> Tally:
        """What has been counted up to there."""

    def append(self, done: ChunkResult) -> None:
        """Add a chunk."""

    def finish(self) -> None:
        """Make the table whole."""

    def close(self) -> None:
        """Let go of it, finished or not."""


class FileTable:
    """A file in any format, made at the end from its journal."""

    def __init__(self, output: Output, asked: dict[str, Any], *, anew: bool = False) -> None:
        """Take up the journal beside the file, or begin it; `anew` even where there is one."""
        if output.path is None:
            raise SettingError("a table is a file: name it with --out")
        self._output = output
        self._journal = Journal(journal_of(output.path), asked, anew=anew)

    @property
    def position(self) -> Position:
        """How far the input has been gone through."""
        return self._journal.position

    @property
    def tally(self) -> Tally:
        """What has been counted up to there."""
        return self._journal.tally

    def append(self, done: ChunkResult) -> None:
        """Add a chunk: it is on the disk when this returns."""
        self._journal.append(done)

    def finish(self) -> None:
        """Make the file from the journal, then take that away."""
        self._output.write(self._journal.records(), several=True)
        self._journal.remove()

    def close(self) -> None:
        """Close the journal, which stays unless the table is finished."""
        self._journal.close()


Target = Output | str


def choose_target(
    out: str | None, format_: str | None, *, overwrite: bool = False, resume: bool = False
) -> Target:
    """Return where rows go: an `Output`, or the name of a folder for parts, which ends in /.

    Raises as `Output.choose` does, and `OutputError` where an earlier run was stopped that is
    neither to be resumed nor overwritten.
    """
    if out and (is_uri(out) or out.endswith("/")):
        return _choose_folder(out, format_)
    output = Output.choose(out, format_, overwrite=overwrite or resume)
    if resume and not output.is_file:
        raise SettingError("--resume goes on with a table: name it with --out")
    if output.path and not (overwrite or resume) and journal_of(output.path).exists():
        raise OutputError(
            f"{journal_of(output.path)} holds what an earlier run has done: go on with --resume, "
            "or start anew with --overwrite"
        )
    return output


def finished(target: Target, work: ReadJob) -> Tally | None:
    """Return what was counted in the table where it is whole already, of a file nothing.

    Raises `RunError` for a folder of parts that another work has finished; a file does not say.
    """
    if isinstance(target, str):
        parts = Parts(target)
        return parts.finished(work.asked()) if parts.is_finished() else None
    whole = target.path and target.path.exists() and not journal_of(target.path).exists()
    return Tally() if whole else None


def open_table(
    target: Target, asked: dict[str, Any], *, overwrite: bool = False, resume: bool = False
) -> Table:
    """Return the table, with what an earlier run has done if it is to be resumed."""
    if isinstance(target, str):
        return PartsTable(Parts(target), asked, overwrite=overwrite, resume=resume)
    return FileTable(target, asked, anew=overwrite)


def _choose_folder(out: str, format_: str | None) -> str:
    shown = without_secrets(out)
    if not shown.endswith("/"):
        raise SettingError(
            f"{shown} is no folder: a bucket takes a table in parts, name a folder such as {shown}/"
        )
    if format_ not in {None, PARQUET}:
        raise SettingError(f"a folder takes parts of Parquet: leave out --format {format_}")
    need_pyarrow()
    return out
