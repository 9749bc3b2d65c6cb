"""From a blank to a template: the fields of a PDF as it names them, else boxes found on its print.

An AcroForm says where its fields lie, what they are called, which are combs and how many digits
they hold (PDF 1.7, section 12.7). On a picture rules are what an opening with long thin elements
leaves of the print, and cells are what rules enclose.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import count
from numbers import Real
from pathlib import Path
from typing import Any
from unicodedata import normalize

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.documents import FORM_COLUMNS
from inkdigit.documents.template import PER_MM, SUFFIX, BoxMm, Field, Page, Template, check_place
from inkdigit.errors import OutputError, SettingError, check_number, shown
from inkdigit.images import FormField, Grey, form_of, open_pages

# A page whose file does not say how large it is.
_WIDTH_MM = 210.0
# How dark rules are, of 255, also pale ones, and print.
_PALE, _DARK = 30, 110
# In mm: the shortest rule, and how far apart the ends of two may lie.
_RULE, _BREAK = 3.0, 0.4
# In mm: the least and largest side of a cell, and of a check box.
_LEAST, _LARGEST, _CHECK = 2.5, 120.0, 6.5
# In mm: the shortest line to write on, and the room above it.
_LINE, _ROOM = 15.0, 8.0
# A cell fills so much of its rectangle, and no field has more mm² of print in it.
_FILLED, _PRINTED = 0.85, 0.5
# Cells of one comb differ by less, and stand less far apart, in their widths.
_ALIKE, _APART = 0.2, 0.7
# Of a PDF's kinds of fields those that a template has.
_KINDS = {"text": "number", "check": "check"}
_Mask = npt.NDArray[np.uint8]


def new_template(
    source: str | Path, path: Path, *, width: float | None = None
) -> tuple[Template, list[Grey], list[str]]:
    """Return the template of a blank PDF or picture, to be saved at `path`, and its pages.

    With them comes a sentence on each thing that is otherwise than in the PDF, or left out.
    A picture does not say how many mm it is wide: `width` does, else it is 210. Raises `ImageError`
    for what cannot be opened, `SettingError` where it has no fields, and `OutputError` for a path
    that is no template's.
    """
    name = path.name.removesuffix(SUFFIX)
    if name == path.name:
        raise OutputError(f"{path} is no name of a template: end it in {SUFFIX}")
    if width is not None:
        check_number("the width in mm", width, 10, 2_000, Real)
    pages, prints = list[Page](), list[Grey]()
    sizes, found = form_of(source)
    for number, grey in enumerate(open_pages(source), start=1):
        across = width or (sizes[number - 1][0] if sizes else _WIDTH_MM)
        down = across * grey.shape[0] / grey.shape[1]
        size = round(across * PER_MM), round(down * PER_MM)
        prints.append(np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8))
        sides = {"width": round(across, 1), "height": round(down, 1)}
        pages.append(Page(**sides, print=f"{name}.form.{number}.png"))
    fields, told = _named(found)
    if not fields:
        boxes = [(n, one) for n, print_ in enumerate(prints, 1) for one in found_fields(print_)]
        fields = [replace(one, name=f"f{n}", page=page) for n, (page, one) in enumerate(boxes, 1)]
    fields, lost = _placed(fields, pages)
    if not fields:
        raise SettingError(f"{source} shows no fields: neither a form nor empty boxes or lines")
    called = _word(name, r"[^\w -]+")[:80] or "form"
    template = Template(name=called, pages=tuple(pages), fields=tuple(fields))
    return template, prints, [*told, *lost]


def _word(text: str, other: str = r"\W+") -> str:
    """Return a name that a template may have, as near as possible."""
    return re.sub(other, "_", normalize("NFC", text)).strip("_ ")


def _named(found: Sequence[FormField]) -> tuple[list[Field], list[str]]:
    """Return the fields of a PDF's form, by its names, and what is said of the others.

    A name that is taken already is numbered, as no other field is called.
    """
    kept = [one for one in found if one.kind in _KINDS]
    words = [_word(one.name) or "f" for one in kept]
    words = [word if word[0].isalpha() else f"f{word}" for word in words]
    fields, renamed, taken, others = list[Field](), list[str](), {*FORM_COLUMNS}, {*words}
    for one, word in zip(kept, words, strict=True):
        numbered = (f"{word}_{n}" for n in count(2))
        free = (new for new in numbered if new not in taken and new not in others)
        name = next(free) if word in taken else word
        taken.add(name)
        renamed += [f"{name} for {shown(one.name)}"] * (name != one.name)
        kind: Any = "comb" if one.cells else _KINDS[one.kind]
        box = _rounded(one.box)
        fields.append(Field(name=name, page=one.page, box=box, kind=kind, cells=one.cells))
    lost = Counter(one.kind for one in found if one.kind not in _KINDS)
    told = [f"{kind} {many}" for kind, many in sorted(lost.items())]
    told = [f"fields of the PDF that are left out: {', '.join(told)}"] * bool(told)
    if renamed:
        told.append(
            f"fields called otherwise than in the PDF: {len(renamed)}, such as {renamed[0]}"
        )
    return fields, told


def _placed(fields: Iterable[Field], pages: Sequence[Page]) -> tuple[list[Field], list[str]]:
    """Return fields that lie on their pages, apart, and what is said of those that did not."""
    kept, told = list[Field](), list[str]()
    for one in fields:
        page, corner = pages[one.page - 1], np.array(one.box[:2])
        ends = np.clip([corner, corner + one.box[2:]], 0, (page.width, page.height))
        cut = replace(one, box=_rounded((*ends[0], *(ends[1] - ends[0]))))
        try:
            check_place(cut, pages, kept)
        except SettingError as error:
            told.append(f"{one.name} is left out: {error}")
            continue
        told += [f"{one.name} is cut off at the edge of its page"] * (cut.box != one.box)
        kept.append(cut)
    return kept, told


def found_fields(print_: Grey) -> list[Field]:
    """Return the fields that are found on a blank page at 200 dpi, in the order of reading.

    Cells of one size side by side are a comb, small squares check boxes, and other empty boxes and
    lines hold numbers.
    """
    ink = cv2.bitwise_not(print_)
    across, down = (_rules(ink, upright=upright) for upright in (False, True))
    printed = np.asarray(ink > _DARK, np.uint8) & ~_thick(across | down)
    cells = _cells(across | down, printed)
    fields = [_field(comb) for comb in _combs(cells)]
    fields += [_field([box]) for box in _lines(across, down, printed)]
    return _read_in_order(fields)


def _rules(ink: npt.NDArray[Any], *, upright: bool) -> _Mask:
    """Return 1 where there is a long straight rule, `uint8 (h, w)`."""
    long, gap = (np.ones((1, round(side * PER_MM) | 1), np.uint8) for side in (_RULE, _BREAK))
    pale = np.asarray(ink > _PALE, np.uint8)
    ways = (
        (cv2.MORPH_OPEN, long.T if upright else long),
        (cv2.MORPH_CLOSE, gap.T if upright else gap),
    )
    for way, element in ways:
        pale = np.asarray(cv2.morphologyEx(pale, way, element))
    return pale


def _thick(rules: _Mask) -> _Mask:
    return np.asarray(cv2.dilate(rules, np.ones((5, 5), np.uint8)))


def _cells(rules: _Mask, printed: _Mask) -> list[BoxMm]:
    """Return the boxes of empty cells that rules enclose, in mm."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(1 - rules, connectivity=4)
    boxes = []
    for x, y, width, height, area in stats[1:].tolist():
        box = _rounded(np.array([x, y, width, height]) / PER_MM)
        whole = area >= _FILLED * width * height
        empty = _is_empty(printed[y : y + height, x : x + width])
        if whole and empty and min(box[2:]) >= _LEAST and max(box[2:]) <= _LARGEST:
            boxes.append(box)
    return boxes


def _is_empty(printed: _Mask) -> bool:
    return bool(printed.sum() <= _PRINTED * PER_MM**2)


def _combs(cells: list[BoxMm]) -> list[list[BoxMm]]:
    """Return cells that stand side by side together, as they are one comb."""
    combs = list[list[BoxMm]]()
    for cell in sorted(cells, key=lambda box: (round(box[1] / 2), box[0])):
        comb = next((comb for comb in combs if _continues(comb, cell)), None)
        if comb:
            comb.append(cell)
        else:
            combs.append([cell])
    return combs


def _continues(comb: list[BoxMm], cell: BoxMm) -> bool:
    """Return whether a cell is as large as the last of a comb, and beside it as the others are."""
    left, top, width, height = comb[-1]
    alike = max(abs(cell[2] / width - 1), abs(cell[3] / height - 1)) <= _ALIKE
    gap = cell[0] - left - width
    usual = comb[1][0] - comb[0][0] - comb[0][2] if len(comb) > 1 else gap
    near = 0 <= gap <= _APART * width and abs(gap - usual) <= _ALIKE * width / 2
    return alike and near and abs(cell[1] - top) <= _ALIKE * height and width <= 1.5 * height


def _lines(across: _Mask, down: _Mask, printed: _Mask) -> list[BoxMm]:
    """Return the empty room above lines that are no part of a box."""
    _, _, stats, _ = cv2.connectedComponentsWithStats(across, connectivity=8)
    near, boxes = _thick(down), []
    for x, y, width, height, _ in stats[1:].tolist():
        top = max(0, y - round(_ROOM * PER_MM))
        room = printed[top:y, x : x + width]
        alone = not near[y : y + height, x : x + width].any() and height < 1.5 * PER_MM
        if alone and y > top and _is_empty(room) and width >= _LINE * PER_MM:
            boxes.append(_rounded(np.array([x, top, width, y - top]) / PER_MM))
    return boxes


def _field(cells: list[BoxMm]) -> Field:
    """Return the field that cells form; its name and page are given later."""
    (left, top, width, height), last = cells[0], cells[-1]
    if len(cells) > 1:
        box = _rounded((left, top, last[0] + last[2] - left, height))
        gap = (box[2] - width * len(cells)) / (len(cells) - 1)
        return Field(name="f", page=1, box=box, kind="comb", cells=len(cells), gap=round(gap, 2))
    is_small = max(width, height) <= _CHECK and abs(width - height) <= _ALIKE * width
    return Field(name="f", page=1, box=cells[0], kind="check" if is_small else "number")


def _read_in_order(fields: list[Field]) -> list[Field]:
    """Return fields from left to right where they stand beside each other, from top to bottom."""
    rows = list[list[Field]]()
    for field in sorted(fields, key=lambda field: field.box[1]):
        middle = field.box[1] + field.box[3] / 2
        # A tall field at the left, as a label of several rows, does not make one row of them.
        if rows and middle < min(one.box[1] + one.box[3] for one in rows[-1]):
            rows[-1].append(field)
        else:
            rows.append([field])
    return [field for row in rows for field in sorted(row, key=lambda field: field.box[0])]


def _rounded(box: Iterable[float]) -> BoxMm:
    left, top, width, height = (round(float(side), 2) for side in box)
    return left, top, width, height
