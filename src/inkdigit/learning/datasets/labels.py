"""Labels of pictures in a table: what stands in each, and whose it is."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from inkdigit.errors import DataError
from inkdigit.errors import shown as quoted
from inkdigit.files import open_plain, reading
from inkdigit.reading.alphabet import DIGITS, MARKS

LABELS = "labels.csv"


class Label(NamedTuple):
    """What stands in a picture, and the document or writer that it is of."""

    text: str
    group: str = ""


def read_labels(path: Path, group: str | None = None) -> dict[str, Label]:
    """Return text and group of each picture that a CSV names, with columns `file` and `text`.

    `group` names another column, of the document or writer. Texts may hold digits and marks; they
    are separated by commas, semicolons or tabs. Raises `DataError` for what is wrong with it.
    """
    wanted = ["file", "text", *([group] if group else [])]
    try:
        with reading(path, DataError), open_plain(path) as file:
            mark = max(",;\t", key=file.readline().decode("utf-8-sig").count)
            file.seek(0)
            rows = pd.read_csv(
                file, sep=mark, encoding="utf-8-sig", dtype=str, keep_default_na=False
            )
    except ValueError:  # pandas' own are of this kind, and those of Unicode
        raise DataError(f"{path} is no CSV in UTF-8") from None
    if missing := [name for name in wanted if name not in rows]:
        there = ", ".join(map(str, rows)) or "none"
        raise DataError(f"{path} has no column {missing[0]} (its columns: {there})")
    labels: dict[str, Label] = {}
    for number, (file, text, *of) in enumerate(rows[wanted].itertuples(index=False), 2):
        name = file.replace("\\", "/")
        label = as_label(text, f"{path}, line {number}")
        known = labels.setdefault(name, Label(label, *of))
        if known.text != label:
            raise DataError(f"{path} says both {known.text!r} and {label!r} of {name}")
    if not labels:
        raise DataError(f"{path} names no pictures")
    return labels


def as_label(text: str, where: str) -> str:
    """Return a text without spaces; `DataError` for one with other characters than are read."""
    if not isinstance(text, str):
        raise DataError(f"{where}: a label is a text, received {quoted(text)}")
    text = "".join(text.split())
    if others := sorted(set(text) - set(DIGITS + MARKS)):
        raise DataError(
            f"{where}: {quoted(text)} holds {others[0]!r}: a label has digits and the marks {MARKS}"
        )
    return text


def one_digit_each(labels: dict[str, Label]) -> dict[str, Label]:
    """Return labels; `DataError` where one is no single digit."""
    for name, label in labels.items():
        if len(label.text) != 1 or label.text not in DIGITS:
            raise DataError(f"the label of {name} is one digit, received {label.text!r}")
    return labels
