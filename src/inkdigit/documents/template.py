"""A form's template: one JSON file that people can read, with the blank's print beside it.

    {
      "name": "claim",
      "pages": [{"width": 210, "height": 297, "print": "claim.form.1.png"}],
      "fields": [
        {"name": "q1", "page": 1, "box": [120, 60, 24, 8], "kind": "comb", "cells": 3},
        {"name": "q2", "page": 1, "box": [120, 70, 24, 8], "kind": "comb", "cells": 3},
        {"name": "total", "page": 1, "box": [120, 80, 24, 8], "kind": "comb", "cells": 3}
      ],
      "rules": ["total = q1 + q2"]
    }

Boxes are x, y, width and height in mm from the top left corner of the page. `form.schema.json`
beside this module describes them for editors.
"""

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from datetime import date
from decimal import Decimal
from functools import cached_property, partial
from itertools import combinations
from pathlib import Path
from re import fullmatch
from typing import Any, Literal, Self, TypeVar, get_args

import numpy as np
from PIL import Image

from inkdigit.documents.rules import NAME, Rule
from inkdigit.errors import ImageError, SettingError, shown
from inkdigit.files import open_plain, write_atomically
from inkdigit.images import Grey, open_grey
from inkdigit.reading.number import meanings
from inkdigit.reading.options import DecimalMark, ReadOptions

Kind = Literal["number", "comb", "check", "ink"]
# Left, top, width and height in mm.
BoxMm = tuple[float, float, float, float]

DPI = 200
PER_MM = DPI / 25.4
SUFFIX = ".form.json"
# Two boxes may share a rule.
_SHARED_MM = 0.5
_DATE = {"d": r"(?P<d>\d\d?)", "m": r"(?P<m>\d\d?)", "y": r"(?P<y>\d{4}|\d\d)"}
_Part = TypeVar("_Part")
# What a value must be, by its name: whether it is, and in words.
_Checks = Mapping[str, tuple[Callable[[Any], bool], str]]


def _is_number(value: object, least: float = 0, most: float = 2000) -> bool:
    return type(value) in {int, float} and least <= value <= most  # type: ignore[operator]


def _is_box(value: object) -> bool:
    return isinstance(value, tuple) and len(value) == 4 and all(map(_is_number, value))


def _is_text(value: object, pattern: str) -> bool:
    return isinstance(value, str) and bool(fullmatch(pattern, value))


_SIDE = (partial(_is_number, least=10), "10 to 2,000 mm")
_OF_PAGE: _Checks = {
    "width": _SIDE,
    "height": _SIDE,
    "print": (lambda v: _is_text(v, r"[^/\\]+"), "the name of a file beside it"),
}
_OF_FIELD: _Checks = {
    "name": (lambda v: _is_text(v, NAME), "a word such as q1 or total"),
    "page": (lambda v: type(v) is int and v > 0, "a number from 1"),
    "box": (_is_box, "[x, y, width, height] in mm"),
    "kind": (lambda v: v in get_args(Kind), f"one of {', '.join(get_args(Kind))}"),
    "cells": (lambda v: v is None or (type(v) is int and 1 <= v <= 100), "1 to 100"),
    "gap": (_is_number, "the mm between two cells"),
    "date": (lambda v: v is None or sorted(str(v)) == ["d", "m", "y"], "dmy, mdy or ymd"),
    "one_of": (
        lambda v: v is None or (bool(v) and all(_is_text(text, "[0-9]+") for text in v)),
        "a list of texts of digits, or names a CSV of such",
    ),
    "required": (lambda v: isinstance(v, bool), "true or false"),
}
_OF_FORM: _Checks = {
    "name": (lambda v: _is_text(v, r"[\w -]{1,80}"), "a name of letters and digits"),
    "pages": (bool, "at least one page"),
    "rules": (lambda v: all(isinstance(rule, str) for rule in v), "texts such as 'c = a + b'"),
}


def _check(part: object, checks: _Checks) -> None:
    for name, (holds, what) in checks.items():
        if not holds(value := getattr(part, name)):
            raise SettingError(f"its {name} is {what}, received {shown(value)}")


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of a form, in mm, and the picture of its blank, a file beside the template."""

    width: float
    height: float
    print: str

    def __post_init__(self) -> None:
        _check(self, _OF_PAGE)


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field of a form.

    `kind` is `number` for a line of writing, `comb` for one digit in each of its `cells`, `check`
    for a box that is ticked or not, and `ink` for whether anything is written there. The cells of a
    comb may stand a `gap` of mm apart. A `date` is in the order `dmy`, `mdy` or `ymd`. What is read
    fits `pattern` and `check`, or is `one_of` a list.

    >>> Field(name="q1", page=1, box=(10, 10, 24, 8), kind="comb", cells=3).cell_boxes[1]
    (18.0, 10, 8.0, 8)
    """

    name: str
    page: int
    box: BoxMm
    kind: Kind = "number"
    cells: int | None = None
    gap: float = 0
    pattern: str | None = None
    check: str | None = None
    one_of: tuple[str, ...] | None = None
    decimal: DecimalMark | None = None
    date: str | None = None
    required: bool = False

    def __post_init__(self) -> None:
        _check(self, _OF_FIELD)
        if (self.kind == "comb") != (self.cells is not None):
            raise SettingError("cells says how many digits a comb holds, and of no other kind")
        if self.one_of and self.constrained:
            raise SettingError("it takes one_of, or a pattern and check, not both")

    @property
    def constrained(self) -> bool:
        """Whether a pattern or a check says what it may be."""
        return self.options.constrained

    @property
    def cell_boxes(self) -> list[BoxMm]:
        """The boxes of a comb's cells, from left to right, in mm."""
        left, top, width, height = self.box
        step = (width + self.gap) / (self.cells or 1)
        return [(left + i * step, top, step - self.gap, height) for i in range(self.cells or 1)]

    @cached_property
    def options(self) -> ReadOptions:
        """How a line of it is read."""
        return ReadOptions(pattern=self.pattern, check=self.check, decimal=self.decimal)

    def value(self, text: str) -> Decimal | None:
        """Return the number that rules take of a text, of a date its day; `None` for none."""
        if not self.date:
            numbers = meanings(text, self.decimal)
            return numbers.pop() if len(numbers) == 1 else None
        found = fullmatch(r"\D?".join(_DATE[unit] for unit in self.date), text)
        if not found:
            return None
        year, month, day = (int(found[unit]) for unit in "ymd")
        try:
            return Decimal(date(year + 2000 * (year < 100), month, day).toordinal())
        except ValueError:
            return None

    def may_be(self, text: str) -> bool:
        """Return whether a text is a value of this field."""
        listed = self.one_of is None or text in self.one_of
        return listed and self.options.passes(text) and not (self.date and self.value(text) is None)


@dataclass(frozen=True, kw_only=True)
class Template:
    """A form: its pages, fields and rules. `folder` is where it lies, with what it names.

    >>> Template.from_mapping({"name": "claim", "pages": [], "fields": []})
    Traceback (most recent call last):
    inkdigit.errors.SettingError: its pages is at least one page, received ()
    """

    name: str
    pages: tuple[Page, ...]
    fields: tuple[Field, ...]
    rules: tuple[str, ...] = ()
    folder: Path = field(default=Path(), compare=False)

    def __post_init__(self) -> None:
        _check(self, _OF_FORM)
        names = [one.name for one in self.fields]
        if twice := [name for name in names if names.count(name) > 1]:
            raise SettingError(f"there are two fields {twice[0]}")
        for one in self.fields:
            _check_place(one, self.pages)
        for one, other in combinations(self.fields, 2):
            if one.page == other.page and _overlap(one.box, other.box):
                raise SettingError(f"the fields {one.name} and {other.name} overlap")
        for rule in self.parsed_rules:
            if unknown := rule.weights.keys() - names:
                raise SettingError(
                    f"the rule {rule.text!r} names {min(unknown)}, which is no field"
                )

    @cached_property
    def parsed_rules(self) -> list[Rule]:
        """The rules, ready to be applied."""
        return [Rule.parse(rule) for rule in self.rules]

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Return the template of a file; `SettingError` says what is wrong with it."""
        try:
            with open_plain(path) as file:
                return cls.from_mapping(json.load(file), Path(path).parent)
        except OSError as error:
            raise SettingError(f"{path} cannot be read: {error.strerror or error}") from None
        except SettingError as error:
            raise SettingError(f"{path}: {error}") from None
        except (ValueError, RecursionError) as error:
            raise SettingError(f"{path} is no JSON: {error}") from None

    @classmethod
    def from_mapping(cls, known: object, folder: Path = Path()) -> Self:
        """Return the template that a JSON object describes; `SettingError` where it is none."""
        if isinstance(known, dict):
            known = {name: value for name, value in known.items() if name != "$schema"}
            for name, kind in {"pages": Page, "fields": Field}.items():
                if isinstance(some := known.get(name), list):
                    known[name] = [
                        _built(kind, one, f"{name[:-1]} {number}", folder)
                        for number, one in enumerate(some, start=1)
                    ]
        return _built(cls, known, "the form", folder)

    def save(self, path: Path, prints: Iterable[Grey]) -> None:
        """Write the template, and the pictures of its blank beside it."""
        for page, print_ in zip(self.pages, prints, strict=True):
            save = partial(Image.fromarray(print_).save, dpi=(DPI, DPI))
            write_atomically(path.with_name(page.print), save)
        lines = json.dumps(self.to_dict(), indent=2, ensure_ascii=False)
        write_atomically(path, lambda file: file.write_text(f"{lines}\n", "utf-8"))

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only, without what is as by default."""
        parts = {"pages": map(_told, self.pages), "fields": map(_told, self.fields)}
        listed = {name: list(some) for name, some in parts.items()}
        return {"name": self.name, **listed, "rules": list(self.rules)}

    def blank(self, number: int) -> Grey:
        """Return the blank of a page, counted from 1, at 200 dpi: `uint8 (height, width)`."""
        page = self.pages[number - 1]
        size = round(page.width * PER_MM), round(page.height * PER_MM)
        try:
            picture = Image.fromarray(open_grey(self.folder / page.print))
        except ImageError as error:
            raise SettingError(f"the blank of page {number} cannot be opened: {error}") from None
        return np.asarray(picture.resize(size, Image.Resampling.LANCZOS))


def _check_place(one: Field, pages: tuple[Page, ...]) -> None:
    if one.page > len(pages):
        raise SettingError(f"the field {one.name} is on page {one.page} of {len(pages)}")
    page, (left, top, width, height) = pages[one.page - 1], one.box
    inside = left + width <= page.width and top + height <= page.height
    if not inside or min(width, height) < 1 or min(box[2] for box in one.cell_boxes) < 1:
        raise SettingError(
            f"the box of the field {one.name} does not lie on its page of {page.width:g}×"
            f"{page.height:g} mm, or it or its cells are smaller than 1 mm: {list(one.box)}"
        )


def _overlap(one: BoxMm, other: BoxMm) -> bool:
    return all(
        min(one[i] + one[i + 2], other[i] + other[i + 2]) - max(one[i], other[i]) > _SHARED_MM
        for i in (0, 1)
    )


def _built(kind: type[_Part], known: object, where: str, folder: Path) -> _Part:
    """Return the part of a form that a JSON object describes: with all it needs, and no more."""
    if not isinstance(known, dict):
        raise SettingError(f"{where} is an object in braces, received {shown(known)}")
    where = f"the field {shown(known['name'])}" if kind is Field and "name" in known else where
    names = {one.name: one for one in fields(kind) if one.name != "folder"}  # type: ignore[arg-type]
    if unknown := known.keys() - names:
        told = f"{shown(min(unknown))}, which is not known ({', '.join(names)})"
        raise SettingError(f"{where} has a key {told}")
    needed = {name for name, one in names.items() if one.default is MISSING}
    if missing := needed - known.keys():
        raise SettingError(f"{where} lacks {', '.join(sorted(missing))}")
    given = {
        name: tuple(value) if isinstance(value, list) else value for name, value in known.items()
    }
    if isinstance(file := given.get("one_of"), str):
        given["one_of"] = _column(folder / file)
    if kind is Template:
        given["folder"] = folder
    try:
        return kind(**given)
    except SettingError as error:
        raise SettingError(f"{where}: {error}" if kind is not Template else str(error)) from None


def _column(path: Path) -> tuple[str, ...]:
    """Return the first column of a CSV, without a heading."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            column = [row[0].strip() for row in csv.reader(file) if row]
    except (OSError, ValueError, csv.Error) as error:
        raise SettingError(f"one_of: {path} cannot be read ({error})") from None
    return tuple(dict.fromkeys(column[column[:1] != [] and not column[0].isdecimal() :]))


def _told(part: Page | Field) -> dict[str, Any]:
    defaults = {one.name: one.default for one in fields(part)}
    return {n: v for n, v in asdict(part).items() if v != defaults[n] or n == "kind"}
