"""Who writes: a hand gives what it makes of a character, in its own way all along a line."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from inkdigit.learning.datasets import Digits
from inkdigit.learning.synthesis.allographs import WRITTEN, Allograph, Stroke
from inkdigit.learning.synthesis.glyphs import Fonts, Glyph
from inkdigit.learning.synthesis.pixels import Random, inked
from inkdigit.reading.alphabet import DIGITS, MARKS

# Strokes that the pen of the line is to draw, or ink.
Sample = Allograph | Glyph
# `None` for a character that a hand has not written.
Hand = Callable[[str, Random], Sample | None]

# Of a hundred lines that are drawn without real hands, and how many real hands add to them.
_SHARES = {
    "strokes": 50, "mnist": 20, "font": 20, "mixed": 10, "writers": 50, "forms": 25, "tablet": 75,
}  # fmt: skip
_SHARE_OF_OTHERS = 25
# The kinds of whose writers others borrow what they have not written.
_LENDERS = ("tablet", "ones and nines")


@dataclass(frozen=True)
class Writer:
    """A person, by samples of what he wrote."""

    samples: Mapping[str, Sequence[Sample]]

    def __call__(self, character: str, rng: Random) -> Sample | None:
        """Return one of his samples of a character."""
        written = self.samples.get(character)
        return written[int(rng.integers(len(written)))] if written else None


class Pen:
    """An invented hand: it draws shapes of `allographs.svg`, each in a version of its own."""

    def __init__(self, rng: Random) -> None:
        self._loyalty = rng.uniform(0.5, 1)
        self._strength = rng.uniform(0, 0.8)
        self._favourites: dict[str, Allograph] = {}

    def __call__(self, character: str, rng: Random) -> Allograph | None:
        """Return the shape that this hand prefers, or now and then another."""
        if character not in WRITTEN:
            return None
        if character not in self._favourites or rng.random() > self._loyalty:
            shapes = WRITTEN[character]
            shape = shapes[rng.integers(len(shapes))]
            self._favourites[character] = shape if character in MARKS else self.own(shape, rng)
        return self._favourites[character]

    def own(self, shape: Allograph, rng: Random) -> Allograph:
        """Return a version of a shape: points elsewhere, upper or lower half larger."""
        bend = float(np.exp(rng.normal(0, 0.3 * self._strength)))
        spread = rng.normal(0, 0.25 * self._strength)
        stray = 0.05 * self._strength
        return tuple(_own_stroke(stroke, bend, spread, stray, rng) for stroke in shape)


def _own_stroke(stroke: Stroke, bend: float, spread: float, stray: float, rng: Random) -> Stroke:
    moved: list[tuple[float, float]] = []
    for place, (x, y) in enumerate(stroke):
        if place and stroke[place - 1] == (x, y):  # a corner stays one
            moved.append(moved[-1])
            continue
        dx, dy = rng.normal(0, stray, 2)
        middle = 0.3 + (x - 0.3) * (1 + spread * (1 - 2 * y))
        moved.append((middle + dx, (y**bend if y > 0 else y) + dy))
    return tuple(moved)


class Hands:
    """Every hand there is to write with: pens, MNIST's writers, fonts, and `real` ones by kind."""

    def __init__(
        self, digits: Digits, fonts: Fonts, real: Mapping[str, Sequence[Writer]] | None = None
    ) -> None:
        self.fonts = fonts
        self._real = real or {}
        self._images = digits.images
        self._of = {str(value): np.flatnonzero(digits.labels == value) for value in range(10)}
        there = {"strokes", "mnist", "mixed", *self._real, *(["font"] if len(fonts) else [])}
        others = self._real.keys() - _SHARES.keys() - {*_LENDERS}
        self.kinds = [*(kind for kind in _SHARES if kind in there), *sorted(others)]
        weights = np.array([_SHARES.get(kind, _SHARE_OF_OTHERS) for kind in self.kinds])
        self._shares = weights / weights.sum()

    def kind(self, rng: Random) -> str:
        """Return a kind of hand for a line, some oftener than others."""
        return str(rng.choice(self.kinds, p=self._shares))

    def hand(self, kind: str, pen: Pen, rng: Random) -> Hand:
        """Return a hand of a kind for one line; what it has not written is borrowed from others."""
        if kind == "strokes":
            return pen
        if kind == "mixed":
            return _first_of(
                lambda digit, rng: self.mnist(digit, rng) if rng.random() < 0.5 else None, pen
            )
        if kind == "mnist":
            return _first_of(self.mnist, pen)
        if kind == "font":
            font = int(rng.integers(len(self.fonts)))
            return _first_of(lambda character, _: self._in_font(font, character), pen)
        writer = self._writer(kind, rng)
        real = [self._writer(name, rng) for name in _LENDERS if name in self._real]
        lenders: list[Hand] = [*real, self.mnist, pen]
        lender = lenders[int(rng.integers(len(lenders)))]
        turned = [_nines_of(writer)] if rng.random() < 0.5 else []
        return _first_of(writer, *turned, lender, pen)

    def mnist(self, digit: str, rng: Random) -> Glyph | None:
        """Return one of MNIST's digits."""
        chosen = self._of.get(digit)
        if chosen is None:
            return None
        return Glyph(inked(self._images[chosen[rng.integers(len(chosen))]]), 0.0, 1.0)

    def _in_font(self, font: int, character: str) -> Glyph | None:
        return self.fonts.glyph(font, character) if character in DIGITS else None

    def _writer(self, kind: str, rng: Random) -> Writer:
        writers = self._real[kind]
        return writers[int(rng.integers(len(writers)))]


def _nines_of(writer: Writer) -> Hand:
    """Return a hand whose nines are a writer's sixes, turned upside down."""

    def write(character: str, rng: Random) -> Sample | None:
        six = writer("6", rng) if character == "9" else None
        return Glyph(six.ink[::-1, ::-1], six.top, six.bottom) if isinstance(six, Glyph) else None

    return write


def _first_of(*hands: Hand) -> Hand:
    """Return a hand that writes as the first of these that has written the character."""

    def write(character: str, rng: Random) -> Sample | None:
        found = (hand(character, rng) for hand in hands)
        return next((sample for sample in found if sample is not None), None)

    return write
