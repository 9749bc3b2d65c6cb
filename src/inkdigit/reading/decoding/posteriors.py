"""What a line network says of a batch of lines, over the symbols that a text may hold."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt

from inkdigit.errors import ModelError
from inkdigit.reading.alphabet import DIGITS, LINE_ALPHABET

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Posteriors:
    """Probabilities `float64 (lines, frames, len(symbols) + 1)`; the blank is last.

    Each frame sums to 1. Frames beyond a line's end are certainly blank, which changes no
    probability of any text.
    """

    probabilities: Floats
    symbols: str
    _restricted: dict[str, Self] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, output: npt.NDArray[np.floating]) -> Self:
        """Take a network's output over `LINE_ALPHABET`, `(lines, frames, 17)`, the blank last.

        `ModelError` for frames that are no probabilities; they are scaled to sum to 1.
        """
        classes = len(LINE_ALPHABET) + 1
        if output.ndim != 3 or output.shape[2] != classes:
            raise ModelError(
                f"expected a line network's output of shape (lines, frames, {classes}), "
                f"received {output.shape}"
            )
        frames = output.astype(np.float64)
        total = frames.sum(axis=2, keepdims=True)
        least, most = total.min(initial=1), total.max(initial=1)
        if not (frames.min(initial=0) >= 0 and 0 < least <= most < np.inf):
            raise ModelError("the line network's output holds frames that are no probabilities")
        return cls(frames / total, LINE_ALPHABET)

    def restricted_to(self, symbols: str = DIGITS) -> Self:
        """Return the posteriors over some of the symbols; any other counts as blank.

        The probability of a text is then the sum over all that could stand in and around it.
        """
        if symbols == self.symbols:
            return self
        if symbols not in self._restricted:
            kept = [self.symbols.index(symbol) for symbol in symbols]
            others = np.delete(self.probabilities, kept, axis=-1).sum(axis=-1, keepdims=True)
            frames = np.concatenate([self.probabilities[..., kept], others], axis=-1)
            self._restricted[symbols] = type(self)(frames, symbols)
        return self._restricted[symbols]

    def __len__(self) -> int:
        return len(self.probabilities)

    def __getitem__(self, lines: slice | Integers) -> Self:
        """Return some of the lines, in this order."""
        return type(self)(self.probabilities[lines], self.symbols)

    @cached_property
    def greedy(self) -> list[str]:
        """The text of the likeliest path of each line."""
        best = self.probabilities.argmax(axis=2)
        new = best != len(self.symbols)
        new[:, 1:] &= best[:, 1:] != best[:, :-1]
        said = (row[first].tolist() for row, first in zip(best, new, strict=True))
        return ["".join([self.symbols[label] for label in labels]) for labels in said]

    def labels(self, texts: Sequence[str]) -> Integers:
        """Return texts as numbers of symbols, `(lines, longest text)`, filled up with -1."""
        if len(texts) != len(self) or any(set(text) - set(self.symbols) for text in texts):
            raise ValueError(f"expected {len(self)} texts over {self.symbols!r}, received {texts}")
        labels = np.full((len(texts), max(map(len, texts), default=0)), -1, np.intp)
        for row, text in zip(labels, texts, strict=True):
            row[: len(text)] = [self.symbols.index(symbol) for symbol in text]
        return labels
