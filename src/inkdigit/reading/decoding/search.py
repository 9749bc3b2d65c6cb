"""The likeliest text of a line, and proof that none is likelier.

Prefix search (Graves 2006, section 3.2), best first. The mass of a prefix is the probability of all
fitting texts that begin with it: its forward masses times what lies ahead of each frame. It is
exact, so when a text is at least as likely as every prefix that is left, it is the likeliest. The
prefixes of the greedy text are looked at first, for all lines at once; that settles most lines.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count, islice

import numpy as np

from inkdigit.errors import SettingError
from inkdigit.reading.decoding.lattice import forward
from inkdigit.reading.decoding.posteriors import Floats, Posteriors
from inkdigit.reading.patterns import Automaton, Pattern

# After so many prefixes the best text found so far is returned.
MAX_PREFIXES = 400
# Lines are taken in batches of about so many numbers; one line under a pattern may take so many.
_BATCH_SIZE = 2_000_000
_LARGEST_TABLE = 40_000_000


def likeliest(
    lines: Posteriors, number: int, pattern: Pattern, *, max_prefixes: int = MAX_PREFIXES
) -> tuple[list[list[str]], list[float]]:
    """Return up to `number` texts of each line that fit, likeliest first.

    And the probability that the line holds one that fits. Texts less likely than about 1e-300 count
    as impossible. After `max_prefixes` the order of texts is that of those found so far.
    """
    automaton = pattern.automaton.over(lines.symbols)
    step = _lines_a_batch(lines, automaton)
    texts: list[list[str]] = []
    totals: list[float] = []
    for start in range(0, len(lines), step):
        batch = _Batch(lines[start : start + step], automaton)
        texts += [batch.texts(line, number, max_prefixes) for line in range(len(batch.lines))]
        totals += batch.total.tolist()
    return texts, totals


def _lines_a_batch(lines: Posteriors, automaton: Automaton) -> int:
    _, frames, classes = lines.probabilities.shape
    ahead = frames * classes * len(automaton.transitions)
    if ahead > _LARGEST_TABLE:
        states = automaton.dead
        raise SettingError(f"the pattern has {states} states, too many for a line this long")
    lattice = frames * 4 * lines.greedy.shape[1]
    return max(1, _BATCH_SIZE // max(1, int(ahead + lattice)))


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


class _Batch:
    """Some lines, with the prefixes of their greedy texts already weighed."""

    def __init__(self, lines: Posteriors, automaton: Automaton) -> None:
        self.lines, self.automaton = lines, automaton
        self.ahead, self.total = masses_ahead(lines, automaton)
        self.labels = lines.greedy
        self.states = automaton.states(self.labels)
        lattice = forward(lines.probabilities, self.labels)
        scale = np.exp(lattice.log_scale)[:, :, None]
        self.blank, self.last = lattice.blank * scale, lattice.last * scale
        # Of each prefix: its own probability, and the masses of its continuations.
        self.own = (self.blank[-1] + self.last[-1]) * automaton.accepting[self.states]
        self.further = _further(self)
        self.rival = self.further.max(axis=(1, 2), initial=0)

    def texts(self, line: int, number: int, max_prefixes: int) -> list[str]:
        best = int(self.own[line].argmax())
        if number == 1 and self.own[line, best] > 0 and self.own[line, best] >= self.rival[line]:
            return [self.spelled(line, best)]
        whole = int((self.labels[line] >= 0).sum())
        if self.automaton.accepting[self.states[line, whole]] and not self.own[line, whole]:
            # Beyond the range of numbers: no search would find its way here.
            return [self.spelled(line)]
        return list(islice(_Search(self, line, max_prefixes).texts(), number))

    def spelled(self, line: int, length: int | None = None) -> str:
        return self.lines.spelled(self.labels[line : line + 1, :length])[0]


def _further(batch: _Batch) -> Floats:
    """Return the mass of each prefix continued by each symbol, `(lines, length + 1, symbols)`.

    Continuations that are prefixes of the greedy text themselves are left out.
    """
    labels, rows = batch.labels, np.arange(len(batch.labels))[:, None]
    before = (batch.blank[:-1] + batch.last[:-1]).transpose(1, 2, 0)
    further = np.empty((*batch.states.shape, batch.ahead.shape[2]))
    for i in range(further.shape[1]):
        ahead = batch.ahead[:, batch.states[:, i], :, rows[:, 0]]
        further[:, i] = (before[:, None, i] @ ahead)[:, 0]
    # The same symbol again is a new character only after a blank.
    again = batch.ahead[:, batch.states[:, 1:], labels, rows]
    further[rows, np.arange(1, further.shape[1]), labels] = np.einsum(
        "tln,tln->ln", batch.blank[:-1, :, 1:], again
    )
    lines, places = np.nonzero(labels >= 0)
    further[lines, places, labels[lines, places]] = 0
    return further


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
    """The search on one line, from the prefixes of its greedy text on."""

    def __init__(self, batch: _Batch, line: int, max_prefixes: int) -> None:
        self.automaton, self.symbols = batch.automaton, batch.lines.symbols
        self.frames = batch.lines.probabilities[line]
        self.ahead = np.ascontiguousarray(batch.ahead[..., line].transpose(1, 0, 2))
        self.windows = _windows(np.ascontiguousarray(self.frames.T))
        self.left = max_prefixes
        self.ties = count()
        self.heap: list[_Entry] = []
        for length in range(1 + int((batch.labels[line] >= 0).sum())):
            prefix = _Prefix(
                batch.spelled(line, length),
                int(batch.states[line, length]),
                int(batch.labels[line, length - 1]) if length else -1,
                batch.blank[:, line, length],
                batch.last[:, line, length],
            )
            self.add(prefix, float(batch.own[line, length]), batch.further[line, length])

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
        enter = prefix.blank[:-1] + prefix.last[:-1] * (symbol != prefix.symbol)
        blank, last = np.zeros(len(prefix.blank)), np.zeros(len(prefix.blank))
        last[1:] = _recurrence(enter * self.frames[:, symbol], self.windows, symbol)
        blank[1:] = _recurrence(last[:-1] * self.frames[:, -1], self.windows, -1)
        state = int(self.automaton.transitions[prefix.state, symbol])
        grown = _Prefix(prefix.text + self.symbols[symbol], state, symbol, blank, last)
        further = (blank + last)[:-1] @ self.ahead[state]
        further[symbol] = blank[:-1] @ self.ahead[state, :, symbol]
        own = float(blank[-1] + last[-1]) * bool(self.automaton.accepting[state])
        self.add(grown, own, further)

    def add(self, prefix: _Prefix, own: float, further: Floats) -> None:
        if own > 0:
            heappush(self.heap, (-own, next(self.ties), prefix.text, -1))
        for symbol, mass in enumerate(further.tolist()):
            if mass > 0:
                heappush(self.heap, (-mass, next(self.ties), prefix, symbol))


def _windows(frames: Floats) -> list[Floats]:
    """Return products over the last 1, 2, 4 … frames, `(symbols + 1, frames - 1, - 2, - 4 …)`."""
    windows = [frames]
    while (width := 1 << len(windows) - 1) * 2 <= frames.shape[1]:
        doubled = windows[-1].copy()
        doubled[:, width:] *= windows[-1][:, :-width]
        windows.append(doubled)
    return [products[:, 1 << k :] for k, products in enumerate(windows)]


def _recurrence(added: Floats, windows: list[Floats], symbol: int) -> Floats:
    """Solve `x[t] = added[t] + p[t] x[t - 1]` for all frames at once, by doubling."""
    for k, products in enumerate(windows):
        width = 1 << k
        added[width:] += products[symbol] * added[:-width]
    return added
