"""From what was written in the fields of a page to texts, each with others that it might be."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from heapq import nlargest
from math import sqrt
from operator import itemgetter

import cv2
import numpy as np

from inkdigit.documents import BLANK, CROSSED_OUT
from inkdigit.documents.doubts import doubt_of, is_marked_beside
from inkdigit.documents.registration import Registration
from inkdigit.documents.template import BoxMm, Field
from inkdigit.documents.writing import Writing
from inkdigit.errors import InkdigitError
from inkdigit.images import Grey
from inkdigit.reading.alphabet import DIGITS
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.reader import Reader
from inkdigit.reading.result import Alternative, Box, Character, Reading, Status

# So many texts are considered for a field, and no symbol of them is less likely.
_TEXTS, _LEAST = 60, 1e-4
# Shares of a check box that are covered: less is empty, more is ticked; and filled in.
_EMPTY, _TICKED, _FULL = 0.015, 0.04, 0.8
# In forms one place in fifty is no digit; of what the network learned from, 35 in a hundred.
_CROSSED = (0.02 / 0.98) / (0.35 / 0.65)
# So often a text is none of those that both looks thought of.
_UNSEEN = 0.005
# A cell is surely crossed out from this probability on, and what a field may not be from that.
_SURELY, _UNLIKELY = 0.9, 0.05
# Pixels of paper beside a digit of a line.
_BESIDE = 5
_SINGLE = ReadOptions(single=True, rotate=0)
# How likely each symbol is at a place of a text, none for a cell that is crossed out.
_Place = dict[str, float]
Texts = Sequence[tuple[str, float]]


@dataclass(frozen=True, eq=False)
class FieldText:
    """What a field says: the `texts` it may hold, likeliest first, its status, and why.

    Any `other` text is as likely as that. `places` are the boxes of its characters, in mm, and
    `written` is what it says without the rules of its form, `None` where they changed nothing.
    """

    field: Field
    found: Registration
    texts: Texts = ()
    status: Status = "accepted"
    reason: str = ""
    other: float = 0.0
    places: Sequence[BoxMm] = ()
    written: str | None = None

    @property
    def text(self) -> str:
        """The likeliest text."""
        return self.texts[0][0] if self.texts else ""

    def may_be(self, number: Decimal) -> bool:
        """Return whether that many digits may mean a number, in a text that no look saw."""
        digits = max((len(text) for text, _ in self.texts), default=0) or self.field.cells or 1
        least, most = self.field.range
        is_listed = not self.field.values or number in self.field.values
        return is_listed and least <= number <= most and abs(number) < 10**digits

    @property
    def box(self) -> Box:
        """The upright box around it, in pixels of its scan."""
        return self._seen(self.field.box)

    def _seen(self, box: BoxMm) -> Box:
        corners = self.found.corners(box).clip(0).astype(np.int32)
        left, top, width, height = cv2.boundingRect(corners)
        return left, top, width, height

    @property
    def characters(self) -> tuple[Character, ...]:
        """Its characters, each as likely as the texts are that have it there."""
        alike = [one for one in self.texts if len(one[0]) == len(self.places)]
        if len(self.text) != len(self.places):
            return ()
        characters = []
        for place, (value, box) in enumerate(zip(self.text, self.places, strict=True)):
            shares = defaultdict[str, float](float)
            for text, share in alike:
                shares[text[place]] += share
            total, likely = sum(shares.values()), sorted(shares, key=lambda s: -shares[s])
            others = tuple(Alternative(symbol, shares[symbol] / total) for symbol in likely)
            characters.append(Character(value, shares[value] / total, self._seen(box), others))
        return tuple(characters)

    def reading(self, model: str) -> Reading:
        """Return it as a reading."""
        is_changed = self.written is not None and self.status != "accepted"
        told = f"; without the rules it reads {self.written or 'nothing'}" if is_changed else ""
        return Reading(
            text=self.text,
            confidence=self.texts[0][1] if self.texts else 0.0,
            status=self.status,
            reason=self.reason + told,
            characters=self.characters,
            number=None if self.field.date else self.field.value(self.text),
            unconstrained=self.written,
            model=model,
        )


@dataclass(eq=False)
class _Cut:
    """A field that holds writing, and why that may be another's.

    `numbers` are those of a comb's cells that hold writing. `places` is what may stand in each of
    them, and in each place of a line where a digit was read, when they are looked at one by one.
    """

    field: Field
    found: Registration
    writing: Writing
    doubt: str
    cells: Sequence[Writing] = ()
    numbers: Sequence[int] = ()
    places: Sequence[_Place] = ()

    @property
    def digits(self) -> list[int]:
        """The numbers of the cells that are not surely crossed out."""
        return [i for i, place in enumerate(self.places) if place.get("", 0) < _SURELY]

    def boxes(self, line: Reading | None) -> list[BoxMm]:
        """Return where its characters stand, in mm."""
        if self.field.kind == "comb":
            return [self.field.cell_boxes[self.numbers[place]] for place in self.digits]
        return [self.writing.placed(one.box) for one in (line.characters if line else ())]

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
    combs, numbers = (
        [cut for cut in cuts if cut.field.kind == kind] for kind in ("comb", "number")
    )
    _look_singly(reader, {cut: _cells(cut) for cut in combs})
    lines = _read_lines(reader, [*numbers, *(cut for cut in combs if cut.digits)])
    _look_singly(reader, {cut: _digits(cut, line) for cut in numbers if (line := lines[cut])})
    return said | {cut.field.name: _understood(cut, lines.get(cut), least) for cut in cuts}


def _look(one: Field, found: Registration) -> FieldText | _Cut:
    """Return what is to be read of a field, or what it says if that is nothing."""
    if doubt := doubt_of(one, found):
        return FieldText(one, found, status="rejected", reason=doubt)
    around = Writing.of(found, one.box)
    inside = around.inside(one.box)
    if one.kind == "ink":
        return FieldText(one, found, [(str(int(not inside.is_empty)), 1.0)])
    if one.kind == "check":
        return _ticked(one, found, around)
    # In a long field a digit is a small share.
    digits = max(1.0, one.box[2] / one.box[3])
    crosses = digits * (around.share(one.box) - inside.share(one.box)) > _EMPTY
    if not inside.is_empty:
        doubt = "what is written there runs out of it" if inside.runs_out else ""
        doubt = "other writing runs through it" if crosses else doubt
        return _Cut(one, found, inside, doubt)
    doubt = f"it is {BLANK}, and required" if one.required else ""
    doubt = f"{CROSSED_OUT}, or writing runs through it" if crosses else doubt
    # As likely as not something stands there.
    other = 0.1 ** (one.cells or 1) if crosses else 0.0
    status: Status = "review" if doubt else "accepted"
    return FieldText(one, found, [("", 1.0)], status, doubt or BLANK, other)


def _ticked(one: Field, found: Registration, around: Writing) -> FieldText:
    left, top, width, height = one.box
    share = around.share((left + width / 8, top + height / 8, width * 3 / 4, height * 3 / 4))
    doubt = f"{CROSSED_OUT}, or filled in" if share > _FULL else ""
    if _EMPTY < share < _TICKED:
        doubt = "there is little ink in the box"
    if share <= _EMPTY and is_marked_beside(one.box, found):
        doubt = "there is a mark around the box, or beside it"
    text, other = ("1", "0") if share > _EMPTY else ("0", "1")
    if doubt:
        return FieldText(one, found, [(text, 0.5), (other, 0.5)], "review", doubt)
    return FieldText(one, found, [(text, 1.0)])


def _look_singly(reader: Reader, pictures: Mapping[_Cut, Sequence[Grey]]) -> None:
    """Look at each digit of some fields by itself."""
    together = [picture for some in pictures.values() for picture in some]
    places = map(_place, reader.results(together, _SINGLE))
    for cut, some in pictures.items():
        cut.places = [next(places) for _ in some]


def _cells(cut: _Cut) -> list[Grey]:
    """Return the writing of the cells that hold any; what is odd about the others is noted."""
    boxes = cut.field.cell_boxes
    cells = cut.writing.cells(boxes)
    filled = [number for number, cell in enumerate(cells) if not cell.is_empty]
    if filled and filled[-1] - filled[0] >= len(filled):
        cut.doubt = cut.doubt or "there is an empty cell between two digits"
    if any(cut.writing.share(boxes[n]) > _EMPTY for n in set(range(len(boxes))).difference(filled)):
        cut.doubt = cut.doubt or "writing reaches into an empty cell"
    cut.numbers, cut.cells = filled, [cells[number] for number in filled]
    return [cell.picture() for cell in cut.cells]


def _digits(cut: _Cut, line: Reading) -> list[Grey]:
    """Return the writing of each digit that was read in a line, with paper beside it."""
    picture, room = cut.line(), ((0, 0), (_BESIDE, _BESIDE))
    spans = [
        (one.box[0], one.box[0] + one.box[2]) for one in line.characters if one.value in DIGITS
    ]
    return [np.pad(picture[:, left:end], room, constant_values=255) for left, end in spans]


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
        digits = ReadOptions(pattern=rf"\d{{{len(cut.digits)}}}")
        options = cut.field.options if cut.field.kind == "number" else digits
        groups[replace(options, rotate=0)].append(cut)
    read = dict[_Cut, Reading | None]()
    for options, some in groups.items():
        results = reader.results([cut.line() for cut in some], options)
        for cut, result in zip(some, results, strict=True):
            read[cut] = result if isinstance(result, Reading) else None
    return read


def _understood(cut: _Cut, line: Reading | None, least: float) -> FieldText:
    """Return what a field says by both looks at it, as a line and digit by digit."""
    one = cut.field
    places, doubt = _both_looks(cut, line)
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
    doubt = cut.doubt or doubt
    is_bare = one.kind == "number" and not (one.options.constrained or one.one_of)
    if is_bare and one.value(texts[0][0]) is None:
        doubt = doubt or f"{texts[0][0]} may be no number, or several"
    # So must be each digit that is looked at by itself.
    sure = min(texts[0][1], *(max(place.values()) for place in cut.places))
    if sure < least:
        doubt = doubt or f"confidence {sure:.4f} is below {least:.4f}"
    # What was looked at and cannot be, and what no look saw, may be any text.
    alike = 1 / len(one.one_of) if one.one_of else 0.1 ** len(places)
    other = (1 - fitting + _UNSEEN) / fitting * alike
    status: Status = "review" if doubt else "accepted"
    return FieldText(one, cut.found, texts, status, doubt, other, cut.boxes(line))


def _both_looks(cut: _Cut, line: Reading | None) -> tuple[list[_Place], str]:
    """Return what may stand in each place by itself and by the line, and where they disagree."""
    is_comb, numbers = cut.field.kind == "comb", cut.digits
    reason = line.reason if line else "it is too long to be read"
    if not is_comb and (line is None or line.status == "rejected"):
        return [], reason
    if line and line.text and not is_comb and not cut.places:
        return [], f"only {line.text} is read here, no digit"
    characters = line.characters if line else ()
    seen = [_shares(one) for one in characters if one.value in DIGITS]
    one_by_one, read = _read(cut.places[number] for number in numbers), _read(seen)
    told = f"digit by digit it reads {one_by_one or 'nothing'}, and as a line {read or 'nothing'}"
    doubt = "" if one_by_one == read else told
    if not is_comb:  # where its digits stand only the line says
        return list(map(_shares, characters)), reason or doubt
    places = [_in_forms(*both) for both in zip(cut.cells, cut.places, strict=True)]
    if len(seen) == len(numbers):
        for number, shares in zip(numbers, seen, strict=True):
            places[number] = _together(places[number], shares)
    crossed = "a cell is crossed out, or holds no digit" if numbers else CROSSED_OUT
    return places, doubt or (crossed if len(numbers) < len(places) else "")


def _read(places: Iterable[_Place]) -> str:
    """Return the likeliest symbol of each place."""
    return "".join(max(place, key=place.__getitem__) for place in places)


def _in_forms(cell: Writing, place: _Place) -> _Place:
    """Return a place as likely as it is in forms, by the rule of Bayes (Saerens et al. 2002).

    A stroke that runs out of the field is as often as not the end of one through several.
    """
    crossed = place[""] * _CROSSED
    total = (1 - place[""] + crossed) * (2 if cell.runs_out else 1)
    shares = {symbol: share / total for symbol, share in place.items() if symbol}
    return shares | {"": 1 - sum(shares.values())}


def _together(one: _Place, line: _Place) -> _Place:
    """Return what two looks at the same ink say of a place: their opinions pooled (Genest 1984).

    Whether it is crossed out only the look at it alone can tell.
    """
    both = {s: sqrt(max(one.get(s, 0), _LEAST) * max(line.get(s, 0), _LEAST)) for s in DIGITS}
    scale = (1 - one[""]) / sum(both.values())
    return {symbol: share * scale for symbol, share in both.items()} | {"": one[""]}


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
