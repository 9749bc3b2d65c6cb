"""What people wrote into a box: the ink of a scan, without what the blank prints there.

The blank's ink is taken from the scan's, somewhat thickened, as no registration is exact. Where
print is pale, writing shows through; under dark rules it is mended, where it goes on behind them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.documents.registration import Registration
from inkdigit.documents.template import PER_MM, BoxMm
from inkdigit.images import Grey
from inkdigit.reading.preprocessing.paper import BLANK_CONTRAST, Ink, find_ink
from inkdigit.reading.result import Box

# In mm: how far writing is followed out of its box, by how much print is thickened, and the paper
# beside what is read.
_MARGIN, _THICKER, _ROOM = 2.0, 0.25, 0.6
_ROOM_PIXELS = round(_ROOM * PER_MM)
# The least area of a stroke, in mm².
_SPECK = 0.12
# Writing is at least this share as dark as print, and print is solid from this share of black on.
FAINT, SOLID = 0.2, 0.45
# What lies to this share beside print is a rest of it, and what lies to this share in a box is its.
_REST, _INSIDE = 0.7, 0.5
# What is in a cell less than so tall as in another only reaches into it.
_REACHING = 1 / 2
_Mask = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Writing:
    """The strokes in and around a box, at 200 dpi.

    `ink` is how far they stand out of their paper, `labels` numbers the pieces that are one
    stroke, 0 for none, `ends` counts the sides at which each reaches the edge, and `origin` is the
    pixel of the page where it all begins.
    """

    ink: Ink
    labels: npt.NDArray[np.int32]
    ends: npt.NDArray[np.int64]
    origin: tuple[int, int] = (0, 0)

    @classmethod
    def of(cls, found: Registration, box: BoxMm) -> Self:
        """Return what is written in and around a box of a registered page that is not in doubt."""
        around = (*np.subtract(box[:2], _MARGIN), *np.add(box[2:], 2 * _MARGIN))
        seen, printed, origin = inks(found, around)
        left_over, solid, contrast = _without_print(seen, printed)
        strokes = left_over > max(2 * BLANK_CONTRAST, FAINT * 255 * contrast)
        labels = _pieces(np.asarray(strokes, np.uint8), solid)
        return cls(left_over, labels, _ends(labels), origin)

    @property
    def is_empty(self) -> bool:
        """Whether there is no stroke."""
        return not self.labels.any()

    @property
    def runs_out(self) -> bool:
        """Whether a stroke is too long to be seen whole."""
        return bool(self.ends[self.labels].any())

    def inside(self, box: BoxMm) -> Self:
        """Return the strokes that stand in a box, with what reaches out of it a little.

        What mostly stands elsewhere is not its, nor what runs far beyond it, as a cross through
        several boxes does; one end alone that does so is that of a long digit.
        """
        its = self._sizes(box) > _INSIDE * np.bincount(
            self.labels.ravel(), minlength=len(self.ends)
        )
        its &= (self.ends == 0) | (self.ends.sum() == 1)
        return replace(self, labels=np.where(its[self.labels], self.labels, 0))

    def cells(self, boxes: Sequence[BoxMm]) -> list[Self]:
        """Return the strokes of each cell; those of several digits are cut at the cells' edges.

        A stroke is a cell's where it is tallest, and another's where it is about as tall.
        """
        heights = np.array([self._heights(box) for box in boxes])
        its = heights > _REACHING * heights.max(axis=0)
        is_cut = its.sum(axis=0) > 1
        cells = []
        for box, own in zip(boxes, its, strict=True):
            left, top, right, bottom = self._placed(box)
            within = np.zeros(self.labels.shape, np.bool_)
            within[top:bottom, left:right] = True
            kept = own[self.labels] & (within | ~is_cut[self.labels])
            cells.append(replace(self, labels=np.where(kept, self.labels, 0)))
        return cells

    def share(self, box: BoxMm) -> float:
        """Return how much of a box is covered with ink, 0 to 1."""
        left, top, right, bottom = self._placed(box)
        within = self.labels[top:bottom, left:right]
        return np.count_nonzero(within) / max(1, within.size)

    def apart(self, boxes: Iterable[BoxMm]) -> Self:
        """Return the strokes that reach into none of some boxes."""
        theirs = sum((self._sizes(box) for box in boxes), np.zeros_like(self.ends)) > 0
        return replace(self, labels=np.where(theirs[self.labels], 0, self.labels))

    def picture(self) -> Grey:
        """Return the strokes on white paper, over the whole height of the box and its margin."""
        mask = self._strokes()
        x, _, width, _ = cv2.boundingRect(mask)
        clean = np.where(mask > 0, 255 - self.ink, 255).astype(np.uint8)[:, x : x + width]
        return np.pad(clean, ((0, 0), (_ROOM_PIXELS, _ROOM_PIXELS)), constant_values=255)

    def placed(self, box: Box) -> BoxMm:
        """Return where a box of its picture lies on the page, in mm."""
        x, y = self.origin
        across = x + cv2.boundingRect(self._strokes())[0] - _ROOM_PIXELS
        left, top, width, height = (side / PER_MM for side in box)
        return left + across / PER_MM, top + y / PER_MM, width, height

    def _strokes(self) -> _Mask:
        strokes = np.asarray(self.labels > 0, np.uint8)
        return np.asarray(cv2.dilate(strokes, np.ones((3, 3), np.uint8)), np.uint8)

    def _sizes(self, box: BoxMm) -> npt.NDArray[np.int64]:
        """Return how many pixels of paper and of each piece stand in a box, `(pieces + 1,)`."""
        left, top, right, bottom = self._placed(box)
        within = self.labels[top:bottom, left:right].ravel()
        return np.bincount(within, minlength=len(self.ends))

    def _heights(self, box: BoxMm) -> npt.NDArray[np.int64]:
        """Return in how many rows of a box paper and each piece stand, `(pieces + 1,)`."""
        left, top, right, bottom = self._placed(box)
        within, count = self.labels[top:bottom, left:right], len(self.ends)
        rows = np.unique(np.arange(len(within))[:, None] * count + within)
        return np.bincount(rows % count, minlength=count)

    def _placed(self, box: BoxMm) -> tuple[int, int, int, int]:
        (x, y), (left, top, right, bottom) = self.origin, edges(box)
        return max(0, left - x), max(0, top - y), max(0, right - x), max(0, bottom - y)


def inks(found: Registration, box: tuple[float, ...]) -> tuple[Ink, Ink, tuple[int, int]]:
    """Return the ink in a box of a registered page and of its blank, and where on that it begins.

    What lies beyond the page is left out.
    """
    high, wide = found.blank.print.shape
    x, y, right, bottom = edges(box)
    left, top = max(0, x), max(0, y)
    area = left, top, min(right, wide) - left, min(bottom, high) - top
    seen = found.cut(tuple(side / PER_MM for side in area))  # type: ignore[arg-type]
    printed = found.blank.print[top : top + area[3], left : left + area[2]]
    return find_ink(seen), find_ink(printed), (left, top)


def edges(box: tuple[float, ...]) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of a box in mm, in pixels."""
    left, top, width, height = (side * PER_MM for side in box)
    return round(left), round(top), round(left + width), round(top + height)


def contrast_of(ink: Ink, printed: Ink) -> float:
    """Return how dark the print of a blank is on a scan, 0 to 1."""
    there = printed > 2 * BLANK_CONTRAST
    return min(float(np.median(ink[there] / printed[there])) if there.any() else 0.5, 1.0)


def _without_print(ink: Ink, printed: Ink) -> tuple[Ink, _Mask, float]:
    """Return the ink without print, 1 where that was solid, and how dark it is here, 0 to 1."""
    size = 2 * round(_THICKER * PER_MM) + 1
    thick = cv2.dilate(printed, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    contrast = contrast_of(ink, printed)
    left = cv2.subtract(ink, cv2.convertScaleAbs(thick, alpha=contrast))
    solid = np.asarray(thick > 255 * SOLID, np.uint8)
    across = np.ones((2 * size + 1, 2 * size + 1), np.uint8)
    mended = cv2.morphologyEx(np.where(solid, 0, left).astype(np.uint8), cv2.MORPH_CLOSE, across)
    return np.where(solid, np.minimum(mended, ink), left).astype(np.uint8), solid, contrast


def _pieces(strokes: _Mask, print_: _Mask) -> npt.NDArray[np.int32]:
    """Return strokes by their number; specks, and what print leaves behind, are none."""
    near = cv2.dilate(print_, np.ones((5, 5), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(strokes)
    sizes = stats[:, cv2.CC_STAT_AREA]
    beside = np.bincount(labels[near > 0], minlength=len(sizes))
    kept = (sizes >= _SPECK * PER_MM**2) & (beside < _REST * sizes) & (np.arange(len(sizes)) > 0)
    return np.asarray(np.where(kept[labels], labels, 0), np.int32)


def _ends(labels: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Return at how many sides each piece reaches the edge, `(pieces + 1,)`, paper at none."""
    sides, count = (*labels[[0, -1]], *labels.T[[0, -1]]), int(labels.max()) + 1
    reached = np.array([np.bincount(side, minlength=count) > 0 for side in sides])
    reached[:, 0] = False
    return np.asarray(reached.sum(axis=0), np.int64)
