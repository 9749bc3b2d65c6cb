"""The CTC lattice of given texts (Graves et al. 2006, section 4.1), for a batch of lines at once.

A state is how many characters of the text were emitted, and whether the last frame said the blank
or the last of these characters. Labels are `(lines, length)`, filled up with -1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkdigit.reading.decoding.lines import Floats, Integers, Lines

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


def log_probability(lines: Lines, texts: Sequence[str]) -> Floats:
    """Return the natural logarithm of each text's probability on its line, `(lines,)`.

    It is the sum over all paths that collapse to the text; -inf where there is none, or where a
    text's beginning is 1e300 times less likely than others of its beginnings at the same frame.
    """
    labels = lines.labels(texts)
    lattice = forward(lines.probabilities, labels)
    rows, lengths = np.arange(len(lines)), (labels >= 0).sum(axis=1)
    mass = lattice.blank[-1, rows, lengths] + lattice.last[-1, rows, lengths]
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(mass) + lattice.log_scale[-1])


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


def emissions(frames: Floats, labels: Integers) -> Floats:
    """Return the probability of each character in each frame, `(frames, lines, length)`."""
    chosen = np.take_along_axis(frames, labels[:, None, :].clip(0), axis=2)
    return np.ascontiguousarray((chosen * (labels >= 0)[:, None, :]).transpose(1, 0, 2))


def differing(labels: Integers) -> npt.NDArray[np.bool_]:
    """Say which characters may follow the one before without a blank, `(lines, length)`."""
    differs = np.ones(labels.shape, np.bool_)
    differs[:, 1:] = labels[:, 1:] != labels[:, :-1]
    return differs


def _run(frames: Floats, labels: Integers, starts: Integers) -> Lattice:
    """Go through the frames, with the states of a line in one row: blank, last, blank, and so on.

    Two zeros stand ahead of them, so that every state has the one and the two before it.
    """
    (lines, length), count = labels.shape, frames.shape[1]
    said = np.repeat(frames[:, :, -1].T[:, :, None], 2 * length + 1, axis=2)
    said[:, :, 1::2] = emissions(frames, labels)
    skips = np.zeros((lines, 2 * length + 1))
    skips[:, 1::2] = differing(labels)
    masses = np.zeros((count + 1, lines, 2 * length + 3))
    masses[0, np.arange(lines), 2 * starts + 2] = 1
    totals = np.ones((count + 1, lines))
    for t in range(count):
        before, after = masses[t], masses[t + 1, :, 2:]
        np.multiply(before[:, :-2], skips, out=after)
        after += before[:, 1:-1]
        after += before[:, 2:]
        after *= said[t]
        if t % _RESCALED_EVERY == 0:
            totals[t + 1] = _rescale(after)
    blank = masses[:, :, 2::2]
    return Lattice(blank, masses[:, :, 1::2], np.log(totals).cumsum(axis=0))


def _rescale(masses: Floats) -> Floats:
    """Make the masses of each line sum to 1, and return what they summed to."""
    totals = masses.sum(axis=1)
    totals[totals == 0] = 1
    masses /= totals[:, None]
    return np.asarray(totals)
