r"""Patterns: a small subset of regular expressions over digits and marks, as finite automata.

    0 1 … 9  , - / =     themselves; `\.` is the dot, and a backslash may stand before any mark
    \d                   any digit
    [12] [0-4] [.,] [^0] one of these; after `^`, any digit or mark but these
    ( )  (?: )  |        groups and alternatives
    {n} {n,m} {n,} ? * + how often what stands before it comes

A pattern always fits the whole text, and means what Python's `re.fullmatch` says it means. It is
compiled within bounds, so that no pattern takes long.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from math import inf
from typing import Self

import numpy as np

from inkdigit.reading.alphabet import DIGITS, MARKS
from inkdigit.reading.patterns.automata import ALPHABET, Automaton, determined
from inkdigit.reading.patterns.grammar import parsed

__all__ = ["ALPHABET", "Automaton", "Pattern"]


@dataclass(frozen=True)
class Pattern:
    """A pattern as it was written, and its automaton; equal where the text is equal."""

    text: str
    automaton: Automaton = field(compare=False, repr=False)

    @classmethod
    @lru_cache(maxsize=64)
    def parse(cls, text: str) -> Self:
        """Compile a pattern; `SettingError` says where it is none or what bound it breaks."""
        return cls(text, determined(parsed(text)))

    @property
    def symbols(self) -> str:
        """Every digit, and the marks that a fitting text may hold, in the alphabet's order."""
        used = np.any(self.automaton.transitions != self.automaton.dead, axis=0).tolist()
        return DIGITS + "".join(mark for mark in MARKS if used[ALPHABET.index(mark)])

    @property
    def least_digits(self) -> float:
        """How long the shortest text is that fits and holds digits alone; infinite for none."""
        automaton, states = self.automaton.over(DIGITS), [0]
        for count in range(len(automaton.accepting)):
            if automaton.accepting[states].any():
                return count
            states = np.unique(automaton.transitions[states]).tolist()
        return inf

    def fits(self, text: str) -> bool:
        """Say whether the whole text fits."""
        return self.automaton.accepts(text)
