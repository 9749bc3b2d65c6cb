"""Single digits as people send them, and what they send that is none."""

import cv2
import numpy as np

from inkdigit.learning.synthesis.allographs import LETTERS, SIGNS, Allograph
from inkdigit.learning.synthesis.lines import LineWriter
from inkdigit.learning.synthesis.paper import framed, photograph
from inkdigit.learning.synthesis.pixels import Ink, Random, inked, resized
from inkdigit.reading.alphabet import DIGITS, NOT_A_DIGIT
from inkdigit.reading.preprocessing.digit import extract_digit

# What is no digit: signs of arithmetic and of amounts, single letters, words, and two digits.
_OTHERS = (
    (NOT_A_DIGIT,) * 20
    + ("00",) * 3
    + ("-", "-", "=", "=", "/", ".", ",", "+", "+", ":", "x", "[]", "->")
)
_OTHERS_SHARE = 0.35
_STROKES: dict[str, Allograph] = {
    "+": SIGNS["+"][-1],
    ":": (((0.4, 0.15), (0.42, 0.17)), ((0.0, 0.5), (0.9, 0.5)), ((0.45, 0.85), (0.46, 0.87))),
    "x": SIGNS["x"][0],
    "->": (((0.0, 0.5), (1.0, 0.5)), ((0.7, 0.25), (1.0, 0.5), (1.0, 0.5), (0.7, 0.75))),
}


class DigitWriter:
    """Writes one character by an invented hand on invented paper."""

    def __init__(self, writer: LineWriter) -> None:
        self._writer = writer

    def picture(self, rng: Random) -> tuple[Ink, str]:
        """Return a grey picture `uint8 (h, w)`, and the digit that is in it or `?` for none."""
        if rng.random() < _OTHERS_SHARE:
            return self._other(rng), NOT_A_DIGIT
        digit = DIGITS[rng.integers(len(DIGITS))]
        ink = self._writer.ink(digit, rng)
        return self._shown(_stretched(ink, rng), rng), digit

    def _other(self, rng: Random) -> Ink:
        what = str(rng.choice(_OTHERS))
        if what == "00":
            ink = self._pair(rng)
        elif what == "[]":
            ink = np.zeros(rng.integers(40, 120, 2), np.uint8)
        elif what in _STROKES:
            ink = self._writer.strokes(_STROKES[what], rng)
        else:
            repeated = NOT_A_DIGIT * int(rng.choice([1, 1, 1, 1, 2, 5]))
            ink = self._writer.ink(repeated if what == NOT_A_DIGIT else what, rng, "".join(LETTERS))
        return self._shown(_stretched(ink, rng) if rng.random() < 0.3 else ink, rng)

    def _pair(self, rng: Random) -> Ink:
        """Return two digits that touch, or stand so close that they may be taken for one."""
        while True:
            ink = self._writer.ink("".join(rng.choice(list(DIGITS), 2)), rng)
            found = extract_digit(ink)
            if found and not found.beside:
                return ink

    def _shown(self, ink: Ink, rng: Random) -> Ink:
        """Put the ink on paper, into a paint program, or into a few black and white pixels."""
        kind = rng.random()
        if kind < 0.15:
            return _coarse(ink, rng)
        bordered = framed(ink, int(rng.integers(4, 30)), rng) if kind < 0.4 else ink
        if kind < 0.55:
            return self._writer.papers.put(bordered, rng)
        clean = bordered if rng.random() < 0.5 else 255 - bordered
        if rng.random() < 0.5:
            return clean
        return photograph(clean.astype(np.float32) / np.float32(255), rng)


def _stretched(ink: Ink, rng: Random) -> Ink:
    """Change the proportions, as boxes that digits were fitted into do."""
    if rng.random() < 0.5:
        return ink
    factor = float(np.exp(rng.normal(0.15, 0.4)))
    width = int(np.clip(round(ink.shape[1] * factor), 8, 400))
    return resized(ink, width, len(ink))


def _coarse(ink: Ink, rng: Random) -> Ink:
    """Return the ink alone in a small picture, as old scanners and recognisers kept it."""
    crop = inked(ink, 100)
    if not crop.size:
        return ink
    size = int(rng.integers(12, 29))
    width = size if rng.random() < 0.4 else max(3, round(size * crop.shape[1] / len(crop)))
    small = resized(crop, min(width, 40), size, cv2.INTER_AREA)
    if rng.random() < 0.5:
        small = np.where(small > rng.uniform(60, 140), 255, 0).astype(np.uint8)
    return np.pad(small, int(rng.integers(0, 6)))
