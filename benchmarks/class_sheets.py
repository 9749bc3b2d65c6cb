"""Sheets of a class, filled in by drawn hands, and photographed in simulation."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from inkdigit.classroom.sheet import TEMPLATE, write_sheets
from inkdigit.documents.template import PER_MM, BoxMm
from inkdigit.images import Grey, open_pages
from inkdigit.learning.synthesis.glyphs import Glyph, draw
from inkdigit.learning.synthesis.hands import Hand, Pen

# A height to draw at, in pixels, which is then scaled to the paper.
_HEIGHT = 100


@dataclass
class Pupil:
    """Someone who writes: a hand, with a pen, a slant and a size of his own."""

    name: str
    seed: int
    hand: Hand | None = None

    def __post_init__(self) -> None:
        rng = self.rng = np.random.default_rng(self.seed)
        self.hand = self.hand or Pen(rng)
        self.tall, self.pen = rng.uniform(0.5, 0.8), rng.uniform(0.4, 0.8)
        self.darkness = rng.uniform(0.55, 0.95)
        self.style = {"slant": rng.normal(0.1, 0.12), "stretch": rng.uniform(0.8, 1.1)}

    def ink(self, digit: str, height: float) -> Grey:
        """Return a digit so many mm high, as ink `uint8 (h, w)` at the sheet's 200 dpi."""
        sample = self.hand(digit, self.rng) if self.hand else None
        pen = self.pen / height * _HEIGHT
        if not isinstance(sample, Glyph):
            assert sample
            how = {"height": _HEIGHT, "pen": pen, "wobble": 0.02, **self.style}
            sample = draw(sample, self.rng, **how)
        scale = height * PER_MM / max(sample.ink.shape[0], 1)
        return np.asarray(
            cv2.resize(sample.ink, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        )

    def write(self, page: np.ndarray, digit: str, box: BoxMm) -> None:
        """Write a digit into a box, not always into its middle."""
        left, top, width, height = box
        ink = self.ink(digit, self.tall * height * np.exp(self.rng.normal(0, 0.08)))
        room = np.array([height, width]) * PER_MM - ink.shape
        at = np.array([top, left]) * PER_MM + room / 2 + self.rng.normal(0, 0.12, 2) * np.abs(room)
        y, x = np.rint(at).astype(int)
        h, w = ink.shape
        page[y : y + h, x : x + w] *= 1 - self.darkness * ink / 255


def filled(pupil: Pupil, page: Grey, left_out: Mapping[str, Sequence[int]] = {}) -> Grey:
    """Return a pupil's sheet with all its boxes filled in, but for some of a digit, from 1."""
    paper = page.astype(np.float64)
    for row in (field for field in TEMPLATE.fields if field.kind == "comb"):
        digit = row.name[1:]
        for number, box in enumerate(row.cell_boxes, start=1):
            if number not in left_out.get(digit, ()):
                pupil.write(paper, digit, box)
    return np.asarray(paper, np.uint8)


def printed(path: Path, class_: str, names: Sequence[str], count: int = 1) -> list[Grey]:
    """Write the sheets of a class, and return its pages at 200 dpi."""
    write_sheets(path, class_, names, count)
    size = tuple(
        round(side * PER_MM) for side in (TEMPLATE.pages[0].width, TEMPLATE.pages[0].height)
    )
    return [
        np.asarray(cv2.resize(page, size, interpolation=cv2.INTER_AREA))
        for page in open_pages(path)
    ]
