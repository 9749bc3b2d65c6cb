"""Reading pictures that hold a line of digits."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, log

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
from inkdigit.reading.ink import Strip, strip
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
        for width, numbers in _by_width(strips, self.model.WIDTH_STEP).items():
            group = [s for s in (strips[number] for number in numbers) if s]
            for number, reading in zip(numbers, self._read(group, width, rules), strict=True):
                readings[number] = reading
        return readings

    def _read(self, strips: list[Strip], width: int, rules: Rules) -> list[Reading]:
        """Read strips that are padded to the same width."""
        padded = np.zeros((len(strips), strips[0].pixels.shape[0], width), np.uint8)
        for row, found in zip(padded, strips, strict=True):
            row[:, : found.pixels.shape[1]] = found.pixels
        frames = self.model.frames(padded)
        symbols = rules.pattern.symbols if rules.pattern else DIGITS
        lines = Lines.of(frames, symbols=symbols)
        choices = _choose(lines, frames, rules)
        characters = locate(lines, [choice.text for choice in choices], rules.pattern)
        marks = find_marks(Lines.of(frames, symbols=LINE_ALPHABET), characters, written=symbols)
        return [
            _reading(*parts, symbols, rules, self.model)
            for parts in zip(strips, choices, characters, marks, strict=True)
        ]


def _by_width(strips: Sequence[Strip | None], step: int) -> dict[int, list[int]]:
    """Return the numbers of the strips by their width, rounded up.

    Only strips of one width share a batch, so what is read does not depend on what is read with it.
    """
    groups = defaultdict(list)
    for number, found in enumerate(strips):
        if found is not None:
            groups[-(-found.pixels.shape[1] // step) * step].append(number)
    return groups


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
    digits = tuple(
        _digit(value, odds, box, symbols, model.info.confidence_slope)
        for value, odds, box in zip(choice.text, characters.probabilities, boxes, strict=False)
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


def _digit(value: str, odds: Floats, box: Box, symbols: str, slope: float) -> Digit:
    share = np.maximum(odds, 1e-12) ** slope
    share /= share.sum()
    order = np.argsort(-share, kind="stable")
    alternatives = tuple(
        Alternative(symbols[place], float(share[place]))
        for place in order
        if share[place] >= _LEAST_ALTERNATIVE or symbols[place] == value
    )
    return Digit(value, float(share[symbols.index(value)]), box, alternatives)


def _boxes(found: Strip, spans: list[tuple[float, float]]) -> list[Box]:
    """Return the boxes of characters by the frames that say them, in pixels of the picture.

    The network says a character somewhere in the middle of it: what lies between it and the next
    is shared out, and the box drawn around the ink.
    """
    columns = LineModel.COLUMNS_PER_FRAME
    middles = [(first + last + 1) / 2 * columns for first, last in spans]
    width = found.pixels.shape[1]
    order = sorted(range(len(spans)), key=middles.__getitem__)
    edges = [0.0, *((middles[a] + middles[b]) / 2 for a, b in pairwise(order)), float(width)]
    boxes = [(0, 0, 0, 0)] * len(spans)
    reach = found.pixels.shape[0]
    for place, (left, right) in zip(order, pairwise(edges), strict=True):
        start = max(left, middles[place] - reach)
        boxes[place] = _box(found, round(start), round(min(right, middles[place] + reach)))
    return boxes


def _box(found: Strip, left: int, right: int) -> Box:
    """Return the box of the ink between two columns of a strip."""
    left = min(max(left, 0), found.pixels.shape[1] - 1)
    ink = found.pixels[:, left : max(right, left + 1)] > 80
    columns, rows = np.flatnonzero(ink.any(axis=0)), np.flatnonzero(ink.any(axis=1))
    if len(columns):
        x, width = left + int(columns[0]), int(columns[-1] - columns[0]) + 1
        y, height = int(rows[0]), int(rows[-1] - rows[0]) + 1
    else:
        x, width, y, height = left, ink.shape[1], 0, ink.shape[0]
    return found.to_picture(x, y, width, height)
