"""Synthetic lines and digits, drawn by other processes while a network learns from them."""

import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.learning.datasets import Digits
from inkdigit.learning.handwriting.glyphs import Fonts, Hands
from inkdigit.learning.handwriting.lines import LineWriter
from inkdigit.learning.handwriting.paper import Papers
from inkdigit.learning.handwriting.singles import SingleWriter
from inkdigit.reading.alphabet import NOT_A_DIGIT
from inkdigit.reading.ink import SIZE, STRIP_HEIGHT, single, strip

Grey = npt.NDArray[np.uint8]
Line = tuple[Grey, str]

BLOCK = 1024
_AHEAD = 3


@dataclass(frozen=True)
class Drawing:
    """What is drawn and by whose hands: lines or single digits, with which digits and fonts.

    The fonts that are `held_out` draw what a network is validated on, the others what it learns.
    """

    digits: Digits
    fonts: Path | None
    held_out: bool = False
    single: bool = False

    def begin(self) -> Callable[[list[int]], Line]:
        """Return what draws: from a seed, pixels as a network is shown them, and what they say."""
        papers = Papers(np.random.default_rng(0))
        hands = Hands(self.digits, Fonts(self.fonts, held_out=self.held_out))
        writer = LineWriter(hands, papers)
        if self.single:
            return partial(_draw_single, SingleWriter(writer, papers))
        return partial(_draw_line, writer)


def _draw_line(writer: LineWriter, seed: list[int]) -> Line:
    picture, text = writer.picture(np.random.default_rng(seed))
    found = strip(picture)
    if found is None:
        return np.zeros((STRIP_HEIGHT, STRIP_HEIGHT), np.uint8), ""
    return found.pixels, text


def _draw_single(writer: SingleWriter, seed: list[int]) -> Line:
    picture, digit = writer.picture(np.random.default_rng(seed))
    found = single(picture)
    return (found.pixels, digit) if found else (np.zeros((SIZE, SIZE), np.uint8), NOT_A_DIGIT)


_pen: Callable[[list[int]], Line]


def _start(drawing: Drawing) -> None:
    global _pen  # noqa: PLW0603  (what a pool's worker keeps between tasks)
    cv2.setNumThreads(1)
    _pen = drawing.begin()


def _draw(seed: int, block: int, size: int) -> list[Line]:
    return [_pen([seed, block, number]) for number in range(size)]


class Supply:
    """An endless supply of lines or digits by their number, drawn in other processes."""

    def __init__(self, drawing: Drawing, seed: int, *, processes: int = 2) -> None:
        context = multiprocessing.get_context("spawn")
        self._seed = seed
        self._pool = ProcessPoolExecutor(
            processes, context, initializer=_start, initargs=(drawing,)
        )
        self._ahead = _AHEAD * processes

    def blocks(self, first: int, last: int, size: int = BLOCK) -> Iterator[list[Line]]:
        """Yield the blocks from `first` up to `last`, in order."""
        waiting: deque[Future[list[Line]]] = deque()
        for block in range(first, last):
            waiting.append(self._pool.submit(_draw, self._seed, block, size))
            if len(waiting) > self._ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def batches(
    lines: list[Line], size: int, rng: np.random.Generator | None = None
) -> Iterator[list[Line]]:
    """Yield batches of lines of about the same width, in random order if `rng` is given."""
    order = sorted(range(len(lines)), key=lambda i: lines[i][0].shape[1])
    groups = [order[i : i + size] for i in range(0, len(order), size)]
    if rng is not None:
        rng.shuffle(groups)
    for group in groups:
        yield [lines[i] for i in group]


def vary(pixels: Grey, rng: np.random.Generator) -> Grey:
    """Return a strip somewhat wider or narrower, its ink stronger or weaker."""
    width = max(STRIP_HEIGHT // 2, round(pixels.shape[1] * np.exp(rng.normal(0, 0.12))))
    stretched = cv2.resize(pixels, (width, STRIP_HEIGHT), interpolation=cv2.INTER_LINEAR)
    levels = 255 * np.linspace(0, 1, 256) ** np.exp(rng.normal(0, 0.3))
    return np.asarray(cv2.LUT(stretched, levels.astype(np.uint8)), np.uint8)


def pad(strips: list[Grey], step: int) -> Grey:
    """Return strips side by side in one array `uint8 (n, 32, width)`, paper to the right."""
    width = -(-max(s.shape[1] for s in strips) // step) * step
    out = np.zeros((len(strips), STRIP_HEIGHT, width), np.uint8)
    for i, pixels in enumerate(strips):
        out[i, :, : pixels.shape[1]] = pixels
    return out
