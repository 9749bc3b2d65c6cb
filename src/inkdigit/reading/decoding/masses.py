"""How much probability lies ahead of each beginning of a text that fits a pattern."""

import numpy as np

from inkdigit.reading.decoding.posteriors import Floats, Posteriors
from inkdigit.reading.patterns import Automaton


def masses_ahead(lines: Posteriors, automaton: Automaton) -> tuple[Floats, Floats]:
    """Sum over everything that can still be written, from every frame and state.

    The first result, `(frames, states, symbols, lines)`, is the mass of this frame and those
    after it, given that this one says a new character in this state and that the text then fits.
    The second, `(lines,)`, is the probability that a line fits at all. Each text takes one way
    through a deterministic automaton, so nothing is counted twice. Going back through the frames,
    masses are `(states, last symbol or blank, lines)`.
    """
    frames = np.ascontiguousarray(lines.probabilities.transpose(1, 2, 0))
    count, classes, width = frames.shape
    states, blank = len(automaton.transitions), classes - 1
    moves = np.column_stack([automaton.transitions, np.arange(states)]) * classes + np.arange(
        classes
    )
    # A frame may say any symbol but the last one as a new character, and the blank after anything.
    new = 1.0 - np.eye(classes)
    new[blank, blank] = 1
    again = frames.copy()
    again[:, blank] = 0
    said = np.empty((count, states, classes, width))
    masses = np.ones((states, classes, width)) * automaton.accepting[:, None, None]
    for t in range(count - 1, -1, -1):
        masses.reshape(-1, width).take(moves, axis=0, out=said[t], mode="clip")
        said[t] *= frames[t]
        masses *= again[t]
        masses += new @ said[t]
    return said[:, :, :blank], masses[0, blank].copy()
