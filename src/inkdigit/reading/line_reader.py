"""Reading pictures that hold a line of digits."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import exp, log

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.errors import InkdigitError, SettingError
from inkdigit.images import Grey
from inkdigit.reading.alphabet import DIGITS, LINE_ALPHABET
from inkdigit.reading.decoding import (
    Characters,
    Posteriors,
    SeenMark,
    find_marks,
    locate,
    unseen_marks,
)
from inkdigit.reading.decoding.rescoring import Hypothesis
from inkdigit.reading.model_file import COLUMNS_PER_FRAME, LineModel, ModelInfo
from inkdigit.reading.options import Rules
from inkdigit.reading.preprocessing.line import LINE_HEIGHT, LineImage, extract_line
from inkdigit.reading.result import Alternative, Box, Character, Mark, Reading
from inkdigit.reading.review_rules import (
    blank,
    doubt_from_mark_ahead,
    doubt_from_marks,
    doubt_from_rules,
    doubt_from_sizes,
    verdict,
)
from inkdigit.reading.tta import Views

# Less likely alternatives are not worth listing.
_LEAST_ALTERNATIVE = 0.001
# How much ink it costs to part two characters a column farther from the middle between them.
_STRAYING = 0.25
# A stroke of this share of a digit's height may be one.
_TALL = 0.45
# Lines of so many columns are decoded together.
_MOST_COLUMNS = 2**15
_LARGEST_EXPONENT = 700.0


class LineReader:
    """Reads one line of digits a picture, with a line model."""

    def __init__(self, model: LineModel) -> None:
        self.model = model

    def read(self, pages: Iterable[Grey], rules: Rules) -> list[Reading | InkdigitError]:
        """Return a reading of each grey page, or why it cannot be: too long for its pattern."""
        strips = [extract_line(page) for page in pages]
        results: list[Reading | InkdigitError] = [blank(rules, self.model.name)] * len(strips)
        for numbers in _alike(strips):
            group = [found for found in (strips[number] for number in numbers) if found]
            for number, result in zip(numbers, self._results(group, rules), strict=True):
                results[number] = result
        return results

    def look(self, page: Grey) -> Grey:
        """Return what the network is shown of a page, `uint8 (32, width)`, 0 for blank paper."""
        found = extract_line(page)
        return found.pixels if found else np.zeros((LINE_HEIGHT, LINE_HEIGHT), np.uint8)

    def _results(self, strips: list[LineImage], rules: Rules) -> Sequence[Reading | InkdigitError]:
        try:
            return self._read(strips, rules)
        except SettingError as error:
            if len(strips) == 1:
                return [error]
            return [result for found in strips for result in self._results([found], rules)]

    def _read(self, strips: list[LineImage], rules: Rules) -> list[Reading]:
        seen = Views.of(self.model.frames, [found.pixels for found in strips], self.model.second)
        choices = seen.choose(rules)
        lines = Posteriors.of(seen.first, symbols=rules.symbols)
        characters = locate(lines, [choice.text for choice in choices], rules.pattern)
        full = Posteriors.of(seen.first, symbols=LINE_ALPHABET)
        marks = self._marks(seen, full, characters, rules)
        free = seen.free if rules.constrained else [None] * len(strips)
        unseen = unseen_marks(full, [choice.text for choice in choices], characters)
        return [
            self._reading(found, choices[i], free[i], characters[i], marks[i], unseen[i], rules)
            for i, found in enumerate(strips)
        ]

    def _marks(
        self, seen: Views, full: Posteriors, characters: list[Characters], rules: Rules
    ) -> list[list[SeenMark]]:
        """Return the marks that either network sees: none is to vanish."""
        marks = find_marks(full, characters, written=rules.symbols)
        if not len(seen.opinion):
            return marks
        doubtful = [characters[number] for number in seen.numbers]
        opinion = Posteriors.of(seen.opinion, symbols=LINE_ALPHABET)
        others = find_marks(opinion, doubtful, written=rules.symbols)
        for number, found in zip(seen.numbers, others, strict=True):
            known = {mark.position for mark in marks[number]}
            marks[number] += [mark for mark in found if mark.position not in known]
            marks[number].sort(key=lambda mark: mark.first)
        return marks

    def _reading(
        self,
        found: LineImage,
        choice: Hypothesis,
        free: Hypothesis | None,
        characters: Characters,
        seen: list[SeenMark],
        unseen: str,
        rules: Rules,
    ) -> Reading:
        seen = [mark for mark in seen if _has_ink(found, mark.first, mark.last)]
        places = [*zip(characters.first, characters.last, strict=True)]
        boxes = _boxes(found, [*places, *((mark.first, mark.last) for mark in seen)])
        shares = np.maximum(characters.probabilities, 1e-12) ** self.model.info.confidence_slope
        shares /= shares.sum(axis=1, keepdims=True)
        digits = tuple(
            _digit(value, odds, box, rules.symbols)
            for value, odds, box in zip(choice.text, shares.tolist(), boxes, strict=False)
        )
        marks = tuple(
            Mark(mark.value, mark.position, mark.confidence, box)
            for mark, box in zip(seen, boxes[len(places) :], strict=True)
        )
        confidence = calibrated(choice.probability, self.model.info)
        status, reason = verdict(choice.text, confidence, rules, self.model.info)
        doubt = doubt_from_marks(choice.text, marks, rules)
        if free:
            sure = calibrated(free.probability, self.model.info) >= self.model.info.reject_threshold
            doubt = doubt_from_rules(choice.text, free.text, sure) or doubt
        blank_marks = (
            symbol
            for symbol, place in zip(choice.text, places, strict=True)
            if symbol not in DIGITS and not _has_ink(found, *place)
        )
        if unseen := unseen or next(blank_marks, ""):
            doubt = f"the pattern writes {unseen!r}, and no mark was seen there"
        if not doubt and status == "accepted":
            doubt = _doubt_from_ink(found, digits, marks, rules)
        if not choice.text:
            doubt = doubt or "there is ink, and no number was read in it"
        if found.far_apart:
            doubt = "the writing stands far apart: one number or several?"
        if found.several_lines:
            doubt = "there is more than one line of writing"
        if doubt and status == "accepted":
            status, reason = "review", doubt
        return Reading(
            text=choice.text,
            confidence=confidence,
            status=status,
            reason=reason,
            digits=digits,
            marks=marks,
            unconstrained=free.text if free else None,
            model=self.model.name,
        )


def _doubt_from_ink(
    found: LineImage, characters: Sequence[Character], marks: Sequence[Mark], rules: Rules
) -> str:
    """Return why the ink itself, whatever the network says, puts a text in doubt."""
    digits = [one.box for one in characters if one.value in DIGITS]
    others = [mark.box for mark in marks]
    others += [one.box for one in characters if one.value not in DIGITS]
    pieces = found.pieces
    if digits and _tall_groups(found, pieces, digits, others) > len(digits):
        return "there are more strokes than digits were read"
    if rules.separators != "review":
        return ""
    begins = bool(characters) and characters[0].value in DIGITS
    ahead = _mark_ahead(pieces) if begins else ""
    return doubt_from_sizes(digits) or doubt_from_mark_ahead(ahead)


def _alike(strips: Sequence[LineImage | None]) -> Iterator[list[int]]:
    """Yield the numbers of the strips with ink, those together that are about as wide."""
    groups = defaultdict(list)
    for number, found in enumerate(strips):
        if found is not None:
            groups[found.pixels.shape[1].bit_length()].append(number)
    for bits, numbers in groups.items():
        together = _MOST_COLUMNS >> bits
        yield from (numbers[i : i + together] for i in range(0, len(numbers), together))


def calibrated(probability: float, info: ModelInfo) -> float:
    """Return how often a text of this probability is right (Platt 1999)."""
    p = min(max(probability, 1e-12), 1 - 1e-9)
    odds = info.confidence_slope * log(p / (1 - p)) + info.confidence_intercept
    return 1 / (1 + exp(min(-odds, _LARGEST_EXPONENT)))


def _tall_groups(
    found: LineImage, pieces: list[list[int]], digits: Sequence[Box], marks: Sequence[Box]
) -> int:
    """Return how many groups the pieces of a strip form that are about as tall as its digits.

    What stands above or below each other is one group, and what is a mark is none.
    """
    down = LINE_HEIGHT / found.area[3]
    across = found.pixels.shape[1] / found.area[2]
    height = max(box[3] for box in digits) * down
    middles = [(box[0] + box[2] / 2 - found.area[0]) * across for box in marks]
    groups, end = 0, -1
    for left, _, width, tall in pieces:
        if tall < _TALL * height or any(left <= x <= left + width for x in middles):
            continue
        groups += left >= end
        end = max(end, left + width)
    return groups


def _mark_ahead(pieces: list[list[int]]) -> str:
    """Return the name of a dash or dot that is the first piece of ink on a strip, or nothing.

    The network may take it for a part of the first digit, and a number without its minus is wrong.
    """
    if len(pieces) < 2:
        return ""
    (left, top, width, height), second = pieces[:2]
    if height > LINE_HEIGHT / 4 or left + width > second[0]:
        return ""
    middle = (top + height / 2) / LINE_HEIGHT
    if width >= 2 * height and 0.35 <= middle <= 0.7:
        return "dash"
    return "dot" if width <= LINE_HEIGHT / 4 and middle >= 0.7 else ""


def _has_ink(found: LineImage, first: float, last: float) -> bool:
    """Return whether there is ink in the frames of a mark: the network may read one into a gap."""
    start, end = (int(COLUMNS_PER_FRAME * frame) for frame in (first - 2, last + 3))
    return found.has_ink(start, end)


def _digit(value: str, odds: list[float], box: Box, symbols: str) -> Character:
    likely = [
        Alternative(symbol, share)
        for share, symbol in zip(odds, symbols, strict=True)
        if share >= _LEAST_ALTERNATIVE or symbol == value
    ]
    likely.sort(key=lambda other: -other.confidence)
    return Character(value, odds[symbols.index(value)], box, tuple(likely))


def _boxes(found: LineImage, spans: list[tuple[float, float]]) -> list[Box]:
    """Return the boxes of characters by the frames that say them, in pixels of the picture.

    The network says a character somewhere on it: between it and the next they are parted where
    there is least ink, and the box is drawn around the ink.
    """
    if not spans:
        return []
    middles = [(first + last + 1) / 2 * COLUMNS_PER_FRAME for first, last in spans]
    width = found.pixels.shape[1]
    order = sorted(range(len(spans)), key=middles.__getitem__)
    strokes = found.strokes
    ink = strokes.sum(axis=0, dtype=np.int64)
    edges = [0.0, *(_gap(ink, middles[a], middles[b]) for a, b in pairwise(order)), float(width)]
    boxes = [(0, 0, 0, 0)] * len(spans)
    reach = found.pixels.shape[0]
    for place, (left, right) in zip(order, pairwise(edges), strict=True):
        start, end = max(left, middles[place] - reach), min(right, middles[place] + reach)
        boxes[place] = _box(found, strokes, round(start), round(end))
    return boxes


def _gap(ink: npt.NDArray[np.int64], left: float, right: float) -> float:
    """Return the column between two others that has least ink, of several the most central."""
    middle = (left + right) / 2
    columns = np.arange(int(left), min(int(right) + 1, len(ink)))
    if not len(columns):
        return middle
    return float(columns[(ink[columns] + _STRAYING * np.abs(columns - middle)).argmin()])


def _box(found: LineImage, strokes: npt.NDArray[np.uint8], left: int, right: int) -> Box:
    """Return the box of the strokes between two columns of a strip."""
    left = min(max(left, 0), strokes.shape[1] - 1)
    inside = strokes[:, left : max(right, left + 1)]
    x, y, width, height = cv2.boundingRect(inside)
    if not width:
        x, y, (height, width) = 0, 0, inside.shape
    return found.to_picture(left + x, y, width, height)
