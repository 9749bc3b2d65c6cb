r"""A manifest: a CSV that names the fields to read, one a line.

    file,page,box,pattern,check,id
    scans/form-1.tif,2,410 880 320 64,\d{5},,form-1/postcode

Only `file` is needed. A file lies where it is named from the manifest's folder, or in a bucket.
"""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from inkdigit.bulk.rows import beside
from inkdigit.bulk.sources import Picture
from inkdigit.bulk.storage import is_uri, without_secrets
from inkdigit.errors import SettingError, SourceError
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.result import Box

COLUMNS = ("file", "page", "box", "pattern", "check", "id")
# What a table in Parquet holds.
_MOST_PIXELS = 2**31 - 1
# Characters of a cell that a sentence shows.
_LONGEST = 80


def read_manifest(path: Path, options: ReadOptions) -> Iterator[Picture]:
    """Yield the pictures of a manifest, line by line; `SourceError` for what is wrong with it.

    What a line expects must make sense together with the `options` that hold for all.
    """
    return (picture for _, picture in _numbered(path, options))


def check_manifest(path: Path, options: ReadOptions) -> int:
    """Go through a manifest and return how many pictures it names.

    Raises `SourceError` for what is wrong with it, also beside these options. Of each id it holds a
    number, and nothing else.
    """
    ids: set[int] = set()
    count = 0
    for line, picture in _numbered(path, options):
        count += 1
        if picture.id is not None:
            if hash(picture.id) in ids:
                raise SourceError(f"{path}, line {line}: the id {picture.id!r} is given twice")
            ids.add(hash(picture.id))
    if not count:
        raise SourceError(f"{path} names no pictures")
    return count


def _numbered(path: Path, options: ReadOptions) -> Iterator[tuple[int, Picture]]:
    """Yield the pictures, each with the number of its line in the file."""
    try:
        # What is no UTF-8 is kept as it is: names of files need not be text.
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            lines = csv.DictReader(file, restval="", strict=True)
            _check_columns(path, lines.fieldnames or [])
            for line in lines:
                yield lines.line_num, _picture(line, path.parent, options)
    except SettingError as error:
        raise SourceError(f"{path}, line {lines.line_num}: {error}") from None
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}") from None
    except csv.Error as error:
        raise SourceError(f"{path} is no CSV: {error}") from None


def _check_columns(path: Path, found: Sequence[str]) -> None:
    known = ", ".join(COLUMNS)
    if "file" not in found:
        told = ", ".join(found) or "none"
        raise SourceError(f"{path} has no column file (its columns: {told}; known: {known})")
    if unknown := [name for name in found if name not in COLUMNS]:
        raise SourceError(f"{path} has a column {unknown[0]!r} that is not known (known: {known})")
    if len(set(found)) < len(found):
        raise SourceError(f"{path} has a column twice: {', '.join(found)}")


def _picture(line: dict[str, str], folder: Path, options: ReadOptions) -> Picture:
    if None in line:
        raise SettingError("there are more cells than columns")
    file = line["file"]
    if not file:
        raise SettingError("the file is missing")
    pattern, check = line.get("pattern") or None, line.get("check") or None
    beside(options, pattern, check, None)  # must make sense
    return Picture(
        name=without_secrets(file),
        source=file if is_uri(file) else str(folder / file),
        page=_page(line.get("page", "")),
        box=_box(line.get("box", "")),
        pattern=pattern,
        check=check,
        id=line.get("id") or None,
    )


def _page(cell: str) -> int | None:
    """Return the page of a cell, counted from 1."""
    from inkdigit.images import MAX_PAGES

    page = _number(cell.strip(), MAX_PAGES)
    if not page and cell.strip():
        raise SettingError(f"the page {_short(cell)} is no number from 1 to {MAX_PAGES:,}")
    return page


def _box(cell: str) -> Box | None:
    """Return the box of a cell `x y width height`, in pixels from the top left corner."""
    match [_number(number, _MOST_PIXELS) for number in cell.split()]:
        case []:
            return None
        case [int(x), int(y), int(width), int(height)] if width and height:
            return x, y, width, height
        case [int(_), int(_), int(_), int(_)]:
            wrong = "is empty: its width and height must be at least 1"
        case _:
            wrong = (
                f"is not four numbers of pixels, each at most {_MOST_PIXELS:,}: x y width height"
            )
    raise SettingError(f"the box {_short(cell)} {wrong}")


def _number(word: str, most: int) -> int | None:
    """Return the number that a word is, `None` where it is none, or more than `most`."""
    # By its length first: thousands of digits are no number to Python.
    fits = word.isdecimal() and len(word) <= len(str(most)) and int(word) <= most
    return int(word) if fits else None


def _short(cell: str) -> str:
    return repr(cell if len(cell) <= _LONGEST else f"{cell[:_LONGEST]}…")
