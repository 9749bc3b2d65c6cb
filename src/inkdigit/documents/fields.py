"""From what was written in the fields of a page to texts, each with others that it might be."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from heapq import nlargest
from math import sqrt
from operator import itemgetter
from typing import Self

import cv2
import numpy as np

from inkdigit.documents.registration import Registration
from inkdigit.documents.template import Field
from inkdigit.documents.writing import Writing
from inkdigit.errors import InkdigitError
from inkdigit.images import Grey
from inkdigit.reading.alphabet import DIGITS
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.reader import Reader
from inkdigit.reading.result import Box, Character, Reading, Status

BLANK, CROSSED_OUT = "blank", "crossed out"
# So many texts are considered for a field, and no symbol of them is less likely.
_TEXTS, _LEAST = 60, 1e-4
# Shares of a check box that are covered: less is empty, more is ticked; and filled in.
_EMPTY, _TICKED, _FULL = 0.015, 0.04, 0.8
# A cell is surely crossed out from this probability on, and what a field may not be from that.
_SURELY, _UNLIKELY = 0.9, 0.05
_SINGLE = ReadOptions(single=True, rotate=0)
# How likely each symbol is at a place of a text, none for a cell that is crossed out.
_Place = dict[str, float]
Texts = Sequence[tuple[str, float]]


@dataclass(frozen=True, eq=False)
class FieldText:
    """What a field says: the `texts` it may hold, likeliest first, its status, and why."""

    field: Field
    found: Registration
    texts: Texts = ()
    status: Status = "accepted"
    reason: str = ""

    @property
    def text(self) -> str:
        """The likeliest text."""
        return self.texts[0][0] if self.texts else ""

    @property
    def box(self) -> Box:
        """The upright box around it, in pixels of its scan."""
        corners = self.found.corners(self.field.box).clip(0).astype(np.int32)
        left, top, width, height = cv2.boundingRect(corners)
        return left, top, width, height

    def reading(self, model: str) -> Reading:
        """Return it as a reading."""
        return Reading(
            text=self.text,
            confidence=self.texts[0][1] if self.texts else 0.0,
            status=self.status,
            reason=self.reason,
            number=None if self.field.date else self.field.value(self.text),
            model=model,
        )

    @classmethod
    def without(cls, one: Field, found: Registration, why: str, doubt: str = "") -> Self:
        """Return what a field says that holds no text: it is blank, or crossed out."""
        doubt = doubt or (f"it is {why}, and required" if one.required else "")
        return cls(one, found, [("", 1.0)], "review" if doubt else "accepted", doubt or why)


@dataclass(eq=False)
class _Cut:
    """A field that holds writing; of a comb its cells that do, and what may stand in each.

    Other writing may run through it, and an empty cell stand between two others.
    """

    field: Field
    found: Registration
    writing: Writing
    is_crossed: bool
    cells: Sequence[Writing] = ()
    places: Sequence[_Place] = ()
    has_gap: bool = False

    @property
    def digits(self) -> list[int]:
        """The numbers of the cells that are not surely crossed out."""
        return [i for i, place in enumerate(self.places) if place.get("", 0) < _SURELY]

    def line(self) -> Grey:
        """Return the writing of a field, of a comb its digits side by side."""
        if self.field.kind != "comb":
            return self.writing.picture()
        return np.hstack([self.cells[number].picture() for number in self.digits])


def read_fields(
    reader: Reader, pages: Iterable[Registration], least: float
) -> dict[str, FieldText]:
    """Return what each field of some pages says, by name; what is less sure is for review."""
    looked = [_look(one, found) for found in pages for one in found.blank.fields]
    said = {one.field.name: one for one in looked if isinstance(one, FieldText)}
    cuts = [one for one in looked if isinstance(one, _Cut)]
    _read_cells(reader, [cut for cut in cuts if cut.field.kind == "comb"])
    lines = [cut for cut in cuts if cut.field.kind == "number" or cut.digits]
    for cut in cuts:
        said[cut.field.name] = FieldText.without(cut.field, cut.found, CROSSED_OUT)
    for cut, line in _read_lines(reader, lines).items():
        said[cut.field.name] = _understood(cut, line, least)
    return said


def _look(one: Field, found: Registration) -> FieldText | _Cut:
    """Return what is to be read of a field, or what it says if that is nothing."""
    if doubt := found.doubt_at(one.box):
        return FieldText(one, found, status="rejected", reason=doubt)
    around = Writing.of(found, one.box)
    inside = around.inside(one.box)
    if one.kind == "ink":
        return FieldText(one, found, [(str(int(not inside.is_empty)), 1.0)])
    if one.kind == "check":
        return _ticked(one, found, around)
    crosses = around.share(one.box) - inside.share(one.box) > _EMPTY
    if not inside.is_empty:
        return _Cut(one, found, inside, crosses)
    crossed = f"{CROSSED_OUT}, or writing runs through it" if crosses else ""
    return FieldText.without(one, found, BLANK, crossed)


def _ticked(one: Field, found: Registration, around: Writing) -> FieldText:
    left, top, width, height = one.box
    share = around.share((left + width / 8, top + height / 8, width * 3 / 4, height * 3 / 4))
    doubt = f"{CROSSED_OUT}, or filled in" if share > _FULL else ""
    if _EMPTY < share < _TICKED:
        doubt = "there is little ink in the box"
    text = str(int(share > _EMPTY))
    return FieldText(one, found, [(text, 1.0)], "review" if doubt else "accepted", doubt)


def _read_cells(reader: Reader, combs: Sequence[_Cut]) -> None:
    """Read the cells of combs in which there is writing."""
    for cut in combs:
        cells = list(map(cut.writing.cell, cut.field.cell_boxes))
        numbers = [number for number, cell in enumerate(cells) if not cell.is_empty]
        cut.cells = [cells[number] for number in numbers]
        cut.has_gap = bool(numbers) and numbers[-1] - numbers[0] >= len(numbers)
    pictures = [cell.picture() for cut in combs for cell in cut.cells]
    places = map(_place, reader.results(pictures, _SINGLE))
    for cut in combs:
        cut.places = [next(places) for _ in cut.cells]


def _place(result: Reading | InkdigitError) -> _Place:
    """Return how likely each digit is in a cell, and none."""
    if isinstance(result, InkdigitError) or not result.characters:
        return {"": 1.0}
    shares = _shares(result.characters[0])
    return shares | {"": max(0.0, 1 - sum(shares.values()))}


def _shares(character: Character) -> _Place:
    return {one.value: one.confidence for one in character.alternatives}


def _read_lines(reader: Reader, cuts: Sequence[_Cut]) -> dict[_Cut, Reading | None]:
    """Return what the writing of each field says as a line."""
    groups = defaultdict[ReadOptions, list[_Cut]](list)
    for cut in cuts:
        options = cut.field.options if cut.field.kind == "number" else ReadOptions()
        groups[replace(options, rotate=0)].append(cut)
    read = dict[_Cut, Reading | None]()
    for options, some in groups.items():
        results = reader.results([cut.line() for cut in some], options)
        for cut, result in zip(some, results, strict=True):
            read[cut] = result if isinstance(result, Reading) else None
    return read


def _understood(cut: _Cut, line: Reading | None, least: float) -> FieldText:
    """Return what a field says by its line, and a comb by its cells as well."""
    one, doubt = cut.field, line.reason if line else "it is too long to be read"
    places = list(map(_shares, line.characters)) if line and line.status != "rejected" else []
    if one.kind == "comb":
        places, doubt = _of_cells(cut, line)
    texts = [text for text in _likeliest(places, one.one_of) if one.may_be(text[0])]
    fitting = sum(share for _, share in texts)
    if not places or not fitting:
        reason = doubt or "nothing here is what it may be"
        return FieldText(one, cut.found, status="rejected", reason=reason)
    texts = [(text, share / fitting) for text, share in texts]
    if line and one.kind == "number" and texts[0][0] == line.text and not one.one_of:
        texts[0] = line.text, line.confidence
    if fitting < _UNLIKELY:
        doubt = f"nothing likely here is what it may be, {texts[0][0]} is nearest"
    if cut.is_crossed:
        doubt = doubt or "other writing runs through it"
    if texts[0][1] < least:
        doubt = doubt or f"confidence {texts[0][1]:.4f} is below {least:.4f}"
    return FieldText(one, cut.found, texts, "review" if doubt else "accepted", doubt)


def _of_cells(cut: _Cut, line: Reading | None) -> tuple[list[_Place], str]:
    """Return what may stand in each cell by itself and by the line, and where they disagree."""
    places, digits = list(cut.places), cut.digits
    cells = "".join(max(places[number], key=places[number].__getitem__) for number in digits)
    seen = [one for one in line.characters if one.value in DIGITS] if line else []
    if len(seen) == len(digits):
        for number, one in zip(digits, seen, strict=True):
            places[number] = _together(places[number], _shares(one))
    if cut.has_gap:
        return places, "there is an empty cell between two digits"
    read = "".join(one.value for one in seen)
    told = f"its cells read {cells or 'nothing'}, and the line {read or 'nothing'}"
    return places, "" if read == cells else told


def _together(one: _Place, other: _Place) -> _Place:
    """Return what two looks at the same ink say of a place: their opinions pooled (Genest 1984)."""
    other = other | {"": 1 - max(other.values())}
    both = {s: max(one.get(s, 0), _LEAST) * max(other.get(s, 0), _LEAST) for s in ("", *DIGITS)}
    total = sum(map(sqrt, both.values()))
    return {symbol: sqrt(share) / total for symbol, share in both.items()}


def _likeliest(places: Sequence[_Place], listed: Sequence[str] | None) -> Texts:
    """Return the likeliest texts with their probabilities, of those listed where there are any.

    What is crossed out stands ahead of the digits or behind them, never between two.
    """
    begun = {text[:end] for text in listed or () for end in range(len(text) + 1)}
    # A text, whether it is closed, and its weight.
    beam = [("", False, 1.0)]
    for place in places:
        symbols = dict.fromkeys(DIGITS, _LEAST) | place if listed else place
        longer = (
            (text + symbol, is_closed or bool(text and not symbol), weight * share)
            for text, is_closed, weight in beam
            for symbol, share in symbols.items()
            if not (symbol and is_closed) and (not listed or text + symbol in begun)
        )
        beam = nlargest(_TEXTS, longer, key=itemgetter(2))
    return [(text, weight) for text, _, weight in beam]
