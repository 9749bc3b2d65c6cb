"""From a table that `inkdigit read` has written back to its rows, whichever its format."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import file_digest, sha256
from itertools import zip_longest
from pathlib import Path
from typing import Any

from inkdigit.bulk.manifest import box_of, lines_of
from inkdigit.bulk.rows import Record
from inkdigit.bulk.writers import PARQUET, SUFFIXES
from inkdigit.errors import InkdigitError, SourceError, need
from inkdigit.files import open_plain, reading
from inkdigit.reading.result import FAILED

# Of these every row says something.
_NEEDED = {"source", "text", "status"}
# Rows of Parquet that are held at a time.
_GROUP = 2_000
# What only rows of numbers on pages have.
_OF_PAGES: dict[str, Callable[[str], float]] = {
    "angle": float, "found": float, "row": int, "column": int,
}  # fmt: skip


def read_table(path: Path) -> Iterator[Record]:
    """Yield the rows of a CSV, JSON lines, Parquet or Excel file, or of a folder of parts.

    Of a CSV, the characters of a row stay the JSON text that they are: `characters_of` reads it.
    Raises `SourceError` for what is no such table, and `MissingExtraError` for a format whose
    package is not installed.
    """
    kind = PARQUET if path.is_dir() else SUFFIXES.get(path.suffix.lower(), "")
    if kind not in _READERS:
        raise SourceError(f"{path} is no table: name a .csv, .jsonl, .parquet, .xlsx or a folder")
    with _reading(path):
        for row in _READERS[kind](path):
            if "form" in row:
                why = "it has a row for each form; read into .jsonl or .parquet for one a field"
                raise SourceError(f"{path} is no table of readings: {why}")
            if missing := _NEEDED - row.keys():
                raise SourceError(f"{path} is no table of readings: it has no {min(missing)}")
            yield row


def characters_of(row: Record) -> list[dict[str, Any]]:
    """Return the characters of a row as plain types; none where its format leaves them out."""
    known = row.get("characters") or []
    return list(json.loads(known) if isinstance(known, str) else known)


def digest_of(path: Path) -> str:
    """Return what tells a table from others: the SHA-256 of all that its files hold."""
    found = sha256()
    with _reading(path):
        for part in files_of(path):
            with open_plain(part) as file:
                found.update(file_digest(file, "sha256").digest())  # type: ignore[arg-type]
    return found.hexdigest()


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn what goes wrong inside into one sentence, a `SourceError`."""
    try:
        with reading(path, SourceError):
            yield
    except InkdigitError:
        raise
    except Exception:  # noqa: BLE001  (what the package of a format happens to raise)
        raise SourceError(f"{path} is broken, or not in the format of its name") from None


def files_of(path: Path) -> list[Path]:
    """Return the files of a table: itself, or the parts in its folder."""
    parts = sorted(path.glob("part-*.parquet")) if path.is_dir() else [path]
    if not parts:
        raise SourceError(f"{path} holds no parts of a table")
    return parts


def _of_lines(path: Path) -> Iterator[Record]:
    with open_plain(path) as file:
        lines = lines_of(path, file)
        _, header = next(lines, (0, []))
        for _, cells in lines:
            yield _typed(dict(zip_longest(header, cells, fillvalue="")))


def _typed(cells: dict[str, str]) -> Record:
    """Return a row of a table that knows no types: an empty cell is nothing, or an empty text.

    Where nothing was read there is no text.
    """
    row: Record = {name: cell or None for name, cell in cells.items()}
    texts = ("reason",) if row.get("status") == FAILED else ("reason", "text", "digits")
    row.update((name, row.get(name) or "") for name in texts)
    row["page"] = int(row.get("page") or 1)
    row["confidence"] = float(row["confidence"]) if row.get("confidence") else None
    box = box_of(row["box"]) if row.get("box") else None
    row["box"] = list(box) if box else None
    row["rotate"] = int(row["rotate"]) if row.get("rotate") else None
    row |= {name: kind(row[name]) for name, kind in _OF_PAGES.items() if row.get(name)}
    return row


def _of_json_lines(path: Path) -> Iterator[Record]:
    with open_plain(path) as file:
        yield from map(json.loads, file)


def _of_parquet(path: Path) -> Iterator[Record]:
    need("parquet", "pyarrow")
    from pyarrow.parquet import ParquetFile

    for part in files_of(path):
        with ParquetFile(part) as file:
            for rows in file.iter_batches(_GROUP):
                yield from rows.to_pylist()


_READERS: dict[str, Callable[[Path], Iterator[Record]]] = {
    "csv": _of_lines, "xlsx": _of_lines, "jsonl": _of_json_lines, PARQUET: _of_parquet,
}  # fmt: skip
