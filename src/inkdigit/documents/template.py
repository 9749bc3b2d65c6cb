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
beside this module describes it for editors.
"""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass, field, fields
from datetime import date
from decimal import Decimal
from functools import cached_property, partial
from itertools import combinations, pairwise
from pathlib import Path
from re import fullmatch
from typing import Any, Literal, Self, TypeVar, get_args

import numpy as np
from PIL import Image

from inkdigit.documents.rules import NAME, Rule
from inkdigit.errors import ImageError, SettingError, shown
from inkdigit.files import open_plain, write_atomically
from inkdigit.images import Grey, open_grey
from inkdigit.reading.alphabet import only_digits
from inkdigit.reading.number import meanings
from inkdigit.reading.options import DecimalMark, ReadOptions

Kind = Literal["number", "comb", "check", "ink"]
# Left, top, width and height in mm.
BoxMm = tuple[float, float, float, float]

DPI = 200
PER_MM = DPI / 25.4
SUFFIX = ".form.json"
SCHEMA = Path(__file__).with_name("form.schema.json")
# Two boxes may share a rule.
_SHARED_MM = 0.5
_LARGEST_MM, _MOST_CELLS = 2000, 100
_DATES = {"dmy", "mdy", "ymd"}
_Part = TypeVar("_Part")


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of a form, in mm, and the picture of its blank, a file beside the template."""

    width: float
    height: float
    print: str

    def __post_init__(self) -> None:
        for name in ("width", "height"):
            if not _is_number(side := getattr(self, name)) or not 10 <= side <= _LARGEST_MM:
                raise SettingError(
                    f"its {name} is 10 to {_LARGEST_MM:,} mm, received {shown(side)}"
                )
        if not isinstance(self.print, str) or Path(self.print).name != self.print:
            raise SettingError(f"print names a file beside it, received {shown(self.print)}")


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field of a form.

    `kind` is `number` for a line of writing, `comb` for one digit in each of its `cells`, `check`
    for a box that is ticked or not, and `ink` for whether anything is written there. The cells of a
    comb may stand a `gap` of mm apart. A `date` is in the order `dmy`, `mdy` or `ymd`. What is read
    fits `pattern` and `check` or is `one_of` a list, or of the first column of a CSV.

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
    one_of: tuple[str, ...] | str | None = None
    decimal: DecimalMark | None = None
    date: Literal["dmy", "mdy", "ymd"] | None = None
    required: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not fullmatch(NAME, self.name):
            raise SettingError(
                f"a field has a name such as q1 or total, received {shown(self.name)}"
            )
        if not isinstance(self.page, int) or self.page < 1:
            raise SettingError(f"its page counts from 1, received {shown(self.page)}")
        box = self.box
        if not isinstance(box, tuple) or len(box) != 4 or not all(map(_is_number, box)):
            raise SettingError(f"its box is [x, y, width, height] in mm, received {shown(box)}")
        if self.kind not in get_args(Kind):
            raise SettingError(
                f"its kind is one of {', '.join(get_args(Kind))}: {shown(self.kind)}"
            )
        if (self.kind == "comb") != (self.cells is not None):
            raise SettingError("cells says how many digits a comb holds, and of no other kind")
        if self.cells is not None and not (
            _is_whole(self.cells) and 1 <= self.cells <= _MOST_CELLS
        ):
            raise SettingError(f"its cells are 1 to {_MOST_CELLS}, received {shown(self.cells)}")
        self._check_values()

    def _check_values(self) -> None:
        if not _is_number(self.gap) or not 0 <= self.gap * ((self.cells or 1) - 1) < self.box[2]:
            raise SettingError(f"its gap is the mm between two cells, received {shown(self.gap)}")
        if self.date not in (None, *_DATES):
            raise SettingError(f"its date is one of dmy, mdy, ymd, received {shown(self.date)}")
        if not isinstance(self.required, bool):
            raise SettingError(f"required is true or false, received {shown(self.required)}")
        if self.one_of is not None and (self.pattern or self.check):
            raise SettingError("it takes one_of, or a pattern and check, not both")
        _ = self.options

    @property
    def cell_boxes(self) -> list[BoxMm]:
        """The boxes of a comb's cells, from left to right, in mm."""
        left, top, width, height = self.box
        count = self.cells or 1
        step = (width + self.gap) / count
        return [(left + i * step, top, step - self.gap, height) for i in range(count)]

    @cached_property
    def options(self) -> ReadOptions:
        """How a line of it is read."""
        return ReadOptions(pattern=self.pattern, check=self.check, decimal=self.decimal)

    def value(self, text: str) -> Decimal | None:
        """Return the number that rules take of a text, of a date its day; `None` for none."""
        if self.date:
            return _day(text, self.date)
        numbers = meanings(text, self.decimal)
        return numbers.pop() if len(numbers) == 1 else None

    def may_be(self, text: str) -> bool:
        """Return whether a text is a value of this field."""
        listed = not isinstance(self.one_of, tuple) or text in self.one_of
        return listed and self.options.passes(text) and (not self.date or bool(self.value(text)))


@dataclass(frozen=True, kw_only=True)
class Template:
    """A form: its pages, fields and rules. `folder` is where it lies, with what it names.

    >>> Template.from_mapping({"name": "claim", "pages": [], "fields": []})
    Traceback (most recent call last):
    inkdigit.errors.SettingError: a form has at least one page
    """

    name: str
    pages: tuple[Page, ...]
    fields: tuple[Field, ...]
    rules: tuple[str, ...] = ()
    folder: Path = field(default=Path(), compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not fullmatch(r"[\w -]{1,80}", self.name):
            raise SettingError(f"a form has a name of letters and digits: {shown(self.name)}")
        if not self.pages:
            raise SettingError("a form has at least one page")
        names = set[str]()
        for one in self.fields:
            if one.name in names:
                raise SettingError(f"there are two fields {one.name}")
            names.add(one.name)
            _check_place(one, self.pages)
        for one, other in combinations(self.fields, 2):
            if one.page == other.page and _overlap(one.box, other.box):
                raise SettingError(f"the fields {one.name} and {other.name} overlap")
        self._check_rules({one.name: one.kind for one in self.fields})

    def _check_rules(self, kinds: Mapping[str, Kind]) -> None:
        for rule in self.parsed_rules:
            for name in rule.weights:
                if name not in kinds:
                    raise SettingError(f"the rule {rule.text!r} names {name}, which is no field")
                if kinds[name] == "ink":
                    raise SettingError(f"the rule {rule.text!r} names {name}, which has no value")

    @cached_property
    def parsed_rules(self) -> list[Rule]:
        """The rules, ready to be applied."""
        return [Rule.parse(rule) for rule in self.rules]

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Return the template of a file; `SettingError` says what is wrong with it."""
        path = Path(path)
        try:
            with open_plain(path) as file:
                known = json.load(file)
        except OSError as error:
            raise SettingError(f"{path} cannot be read: {error.strerror or error}") from None
        except (ValueError, RecursionError) as error:
            raise SettingError(f"{path} is no JSON: {error}") from None
        try:
            return cls.from_mapping(known, path.parent)
        except SettingError as error:
            raise SettingError(f"{path}: {error}") from None

    @classmethod
    def from_mapping(cls, known: object, folder: Path = Path()) -> Self:
        """Return the template that a JSON object describes; `SettingError` where it is none."""
        parts = {"pages": Page, "fields": Field}
        given = dict(_object(known, cls, "the form", also={"$schema"}))
        given.pop("$schema", None)
        for name, kind in parts.items():
            given[name] = tuple(
                _built(kind, one, f"{name[:-1]} {number}", folder)
                for number, one in enumerate(_list(given[name], name), start=1)
            )
        rules = _list(given.get("rules", []), "rules")
        if not all(isinstance(rule, str) for rule in rules):
            raise SettingError(f"rules are texts such as 'total = a + b', received {shown(rules)}")
        return cls(**given | {"rules": tuple(rules), "folder": folder})

    def save(self, path: Path, prints: Iterable[Grey]) -> None:
        """Write the template, and the pictures of its blank beside it."""
        for page, print_ in zip(self.pages, prints, strict=True):
            save = partial(Image.fromarray(print_).save, dpi=(DPI, DPI))
            write_atomically(path.with_name(page.print), save)
        lines = json.dumps(self.to_dict(), indent=2, ensure_ascii=False)
        write_atomically(path, lambda file: file.write_text(f"{lines}\n", "utf-8"))

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only, without what is as by default."""
        parts: dict[str, Sequence[Page | Field]] = {"pages": self.pages, "fields": self.fields}
        listed = {name: [_told(one) for one in some] for name, some in parts.items()}
        return {"name": self.name, **listed, "rules": list(self.rules)}

    def blank(self, number: int) -> Grey:
        """Return the blank of a page, counted from 1, at 200 dpi: `uint8 (height, width)`."""
        page = self.pages[number - 1]
        size = round(page.width * PER_MM), round(page.height * PER_MM)
        try:
            picture = open_grey(str(self.folder / page.print))
        except ImageError as error:
            raise SettingError(f"the blank of page {number} cannot be opened: {error}") from None
        fitted = Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS)
        return np.asarray(fitted)


def _check_place(one: Field, pages: tuple[Page, ...]) -> None:
    if one.page > len(pages):
        raise SettingError(f"the field {one.name} is on page {one.page} of {len(pages)}")
    page, (left, top, width, height) = pages[one.page - 1], one.box
    inside = left >= 0 <= top and left + width <= page.width and top + height <= page.height
    if not inside or min(width, height) < 1:
        raise SettingError(
            f"the box of the field {one.name} does not lie on its page of {page.width:g}×"
            f"{page.height:g} mm, or is smaller than 1 mm: {list(one.box)}"
        )


def _overlap(one: BoxMm, other: BoxMm) -> bool:
    return all(
        min(one[i] + one[i + 2], other[i] + other[i + 2]) - max(one[i], other[i]) > _SHARED_MM
        for i in (0, 1)
    )


def _object(known: object, kind: type, where: str, also: Iterable[str] = ()) -> dict[str, Any]:
    """Return a JSON object that has all keys which a dataclass needs, and no others."""
    if not isinstance(known, dict):
        raise SettingError(f"{where} is an object in braces, received {shown(known)}")
    names = [one.name for one in fields(kind) if one.name != "folder"]
    if unknown := known.keys() - {*names, *also}:
        told = shown(min(unknown))
        raise SettingError(f"{where} has a key {told} that is not known ({', '.join(names)})")
    needed = [one.name for one in fields(kind) if one.default is one.default_factory is MISSING]
    if missing := [name for name in needed if name not in known]:
        raise SettingError(f"{where} lacks {', '.join(missing)}")
    return known


def _built(kind: type[_Part], known: object, where: str, folder: Path) -> _Part:
    given = _object(known, kind, where)
    if "name" in given:
        where = f"the field {shown(given['name'])}"
    try:
        read = {name: tuple(v) if isinstance(v, list) else v for name, v in given.items()}
        if "one_of" in read:
            read["one_of"] = _allowed(read["one_of"], folder)
        return kind(**read)
    except SettingError as error:
        raise SettingError(f"{where}: {error}") from None


def _allowed(known: object, folder: Path) -> tuple[str, ...]:
    """Return the numbers of a list, or of the first column of a CSV."""
    if isinstance(known, str):
        try:
            with (folder / known).open(encoding="utf-8-sig", newline="") as file:
                known = tuple(row[0].strip() for row in csv.reader(file) if row)
        except (OSError, ValueError, csv.Error) as error:
            raise SettingError(f"one_of: {known} cannot be read ({error})") from None
        known = known[1:] if known and not only_digits(known[0]) else known
    if not isinstance(known, tuple) or not known:
        raise SettingError(f"one_of is a list of numbers, or names a CSV: {shown(known)}")
    if odd := [one for one in known if not (isinstance(one, str) and fullmatch("[0-9]+", one))]:
        raise SettingError(f"one_of holds texts of digits, received {shown(odd[0])}")
    return tuple(dict.fromkeys(known))


def _list(known: object, name: str) -> list[Any]:
    if not isinstance(known, list):
        raise SettingError(f"{name} is a list in brackets, received {shown(known)}")
    return known


def _told(part: Page | Field) -> dict[str, Any]:
    defaults = {one.name: one.default for one in fields(part)}
    return {name: value for name, value in asdict(part).items() if value != defaults[name]}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e6


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _day(text: str, order: str) -> Decimal | None:
    """Return the number of a day, where a text is a date of 6 or 8 digits, or has marks."""
    digits = only_digits(text)
    parts = [part for part in "".join(c if c.isdigit() else " " for c in text).split() if part]
    if len(parts) != 3:
        year = {6: 2, 8: 4}.get(len(digits), 0)
        ends = [0]
        for unit in order:
            ends.append(ends[-1] + (year if unit == "y" else 2))
        parts = [digits[a:b] for a, b in pairwise(ends)]
    named = dict(zip(order, parts, strict=True))
    try:
        year = int(named["y"]) + (2000 if len(named["y"]) == 2 else 0)
        return Decimal(date(year, int(named["m"]), int(named["d"])).toordinal())
    except ValueError:
        return None
