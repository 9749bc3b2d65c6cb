"""From the parts of a pattern to a deterministic automaton.

The positions of a pattern become an automaton without empty moves (Glushkov 1961), and that a
deterministic one by the subset construction (Rabin and Scott 1959). Sets of positions are the bits
of an integer.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from inkdigit.errors import SettingError
from inkdigit.reading.alphabet import DIGITS, MARKS

ALPHABET = DIGITS + MARKS
MAX_STATES = 1000


@dataclass(frozen=True, eq=False)
class Automaton:
    """A deterministic automaton: its first state is the start, and its last a dead end.

    `transitions` is `intp (states, symbols)`, over `ALPHABET` or some of it; acceptance is in reach
    of every state but the dead end. `accepting` is `bool (states,)`. Both are read-only.
    """

    transitions: npt.NDArray[np.intp]
    accepting: npt.NDArray[np.bool_]

    @property
    def dead(self) -> int:
        """The state that no fitting text leads to."""
        return len(self.transitions) - 1

    def accepts(self, text: str) -> bool:
        """Say whether the text takes the automaton, over `ALPHABET`, from start to acceptance."""
        state = 0
        for symbol in text:
            known = symbol in ALPHABET
            state = int(self.transitions[state, ALPHABET.index(symbol)]) if known else self.dead
        return bool(self.accepting[state])

    def over(self, symbols: str) -> "Automaton":
        """Return the automaton over these symbols alone, in their order."""
        columns = [ALPHABET.index(symbol) for symbol in symbols]
        return Automaton(self.transitions[:, columns], self.accepting)


@dataclass(frozen=True)
class Part:
    """Part of a pattern with a position for each symbol that it writes out; at first, nothing.

    Of each position it is kept which `symbols` may stand there, and which positions may `follow`.
    Texts begin at one of the positions `first` and end at one of `last`, or are `empty`.
    """

    symbols: tuple[int, ...] = ()
    follow: tuple[int, ...] = ()
    first: int = 0
    last: int = 0
    empty: bool = True

    def __len__(self) -> int:
        return len(self.symbols)

    def either(self, other: "Part") -> "Part":
        """Return `x|y`."""
        return Part(
            self.symbols + other.symbols,
            self.follow + tuple(following << len(self) for following in other.follow),
            self.first | other.first << len(self),
            self.last | other.last << len(self),
            self.empty or other.empty,
        )

    def then(self, other: "Part") -> "Part":
        """Return `xy`."""
        both, first, last = self.either(other), other.first << len(self), other.last << len(self)
        return replace(
            both,
            follow=both._linked(self.last, first),
            first=self.first | first * self.empty,
            last=last | self.last * other.empty,
            empty=self.empty and other.empty,
        )

    def times(self, least: int, most: int | None) -> "Part":
        """Write out `x{2,4}` as `xx(x(x)?)?`, and `x{2,}` as `xx+`."""
        tail, copies = Part(), least
        if most is None:
            again = self._linked(self.last, self.first)
            tail, copies = replace(self, follow=again, empty=self.empty or not least), least - 1
        for _ in range((most or 0) - least):
            tail = replace(self.then(tail), empty=True)
        for _ in range(copies):
            tail = self.then(tail)
        return tail

    def _linked(self, ends: int, beginnings: int) -> tuple[int, ...]:
        """Return `follow`, with the one set of positions behind the other."""
        return tuple(
            following | beginnings * (ends >> position & 1)
            for position, following in enumerate(self.follow)
        )


def determined(pattern: Part) -> Automaton:
    """Build the subsets of positions that texts can lead to.

    No set of symbols is empty, so each position, and with it each subset, can be gone on from to
    acceptance: nothing needs trimming.
    """
    labelled = [
        sum(1 << position for position, some in enumerate(pattern.symbols) if some >> symbol & 1)
        for symbol in range(len(ALPHABET))
    ]
    # One more position stands for the beginning, ahead of every symbol.
    start = 1 << len(pattern)
    follow, ends = (*pattern.follow, pattern.first), pattern.last | start * pattern.empty
    numbers, subsets = {start: 0}, [start]
    rows: list[list[int]] = []
    for subset in subsets:
        reached = 0
        for position, following in enumerate(follow):
            reached |= following * (subset >> position & 1)
        targets = [reached & positions for positions in labelled]
        for target in targets:
            if target and target not in numbers:
                numbers[target] = len(subsets)
                subsets.append(target)
        if len(subsets) > MAX_STATES:
            raise SettingError(f"the pattern is too intricate: more than {MAX_STATES} states")
        rows.append([numbers[target] if target else -1 for target in targets])
    transitions = np.array([*rows, [-1] * len(ALPHABET)], np.intp)
    transitions[transitions < 0] = len(rows)
    automaton = Automaton(transitions, np.array([*(bool(s & ends) for s in subsets), False]))
    automaton.transitions.flags.writeable = automaton.accepting.flags.writeable = False
    return automaton
