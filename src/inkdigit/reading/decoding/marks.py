"""Marks and other ink on a line, which the decoding of its digits passes over."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from inkdigit.reading.alphabet import DIGITS, MARKS
from inkdigit.reading.decoding.characters import Characters
from inkdigit.reading.decoding.posteriors import Floats, Posteriors

# A frame in which a mark is less likely than this has nothing to do with it.
_FAINT = 0.05


@dataclass(frozen=True)
class SeenMark:
    """A mark, or `?` for other ink, between the frames `first` and `last`, both included.

    It stands before the text's character `position`. `confidence` is the probability that at least
    one of its frames says it; `alternatives` are the symbols that its frames say, likeliest first,
    with their shares.
    """

    value: str
    position: int
    first: int
    last: int
    confidence: float
    alternatives: tuple[tuple[str, float], ...] = ()


def find_marks(
    lines: Posteriors,
    characters: Sequence[Characters],
    *,
    written: str = DIGITS,
    least: float = 0.5,
) -> list[list[SeenMark]]:
    """Return the marks seen on each line with a confidence of at least `least`.

    `lines` are over all of the network's symbols, and `characters` are those of the texts. What a
    text may hold is `written`, and never reported.

    A mark's frames follow each other, and in each it is the likeliest of the symbols, be it less
    likely than the blank: a mark that falls between two frames shows in both. Given the network's
    output CTC takes frames as independent, so the probability that none says it is a product.
    """
    best = lines.probabilities[:, :, :-1].argmax(axis=2)
    height = np.take_along_axis(lines.probabilities, best[:, :, None], axis=2)[:, :, 0]
    is_mark = np.array([symbol not in written for symbol in lines.symbols])
    seen = is_mark[best] & (height > _FAINT)
    return [
        [
            _mark(lines, line, found, characters[line])
            for found in _runs(np.where(seen[line], best[line], -1).tolist())
            if _confidence(lines.probabilities[line], *found) >= least
        ]
        if seen[line].any()
        else []
        for line in range(len(lines))
    ]


def unseen_marks(
    lines: Posteriors, texts: Sequence[str], characters: Sequence[Characters], *, least: float = 0.5
) -> list[str]:
    """Return the first mark of each text that stands where none was seen, or nothing.

    Lines and characters are as for `find_marks`. A mark is looked for between the characters beside
    it; which mark it is, the pattern may settle that wrote it.
    """
    marks = [symbol in MARKS for symbol in lines.symbols]
    return [
        next((s for s, seen in _written(frames, text, found, marks) if seen < least), "")
        for frames, text, found in zip(lines.probabilities, texts, characters, strict=True)
    ]


def _written(
    frames: Floats, text: str, found: Characters, marks: list[bool]
) -> Iterator[tuple[str, float]]:
    """Yield each mark of a text, and the probability that there is any where it stands."""
    middles = ((found.first + found.last) / 2).tolist()
    edges = [0.0, *middles, float(len(frames))]
    for symbol, (start, end) in zip(text, zip(edges, edges[2:], strict=False), strict=True):
        if symbol not in DIGITS:
            between = frames[int(start) : int(end) + 1, :-1][:, marks].sum(axis=1)
            yield symbol, float(1 - np.prod(1 - between[between > _FAINT]))


def _runs(labels: list[int]) -> list[tuple[int, int, int]]:
    """Return label, first and last frame of each run of one label, -1 left out."""
    edges = [0, *(t for t in range(1, len(labels)) if labels[t] != labels[t - 1]), len(labels)]
    return [(labels[begin], begin, end - 1) for begin, end in pairwise(edges) if labels[begin] >= 0]


def _confidence(frames: Floats, label: int, first: int, last: int) -> float:
    return float(1 - np.prod(1 - frames[first : last + 1, label]))


def _mark(
    lines: Posteriors, line: int, found: tuple[int, int, int], characters: Characters
) -> SeenMark:
    label, first, last = found
    position = int((characters.first + characters.last < first + last).sum())
    frames = lines.probabilities[line]
    said = frames[first : last + 1, :-1].sum(axis=0)
    shares = (said / max(float(said.sum()), 1e-12)).tolist()
    ranked = sorted(zip(lines.symbols, shares, strict=True), key=lambda item: -item[1])
    alternatives = tuple((symbol, share) for symbol, share in ranked if share >= _FAINT)
    confidence = _confidence(frames, *found)
    return SeenMark(lines.symbols[label], position, first, last, confidence, alternatives)
