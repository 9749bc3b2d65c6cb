"""From rows to text, JSON, JSON lines, CSV or Parquet, on standard output or in a file."""

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Self, TextIO

from inkdigit.bulk.rows import Record
from inkdigit.bulk.storage import need_pyarrow
from inkdigit.errors import OutputError, SettingError, escape_controls
from inkdigit.files import write_atomically, writing
from inkdigit.reading.result import COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa

STDOUT = "-"
# Rows of Parquet that are held at a time.
_GROUP = 10_000
_SUFFIXES = {
    "": "text", ".txt": "text", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".csv": "csv", ".parquet": "parquet",
}  # fmt: skip


def _write_text(records: Iterator[Record], stream: TextIO, *, several: bool) -> None:
    """Write the text alone, or for several lines of name, text and status between tabs."""
    for read in records:
        cells = [read["text"]]
        if several:
            page = f":{read['page']}" if read["page"] > 1 else ""
            # On one line, and without commands to a terminal.
            name = escape_controls(read["source"]) + page
            cells = [name, read["text"] or "", read["status"]]
        stream.write("\t".join(cells) + "\n")


def _write_json(records: Iterator[Record], stream: TextIO, *, several: bool) -> None:
    """Write one object, or for several a list."""
    before = "[\n" if several else ""
    for record in records:
        stream.write(before + json.dumps(record, indent=2))
        before = ",\n"
    stream.write("\n]\n" if several else "\n")


def _write_jsonl(records: Iterator[Record], stream: TextIO, *, several: bool) -> None:  # noqa: ARG001
    for record in records:
        stream.write(json.dumps(record) + "\n")


def _write_csv(records: Iterator[Record], stream: TextIO, *, several: bool) -> None:  # noqa: ARG001
    """Write a header and a line for each row, lists as JSON in their cell."""
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(COLUMNS)
    for record in records:
        table.writerow(
            json.dumps(value, separators=(",", ":")) if isinstance(value, list) else value
            for value in record.values()
        )


def write_parquet(records: Iterable[Record], path: Path) -> None:
    """Write a Parquet file, a group of rows after the other."""
    from pyarrow.parquet import ParquetWriter

    records = iter(records)
    with ParquetWriter(path, _schema(), compression="zstd") as writer:
        while some := list(islice(records, _GROUP)):
            writer.write_table(as_arrow(some))


def as_arrow(records: list[Record]) -> "pa.Table":
    """Return rows as an Arrow table; a name that is no text is written with escapes."""
    import pyarrow as pa

    return pa.Table.from_pylist(list(map(_as_text, records)), _schema())


def _schema() -> "pa.Schema":
    """Return the columns and their types, nested where they are lists."""
    import pyarrow as pa

    text, real, box = pa.string(), pa.float64(), pa.list_(pa.int32())
    alternatives = pa.list_(pa.struct({"value": text, "confidence": real}))
    character = {"value": text, "confidence": real, "box": box, "alternatives": alternatives}
    others = {
        "page": pa.int32(), "confidence": real, "characters": pa.list_(pa.struct(character)),
        "box": box,
    }  # fmt: skip
    return pa.schema({name: others.get(name, text) for name in COLUMNS})


def _as_text(record: Record) -> Record:
    def escaped(text: str) -> str:
        return text.encode("utf-8", "backslashreplace").decode()

    return record | {n: escaped(record[n]) for n in ("source", "error", "id") if record[n]}


# What a stream of text can take; Parquet needs a file.
FORMATS: dict[str, Callable[..., None]] = {
    "text": _write_text, "json": _write_json, "jsonl": _write_jsonl, "csv": _write_csv,
}  # fmt: skip
PARQUET = "parquet"
ALL_FORMATS = (*FORMATS, PARQUET)


@dataclass(frozen=True)
class Output:
    """Where rows go, standard output where there is no path, and in what format."""

    path: Path | None
    format: str

    @classmethod
    def choose(cls, out: str | None, format_: str | None, *, overwrite: bool = False) -> Self:
        """Return the output of these arguments; the format is named, or the suffix's, or text.

        Raises `SettingError` for a format or suffix that is none, `OutputError` where nothing can
        be written or something lies already, and `MissingExtraError` for Parquet without pyarrow.
        """
        path = None if out in {None, STDOUT} else Path(str(out))
        suffix = path.suffix.lower() if path else ""
        if not format_ and suffix not in _SUFFIXES:
            raise SettingError(
                f"{path} does not say its format: end it in .txt, .json, .jsonl, .csv or .parquet, "
                "or use --format"
            )
        if format_ not in {None, *ALL_FORMATS}:
            raise SettingError(f"the format is one of {', '.join(ALL_FORMATS)}, received {format_}")
        if path:
            _check_free(path, overwrite=overwrite)
        output = cls(path, format_ or _SUFFIXES[suffix])
        if output.format == PARQUET:
            need_pyarrow()
            if not output.is_file:
                raise SettingError("Parquet goes to a file: name one with --out")
        return output

    @property
    def is_file(self) -> bool:
        """Whether rows go to a file, not to a stream, a pipe or a device."""
        return self.path is not None and not _is_device(self.path)

    def write(self, records: Iterable[Record], *, several: bool) -> None:
        """Write all rows as they come; a file has its name only when the last is in it.

        `several` says whether there may be more than one, which text and JSON show otherwise.
        """
        if self.path is None:
            # Closed by whoever started us, it is None.
            self._write(records, sys.stdout or StringIO(), several=several)
            return

        def write(path: Path) -> None:
            if self.format == PARQUET:
                write_parquet(records, path)
                return
            with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
                self._write(records, file, several=several)

        if self.is_file:
            write_atomically(self.path, write)
        else:
            with writing(self.path):
                write(self.path)

    def _write(self, records: Iterable[Record], stream: TextIO, *, several: bool) -> None:
        FORMATS[self.format](iter(records), stream, several=several)


def _check_free(path: Path, *, overwrite: bool) -> None:
    """Raise `OutputError` where a file cannot appear."""
    with writing(path), suppress(FileNotFoundError):
        path.stat()
    if path.is_dir():
        raise OutputError(f"{path} is a folder: name a file in it")
    if not path.parent.is_dir():
        raise OutputError(f"{path} cannot be written: {path.parent} is no folder")
    if path.exists() and not overwrite and not _is_device(path):
        raise OutputError(f"{path} is there already: choose another name, or add --overwrite")


def _is_device(path: Path) -> bool:
    """Return whether a path is a pipe or a device, which is written to and never replaced."""
    return path.exists() and not path.is_file()
