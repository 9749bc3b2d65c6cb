"""Synthetic lines and digits, drawn by other processes while a network learns from them."""

import multiprocessing
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

import numpy as np

from inkdigit.learning.datasets import Digits
from inkdigit.learning.synthesis.bank import Bank, print_fonts
from inkdigit.learning.synthesis.glyphs import Fonts
from inkdigit.learning.synthesis.hands import Hands
from inkdigit.learning.synthesis.lines import LineWriter
from inkdigit.learning.synthesis.pages import PageWriter, Shown
from inkdigit.learning.synthesis.paper import Backgrounds
from inkdigit.learning.synthesis.pixels import Ink, warped, with_gamma
from inkdigit.learning.synthesis.real_hands import RealHands
from inkdigit.learning.synthesis.single import DigitWriter
from inkdigit.processes import WorkerPool, cores, ordered_map, use_one_core
from inkdigit.reading.alphabet import NOT_A_DIGIT
from inkdigit.reading.preprocessing.digit import SIZE, extract_digit
from inkdigit.reading.preprocessing.line import LINE_HEIGHT, extract_line

Line = tuple[Ink, str]
_Drawn = TypeVar("_Drawn", bound=tuple[Any, ...])
Draw = Callable[[np.random.Generator], Line]

# So many blocks are drawn ahead of the one that is learnt from, for each process.
_AHEAD = 3


@dataclass(frozen=True)
class Generator:
    """What is drawn and by whose hands: lines or single digits, with which digits, fonts and hands.

    The fonts and real hands that are `held_out` draw what a network is validated on, the others
    what it learns.
    """

    digits: Digits
    fonts: Path | None
    held_out: bool = False
    single: bool = False
    hands: Path | None = None

    def pictures(self) -> Draw:
        """Return what draws grey pictures `uint8 (h, w)`, and says what stands in each."""
        writer = _line_writer(self)
        return (DigitWriter(writer) if self.single else writer).picture

    def begin(self) -> Callable[[list[int]], Line]:
        """Return what draws: from a seed, pixels as a network is shown them, and what they say."""
        return partial(_shown, self.pictures(), single=self.single)


@dataclass(frozen=True)
class PageGenerator:
    """What draws pages, by whose hands and in which fonts, as `Generator` has them."""

    digits: Digits
    fonts: Path | None
    held_out: bool = False
    hands: Path | None = None

    def writer(self) -> PageWriter:
        """Return what draws pages and cuts crops from them."""
        writer = _line_writer(self)
        prints = print_fonts(self.fonts, held_out=self.held_out)
        return PageWriter(Bank(writer, writer.real, writer.hands.fonts.paths, prints))

    def begin(self) -> Callable[[list[int]], Shown]:
        """Return what draws: from a seed, a crop as a network is shown it, and what lies there."""
        return self.writer().crop


def _line_writer(drawing: Generator | PageGenerator) -> LineWriter:
    real = RealHands.load(drawing.hands, held_out=drawing.held_out)
    fonts = Fonts(drawing.fonts, held_out=drawing.held_out)
    papers = Backgrounds(np.random.default_rng(0))
    return LineWriter(Hands(drawing.digits, fonts, real.writers), papers, real)


def _shown(draw: Draw, seed: list[int], *, single: bool) -> Line:
    """Draw a picture, and return of it what a reader shows to its network."""
    picture, text = draw(np.random.default_rng(seed))
    found = extract_digit(picture) if single else extract_line(picture)
    if found is not None:
        return found.pixels, text
    if single:
        return np.zeros((SIZE, SIZE), np.uint8), NOT_A_DIGIT
    return np.zeros((LINE_HEIGHT, LINE_HEIGHT), np.uint8), ""


_pen: Callable[[list[int]], Any]
_stopped: Event


def _start(drawing: Generator | PageGenerator, stopped: Event) -> None:
    """Make a process ready to draw."""
    global _pen, _stopped  # what a pool's worker keeps between tasks
    use_one_core()
    _pen, _stopped = drawing.begin(), stopped


def _draw(seed: int, size: int, block: int) -> list[Any]:
    return [_pen([seed, block, number]) for number in range(size) if not _stopped.is_set()]


class SampleStream(Generic[_Drawn]):
    """An endless supply of lines, digits or pages by their number, drawn in other processes.

    They end with the `with` block, whatever ends that, and with this process.
    """

    def __init__(
        self, drawing: Generator | PageGenerator, seed: int, *, processes: int | None = None
    ) -> None:
        processes = processes or cores()
        self._seed = seed
        self._stopped = multiprocessing.get_context("spawn").Event()
        self._pool = WorkerPool(processes, _start, drawing, self._stopped)
        self._ahead = _AHEAD * processes

    def blocks(self, first: int, last: int, size: int) -> Iterator[list[_Drawn]]:
        """Yield the blocks from `first` up to `last`, in order, each of `size` lines or digits.

        Raises `InkdigitError` if a process that draws comes to an end, as for want of memory.
        """
        return ordered_map(
            self._pool,
            partial(_draw, self._seed, size),
            range(first, last),
            ahead=self._ahead,
            broken="a process that draws handwriting came to an end, perhaps for want of memory",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._pool.shutdown(cancel_futures=True)


def batches(
    lines: list[_Drawn], size: int, rng: np.random.Generator | None = None
) -> Iterator[list[_Drawn]]:
    """Yield batches of lines of about the same width, in random order if `rng` is given.

    The pixels of a line are the first of it.
    """
    order = sorted(range(len(lines)), key=lambda i: lines[i][0].shape[1])
    groups = [order[i : i + size] for i in range(0, len(order), size)]
    if rng is not None:
        rng.shuffle(groups)
    for group in groups:
        yield [lines[i] for i in group]


def vary(pixels: Ink, rng: np.random.Generator) -> Ink:
    """Return a line image wider or narrower, with another slant, its ink stronger or weaker."""
    stretch, slant = np.exp(rng.normal(0, 0.15)), rng.normal(0, 0.15)
    height, width = pixels.shape
    room = abs(slant) * height / 2
    matrix = np.array([[stretch, -slant, slant * height / 2 + room], [0.0, 1.0, 0.0]])
    wide = max(height // 2, round(width * stretch + 2 * room))
    return with_gamma(warped(pixels, matrix, wide, height), np.exp(rng.normal(0, 0.3)))
