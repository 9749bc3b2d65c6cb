"""From the tree of a pattern to a deterministic automaton.

The positions of a pattern become an automaton without empty moves (Glushkov 1961), and that a
deterministic one by the subset construction (Rabin and Scott 1959). Sets of positions are the bits
of an integer.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from inkdigit.errors import SettingError
from inkdigit.reading.patterns.grammar import ALPHABET, Alternation, Node, Repeat, Sequence, Symbols

MAX_STATES = 1000


@dataclass(frozen=True, eq=False)
class Automaton:
    """A deterministic automaton; state 0 is the start, and acceptance is in reach of every state.

    `transitions` is `int32 (states, len(ALPHABET))`, -1 where no fitting text goes on. `accepting`
    is `bool (states,)`. Both are read-only.
    """

    transitions: npt.NDArray[np.int32]
    accepting: npt.NDArray[np.bool_]

    def accepts(self, text: str) -> bool:
        """Say whether the text takes the automaton from its start to acceptance."""
        state = 0
        for symbol in text:
            if symbol not in ALPHABET:
                return False
            state = int(self.transitions[state, ALPHABET.index(symbol)])
            if state < 0:
                return False
        return bool(self.accepting[state])


def _bits(number: int) -> Iterator[int]:
    while number:
        lowest = number & -number
        yield lowest.bit_length() - 1
        number ^= lowest


@dataclass(frozen=True)
class _Part:
    """What of a text's part matters: may it be empty, where it begins, where it ends."""

    empty: bool
    first: int
    last: int


_EMPTY = _Part(True, 0, 0)


class _Positions:
    """Glushkov's automaton: one state for each symbol of the written-out pattern."""

    def __init__(self, node: Node) -> None:
        self.symbols: list[int] = []
        self.follow: list[int] = []
        whole = self.part(node)
        # One more position stands for the beginning, ahead of every symbol.
        self.start = 1 << len(self.symbols)
        self.follow.append(whole.first)
        self.accepting = whole.last | self.start * whole.empty
        self.labelled = [self.all_of(symbol) for symbol in range(len(ALPHABET))]

    def all_of(self, symbol: int) -> int:
        return sum(1 << i for i, symbols in enumerate(self.symbols) if symbols >> symbol & 1)

    def after(self, subset: int) -> list[int]:
        """Return the set of positions that each symbol leads to from any of a set."""
        reached = 0
        for position in _bits(subset):
            reached |= self.follow[position]
        return [reached & labelled for labelled in self.labelled]

    def part(self, node: Node) -> _Part:
        match node:
            case Symbols():
                return self.position(node.symbols)
            case Sequence():
                whole = _EMPTY
                for part in node.parts:
                    whole = self.joined(whole, self.part(part))
                return whole
            case Alternation():
                return _either([self.part(branch) for branch in node.branches])
            case Repeat():
                return self.repeat(node)
        raise AssertionError(node)

    def position(self, symbols: int) -> _Part:
        self.symbols.append(symbols)
        self.follow.append(0)
        bit = 1 << len(self.symbols) - 1
        return _Part(False, bit, bit)

    def joined(self, left: _Part, right: _Part) -> _Part:
        for position in _bits(left.last):
            self.follow[position] |= right.first
        return _Part(
            left.empty and right.empty,
            left.first | right.first * left.empty,
            right.last | left.last * right.empty,
        )

    def repeat(self, repeat: Repeat) -> _Part:
        """Write out `x{2,4}` as `xx(x(x)?)?`, and `x{2,}` as `xxx*`."""
        tail = self.looped(self.part(repeat.node)) if repeat.most is None else _EMPTY
        for _ in range((repeat.most or 0) - repeat.least):
            tail = _either([_EMPTY, self.joined(self.part(repeat.node), tail)])
        for _ in range(repeat.least):
            tail = self.joined(self.part(repeat.node), tail)
        return tail

    def looped(self, part: _Part) -> _Part:
        return _either([_EMPTY, self.joined(part, part)])


def _either(parts: list[_Part]) -> _Part:
    first = last = 0
    for part in parts:
        first, last = first | part.first, last | part.last
    return _Part(any(part.empty for part in parts), first, last)


def determined(tree: Node) -> Automaton:
    """Build the subsets of positions that texts can lead to.

    No set of symbols is empty, so each position, and with it each subset, can be gone on from to
    acceptance: nothing needs trimming.
    """
    positions = _Positions(tree)
    subsets = [positions.start]
    numbers = {positions.start: 0}
    rows: list[list[int]] = []
    for subset in subsets:
        targets = positions.after(subset)
        for target in targets:
            if target and target not in numbers:
                numbers[target] = len(subsets)
                subsets.append(target)
        if len(subsets) > MAX_STATES:
            raise SettingError(f"the pattern is too intricate: more than {MAX_STATES} states")
        rows.append([numbers[target] if target else -1 for target in targets])
    return _frozen(rows, [subset & positions.accepting != 0 for subset in subsets])


def _frozen(rows: list[list[int]], accepting: list[bool]) -> Automaton:
    automaton = Automaton(np.array(rows, np.int32), np.array(accepting))
    automaton.transitions.flags.writeable = automaton.accepting.flags.writeable = False
    return automaton
