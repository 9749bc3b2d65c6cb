"""Which texts are looked for, and how much probability lies ahead of each beginning of one."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from inkdigit.errors import SettingError
from inkdigit.reading.decoding.posteriors import Floats, Integers, Posteriors
from inkdigit.reading.patterns import ALPHABET, Pattern


@dataclass(frozen=True, eq=False)
class Language:
    """An automaton over the symbols of some lines, with one more state: the last, a dead end.

    `targets` is `(states + 1, symbols)`, `accepting` is `(states + 1,)`; state 0 is the start.
    """

    targets: Integers
    accepting: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, pattern: Pattern, symbols: str) -> Self:
        """Return the texts over `symbols` that fit a pattern."""
        if not set(symbols) >= set(pattern.symbols):
            raise SettingError(
                f"the pattern {pattern.text!r} writes {pattern.symbols}, "
                f"but only {symbols} can be read here"
            )
        columns = [ALPHABET.find(symbol) for symbol in symbols]
        targets = pattern.automaton.transitions[:, columns].astype(np.intp)
        targets[:, [column < 0 for column in columns]] = -1
        dead = len(targets)
        targets = np.vstack([np.where(targets < 0, dead, targets), [[dead] * len(symbols)]])
        return cls(targets, np.append(pattern.automaton.accepting, False))

    def states(self, labels: Integers) -> Integers:
        """Return the state before and after each character, `(lines, length + 1)`.

        Beyond a text's end it is the dead end.
        """
        lines, length = labels.shape
        states = np.zeros((lines, length + 1), np.intp)
        for i in range(length):
            after = self.targets[states[:, i], labels[:, i]]
            states[:, i + 1] = np.where(labels[:, i] < 0, len(self.targets) - 1, after)
        return states


def masses_ahead(lines: Posteriors, language: Language) -> tuple[Floats, Floats]:
    """Sum over everything that can still be written, from every frame and state.

    The first result, `(frames, states + 1, symbols, lines)`, is the mass of this frame and those
    after it, given that this one says a new character in this state and that the text then fits.
    The second, `(lines,)`, is the probability that a line fits at all. Each text takes one way
    through a deterministic automaton, so nothing is counted twice. Going back through the frames,
    masses are `(states + 1, last symbol or blank, lines)`.
    """
    frames = np.ascontiguousarray(lines.probabilities.transpose(1, 2, 0))
    count, classes, width = frames.shape
    states, blank = len(language.targets), classes - 1
    moves = np.column_stack([language.targets, np.arange(states)]) * classes + np.arange(classes)
    # A frame may say any symbol but the last one as a new character, and the blank after anything.
    new = 1.0 - np.eye(classes)
    new[blank, blank] = 1
    again = frames.copy()
    again[:, blank] = 0
    said = np.empty((count, states, classes, width))
    masses = np.ones((states, classes, width)) * language.accepting[:, None, None]
    for t in range(count - 1, -1, -1):
        masses.reshape(-1, width).take(moves, axis=0, out=said[t], mode="clip")
        said[t] *= frames[t]
        masses *= again[t]
        masses += new @ said[t]
    return said[:, :, :blank], masses[0, blank].copy()
