"""From rows to text, JSON, JSON lines or CSV, on standard output or in a file."""

import csv
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Self, TextIO

from inkdigit.errors import OutputError, SettingError
from inkdigit.reading.row import FIELDS, Row

STDOUT = "-"
_SUFFIXES = {
    "": "text",
    ".txt": "text",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
}


def _write_text(rows: Iterator[Row], stream: TextIO, *, several: bool) -> None:
    """Write the text alone, or for several lines of name, text and status between tabs."""
    for row in rows:
        read = row.to_dict()
        cells = [_label(row), read["text"] or "", read["status"]] if several else [read["text"]]
        stream.write("\t".join(cells) + "\n")


def _label(row: Row) -> str:
    """Return a row's name on one line and without commands to a terminal; later pages numbered."""
    name = re.sub(r"[\x00-\x1f\x7f-\x9f]", lambda found: repr(found[0])[1:-1], row.source)
    return f"{name}:{row.page}" if row.page > 1 else name


def _write_json(rows: Iterator[Row], stream: TextIO, *, several: bool) -> None:
    """Write one object, or for several a list."""
    before = "[\n" if several else ""
    for row in rows:
        stream.write(before + json.dumps(row.to_dict(), indent=2))
        before = ",\n"
    stream.write("\n]\n" if several else "\n")


def _write_jsonl(rows: Iterator[Row], stream: TextIO, *, several: bool) -> None:  # noqa: ARG001
    for row in rows:
        stream.write(json.dumps(row.to_dict()) + "\n")


def _write_csv(rows: Iterator[Row], stream: TextIO, *, several: bool) -> None:  # noqa: ARG001
    """Write a header and a line for each row, lists as JSON in their cell."""
    table = csv.writer(stream, lineterminator="\n")
    table.writerow(FIELDS)
    for row in rows:
        table.writerow(
            json.dumps(value, separators=(",", ":")) if isinstance(value, list) else value
            for value in row.to_dict().values()
        )


FORMATS: dict[str, Callable[..., None]] = {
    "text": _write_text,
    "json": _write_json,
    "jsonl": _write_jsonl,
    "csv": _write_csv,
}


@dataclass(frozen=True)
class Output:
    """Where rows go, standard output where there is no path, and in what format."""

    path: Path | None
    format: str

    @classmethod
    def choose(cls, out: str | None, format_: str | None, *, overwrite: bool = False) -> Self:
        """Return the output of these arguments; the format is named, or the suffix's, or text.

        Raises `SettingError` for a suffix that says no format, and `OutputError` where nothing can
        be written or something lies already.
        """
        path = None if out in {None, STDOUT} else Path(str(out))
        suffix = path.suffix.lower() if path else ""
        if not format_ and suffix not in _SUFFIXES:
            raise SettingError(
                f"{path} does not say its format: end it in .txt, .json, .jsonl or .csv, or use "
                "--format"
            )
        if path:
            _check_free(path, overwrite=overwrite)
        return cls(path, format_ or _SUFFIXES[suffix])

    def write(self, rows: Iterable[Row], *, several: bool) -> None:
        """Write all rows as they come; a file has its name only when the last is in it.

        `several` says whether there may be more than one, which text and JSON show otherwise.
        """
        if self.path is None:
            # Closed by whoever started us, it is None.
            self._write(rows, sys.stdout or StringIO(), several=several)
            return
        from inkdigit.files import write_atomically

        def write(path: Path) -> None:
            with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
                self._write(rows, file, several=several)

        if _is_device(self.path):
            _written(self.path, write)
        else:
            write_atomically(self.path, write)

    def _write(self, rows: Iterable[Row], stream: TextIO, *, several: bool) -> None:
        FORMATS[self.format](iter(rows), stream, several=several)


def _check_free(path: Path, *, overwrite: bool) -> None:
    """Raise `OutputError` where a file cannot appear."""
    try:
        path.stat()
    except FileNotFoundError:
        pass
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from None
    if path.is_dir():
        raise OutputError(f"{path} is a folder: name a file in it")
    if not path.parent.is_dir():
        raise OutputError(f"{path} cannot be written: {path.parent} is no folder")
    if path.exists() and not overwrite and not _is_device(path):
        raise OutputError(f"{path} is there already: choose another name, or add --overwrite")


def _is_device(path: Path) -> bool:
    """Return whether a path is a pipe or a device, which is written to and never replaced."""
    return path.exists() and not path.is_file()


def _written(path: Path, write: Callable[[Path], None]) -> None:
    try:
        write(path)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from None
