"""Sheets of a class, filled in by hands that are drawn or kept apart, and photographed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.classroom.sheet import TEMPLATE, write_sheets
from inkdigit.documents.template import PER_MM, BoxMm
from inkdigit.images import Grey, open_pages
from inkdigit.learning.synthesis.glyphs import Glyph, draw
from inkdigit.learning.synthesis.hands import Hand, Pen

# How high a shape is drawn, in pixels, before it is scaled to the paper.
_DRAWN = 100
# In pixels: how far pictures that are compared are blurred, and how wide a frame is at most.
_BLUR, _FRAME = 2.0, 4
Paper = npt.NDArray[np.float64]


@dataclass
class Pupil:
    """Someone who writes: a hand, with a pen, a slant and a size of his own."""

    seed: int
    hand: Hand | None = None

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        self.writes: Hand = self.hand or Pen(self.rng)
        self.tall, self.pen = self.rng.uniform(0.5, 0.8), self.rng.uniform(0.4, 0.8)
        self.dark = self.rng.uniform(0.55, 0.95)
        self.slant, self.stretch = self.rng.normal(0.1, 0.12), self.rng.uniform(0.8, 1.1)

    def ink(self, digit: str, height: float) -> Grey:
        """Return a digit so many mm high, as ink `uint8 (h, w)` at 200 dpi."""
        sample = self.writes(digit, self.rng)
        assert sample
        if not isinstance(sample, Glyph):
            how = {"slant": self.slant, "stretch": self.stretch, "wobble": 0.02}
            sample = draw(sample, self.rng, height=_DRAWN, pen=self.pen / height * _DRAWN, **how)
        scale = height * PER_MM / len(sample.ink)
        return np.asarray(cv2.resize(sample.ink, None, fx=scale, fy=scale))

    def write(self, paper: Paper, digit: str, box: BoxMm) -> None:
        """Write a digit into a box, not always into its middle."""
        left, top, width, height = box
        ink = self.ink(digit, self.tall * height * float(np.exp(self.rng.normal(0, 0.08))))
        room = np.array([height, width]) * PER_MM - ink.shape
        at = np.array([top, left]) * PER_MM + room * (0.5 + self.rng.normal(0, 0.12, 2))
        (y, x), (high, wide) = np.rint(at).astype(int), ink.shape
        paper[y : y + high, x : x + wide] *= 1 - self.dark * ink / 255

    def cross_out(self, paper: Paper, box: BoxMm) -> None:
        """Draw two pairs of lines through a box."""
        ink = np.zeros(paper.shape, np.uint8)
        for y0, y1 in ((0.2, 0.8), (0.8, 0.2), (0.35, 0.6), (0.7, 0.45)):
            ends = np.array(box[:2]) + np.array([[0.15, y0], [0.85, y1]]) * box[2:]
            start, end = np.rint(ends * PER_MM).astype(int).tolist()
            cv2.line(ink, start, end, 255, 4, cv2.LINE_AA)
        paper *= 1 - self.dark * ink / 255


def boxes() -> Iterator[tuple[str, int, BoxMm]]:
    """Yield the digit of each box, its number in the row from 1, and where it stands."""
    for row in TEMPLATE.fields:
        if row.kind == "comb":
            for number, box in enumerate(row.cell_boxes, start=1):
                yield row.name[1:], number, box


def filled(
    pupil: Pupil,
    page: Grey,
    *,
    empty: Sequence[tuple[str, int]] = (),
    crossed: Sequence[tuple[str, int]] = (),
) -> Grey:
    """Return a sheet with a digit in each box but for those to be empty; some are crossed out."""
    paper = page.astype(np.float64)
    for digit, number, box in boxes():
        if (digit, number) not in empty:
            pupil.write(paper, digit, box)
        if (digit, number) in crossed:
            pupil.cross_out(paper, box)
    return np.asarray(paper, np.uint8)


def printed(path: Path, class_: str, names: Sequence[str], count: int = 1) -> list[Grey]:
    """Write the sheets of a class, and return its pages at 200 dpi."""
    write_sheets(path, class_, names, count)
    page = TEMPLATE.pages[0]
    size = round(page.width * PER_MM), round(page.height * PER_MM)
    pages = (cv2.resize(page, size, interpolation=cv2.INTER_AREA) for page in open_pages(path))
    return [np.asarray(page, np.uint8) for page in pages]


def alike(collected: Grey, written: Grey) -> float:
    """Return how well what was collected correlates with what was written, where it fits best.

    Both are at 200 dpi. Blurred a little, as a photograph is not as sharp as the page.
    """
    seen, ink = (cv2.GaussianBlur(255 - one, (0, 0), _BLUR) for one in (collected, written))
    x, y, width, height = cv2.boundingRect(np.asarray(ink > ink.max() / 4, np.uint8))
    shown = cv2.copyMakeBorder(seen, *(height, height, width, width), cv2.BORDER_CONSTANT)
    part = ink[y : y + height, x : x + width]
    return float(cv2.matchTemplate(shown, part, cv2.TM_CCOEFF_NORMED).max())


def inside(sheet: Grey, box: BoxMm) -> Grey:
    """Return what stands in a box, without its frame."""
    left, top, width, height = (round(side * PER_MM) for side in box)
    return sheet[top + _FRAME : top + height - _FRAME, left + _FRAME : left + width - _FRAME]
