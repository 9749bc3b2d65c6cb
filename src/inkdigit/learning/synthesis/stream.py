"""Synthetic lines and digits, drawn by other processes while a network learns from them."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from multiprocessing.synchronize import Event
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from inkdigit.errors import InkdigitError
from inkdigit.learning.datasets import Digits
from inkdigit.learning.synthesis.glyphs import Fonts, Writers
from inkdigit.learning.synthesis.lines import LineWriter
from inkdigit.learning.synthesis.paper import Backgrounds
from inkdigit.learning.synthesis.pixels import Ink, warped, with_gamma
from inkdigit.learning.synthesis.single import DigitWriter
from inkdigit.processes import end_with_parent, ignore_sigint_in_children, use_one_core
from inkdigit.reading.alphabet import NOT_A_DIGIT
from inkdigit.reading.preprocessing.digit import SIZE, extract_digit
from inkdigit.reading.preprocessing.line import LINE_HEIGHT, extract_line

Line = tuple[Ink, str]

# So many are drawn as one task, and learnt from in batches.
BLOCK = 1024
_AHEAD = 3


@dataclass(frozen=True, kw_only=True)
class SynthesisConfig:
    """How much is drawn.

    Lines come in blocks of `block`, `epoch_blocks` an epoch, none of them seen before. Of single
    digits an epoch sees `single_blocks` blocks, of which `fresh_blocks` replace the oldest of the
    epoch before. `validation` are drawn to validate on after each epoch, `measured` to calibrate
    with and as many to test on at the end.
    """

    block: int = BLOCK
    epoch_blocks: int = 20
    single_blocks: int = 120
    fresh_blocks: int = 40
    validation: int = 1000
    measured: int = 4000


FULL_SIZE = SynthesisConfig()


@dataclass(frozen=True)
class Generator:
    """What is drawn and by whose hands: lines or single digits, with which digits and fonts.

    The fonts that are `held_out` draw what a network is validated on, the others what it learns.
    """

    digits: Digits
    fonts: Path | None
    held_out: bool = False
    single: bool = False

    def pictures(self) -> Callable[[np.random.Generator], tuple[Ink, str]]:
        """Return what draws grey pictures `uint8 (h, w)`, and says what stands in each."""
        papers = Backgrounds(np.random.default_rng(0))
        hands = Writers(self.digits, Fonts(self.fonts, held_out=self.held_out))
        writer = LineWriter(hands, papers)
        return (DigitWriter(writer, papers) if self.single else writer).picture

    def begin(self) -> Callable[[list[int]], Line]:
        """Return what draws: from a seed, pixels as a network is shown them, and what they say."""
        return partial(_shown, self.pictures(), single=self.single)


def _shown(
    draw: Callable[[np.random.Generator], tuple[Ink, str]], seed: list[int], *, single: bool
) -> Line:
    """Draw a picture, and return of it what a reader shows to its network."""
    picture, text = draw(np.random.default_rng(seed))
    found = extract_digit(picture) if single else extract_line(picture)
    if found is not None:
        return found.pixels, text
    if single:
        return np.zeros((SIZE, SIZE), np.uint8), NOT_A_DIGIT
    return np.zeros((LINE_HEIGHT, LINE_HEIGHT), np.uint8), ""


_pen: Callable[[list[int]], Line]
_stopped: Event


def _start(drawing: Generator, stopped: Event) -> None:
    """Make a process ready to draw, for as long as its parent lives."""
    global _pen, _stopped  # what a pool's worker keeps between tasks
    # Ctrl-C reaches every process of a terminal; the parent says when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    use_one_core()
    _pen, _stopped = drawing.begin(), stopped


def _draw(seed: int, block: int, size: int) -> list[Line]:
    return [_pen([seed, block, number]) for number in range(size) if not _stopped.is_set()]


class SampleStream:
    """An endless supply of lines or digits by their number, drawn in other processes.

    They end with the `with` block, whatever ends that, and with this process.
    """

    def __init__(self, drawing: Generator, seed: int, *, processes: int | None = None) -> None:
        processes = processes or os.cpu_count() or 2
        context = multiprocessing.get_context("spawn")
        self._seed = seed
        self._stopped = context.Event()
        self._pool = ProcessPoolExecutor(
            processes, context, initializer=_start, initargs=(drawing, self._stopped)
        )
        self._ahead = _AHEAD * processes

    def blocks(self, first: int, last: int, size: int = BLOCK) -> Iterator[list[Line]]:
        """Yield the blocks from `first` up to `last`, in order.

        Raises `InkdigitError` if a process that draws comes to an end, as for want of memory.
        """
        waiting: deque[Future[list[Line]]] = deque()
        try:
            for block in range(first, last):
                with ignore_sigint_in_children():
                    waiting.append(self._pool.submit(_draw, self._seed, block, size))
                if len(waiting) > self._ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise InkdigitError(
                "a process that draws handwriting came to an end, perhaps for want of memory"
            ) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._pool.shutdown(cancel_futures=True)


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


def vary(pixels: Ink, rng: np.random.Generator) -> Ink:
    """Return a strip somewhat wider or narrower, slanted otherwise, its ink stronger or weaker."""
    stretch, slant = np.exp(rng.normal(0, 0.15)), rng.normal(0, 0.15)
    height, width = pixels.shape
    room = abs(slant) * height / 2
    matrix = np.array([[stretch, -slant, slant * height / 2 + room], [0.0, 1.0, 0.0]])
    wide = max(height // 2, round(width * stretch + 2 * room))
    return with_gamma(warped(pixels, matrix, wide, height), np.exp(rng.normal(0, 0.3)))


def pad(strips: list[Ink], step: int) -> Ink:
    """Return strips side by side in one array `uint8 (n, 32, width)`, paper to the right."""
    width = -(-max(s.shape[1] for s in strips) // step) * step
    out = np.zeros((len(strips), LINE_HEIGHT, width), np.uint8)
    for i, pixels in enumerate(strips):
        out[i, :, : pixels.shape[1]] = pixels
    return out
