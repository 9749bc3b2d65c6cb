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
beside this module says what each part may be: templates are checked by it, and editors know it.
"""

import csv
import json
import re
from base64 import b64decode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from decimal import Decimal
from functools import cache, cached_property, partial
from math import inf
from pathlib import Path
from typing import Any, Literal, Self, cast

import fastjsonschema
import numpy as np
from PIL import Image

from inkdigit.documents import FORM_COLUMNS, STATUS
from inkdigit.documents.rules import Range, Rule, contradiction
from inkdigit.errors import ImageError, SettingError, shown
from inkdigit.files import open_plain, write_atomically
from inkdigit.images import Grey, open_grey
from inkdigit.reading.number import meanings
from inkdigit.reading.options import DecimalMark, ReadOptions

# Left, top, width and height in mm.
BoxMm = tuple[float, float, float, float]

DPI = 200
PER_MM = DPI / 25.4
SUFFIX = ".form.json"
SCHEMA = Path(__file__).with_name("form.schema.json")
# Two boxes may share a rule.
_SHARED_MM = 0.5
# A sum of decimals is as exact as that.
_EXACT = 1e-6


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of a form, in mm, and the picture of its blank.

    That is a file beside the template, or lies in it: `data:image/png;base64,…`.
    """

    width: float
    height: float
    print: str

    @property
    def size(self) -> tuple[int, int]:
        """Its width and height in pixels, at 200 dpi."""
        return round(self.width * PER_MM), round(self.height * PER_MM)


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
    kind: Literal["number", "comb", "check", "ink"] = "number"
    cells: int | None = None
    gap: float = 0
    pattern: str | None = None
    check: str | None = None
    one_of: tuple[str, ...] | None = None
    decimal: DecimalMark | None = None
    date: str | None = None
    required: bool = False

    def __post_init__(self) -> None:
        if (self.kind == "comb") != (self.cells is not None):
            raise SettingError("cells says how many digits a comb holds, and of no other kind")
        if self.one_of is not None and not all(map(str.isdecimal, self.one_of or ("",))):
            raise SettingError("one_of is a list of texts of digits, or a CSV with such")
        if self.options.constrained and self.one_of:
            raise SettingError("it takes one_of, or a pattern and check, not both")
        if self.cells and self._least_digits > self.cells:
            raise SettingError(
                f"nothing that its pattern, one_of or date allows is {self.cells} digits or fewer, "
                "as many as it has cells"
            )

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

    @property
    def _least_digits(self) -> float:
        pattern = self.options.compiled_pattern
        listed = min(map(len, self.one_of)) if self.one_of else 0
        return max(listed, pattern.least_digits if pattern else 0, 6 if self.date else 0)

    @cached_property
    def values(self) -> frozenset[Decimal]:
        """The numbers that rules may take of it where it is filled in, if they are listed."""
        listed = ("0", "1") if self.kind in {"check", "ink"} else self.one_of or ()
        return frozenset(value for text in listed if (value := self.value(text)) is not None)

    @cached_property
    def range(self) -> Range:
        """The least and the most that rules may take of it; blank it is 0, but for a date."""
        least: Decimal | float = -inf if "-" in self.options.symbols else 0
        most: Decimal | float = inf
        if self.values:
            least, most = min(self.values), max(self.values)
        elif self.cells and not self.date:
            most = 10**self.cells - 1
        always = self.required or self.date
        return (least, most) if always else (min(least, 0), max(most, 0))

    def value(self, text: str) -> Decimal | None:
        """Return the number that rules take of a text, of a date its day; `None` for none."""
        if self.date:
            return _day(text, self.date)
        numbers = meanings(text, self.decimal)
        return numbers.pop() if len(numbers) == 1 else None

    def may_be(self, text: str) -> bool:
        """Return whether a text is a value of this field."""
        listed = self.one_of is None or text in self.one_of
        return listed and self.options.passes(text) and not (self.date and self.value(text) is None)


@dataclass(frozen=True, kw_only=True)
class Template:
    """A form: its pages, fields and rules. `folder` is where it lies, with the files that it names.

    A blank of more than `max_pixels` is not opened.

    >>> Template.from_mapping({"name": "claim", "pages": [], "fields": []})
    Traceback (most recent call last):
    inkdigit.errors.SettingError: pages: this is a list of at least one page, received []
    """

    name: str
    pages: tuple[Page, ...]
    fields: tuple[Field, ...]
    rules: tuple[str, ...] = ()
    folder: Path | None = field(default=None, compare=False)
    max_pixels: int | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        names = [one.name for one in self.fields]
        for count, one in enumerate(self.fields):
            if names.count(one.name) > 1:
                raise SettingError(f"there are two fields {one.name}")
            if one.name in FORM_COLUMNS or one.name.removesuffix(STATUS) in {*names} - {one.name}:
                raise SettingError(
                    f"the field {one.name} has the name of another column of a form's row: choose "
                    "another name"
                )
            check_place(one, self.pages, self.fields[:count])
        for rule in self.parsed_rules:
            if unknown := rule.weights.keys() - names:
                raise SettingError(f"the rule {rule.text!r} names {min(unknown)}, no field of it")
        _check_rules(self.parsed_rules, {one.name: one for one in self.fields})

    @cached_property
    def parsed_rules(self) -> list[Rule]:
        """The rules, ready to be applied."""
        return [Rule.parse(rule) for rule in self.rules]

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Return the template of a file; `SettingError` says what is wrong with it."""
        try:
            with open_plain(path) as file:
                return cls.from_mapping(parse_json(file.read()), Path(path).parent)
        except OSError as error:
            raise SettingError(f"{path} cannot be read: {error.strerror or error}") from None
        except SettingError as error:
            raise SettingError(f"{path}: {error}") from None

    @classmethod
    def from_mapping(
        cls, known: Any, folder: Path | None = None, max_pixels: int | None = None
    ) -> Self:
        """Return the template that a JSON object describes; `SettingError` where it is none."""
        _check(known)
        built = []
        for one in known["fields"]:
            listed = one.get("one_of")
            allowed = _column(_beside(folder, listed)) if isinstance(listed, str) else listed
            given = one | {"box": tuple(one["box"])}
            given |= {} if allowed is None else {"one_of": tuple(allowed)}
            try:
                built.append(Field(**given))
            except SettingError as error:
                raise SettingError(f"the field {one['name']}: {error}") from None
        pages = tuple(Page(**page) for page in known["pages"])
        rules = tuple(known.get("rules", ()))
        return cls(
            name=known["name"],
            pages=pages,
            fields=tuple(built),
            rules=rules,
            folder=folder,
            max_pixels=max_pixels,
        )

    def broken(self, texts: Mapping[str, str]) -> list[str]:
        """Return the rules that the texts of its fields break, and how."""
        known = {one.name: one for one in self.fields}
        whole = (rule for rule in self.parsed_rules if rule.weights.keys() <= texts.keys())
        told = ((rule.text, breach(rule, known, texts)) for rule in whole)
        return [f"{rule}: {how}" for rule, how in told if how]

    def save(self, path: Path, prints: Iterable[Grey]) -> None:
        """Write the template, and the pictures of its blank beside it.

        Raises `SettingError` for what could not be loaded again.
        """
        known = self.to_dict()
        _check(known)
        for page, print_ in zip(self.pages, prints, strict=True):
            save = partial(Image.fromarray(print_).save, dpi=(DPI, DPI))
            write_atomically(path.with_name(page.print), save)
        write_template(path, known)

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only, without what is as by default."""
        known, defaults = asdict(self), {one.name: one.default for one in fields(Field)}
        del known["folder"], known["max_pixels"]
        for one in known["fields"]:
            for name in [name for name, value in one.items() if value == defaults[name]]:
                del one[name]
        return known

    def blank(self, number: int) -> Grey:
        """Return the blank of a page, counted from 1, at 200 dpi: `uint8 (height, width)`."""
        page = self.pages[number - 1]
        try:
            inside = page.print.startswith("data:") and b64decode(page.print.partition(",")[2])
            source = inside or _beside(self.folder, page.print)
            picture = Image.fromarray(open_grey(source, max_pixels=self.max_pixels))
        except ImageError as error:
            raise SettingError(f"the blank of page {number} cannot be opened: {error}") from None
        except ValueError:
            raise SettingError(f"the blank of page {number} is broken base64") from None
        return np.asarray(picture.resize(page.size, Image.Resampling.LANCZOS))


def write_template(path: Path, known: dict[str, Any]) -> None:
    """Write the JSON object of a template, each box on one line."""
    lines = json.dumps(known, indent=2, ensure_ascii=False)
    lines = re.sub(r"(?<=[\[\d])\n\s*(?=[\d\]])|(?<=\d,)\n\s*(?=\d)", " ", lines)
    write_atomically(path, lambda file: file.write_text(f"{lines}\n", "utf-8"))


def parse_json(text: str | bytes) -> Any:
    """Return what a JSON text says, whole numbers as such; `SettingError` where it is none.

    >>> parse_json("[3.0, 0.5]")
    [3, 0.5]
    """
    try:
        return json.loads(text, parse_float=_number, parse_constant=int)  # NaN is no JSON
    except UnicodeDecodeError:
        raise SettingError("this is no JSON: it is no text in UTF-8") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, character {error.colno}"
        raise SettingError(f"this is no JSON: it breaks in {where}") from None
    except (ValueError, RecursionError):
        raise SettingError(
            "this is no JSON: it holds NaN or a number too long, or is nested too deep"
        ) from None


def _number(text: str) -> float:
    number = float(text)
    return int(number) if number.is_integer() else number


def breach(rule: Rule, fields: Mapping[str, Field], texts: Mapping[str, str]) -> str:
    """Return how a rule is broken by the texts of its fields, nothing where it holds.

    A blank field counts as 0; of a date that is blank a rule says nothing.
    """
    if any(fields[name].date and not texts[name] for name in rule.weights):
        return ""
    known = ((name, fields[name].value(texts[name] or "0")) for name in rule.weights)
    values = {name: value for name, value in known if value is not None}
    if len(values) < len(rule.weights):
        return "one of them is no number"
    if rule.holds(values):
        return ""
    return f"differs by {abs(rule.excess(values)):f}" if rule.relation == "=" else "does not hold"


@cache
def _validate() -> Callable[[Any], Any]:
    schema = json.loads(SCHEMA.read_text("utf-8"))
    return cast("Callable[[Any], Any]", fastjsonschema.compile(schema))


def _check(known: Any) -> None:
    """Raise `SettingError` where a template is not what the schema says."""
    try:
        _validate()(known)
    except fastjsonschema.JsonSchemaValueException as error:
        raise SettingError(_told(error, known)) from None


def _told(error: fastjsonschema.JsonSchemaValueException, known: Any) -> str:
    """Return what is wrong, and where: of a list, by the name or number of what it holds."""
    where = []
    for step in error.path[1:]:
        is_listed = isinstance(known, list | tuple)
        known = known[int(step) if is_listed else step]
        named = known.get("name") if isinstance(known, dict) else None
        where.append(str(named or int(step) + 1) if is_listed else step)
    said, value = error.definition, error.value
    told = f"this is {said['description']}, received {shown(value)}"
    if error.rule == "required":
        told = f"{', '.join(sorted(set(said['required']) - value.keys()))} is missing"
    if error.rule == "additionalProperties":
        unknown = shown(min(value.keys() - said["properties"]))
        told = f"the key {unknown} is not known ({', '.join(said['properties'])})"
    return f"{' '.join(where)}: {told}" if where else told


def check_place(one: Field, pages: Sequence[Page], others: Iterable[Field]) -> None:
    """Raise `SettingError` for a field that does not lie on its page, or over another."""
    if one.page > len(pages):
        raise SettingError(f"the field {one.name} is on page {one.page} of {len(pages)}")
    page, (left, top, width, height) = pages[one.page - 1], one.box
    beyond = max(left + width - page.width, top + height - page.height)
    if beyond > _EXACT or min(height, *(box[2] for box in one.cell_boxes)) < 1:
        raise SettingError(
            f"the box of the field {one.name} does not lie on its page of {page.width:g}×"
            f"{page.height:g} mm, or it or its cells are smaller than 1 mm: {list(one.box)}"
        )
    for other in others:
        if one.page == other.page and _overlap(one.box, other.box):
            raise SettingError(f"the fields {other.name} and {one.name} overlap")


def _check_rules(rules: Sequence[Rule], fields: Mapping[str, Field]) -> None:
    """Raise `SettingError` for rules that cannot hold, whatever is written."""
    ranges = {name: fields[name].range for rule in rules for name in rule.weights}
    if broken := contradiction(rules, ranges):
        told = " and ".join(map(repr, broken))
        several = f"s {told} cannot hold together" if len(broken) > 1 else f" {told} cannot hold"
        raise SettingError(f"the rule{several}, whatever is written")


def _overlap(one: BoxMm, other: BoxMm) -> bool:
    return all(
        min(one[i] + one[i + 2], other[i] + other[i + 2]) - max(one[i], other[i]) > _SHARED_MM
        for i in (0, 1)
    )


def _beside(folder: Path | None, name: str) -> Path:
    if folder is None:
        raise SettingError(f"{shown(name)} cannot be beside a template that is no file")
    return folder / name


def _column(path: Path) -> list[str]:
    """Return the first column of a CSV, without its heading: numbers, each once."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            column = [row[0].strip() for row in csv.reader(file) if row]
    except OSError as error:
        raise SettingError(f"one_of: {path} cannot be read: {error.strerror}") from None
    except (ValueError, csv.Error):
        raise SettingError(f"one_of: {path} is no CSV in UTF-8") from None
    return list(dict.fromkeys(column if column and column[0].isdecimal() else column[1:]))


def _day(text: str, order: str) -> Decimal | None:
    """Return the number of the day that a text such as 31122024 or 31/12/24 is."""
    short = r"\d\d" if text.isdecimal() else r"\d\d?"
    units = {"d": short, "m": short, "y": r"\d{4}|\d\d"}
    found = re.fullmatch(r"\D?".join(rf"(?P<{unit}>{units[unit]})" for unit in order), text)
    year, month, day = (int(found[unit]) for unit in "ymd") if found else (0, 0, 0)
    try:
        return Decimal(date(year + 2000 * (year < 100), month, day).toordinal())
    except ValueError:
        return None
