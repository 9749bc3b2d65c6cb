"""Where the characters of a text lie on its line, and what else each of them might be."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkdigit.reading.decoding.language import Language
from inkdigit.reading.decoding.lattice import Lattice, backward, differing, emissions, forward
from inkdigit.reading.decoding.lines import Floats, Integers, Lines
from inkdigit.reading.patterns import Pattern

# About how many numbers a table with an axis each for frames, symbols, characters and lines holds.
_BLOCK_SIZE = 30_000


@dataclass(frozen=True, eq=False)
class Characters:
    """What is known of each character of one text.

    `first` and `last` `(length,)` are the frames in which it is expected to begin and to end, given
    the text. `probabilities (length, symbols)` compare the texts that have another symbol in its
    place, all else being equal; each row sums to 1. All are zero for a text that cannot be.
    """

    first: Floats
    last: Floats
    probabilities: Floats


def locate(lines: Lines, texts: Sequence[str], pattern: Pattern | None = None) -> list[Characters]:
    """Return what is known of each text's characters; texts that do not fit the pattern count 0."""
    labels = lines.labels(texts)
    frames = lines.probabilities
    paths = _Paths(frames, labels, forward(frames, labels), backward(frames, labels))
    first, last = paths.expected_frames()
    weights = paths.substituted()
    if pattern is not None:
        weights *= _fitting(Language.of(pattern, lines.symbols), labels)
    total = weights.sum(axis=2, keepdims=True)
    weights /= np.where(total > 0, total, 1)
    return [
        Characters(first[line, :length], last[line, :length], weights[line, :length])
        for line, length in enumerate(map(len, texts))
    ]


class _Paths:
    """All paths of given texts: what leads to each of their characters, and what leads on.

    Everything is relative to the probability of the text. In the loops and arrays, `t` is the
    frame, and axes are (frames, lines, characters).
    """

    def __init__(self, frames: Floats, labels: Integers, before: Lattice, after: Lattice) -> None:
        self.frames, self.labels, self.before, self.after = frames, labels, before, after
        differs = np.pad(differing(labels), ((0, 0), (0, 1)), constant_values=True)
        self.enter = before.blank[:-1, :, :-1] + before.last[:-1, :, :-1] * differs[:, :-1]
        self.leave = after.blank[1:, :, 1:] + after.last[1:, :, 1:] * differs[:, 1:]
        self.goes_on = after.last[1:, :, :-1] + self.leave
        # The lattices are scaled, each in its own way; what they hold in common is the text.
        at_blank = before.blank[1:] * (after.blank[1:] + after.last[1:])
        at_symbol = before.last[1:, :, 1:] * self.goes_on
        text = at_blank.sum(axis=2) + at_symbol.sum(axis=2)
        self.text = np.where(text > 0, text, np.inf)[:, :, None]
        self.rescale = np.exp(before.log_scale[:-1] - before.log_scale[1:])[:, :, None]

    def expected_frames(self) -> tuple[Floats, Floats]:
        """Return in which frames each character is expected to begin and to end."""
        said = emissions(self.frames, self.labels)
        begins = self.enter * self.rescale * said * self.goes_on / self.text
        ends = self.before.last[1:, :, 1:] * self.leave / self.text
        times = np.arange(len(said))
        first, last = (np.tensordot(times, share, axes=1) for share in (begins, ends))
        return first, last

    def substituted(self) -> Floats:
        """Return how much likelier a text is with one character changed, `(…, length, symbols)`.

        Frame by frame goes the mass of the paths that have entered the changed character and not
        left it; block by block of frames, what leads into it and out of it. Here the axes are
        (frames, symbols, characters, lines): numpy is fastest along many lines.
        """
        said = (self.frames * self.rescale.transpose(1, 0, 2)).transpose(1, 2, 0)[:, :-1, None]
        symbols = np.arange(said.shape[1])[:, None, None]
        around = np.pad(self.labels, ((0, 0), (1, 1)), constant_values=-1).T
        after_other, before_other = around[:-2] != symbols, around[2:] != symbols
        into = [_lines_last(part[:-1, :, :-1]) for part in (self.before.blank, self.before.last)]
        out_of = [
            _lines_last(part[1:, :, 1:] / self.text) for part in (self.after.blank, self.after.last)
        ]
        weights = within = np.zeros(after_other.shape)
        step = max(1, _BLOCK_SIZE // max(1, weights.size))
        for t in (slice(start, start + step) for start in range(0, len(said), step)):
            masses = into[1][t] * after_other + into[0][t]
            for i, emitted in enumerate(said[t]):
                masses[i] += within
                masses[i] *= emitted
                within = masses[i]
            leaving = out_of[1][t] * before_other + out_of[0][t]
            weights = weights + np.einsum("tscl,tscl->scl", masses, leaving)
        return weights.transpose(2, 1, 0)


def _lines_last(masses: Floats) -> Floats:
    """Turn `(frames, lines, length)` into `(frames, 1, length, lines)`."""
    return np.ascontiguousarray(masses.transpose(0, 2, 1)[:, None])


def _fitting(language: Language, labels: Integers) -> npt.NDArray[np.bool_]:
    """Say which symbols may stand in each place, the others staying, `(lines, length, symbols)`."""
    states = language.states(labels)
    fitting = np.zeros((*labels.shape, language.targets.shape[1]), np.bool_)
    for line, length in enumerate((labels >= 0).sum(axis=1)):
        # From which states the rest of the text is accepted.
        rest = language.accepting
        for i in range(int(length) - 1, -1, -1):
            fitting[line, i] = rest[language.targets[states[line, i]]]
            rest = rest[language.targets[:, labels[line, i]]]
    return fitting
