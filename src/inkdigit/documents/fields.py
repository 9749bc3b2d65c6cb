"""From what was written in the fields of a form to texts, each with others that it might be."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from math import prod

import numpy as np

from inkdigit.documents.registration import Registration
from inkdigit.documents.template import BoxMm, Field
from inkdigit.documents.writing import Writing
from inkdigit.errors import InkdigitError
from inkdigit.images import Grey
from inkdigit.reading.alphabet import DIGITS
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.reader import Reader
from inkdigit.reading.result import Alternative, Box, Character, Reading, Status

BLANK, CROSSED_OUT = "blank", "crossed out"
# So many texts are considered for a field, and a character is never less likely.
_TEXTS, _LEAST = 60, 1e-4
# Shares of a check box that are covered: less is empty, more is ticked; and filled in.
_EMPTY, _TICKED, _FULL = 0.015, 0.04, 0.6
# What the list, the dates or the check allow is doubted where it is less likely than this.
_UNLIKELY = 0.05
_SINGLE = ReadOptions(single=True, rotate=0)
# How likely each symbol is at a place of a text.
_Place = dict[str, float]


@dataclass(frozen=True, eq=False)
class FieldText:
    """What a field says: a status and why, and the `texts` it may hold, likeliest first."""

    field: Field
    found: Registration | None
    texts: Sequence[tuple[str, float]] = ()
    status: Status = "accepted"
    reason: str = ""
    characters: tuple[Character, ...] = ()

    @property
    def text(self) -> str:
        """The likeliest text."""
        return self.texts[0][0] if self.texts else ""

    @property
    def is_open(self) -> bool:
        """Whether a rule may have a say in it: it was found in its place, and has texts."""
        return bool(self.texts) and self.status != "rejected"

    @property
    def box(self) -> Box | None:
        """Where it lies on its scan."""
        return on_scan(self.found, self.field.box) if self.found else None

    def reading(self, model: str) -> Reading:
        """Return it as a reading."""
        return Reading(
            text=self.text,
            confidence=self.texts[0][1] if self.texts else float(self.status == "accepted"),
            status=self.status,
            reason=self.reason,
            characters=self.characters,
            number=self.field.value(self.text) if not self.field.date else None,
            model=model,
        )


def on_scan(found: Registration, box: BoxMm) -> Box:
    """Return the upright box around a box of a page, in pixels of its scan."""
    left, top, width, height = box
    edges = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * (width, height) + (left, top)
    corners = found.to_scan(edges)
    x, y = np.floor(corners.min(axis=0)).astype(int).tolist()
    right, bottom = np.ceil(corners.max(axis=0)).astype(int).tolist()
    return max(0, x), max(0, y), right - max(0, x), bottom - max(0, y)


@dataclass(eq=False)
class _Cut:
    """A field that holds writing: of a comb each cell with any, and what may stand in it.

    A cell that is crossed out holds no symbol; `gap` says that an empty one is between two others.
    """

    field: Field
    found: Registration
    writing: Writing
    cells: list[tuple[BoxMm, Writing]] = dataclasses.field(default_factory=list)
    places: list[_Place] = dataclasses.field(default_factory=list)
    gap: bool = False

    def line(self) -> Grey:
        """Return the writing of a field, of a comb the digits side by side."""
        if self.field.kind != "comb":
            return self.writing.picture()
        digits = zip(self.cells, self.places, strict=True)
        return np.hstack([cell.picture() for (_, cell), place in digits if _best(place)])


def _best(place: _Place) -> str:
    return max(place, key=place.__getitem__)


def read_fields(
    reader: Reader, pages: Sequence[Registration], least: float
) -> dict[str, FieldText]:
    """Return what each field of some pages says, by name; what is less sure is for review."""
    said, cuts = dict[str, FieldText](), list[_Cut]()
    for found in pages:
        for one in found.blank.fields:
            if doubt := found.doubt_at(one.box):
                said[one.name] = FieldText(one, found, status="rejected", reason=doubt)
                continue
            around = Writing.of(found, one.box)
            inside = around.inside(one.box)
            if one.kind in {"check", "ink"}:
                said[one.name] = _marked(one, found, around)
            elif inside.is_empty:
                said[one.name] = _empty(one, found, around)
            else:
                cuts.append(_Cut(one, found, inside))
    _read_cells(reader, [cut for cut in cuts if cut.field.kind == "comb"])
    lines = [cut for cut in cuts if cut.field.kind == "number" or any(map(_best, cut.places))]
    said |= {cut.field.name: _crossed_out(cut.field, cut.found) for cut in cuts if cut not in lines}
    for cut, reading in zip(lines, _read_lines(reader, lines), strict=True):
        understand = _of_comb if cut.field.kind == "comb" else _of_number
        said[cut.field.name] = understand(cut, reading, least)
    return said


def sure_enough(reader: Reader, options: ReadOptions) -> float:
    """Return from which confidence on a field is accepted."""
    if options.min_confidence is not None or reader.line_model is None:
        return options.min_confidence or 0.0
    return reader.line_model.info.reject_threshold


def _empty(one: Field, found: Registration, around: Writing) -> FieldText:
    """Return what a field without writing of its own says; a stroke may run through it."""
    if around.share(one.box) > _EMPTY:
        crossed = f"{CROSSED_OUT}, or writing runs through it"
        return FieldText(one, found, [("", 1.0)], "review", crossed)
    if one.required:
        return FieldText(one, found, [("", 1.0)], "review", f"it is {BLANK}, and required")
    return FieldText(one, found, [("", 1.0)], reason=BLANK)


def _crossed_out(one: Field, found: Registration) -> FieldText:
    if one.required:
        return FieldText(one, found, [("", 1.0)], "review", f"it is {CROSSED_OUT}, and required")
    return FieldText(one, found, [("", 1.0)], reason=CROSSED_OUT)


def _marked(one: Field, found: Registration, around: Writing) -> FieldText:
    """Return 1 where a check box is ticked, or where there is ink, else 0."""
    left, top, width, height = one.box
    inner = left + width / 8, top + height / 8, width * 3 / 4, height * 3 / 4
    share = around.share(inner)
    if one.kind == "ink":
        return FieldText(one, found, [(str(int(not around.inside(one.box).is_empty)), 1.0)])
    text = [(str(int(share > (_EMPTY + _TICKED) / 2)), 1.0)]
    if share > _FULL:
        return FieldText(one, found, text, "review", f"{CROSSED_OUT}, or filled in")
    if _EMPTY < share < _TICKED:
        return FieldText(one, found, text, "review", "there is little ink in the box")
    return FieldText(one, found, text)


def _read_cells(reader: Reader, combs: Sequence[_Cut]) -> None:
    """Read the cells of combs in which there is writing."""
    for cut in combs:
        cells = [(box, cut.writing.cell(box)) for box in cut.field.cell_boxes]
        numbers = [number for number, (_, cell) in enumerate(cells) if not cell.is_empty]
        cut.cells = [cells[number] for number in numbers]
        cut.gap = (
            numbers != list(range(numbers[0], numbers[0] + len(numbers))) if numbers else False
        )
    pictures = [cell.picture() for cut in combs for _, cell in cut.cells]
    results = iter(reader.results(pictures, _SINGLE))
    for cut in combs:
        cut.places = [_place(next(results)) for _ in cut.cells]


def _place(result: Reading | InkdigitError) -> _Place:
    """Return how likely each digit is in a cell, and none."""
    if isinstance(result, InkdigitError) or not result.characters:
        return {"": 1.0}
    shares = {one.value: one.confidence for one in result.characters[0].alternatives}
    return shares | {"": max(0.0, 1 - sum(shares.values()))}


def _read_lines(reader: Reader, cuts: Sequence[_Cut]) -> list[Reading | None]:
    """Return what the writing of each field says as a line."""
    groups = defaultdict[ReadOptions, list[int]](list)
    for number, cut in enumerate(cuts):
        own = cut.field.options if cut.field.kind == "number" else ReadOptions()
        groups[replace(own, rotate=0)].append(number)
    read: list[Reading | None] = [None] * len(cuts)
    for options, numbers in groups.items():
        results = reader.results([cuts[number].line() for number in numbers], options)
        for number, result in zip(numbers, results, strict=True):
            read[number] = result if isinstance(result, Reading) else None
    return read


def _of_comb(cut: _Cut, line: Reading | None, least: float) -> FieldText:
    """Return the digits of a comb, as its cells and the line say together."""
    cells, seen = "".join(map(_best, cut.places)), line.digits if line else ""
    places = cut.places
    if line and len(seen) == len(cells):
        digits = (one for one in line.characters if one.value in DIGITS)
        places = [_together(place, next(digits)) if _best(place) else place for place in places]
    texts, doubt = _texts(cut.field, places)
    if cut.gap:
        doubt = doubt or "there is an empty cell between two digits"
    if seen != cells:
        doubt = doubt or f"its cells read {cells}, and the line {seen or 'nothing'}"
    boxes = [
        on_scan(cut.found, box) for (box, _), p in zip(cut.cells, places, strict=True) if _best(p)
    ]
    return _decided(
        cut, texts, doubt, _characters(texts, [p for p in places if _best(p)], boxes), least
    )


def _of_number(cut: _Cut, line: Reading | None, least: float) -> FieldText:
    """Return the text of a line of writing."""
    if line is None or not line.text or line.status == "rejected":
        reason = line.reason if line else "it is too long to be read"
        return FieldText(cut.field, cut.found, status="rejected", reason=reason)
    places = [
        {other.value: other.confidence for other in one.alternatives} for one in line.characters
    ]
    texts, doubt = _texts(cut.field, places)
    if texts and texts[0][0] == line.text and not cut.field.one_of:
        texts = _weighted(texts, line.confidence)
    boxes = [on_scan(cut.found, cut.field.box)] * len(places)
    return _decided(cut, texts, doubt or line.reason, _characters(texts, places, boxes), least)


def _decided(
    cut: _Cut,
    texts: Sequence[tuple[str, float]],
    doubt: str,
    characters: tuple[Character, ...],
    least: float,
) -> FieldText:
    if texts and not doubt and texts[0][1] < least:
        doubt = f"confidence {texts[0][1]:.4f} is below {least:.4f}"
    status: Status = "rejected" if not texts else "review" if doubt else "accepted"
    return FieldText(cut.field, cut.found, texts, status, doubt, characters)


def _together(place: _Place, seen: Character) -> _Place:
    """Return what a cell and the line say of a digit, as a product of experts (Hinton 2002)."""
    line = {other.value: other.confidence for other in seen.alternatives}
    shares = {d: max(place.get(d, 0), _LEAST) * max(line.get(d, 0), _LEAST) for d in DIGITS}
    is_digit = (1 - place.get("", 0)) / sum(shares.values())
    return {d: share * is_digit for d, share in shares.items()} | {"": place.get("", 0)}


def _texts(one: Field, places: Sequence[_Place]) -> tuple[list[tuple[str, float]], str]:
    """Return the likeliest texts that a field may hold, and a doubt about them or nothing."""
    if isinstance(one.one_of, tuple):
        weighed = (
            (text, prod(place.get(s, _LEAST) for s, place in zip(text, places, strict=True)))
            for text in one.one_of
            if len(text) == len(places)
        )
        texts = sorted(weighed, key=lambda text: -text[1])[:_TEXTS]
    else:
        ranked = [sorted(place.items(), key=lambda item: -item[1]) for place in places]
        made = (("".join(symbols), weight) for symbols, weight in products(ranked, _TEXTS))
        texts = [(text, weight) for text, weight in made if one.may_be(text)]
    told = "a date" if one.date else "in its list" if one.one_of else "what it may be"
    if not texts:
        return [], f"nothing likely here is {told}"
    total = sum(weight for _, weight in texts)
    doubt = f"nothing likely here is {told}" if total < _UNLIKELY else ""
    return [(text, weight / total) for text, weight in texts], doubt


def products(
    ranked: Sequence[Sequence[tuple[str, float]]], most: int
) -> Iterator[tuple[tuple[str, ...], float]]:
    """Yield one of each list together, by the product of their weights, the heaviest first."""

    def weight(numbers: tuple[int, ...]) -> float:
        return prod(some[number][1] for some, number in zip(ranked, numbers, strict=True))

    first = (0,) * len(ranked)
    heap, known = [(-weight(first), first)], {first}
    for _ in range(most):
        if not heap:
            return
        negative, numbers = heappop(heap)
        yield tuple(some[n][0] for some, n in zip(ranked, numbers, strict=True)), -negative
        for place, number in enumerate(numbers):
            following = (*numbers[:place], number + 1, *numbers[place + 1 :])
            if number + 1 < len(ranked[place]) and following not in known:
                known.add(following)
                heappush(heap, (-weight(following), following))


def _weighted(texts: Sequence[tuple[str, float]], first: float) -> list[tuple[str, float]]:
    """Return texts of which the first has this probability, and the others what is left."""
    (text, _), *others = texts
    left = sum(weight for _, weight in others) or 1.0
    return [(text, first), *((other, (1 - first) * weight / left) for other, weight in others)]


def _characters(
    texts: Sequence[tuple[str, float]], places: Sequence[_Place], boxes: Sequence[Box]
) -> tuple[Character, ...]:
    text = texts[0][0] if texts else ""
    return tuple(
        Character(
            symbol,
            place.get(symbol, _LEAST),
            box,
            tuple(
                Alternative(v, p)
                for v, p in sorted(place.items(), key=lambda i: -i[1])
                if p > 0.001
            ),
        )
        for symbol, place, box in zip(text, places, boxes, strict=False)
    )
