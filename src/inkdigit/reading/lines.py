"""Reading pictures that hold a line of digits."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.images import Grey
from inkdigit.reading.alphabet import DIGITS, LINE_ALPHABET
from inkdigit.reading.decoding import (
    Characters,
    Decoded,
    Lines,
    SeenMark,
    decode,
    find_marks,
    likeliest,
    locate,
)
from inkdigit.reading.ink import STRIP_HEIGHT, Strip, strip
from inkdigit.reading.model_file import LineModel, ModelInfo
from inkdigit.reading.options import Rules
from inkdigit.reading.result import Alternative, Box, Digit, Mark, Reading
from inkdigit.reading.verdict import blank, doubt_from_marks, verdict

# With a check, so many of the likeliest texts are tried.
_TRIED = 64
# Less likely alternatives are not worth listing.
_LEAST_ALTERNATIVE = 0.001

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Choice:
    """The text that was chosen, and the probability that it is right, uncalibrated."""

    text: str
    probability: float
    unconstrained: str | None


class LineReader:
    """Reads one line of digits a picture, with a line model."""

    def __init__(self, model: LineModel) -> None:
        self.model = model

    def read(self, pages: Sequence[Grey], rules: Rules) -> list[Reading]:
        """Return a reading of each grey page."""
        strips = [strip(page) for page in pages]
        readings = [blank(rules, self.model.name)] * len(pages)
        for numbers in _alike(strips):
            group = [found for found in (strips[number] for number in numbers) if found]
            for number, reading in zip(numbers, self._read(group, rules), strict=True):
                readings[number] = reading
        return readings

    def _read(self, strips: list[Strip], rules: Rules) -> list[Reading]:
        frames = self._frames(strips)
        symbols = rules.pattern.symbols if rules.pattern else DIGITS
        lines = Lines.of(frames, symbols=symbols)
        choices = _choose(lines, frames, rules)
        characters = locate(lines, [choice.text for choice in choices], rules.pattern)
        marks = find_marks(Lines.of(frames, symbols=LINE_ALPHABET), characters, written=symbols)
        return [
            _reading(*parts, symbols, rules, self.model)
            for parts in zip(strips, choices, characters, marks, strict=True)
        ]

    def _frames(self, strips: list[Strip]) -> npt.NDArray[np.float32]:
        """Return what the network says of each strip; beyond a strip's end, that it is blank.

        Only strips of one width, rounded up, share a batch, so what it says of one does not depend
        on the others.
        """
        step = self.model.WIDTH_STEP
        steps = np.array([-(-found.pixels.shape[1] // step) for found in strips])
        frames = step // self.model.COLUMNS_PER_FRAME
        classes = len(self.model.info.classes) + 1
        output = np.zeros((len(strips), int(steps.max()) * frames, classes), np.float32)
        output[:, :, -1] = 1
        for count in np.unique(steps):
            same = np.flatnonzero(steps == count)
            padded = np.zeros((len(same), STRIP_HEIGHT, count * step), np.uint8)
            for row, number in zip(padded, same, strict=True):
                row[:, : strips[number].pixels.shape[1]] = strips[number].pixels
            output[same, : count * frames] = self.model.frames(padded)
        return output


def _alike(strips: Sequence[Strip | None]) -> Iterable[list[int]]:
    """Return the numbers of the strips with ink, those together that are about as wide."""
    groups = defaultdict(list)
    for number, found in enumerate(strips):
        if found is not None:
            groups[found.pixels.shape[1].bit_length()].append(number)
    return groups.values()


def _choose(lines: Lines, frames: npt.NDArray[np.float32], rules: Rules) -> list[_Choice]:
    if not rules.constrained:
        return [_Choice(found.text, found.confidence, None) for found in decode(lines) if found]
    free = decode(Lines.of(frames, symbols=DIGITS))
    number = _TRIED if rules.check else 1
    fitting = likeliest(lines, number, rules.pattern)
    return [
        _first_passing(texts, without.text if without else "", rules)
        for texts, without in zip(fitting, free, strict=True)
    ]


def _first_passing(texts: list[Decoded], without: str, rules: Rules) -> _Choice:
    """Return the likeliest text that passes, compared with those that were not found wanting."""
    failed = 0.0
    for found in texts:
        if rules.check is None or rules.check(found.text):
            left = max(found.total - failed, found.probability, 1e-300)
            return _Choice(found.text, found.probability / left, without)
        failed += found.probability
    return _Choice(texts[0].text if texts else "", 0.0, without)


def _reading(
    found: Strip,
    choice: _Choice,
    characters: Characters,
    seen: list[SeenMark],
    symbols: str,
    rules: Rules,
    model: LineModel,
) -> Reading:
    places = [*zip(characters.first, characters.last, strict=True)]
    boxes = _boxes(found, [*places, *((mark.first, mark.last) for mark in seen)])
    shares = np.maximum(characters.probabilities, 1e-12) ** model.info.confidence_slope
    shares /= shares.sum(axis=1, keepdims=True)
    digits = tuple(
        _digit(value, odds, box, symbols)
        for value, odds, box in zip(choice.text, shares.tolist(), boxes, strict=False)
    )
    marks = tuple(
        Mark(mark.value, mark.position, mark.confidence, box)
        for mark, box in zip(seen, boxes[len(places) :], strict=True)
    )
    confidence = calibrated(choice.probability, model.info)
    status, reason = verdict(choice.text, confidence, rules, model.info)
    doubt = doubt_from_marks(choice.text, marks, rules)
    if doubt and status == "accepted":
        status, reason = "review", doubt
    return Reading(
        text=choice.text,
        confidence=confidence,
        status=status,
        reason=reason,
        digits=digits,
        marks=marks,
        unconstrained=choice.unconstrained,
        model=model.name,
    )


def calibrated(probability: float, info: ModelInfo) -> float:
    """Return how often a text of this probability is right (Platt 1999)."""
    p = min(max(probability, 1e-12), 1 - 1e-9)
    return 1 / (1 + exp(-info.confidence_slope * log(p / (1 - p)) - info.confidence_intercept))


def _digit(value: str, odds: list[float], box: Box, symbols: str) -> Digit:
    ranked = sorted(zip(odds, symbols, strict=True), key=lambda item: -item[0])
    alternatives = tuple(
        Alternative(symbol, share)
        for share, symbol in ranked
        if share >= _LEAST_ALTERNATIVE or symbol == value
    )
    return Digit(value, odds[symbols.index(value)], box, alternatives)


def _boxes(found: Strip, spans: list[tuple[float, float]]) -> list[Box]:
    """Return the boxes of characters by the frames that say them, in pixels of the picture.

    The network says a character somewhere in the middle of it: what lies between it and the next
    is shared out, and the box drawn around the ink.
    """
    if not spans:
        return []
    columns = LineModel.COLUMNS_PER_FRAME
    middles = [(first + last + 1) / 2 * columns for first, last in spans]
    width = found.pixels.shape[1]
    order = sorted(range(len(spans)), key=middles.__getitem__)
    edges = [0.0, *((middles[a] + middles[b]) / 2 for a, b in pairwise(order)), float(width)]
    boxes = [(0, 0, 0, 0)] * len(spans)
    reach = found.pixels.shape[0]
    strokes = cv2.threshold(found.pixels, 80, 255, cv2.THRESH_BINARY)[1].astype(np.uint8)
    for place, (left, right) in zip(order, pairwise(edges), strict=True):
        start, end = max(left, middles[place] - reach), min(right, middles[place] + reach)
        boxes[place] = _box(found, strokes, round(start), round(end))
    return boxes


def _box(found: Strip, strokes: npt.NDArray[np.uint8], left: int, right: int) -> Box:
    """Return the box of the strokes between two columns of a strip."""
    left = min(max(left, 0), strokes.shape[1] - 1)
    inside = strokes[:, left : max(right, left + 1)]
    x, y, width, height = cv2.boundingRect(inside)
    if not width:
        x, y, (height, width) = 0, 0, inside.shape
    return found.to_picture(left + x, y, width, height)
