"""Several looks at the same ink: a line upright, wider or by a second network, a digit turned.

What a network says of several looks, averaged, is right more often than what it says of one, and
above all is less often sure and wrong.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.images import Grey
from inkdigit.reading.alphabet import LINE_ALPHABET
from inkdigit.reading.decoding import Posteriors
from inkdigit.reading.decoding.rescoring import Hypothesis, choose
from inkdigit.reading.model_file import COLUMNS_PER_FRAME, READER_WIDTH_STEP, pad_lines
from inkdigit.reading.options import Rules

# What one look says with at least this probability is not looked at again.
_SURE = 0.97
_FREE = Rules()
# The network takes half a megabyte for a hundred columns.
_MOST_COLUMNS = 16_384
_TURNS = (-8.0, 8.0)

Frames = npt.NDArray[np.float32]
# What a line network says, `(n, width / 2, classes + 1)`, of strips `uint8 (n, 32, width)`.
Network = Callable[[npt.NDArray[np.uint8]], Frames]

# Slants that are tried: these, and then those beside the best.
_SLANTS = (-0.2, 0.1, 0.4, 0.7)
_BESIDE = 0.1


def upright(pixels: Grey) -> Grey:
    """Return a strip `uint8 (h, w)` with its slant taken out, `(h, w + room)`.

    Of all slants it is the one whose removal gathers the ink in the fewest columns, seen at half
    the size.
    """
    height, width = pixels.shape
    half = cv2.resize(pixels, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    gathered = partial(_gathered, np.asarray(half, np.uint8))
    best = max(_SLANTS, key=gathered)
    return _sheared(pixels, max((best, best - _BESIDE, best + _BESIDE), key=gathered))


def _gathered(pixels: Grey, slant: float) -> float:
    """Return how much the ink keeps to few columns once a slant is taken out."""
    columns = cv2.reduce(_sheared(pixels, slant), 0, cv2.REDUCE_SUM, dtype=cv2.CV_32F)
    return cv2.norm(columns)


def scaled(factor: float) -> Callable[[Grey], Grey]:
    """Return what makes a strip wider or narrower by a factor."""

    def scale(pixels: Grey) -> Grey:
        height, width = pixels.shape
        size = (max(height // 2, round(width * factor)), height)
        return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR), np.uint8)

    return scale


# How a line is looked at again, where the first look leaves doubt: by a network alone, and where a
# second one looks as well.
VIEWS_ALONE: tuple[Callable[[Grey], Grey], ...] = (upright, scaled(1.2))
VIEWS_WITH_FALLBACK: tuple[Callable[[Grey], Grey], ...] = (upright,)


def _sheared(pixels: Grey, slant: float) -> Grey:
    """Return a strip with each row moved, the middle one staying, and room for it at both ends."""
    height, width = pixels.shape
    middle = height / 2
    room = int(abs(slant) * middle) + 1
    matrix = np.array([[1, slant, room - slant * middle], [0, 1, 0]])
    return np.asarray(cv2.warpAffine(pixels, matrix, (width + 2 * room, height)), np.uint8)


def classify_views(
    network: Callable[[npt.NDArray[np.uint8]], Frames], digits: npt.NDArray[np.uint8]
) -> Frames:
    """Return what a digit network says of digits `uint8 (n, 28, 28)`, as they are and turned.

    `network` returns probabilities `(n, classes)` of such digits, and so does this: their mean.
    """
    looks = [digits, *(np.stack([_turned(d, angle) for d in digits]) for angle in _TURNS)]
    return np.asarray(np.mean([network(look) for look in looks], axis=0), np.float32)


def _turned(digit: Grey, degrees: float) -> Grey:
    height, width = digit.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), degrees, 1)
    return np.asarray(cv2.warpAffine(digit, matrix, (width, height)), np.uint8)


@dataclass(frozen=True)
class Views:
    """What a network says of lines: `first` of all, `looks` of those in doubt, by their `numbers`.

    `looks` holds one look at all of those after the other, the first among them. `opinion` is what
    a second network says of them, as they are; of none where there is no such network. `free` is
    what each line says where nothing is asked of it.
    """

    first: Frames
    numbers: list[int]
    looks: Frames
    opinion: Frames
    free: list[Hypothesis]

    @classmethod
    def of(cls, network: Network, strips: Sequence[Grey], second: Network | None = None) -> Self:
        """Look at strips `uint8 (32, width)`, and again where that leaves doubt.

        Then a `second` network looks too, if there is one: it errs elsewhere.
        """
        first = run_batched(network, strips)
        free = choose(Posteriors.of(first), _FREE)
        numbers = [i for i, choice in enumerate(free) if choice.probability < _SURE]
        doubtful = [strips[number] for number in numbers]
        if not doubtful:
            return cls(first, numbers, first[:0], first[:0], free)
        looks = VIEWS_WITH_FALLBACK if second else VIEWS_ALONE
        again = run_batched(network, [look(pixels) for look in looks for pixels in doubtful])
        opinion = run_batched(second, doubtful) if second else first[:0]
        sight = cls(first, numbers, _united(first[numbers], again, opinion), opinion, free)
        return replace(sight, free=sight._second_thoughts(free, _FREE))

    def choose(self, rules: Rules) -> list[Hypothesis]:
        """Return the text of each line under rules, by all that was looked at."""
        if not rules.constrained:
            return self.free
        first = choose(Posteriors.of(self.first, symbols=rules.symbols), rules)
        return self._second_thoughts(first, rules)

    def _second_thoughts(self, first: list[Hypothesis], rules: Rules) -> list[Hypothesis]:
        choices = list(first)
        if not self.numbers:
            return choices
        lines = Posteriors.of(self.looks, symbols=rules.symbols)
        second = choose(lines, rules, looks=len(lines) // len(self.numbers))
        for number, choice in zip(self.numbers, second, strict=True):
            choices[number] = choice
        return choices


def _united(*looks: Frames) -> Frames:
    """Put what was said of several looks one after the other, filled up with blanks."""
    united = _blank_frames(sum(map(len, looks)), max(look.shape[1] for look in looks))
    ends = np.cumsum([len(look) for look in looks])
    for look, end in zip(looks, ends, strict=True):
        united[end - len(look) : end, : look.shape[1]] = look
    return united


def _blank_frames(lines: int, count: int) -> Frames:
    frames = np.zeros((lines, count, len(LINE_ALPHABET) + 1), np.float32)
    frames[:, :, -1] = 1
    return frames


def run_batched(network: Network, strips: Sequence[Grey]) -> Frames:
    """Return what the network says of each strip; beyond a strip's end, that it is blank.

    Only strips of one width, rounded up, share a batch, so what it says of one does not depend on
    the others.
    """
    steps = np.array([-(-pixels.shape[1] // READER_WIDTH_STEP) for pixels in strips])
    frames = READER_WIDTH_STEP // COLUMNS_PER_FRAME
    output = _blank_frames(len(strips), int(steps.max()) * frames)
    for count in np.unique(steps):
        alike = np.flatnonzero(steps == count).tolist()
        together = max(1, _MOST_COLUMNS // int(count * READER_WIDTH_STEP))
        for start in range(0, len(alike), together):
            same = alike[start : start + together]
            padded = pad_lines([strips[number] for number in same], READER_WIDTH_STEP)
            output[same, : count * frames] = network(padded)
    return output
