"""Every path through every frame, on lines small enough to list them."""

from itertools import product

import numpy as np
import numpy.typing as npt

from inkdigit.reading.alphabet import DIGITS, LINE_ALPHABET
from inkdigit.reading.decoding.posteriors import Posteriors

Floats = npt.NDArray[np.float64]


SYMBOLS = DIGITS + "."


CASES = [(seed, frames) for seed in range(8) for frames in (1, 2, 3, 4, 5)]


def collapsed(path: tuple[int, ...], symbols: str) -> str:
    """The definition: repeats are one, then blanks go."""
    new = [c for i, c in enumerate(path) if i == 0 or path[i - 1] != c]
    return "".join(symbols[c] for c in new if c < len(symbols))


def all_paths(frames: Floats) -> list[tuple[tuple[int, ...], float]]:
    used = [np.flatnonzero(frame).tolist() for frame in frames]
    return [
        (path, float(np.prod([frames[t, c] for t, c in enumerate(path)])))
        for path in product(*used)
    ]


def all_texts(frames: Floats, symbols: str) -> dict[str, float]:
    texts: dict[str, float] = {}
    for path, probability in all_paths(frames):
        text = collapsed(path, symbols)
        texts[text] = texts.get(text, 0.0) + probability
    return texts


def drawn(rng: np.random.Generator, count: int, frames: int, used: str, symbols: str) -> Floats:
    """Lines on which only a few symbols and the blank are possible at all."""
    columns = [*map(symbols.index, used), len(symbols)]
    lines = np.zeros((count, frames, len(symbols) + 1))
    sharpness = rng.choice([0.2, 1, 3])
    lines[:, :, columns] = rng.dirichlet(np.full(len(columns), sharpness), (count, frames))
    return lines


def peaky(rng: np.random.Generator, count: int, frames: int = 40) -> npt.NDArray[np.float32]:
    """Lines as networks give them, over all classes: five digits and some doubt."""
    logits = rng.normal(0, 1, (count, frames, len(LINE_ALPHABET) + 1))
    logits[..., -1] += 12
    for line in logits:
        for t in rng.choice(np.arange(1, frames - 1, 2), 5, replace=False):
            line[t] = rng.normal(0, 1, len(line[t]))
            line[t, rng.integers(10, size=2)] = 10 + rng.normal(0, 1.5, 2)
    exponentials = np.exp(logits)
    shares = exponentials / exponentials.sum(axis=2, keepdims=True)
    return np.asarray(shares, np.float32)


def line_of(*frames: dict[str, float]) -> Posteriors:
    """One line over all classes: the probabilities of each frame, the rest blank."""
    output = np.zeros((1, len(frames), len(LINE_ALPHABET) + 1))
    for row, frame in zip(output[0], frames, strict=True):
        for symbol, probability in frame.items():
            row[LINE_ALPHABET.index(symbol)] = probability
        row[-1] = 1 - row.sum()
    return Posteriors.of(output)
