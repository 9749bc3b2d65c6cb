"""From rows to text, JSON, JSON lines, CSV, Parquet or Excel, on standard output or in a file."""

import csv
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TextIO

from inkdigit.bulk.folders import SUFFIXES as PICTURES
from inkdigit.bulk.rows import STATUSES, Record, Tally
from inkdigit.errors import OutputError, SettingError, escape_controls, need
from inkdigit.files import write_atomically, writing
from inkdigit.reading.result import COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa

STDOUT = "-"
# Rows of Parquet that are held at a time.
_GROUP = 10_000
SUFFIXES = {
    "": "text", ".txt": "text", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl",
    ".csv": "csv", ".parquet": "parquet", ".xlsx": "xlsx",
}  # fmt: skip
# Excel's sheets are XML, which has no place for these.
_NOT_IN_XML = re.compile("[\ufffe\uffff]")
# Excel's limit, less the header.
_MOST_ROWS = 1_048_576 - 1


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
    columns, records = _columns_of(records)
    table.writerow(columns)
    for record in records:
        table.writerow(
            json.dumps(value, separators=(",", ":")) if isinstance(value, list) else value
            for value in record.values()
        )


def _columns_of(records: Iterable[Record]) -> tuple[tuple[str, ...], Iterator[Record]]:
    """Return the columns of a table, which are those of its first row, and its rows."""
    records = iter(records)
    first = list(islice(records, 1))
    return tuple(first[0]) if first else COLUMNS, chain(first, records)


def write_parquet(records: Iterable[Record], path: Path) -> None:
    """Write a Parquet file, a group of rows after the other."""
    from pyarrow.parquet import ParquetWriter

    columns, records = _columns_of(records)
    with ParquetWriter(path, _schema(columns), compression="zstd") as writer:
        while some := list(islice(records, _GROUP)):
            writer.write_table(as_arrow(some))


def as_arrow(records: list[Record]) -> "pa.Table":
    """Return rows as an Arrow table; a name that is no text is written with escapes."""
    import pyarrow as pa

    columns, _ = _columns_of(records)
    return pa.Table.from_pylist(list(map(_as_text, records)), _schema(columns))


def _schema(columns: Iterable[str]) -> "pa.Schema":
    """Return the columns and their types, nested where they are lists."""
    import pyarrow as pa

    text, real, box = pa.string(), pa.float64(), pa.list_(pa.int32())
    alternatives = pa.list_(pa.struct({"value": text, "confidence": real}))
    character = {"value": text, "confidence": real, "box": box, "alternatives": alternatives}
    others = {
        "page": pa.int32(), "confidence": real, "characters": pa.list_(pa.struct(character)),
        "box": box, "rotate": pa.int32(),
        "angle": real, "found": real, "row": pa.int32(), "column": pa.int32(),
    }  # fmt: skip
    return pa.schema({name: others.get(name, text) for name in columns})


def _as_text(record: Record) -> Record:
    return record | {n: _escaped(record[n]) for n in ("source", "error", "id") if record[n]}


def _escaped(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()


def write_xlsx(records: Iterable[Record], path: Path, tally: Tally) -> None:
    """Write an Excel workbook: a sheet of the rows, where text stays text, and one of counts.

    What is counted in the end are the rows that were read, of which these may have been made.

    Without the characters, whose JSON may be too long for a cell. Raises `OutputError` for more
    rows than Excel opens.
    """
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    try:
        _fill_rows(book.create_sheet("rows"), records, path)
        _fill_counts(book.create_sheet("counts"), tally)
        book.save(path)
    except BaseException:
        for sheet in book.worksheets:
            with suppress(Exception):  # else it is closed later, and complains on stderr
                sheet.close()
        raise


def _fill_rows(sheet: Any, records: Iterable[Record], path: Path) -> None:
    columns, records = _columns_of(records)
    columns = tuple(name for name in columns if name != "characters")
    sheet.append(columns)
    for number, record in enumerate(records):
        if number == _MOST_ROWS:
            raise OutputError(
                f"{path.name} cannot hold more than {_MOST_ROWS:,} rows: rename {path.name}.part "
                f"to {path.stem}.csv.part, and go on with --out {path.stem}.csv --resume"
            )
        sheet.append([_cell(sheet, record[name]) for name in columns])


def _fill_counts(sheet: Any, tally: Tally) -> None:
    for status in STATUSES:
        sheet.append([status, tally.statuses[status]])
    for reason, count in tally.reasons.most_common():
        sheet.append([_cell(sheet, f"review: {reason}"), count])


def _cell(sheet: Any, value: Any) -> Any:
    from openpyxl.cell import WriteOnlyCell

    if isinstance(value, list):
        value = " ".join(map(str, value))
    if not isinstance(value, str):
        return value
    # Neither a number nor a formula, also when a person edits it.
    text = WriteOnlyCell(sheet, _NOT_IN_XML.sub("\ufffd", escape_controls(_escaped(value))))
    text.data_type, text.number_format = "s", "@"
    return text


# What a stream of text can take.
FORMATS: dict[str, Callable[..., None]] = {
    "text": _write_text, "json": _write_json, "jsonl": _write_jsonl, "csv": _write_csv,
}  # fmt: skip
PARQUET, XLSX = "parquet", "xlsx"
# What needs a file: the extra and package that it takes.
_FILES = {PARQUET: ("parquet", "pyarrow"), XLSX: ("excel", "openpyxl")}
# Formats in which people look at a table, and what makes its rows of those that were read.
FOR_PEOPLE = ("csv", XLSX)
Shape = Callable[[Iterable[Record]], Iterator[Record]]
ALL_FORMATS = (*FORMATS, *_FILES)


@dataclass(frozen=True)
class Output:
    """Where rows go, standard output where there is no path, and in what format.

    A CSV may begin with a byte-order mark. CSV and Excel have the rows that `shape` makes, such as
    one for each form.
    """

    path: Path | None
    format: str
    bom: bool = False
    shape: Shape | None = None

    @classmethod
    def choose(
        cls, out: str | None, format_: str | None, *, bom: bool = False, overwrite: bool = False
    ) -> Self:
        """Return the output of these arguments; the format is named, or the suffix's, or text.

        Raises `SettingError` for a format or suffix that is none, `OutputError` where nothing can
        be written or something lies already, and `MissingExtraError` for a format whose package is
        not installed.
        """
        path = None if out in {None, STDOUT} else Path(str(out))
        suffix = path.suffix.lower() if path else ""
        if not format_ and suffix not in SUFFIXES:
            raise SettingError(
                f"{path} does not say its format: end it in .txt, .json, .jsonl, .csv, .parquet or "
                ".xlsx, or use --format"
            )
        if format_ not in {None, *ALL_FORMATS}:
            raise SettingError(f"the format is one of {', '.join(ALL_FORMATS)}, received {format_}")
        named = SUFFIXES.get(suffix, format_) if suffix else format_
        if path and format_ and format_ != named and {format_, named} & _FILES.keys():
            raise SettingError(
                f"{path} is named like {named}, and the format is {format_}: choose one"
            )
        if suffix in PICTURES:
            raise SettingError(f"{path} is named like a picture: name a table, such as numbers.csv")
        if path:
            _check_free(path, overwrite=overwrite)
        output = cls(path, format_ or SUFFIXES[suffix], bom)
        if bom and output.format != "csv":
            raise SettingError("a byte-order mark (bom) begins a CSV: leave it out")
        if output.format in _FILES:
            need(*_FILES[output.format])
            if not path:
                raise SettingError(f"{output.format} goes to a file: name one with --out")
        return output

    def write(self, records: Iterable[Record], *, several: bool) -> None:
        """Write all rows as they come; a file has its name only when the last is in it.

        `several` says whether there may be more than one, which text and JSON show otherwise.
        """
        tally = Tally()
        if self.format == XLSX:
            records = _counted(records, tally)
        if self.shape and self.format in FOR_PEOPLE:
            records = self.shape(records)
        if self.path is None:
            # Closed by whoever started us, it is None.
            self._write(records, sys.stdout or StringIO(), several=several)
            return

        def write(path: Path) -> None:
            if self.format == XLSX:
                write_xlsx(records, path, tally)
                return
            if self.format == PARQUET:
                write_parquet(records, path)
                return
            with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
                self._write(records, file, several=several)

        write_atomically(self.path, write)

    def _write(self, records: Iterable[Record], stream: TextIO, *, several: bool) -> None:
        if self.bom:
            stream.write("\ufeff")
        FORMATS[self.format](iter(records), stream, several=several)


def _counted(records: Iterable[Record], tally: Tally) -> Iterator[Record]:
    for record in records:
        tally.count(record, 0)
        yield record


def _check_free(path: Path, *, overwrite: bool) -> None:
    """Raise `OutputError` where a file cannot appear."""
    with writing(path), suppress(FileNotFoundError):
        path.stat()
    if path.is_dir():
        raise OutputError(f"{path} is a folder: name a file in it")
    if not path.parent.is_dir():
        raise OutputError(f"{path} cannot be written: {path.parent} is no folder")
    if path.exists() and not path.is_file():
        raise OutputError(f"{path} is a pipe or a device: write to standard output (-)")
    if path.exists() and not overwrite:
        raise OutputError(f"{path} is there already: choose another name, or add --overwrite")
