"""The likeliest texts of a line, and proof that none is likelier.

Prefix search (Graves 2006, section 3.2), best first. The mass of a prefix is the probability of all
fitting texts that begin with it: its forward masses times what lies ahead of each frame. It is
exact, so when a text is at least as likely as every prefix that is left, it is the likeliest.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count, islice

import numpy as np

from inkdigit.errors import SettingError
from inkdigit.reading.decoding.posteriors import Floats, Posteriors
from inkdigit.reading.patterns import Automaton, Pattern

# After so many prefixes the best text found so far is returned.
MAX_PREFIXES = 400
# Lines are taken in batches of about so many numbers; one line under a pattern may take so many.
_BATCH_SIZE = 2_000_000
_LARGEST_TABLE = 40_000_000


def likeliest(
    lines: Posteriors, number: int, pattern: Pattern
) -> tuple[list[list[str]], list[float]]:
    """Return up to `number` texts of each line that fit, likeliest first.

    And the probability that the line holds one that fits. Texts less likely than about 1e-300 count
    as impossible, but for that of the likeliest path where there is no other. After `MAX_PREFIXES`
    the order of texts is that of those found so far, and that of the likeliest path is one more.
    """
    automaton = pattern.automaton.over(lines.symbols)
    step = _lines_a_batch(lines, automaton)
    texts: list[list[str]] = []
    totals: list[float] = []
    for start in range(0, len(lines), step):
        batch = lines[start : start + step]
        ahead, total = masses_ahead(batch, automaton)
        for line, frames in enumerate(batch.probabilities):
            search = _Search(frames, lines.symbols, automaton, ahead[..., line])
            found = list(islice(search.texts(), number))
            path = lines.greedy[start + line]
            is_whole = found and search.left > 0
            if not is_whole and path not in found and pattern.fits(path):
                found.append(path)
            texts.append(found)
        totals += total.tolist()
    return texts, totals


def _lines_a_batch(lines: Posteriors, automaton: Automaton) -> int:
    _, frames, classes = lines.probabilities.shape
    size = int(frames * classes * len(automaton.transitions))
    if size > _LARGEST_TABLE:
        states = automaton.dead
        raise SettingError(f"the pattern has {states} states, too many for a line this long")
    return max(1, _BATCH_SIZE // max(1, size))


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
    moves = np.column_stack([automaton.transitions, np.arange(states)]) * classes
    moves += np.arange(classes)
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


@dataclass(frozen=True, eq=False)
class _Prefix:
    """A beginning of texts, with its forward masses `(frames + 1,)`; `symbol` is its last."""

    text: str
    state: int
    symbol: int
    blank: Floats
    last: Floats


# Minus the mass, a number that settles ties, and either a whole text, or a prefix and what follows.
_Entry = tuple[float, int, str | _Prefix, int]


class _Search:
    """The search on one line: `frames (frames, symbols + 1)`, and the masses ahead of each."""

    def __init__(self, frames: Floats, symbols: str, automaton: Automaton, ahead: Floats) -> None:
        self.automaton, self.symbols = automaton, symbols
        self.said = frames.T.tolist()
        self.ahead = np.ascontiguousarray(ahead.transpose(1, 0, 2))
        self.left = MAX_PREFIXES
        self.ties = count()
        self.heap: list[_Entry] = []
        nothing = np.cumprod([1.0, *self.said[-1]])
        self.add(_Prefix("", 0, -1, nothing, np.zeros_like(nothing)))

    def texts(self) -> Iterator[str]:
        """Yield texts, likeliest first; as far as that was found out within the bound."""
        while self.heap and self.left > 0:
            _, _, prefix, symbol = heappop(self.heap)
            if isinstance(prefix, str):
                yield prefix
            else:
                self.grow(prefix, symbol)
        if not any(isinstance(prefix, str) for _, _, prefix, _ in self.heap):
            self.dive()
        yield from (text for _, _, text, _ in sorted(self.heap) if isinstance(text, str))

    def dive(self) -> None:
        """Follow the heaviest continuations to a whole text, where none was met so far."""
        while self.heap and not isinstance(self.heap[0][2], str):
            _, _, prefix, symbol = self.heap[0]
            assert isinstance(prefix, _Prefix)
            self.heap.clear()
            self.grow(prefix, symbol)

    def grow(self, prefix: _Prefix, symbol: int) -> None:
        """Weigh a prefix continued by a symbol, and put what can come of it on the heap."""
        self.left -= 1
        # The same symbol again is a new character only after a blank.
        entering = prefix.blank + prefix.last * (symbol != prefix.symbol)
        blank, last = [0.0], [0.0]
        for enter, character, pause in zip(
            entering.tolist(), self.said[symbol], self.said[-1], strict=False
        ):
            blank.append((blank[-1] + last[-1]) * pause)
            last.append((last[-1] + enter) * character)
        state = int(self.automaton.transitions[prefix.state, symbol])
        text = prefix.text + self.symbols[symbol]
        self.add(_Prefix(text, state, symbol, np.array(blank), np.array(last)))

    def add(self, prefix: _Prefix) -> None:
        """Put a prefix on the heap as a whole text, and continued by each symbol."""
        ahead, either = self.ahead[prefix.state], prefix.blank + prefix.last
        further = either[:-1] @ ahead
        if prefix.text:
            further[prefix.symbol] = prefix.blank[:-1] @ ahead[:, prefix.symbol]
        if self.automaton.accepting[prefix.state] and either[-1] > 0:
            heappush(self.heap, (-float(either[-1]), next(self.ties), prefix.text, -1))
        for symbol, mass in enumerate(further.tolist()):
            if mass > 0:
                heappush(self.heap, (-mass, next(self.ties), prefix, symbol))
