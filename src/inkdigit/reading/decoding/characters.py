"""Where the characters of a text lie on its line, and what else each of them might be."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from inkdigit.reading.decoding.lattice import backward, forward
from inkdigit.reading.decoding.posteriors import Floats, Integers, Posteriors
from inkdigit.reading.patterns import Pattern

# About how many numbers a table with an axis each for frames, symbols and characters holds.
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


def locate(
    lines: Posteriors, texts: Sequence[str], pattern: Pattern | None = None
) -> list[Characters]:
    """Return what is known of each text's characters; texts that do not fit the pattern count 0."""
    labels = lines.labels(texts)
    paths = _Paths(lines.probabilities, labels)
    first, last = paths.expected_frames()
    weights = paths.substituted()
    if pattern is not None:
        fitting = [
            pattern.fits(text[:place] + symbol + text[place + 1 :])
            for text in texts
            for place in range(len(text))
            for symbol in lines.symbols
        ]
        weights *= np.reshape(fitting, weights.shape)
    total = weights.sum(axis=1, keepdims=True)
    weights /= np.where(total > 0, total, 1)
    ends = np.cumsum([len(text) for text in texts]).tolist()
    return [
        Characters(first[start:end], last[start:end], weights[start:end])
        for start, end in pairwise([0, *ends])
    ]


class _Paths:
    """All paths of given texts: what leads to each of their characters, and what leads on.

    Axes are (frames, characters), with the characters of all lines one after the other. `into` is
    what leads to each before a frame, `out` what leads on after it: by whether the frame beside
    says the blank, or the character beside. Everything is relative to the probability of the text.
    """

    def __init__(self, frames: Floats, labels: Integers) -> None:
        before, after = forward(frames, labels), backward(frames, labels)
        self.lines, places = np.nonzero(labels >= 0)
        around = np.pad(labels, ((0, 0), (1, 1)), constant_values=-1)
        self.previous, self.labels, self.following = (
            around[self.lines, places + i] for i in range(3)
        )
        # The lattices are scaled, each in its own way; what they hold in common is the text.
        text = np.exp(before.log_total(labels) - before.log_scale[1:] - after.log_scale[1:])
        share = np.divide(1, text, out=np.zeros_like(text), where=text > 0)[:, self.lines]

        def at(masses: Floats, places: Integers) -> Floats:
            return np.ascontiguousarray(masses[:, self.lines, places])

        self.into_blank = at(before.blank[:-1], places)
        self.into_last = at(before.last[:-1], places)
        self.out_blank = at(after.blank[1:], places + 1) * share
        self.out_last = at(after.last[1:], places + 1) * share
        self.ended = at(before.last[1:], places + 1)
        self.stays = at(after.last[1:], places) * share
        rescale = np.exp(before.log_scale[:-1] - before.log_scale[1:])
        self.said = frames[:, :, :-1].transpose(1, 2, 0) * rescale[:, None]

    def expected_frames(self) -> tuple[Floats, Floats]:
        """Return in which frames each character is expected to begin and to end."""
        enter = self.into_blank + self.into_last * (self.previous != self.labels)
        leave = self.out_blank + self.out_last * (self.following != self.labels)
        begins = enter * self.said[:, self.labels, self.lines] * (self.stays + leave)
        times = np.arange(len(enter))
        return times @ begins, times @ (self.ended * leave)

    def substituted(self) -> Floats:
        """Return how much likelier a text is with one character changed, `(characters, symbols)`.

        Frame by frame goes the mass of the paths that have entered the changed character and not
        left it; block by block of frames, what leads into it and out of it. Here the axes are
        (frames, symbols, characters).
        """
        symbols = np.arange(self.said.shape[1])[:, None]
        after_other, before_other = self.previous != symbols, self.following != symbols
        weights = within = np.zeros(after_other.shape)
        step = max(1, _BLOCK_SIZE // max(1, weights.size))
        for t in (slice(start, start + step) for start in range(0, len(self.said), step)):
            masses = self.into_last[t, None] * after_other + self.into_blank[t, None]
            for i, said in enumerate(self.said[t].take(self.lines, axis=2)):
                masses[i] += within
                masses[i] *= said
                within = masses[i]
            leaving = self.out_last[t, None] * before_other + self.out_blank[t, None]
            weights = weights + np.einsum("tsc,tsc->sc", masses, leaving)
        return weights.T
