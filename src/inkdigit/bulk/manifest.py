r"""A manifest: a CSV or a sheet of Excel that names the fields to read, one a line.

    file,page,box,pattern,check,id
    scans/form-1.tif,2,410 880 320 64,\d{5},,form-1/postcode

Only `file` is needed. A file lies where it is named from the manifest's folder, or in a bucket.
What Excel makes of a CSV is understood: other delimiters and encodings, empty columns and lines.
"""

import csv
import os
import re
import warnings
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from inkdigit.bulk.folders import HEAD
from inkdigit.bulk.rows import beside
from inkdigit.bulk.sources import Picture
from inkdigit.bulk.storage import is_uri, without_secrets
from inkdigit.errors import SettingError, SourceError, needing, shown
from inkdigit.files import open_plain, reading
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.result import Box

COLUMNS = ("file", "page", "box", "pattern", "check", "id")
OF_FORMS = ("file", "page", "id")
# The first is a CSV's where nothing tells.
_DELIMITERS = ",;\t|"
_ZIP = b"PK\3\4"
# What a table in Parquet holds.
_MOST_PIXELS = 2**31 - 1


def read_manifest(path: Path, options: ReadOptions, *, forms: bool = False) -> Iterator[Picture]:
    """Yield the pictures of a manifest, line by line; `SourceError` for what is wrong with it.

    What a line expects must make sense together with the `options` that hold for all. A manifest of
    `forms` says no more than files, pages and ids; pages of one form have one id, and follow each
    other. Of each id a number is held, and nothing else.
    """
    number, last, ids = 0, None, set[int]()
    try:
        with reading(path, SourceError), open_plain(path) as file:
            lines = ((number, cells) for number, cells in lines_of(path, file) if any(cells))
            number, header = first, _ = next(lines, (0, []))
            columns = _columns(path, header, OF_FORMS if forms else COLUMNS)
            for number, cells in lines:  # noqa: B007  (the errors below tell it)
                if len(cells) > len(columns):
                    raise SettingError("there are more cells than columns")
                picture = _picture(dict(zip(columns, cells, strict=False)), path.parent, options)
                if picture.id is not None and not (forms and picture.id == last):
                    last = picture.id
                    if hash(last) in ids:
                        raise SettingError(f"the id {shown(last)} is given twice")
                    ids.add(hash(last))
                yield picture
            if number == first:
                raise SourceError(f"{path} names no pictures")
    except SettingError as error:
        raise SourceError(f"{path}, line {number}: {error}") from None
    except (csv.Error, UnicodeError):
        raise SourceError(
            f"{path} is no CSV: from line {number + 1} on a quote is not closed, a cell is too "
            "long, or something is no text"
        ) from None


def lines_of(path: Path, file: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """Yield the number and cells of each line, without spaces around them and empty ones last."""
    head = file.read(HEAD)
    file.seek(0)
    is_zip = head.startswith(_ZIP)
    lines = _of_workbook(path, file) if is_zip else _of_csv(file, _encoding(path, head))
    for number, line in lines:
        cells = [cell.strip() for cell in line]
        while cells and not cells[-1]:
            cells.pop()
        yield number, cells


def _of_csv(file: BinaryIO, encoding: str) -> Iterator[tuple[int, list[str]]]:
    # What is no UTF-8 is kept as it is: names of files need not be text.
    with TextIOWrapper(file, encoding, "surrogateescape", newline="") as text:
        empty, first = 0, text.readline()
        while first and not first.strip(f'"{_DELIMITERS} \r\n'):
            empty, first = empty + 1, text.readline()
        told = re.fullmatch(r'"?sep=(.)"?\s*', first, re.I)

        def known(delimiter: str) -> int:
            return len({*COLUMNS} & {*_named(next(csv.reader([first], delimiter=delimiter)))})

        delimiter = told[1] if told else max(_DELIMITERS, key=known)
        lines = csv.reader(chain([first], text), delimiter=delimiter, strict=True)
        for line in lines:
            if not (told and lines.line_num == 1):
                yield empty + lines.line_num, line


def _encoding(path: Path, head: bytes) -> str:
    if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return "utf-16"
    if b"\0" in head[:2]:
        return "utf-16-be" if head[0] == 0 else "utf-16-le"
    if b"\0" in head:
        raise SourceError(f"{path} is neither a CSV nor a workbook of the kind .xlsx")
    return "utf-8-sig"


def _of_workbook(path: Path, file: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines of the first sheet of an Excel workbook."""
    with needing("excel"):
        from openpyxl import load_workbook
    try:
        with warnings.catch_warnings(action="ignore"):
            book = load_workbook(file, read_only=True, data_only=True)
        sheet = book.worksheets[0]
        # Else a stray cell far to the right would make every line as long.
        sheet.reset_dimensions()
        for number, line in enumerate(sheet.iter_rows(values_only=True), start=1):
            yield number, ["" if cell is None else str(cell) for cell in line]
    except Exception:  # noqa: BLE001  (openpyxl raises what its layers happen to)
        raise SourceError(f"{path} is no Excel workbook, or is broken") from None


def _named(header: list[str]) -> list[str]:
    """Return the names of columns as they are known."""
    return [re.sub(r"^file[ _-]?name$", "file", name.strip().lower()) for name in header]


def _columns(path: Path, header: list[str], allowed: tuple[str, ...]) -> list[str]:
    found, known = _named(header), ", ".join(allowed)
    if "file" not in found:
        told = ", ".join(found) or "none"
        raise SourceError(f"{path} has no column file (its columns: {told}; known: {known})")
    if unknown := [name for name in found if name not in allowed]:
        raise SourceError(
            f"{path} has a column {shown(unknown[0])} that is not known (known: {known})"
        )
    if len(set(found)) < len(found):
        raise SourceError(f"{path} has a column twice: {', '.join(found)}")
    return found


def _picture(line: dict[str, str], folder: Path, options: ReadOptions) -> Picture:
    file = line["file"]
    if not file:
        raise SettingError("the file is missing")
    pattern, check = line.get("pattern") or None, line.get("check") or None
    beside(options, pattern, check, None)  # must make sense
    name, source = (without_secrets(file), file) if is_uri(file) else _located(file, folder)
    return Picture(
        name=name,
        source=source,
        page=_page(line.get("page", "")),
        box=box_of(line.get("box", "")),
        pattern=pattern,
        check=check,
        id=_text(line.get("id", "")) or None,
    )


def _located(file: str, folder: Path) -> tuple[str, str]:
    """Return the name of a file, and where it lies.

    Of the ways in which Windows may have written it, it is the first that is there.
    """
    ways = {way: name for name in (file, _text(file)) for way in (name, name.replace("\\", "/"))}
    there = (way for way in ways if len(ways) > 1 and os.path.exists(folder / way))  # noqa: PTH110
    way = next(there, file)
    return ways[way], str(folder / way)


def _text(cell: str) -> str:
    """Return a cell as it is in Windows-1252 where it is no UTF-8."""
    written = cell.encode("utf-8", "surrogateescape")
    try:
        return written.decode()
    except UnicodeDecodeError:
        return written.decode("cp1252", "replace")


def _page(cell: str) -> int | None:
    """Return the page of a cell, counted from 1."""
    from inkdigit.images import MAX_PAGES

    page = _number(cell, MAX_PAGES)
    if not page and cell:
        raise SettingError(f"the page {shown(cell)} is no number from 1 to {MAX_PAGES:,}")
    return page


def box_of(cell: str) -> Box | None:
    """Return the box of a cell `x y width height`, in pixels from the top left corner.

    Commas and brackets may stand there too.
    """
    match [_number(number, _MOST_PIXELS) for number in re.findall(r"[^\s,;()[\]]+", cell)]:
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
    raise SettingError(f"the box {shown(cell)} {wrong}")


def _number(word: str, most: int) -> int | None:
    """Return the whole number that a word is, `None` where it is none, or more than `most`."""
    # As Excel writes some; 1,000 and 1.000 may be a thousand.
    word = re.sub(r"[.,]0{1,2}$", "", word)
    # By its length first: thousands of digits are no number to Python.
    fits = word.isdecimal() and len(word) <= len(str(most)) and int(word) <= most
    return int(word) if fits else None
