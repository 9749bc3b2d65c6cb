"""Marks and other ink on a line, which the decoding of its digits passes over."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from inkdigit.reading.alphabet import DIGITS, MARK_NAMES, MARKS
from inkdigit.reading.decoding.characters import Characters
from inkdigit.reading.decoding.posteriors import Floats, Posteriors
from inkdigit.reading.result import Alternative, Character

# A mark that is as sure is likelier there than not.
_SEEN = 0.5
# A frame in which a mark is less likely than this has nothing to do with it.
_FAINT = 0.05


@dataclass(frozen=True)
class Mark:
    """A mark, or `?` for other ink, between the frames `first` and `last`, both included.

    It stands before the text's digit `position`. The confidence of its `character` is the
    probability that at least one of its frames says it; the alternatives are the symbols that its
    frames say, likeliest first, with their shares.
    """

    position: int
    character: Character
    first: int = 0
    last: int = 0

    @property
    def name(self) -> str:
        """What the mark is called."""
        return MARK_NAMES.get(self.character.value, "mark")

    @property
    def is_seen(self) -> bool:
        """Whether it is likelier there than not."""
        return self.character.confidence >= _SEEN

    @property
    def certainty(self) -> float:
        """How sure it is that the mark is there, or that it is not."""
        return max(self.character.confidence, 1 - self.character.confidence)


def find_marks(
    lines: Posteriors,
    characters: Sequence[Characters],
    *,
    written: str = DIGITS,
    least: float = _SEEN,
) -> list[list[Mark]]:
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
            mark
            for mark in _marks(lines, line, found, characters[line])
            if mark.character.confidence >= least
        ]
        for line, found in enumerate(np.where(seen, best, -1).tolist())
    ]


def unseen_marks(
    lines: Posteriors, texts: Sequence[str], characters: Sequence[Characters]
) -> list[str]:
    """Return the first mark of each text that stands where none was seen, or nothing.

    Lines and characters are as for `find_marks`. A mark is looked for between the characters beside
    it; which mark it is, the pattern may settle that wrote it.
    """
    marks = [symbol in MARKS for symbol in lines.symbols]
    return [
        next((s for s, seen in _written(frames, text, found, marks) if seen < _SEEN), "")
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


def _marks(
    lines: Posteriors, line: int, labels: list[int], characters: Characters
) -> Iterator[Mark]:
    """Yield a mark for each run of one label, -1 left out."""
    changes = (t for t in range(1, len(labels)) if labels[t] != labels[t - 1])
    for first, end in pairwise([0, *changes, len(labels)]):
        if labels[first] >= 0:
            frames = lines.probabilities[line, first:end]
            said = frames[:, :-1].sum(axis=0)
            shares = (said / max(float(said.sum()), 1e-12)).tolist()
            likely = [
                Alternative(symbol, share)
                for symbol, share in zip(lines.symbols, shares, strict=True)
                if share >= _FAINT
            ]
            likely.sort(key=lambda one: -one.confidence)
            confidence = float(1 - np.prod(1 - frames[:, labels[first]]))
            value, nowhere = lines.symbols[labels[first]], (0, 0, 0, 0)
            yield Mark(
                position=int((characters.first + characters.last < first + end - 1).sum()),
                character=Character(value, confidence, nowhere, tuple(likely)),
                first=first,
                last=end - 1,
            )
