"""The CTC lattice of given texts (Graves et al. 2006, section 4.1), for a batch of lines at once.

A state is how many characters of the text were emitted, and whether the last frame said the blank
or the last of these characters. Labels are `(lines, length)`, filled up with -1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from inkdigit.reading.decoding.posteriors import Floats, Integers, Posteriors

# Often enough that masses cannot vanish in between, as the smallest float32 is 1e-45.
_RESCALED_EVERY = 6


@dataclass(frozen=True, eq=False)
class Lattice:
    """Masses of all paths up to each frame.

    `blank` and `last` are `(frames + 1, lines, length + 1)`: after so many frames and characters,
    by what the last frame said. `log_scale (frames + 1, lines)` is to be added to their logarithms.
    """

    blank: Floats
    last: Floats
    log_scale: Floats

    def log_total(self, labels: Integers) -> Floats:
        """Return the natural logarithm of each text's probability, `(lines,)`, going forward."""
        lines, lengths = np.arange(len(labels)), (labels >= 0).sum(axis=1)
        mass = self.blank[-1, lines, lengths] + self.last[-1, lines, lengths]
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(mass) + self.log_scale[-1])


def log_probability(lines: Posteriors, texts: Sequence[str]) -> Floats:
    """Return the natural logarithm of each text's probability on its line, `(lines,)`.

    It is the sum over all paths that collapse to the text; -inf where there is none, or where a
    text's beginning is 1e300 times less likely than others of its beginnings at the same frame.
    """
    labels = lines.labels(texts)
    return forward(lines.probabilities, labels).log_total(labels)


def forward(frames: Floats, labels: Integers) -> Lattice:
    """Return masses from the beginning: `frames (lines, frames, symbols + 1)`."""
    return _run(frames, labels, np.zeros(len(labels), np.intp))


def backward(frames: Floats, labels: Integers) -> Lattice:
    """Return masses from the end: those of the frames *after* so many frames and characters.

    CTC is the same in both directions, so these are the forward masses of the mirrored line.
    `last[t, :, i]` is the mass where frame `t` says character `i` (of 0 to length - 1).
    """
    unused = (labels < 0).sum(axis=1)
    mirrored = _run(frames[:, ::-1], labels[:, ::-1], unused)
    blank, last = mirrored.blank[::-1, :, ::-1], mirrored.last[::-1, :, ::-1]
    return Lattice(blank, last, mirrored.log_scale[::-1])


def _run(frames: Floats, labels: Integers, starts: Integers) -> Lattice:
    """Go through the frames, with the states of a line below each other: blank, last, blank.

    Two zeros stand above them, so that every state has the one and the two before it. Lines are the
    last axis: numpy is fastest along many.
    """
    (lines, length), count = labels.shape, frames.shape[1]
    said = np.empty((count, 2 * length + 1, lines))
    said[:, ::2] = frames[:, None, :, -1].transpose(2, 1, 0)
    said[:, 1::2] = _emissions(frames, labels)
    skips = np.zeros((2 * length + 1, lines))
    # A character may follow another one without a blank between them.
    skips[1:2], skips[3::2] = 1, (labels[:, 1:] != labels[:, :-1]).T
    masses = np.zeros((count + 1, 2 * length + 3, lines))
    masses[0, 2 * starts + 2, np.arange(lines)] = 1
    totals = np.ones((count + 1, lines))
    for t in range(count):
        before, after = masses[t], masses[t + 1, 2:]
        np.multiply(before[:-2], skips, out=after)
        after += before[1:-1]
        after += before[2:]
        after *= said[t]
        if t % _RESCALED_EVERY == 0:
            # The masses of each line sum to 1 again.
            totals[t + 1] = after.sum(axis=0)
            totals[t + 1][totals[t + 1] == 0] = 1
            after /= totals[t + 1]
    blank, last = masses[:, 2::2].transpose(0, 2, 1), masses[:, 1::2].transpose(0, 2, 1)
    return Lattice(blank, last, np.log(totals).cumsum(axis=0))


def _emissions(frames: Floats, labels: Integers) -> Floats:
    """Return the probability of each character in each frame, `(frames, length, lines)`."""
    lines, count, classes = frames.shape
    flat = frames.transpose(1, 0, 2).reshape(count, lines * classes)
    said: Floats = flat.take(labels.T.clip(0) + classes * np.arange(lines), axis=1)
    said *= labels.T >= 0
    return said
