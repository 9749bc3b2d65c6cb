"""What people wrote into a box: the ink of a scan, without what the blank prints there.

The blank's ink is taken from the scan's, somewhat thickened, as no registration is exact. Where
print is pale, writing shows through; under dark rules it is mended, where it goes on behind them.
"""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.documents.registration import Registration
from inkdigit.documents.template import PER_MM, BoxMm
from inkdigit.images import Grey
from inkdigit.reading.preprocessing.paper import BLANK_CONTRAST, Ink, find_ink

# In mm: how far writing may reach out of its box, and by how much print is thickened.
_MARGIN, _THICKER = 2.0, 0.25
# The least area of a stroke, in mm².
_SPECK = 0.12
# Writing is at least this share as dark as print, and print is solid from this share of black on.
_FAINT, _SOLID = 0.2, 0.45
# What lies to this share beside print is a rest of it; what lies to this share in a box is its.
_REST, _INSIDE = 0.7, 0.5
_Mask = npt.NDArray[np.uint8]
# Left, top, right and bottom in pixels.
_Pixels = tuple[int, int, int, int]


@dataclass(frozen=True, eq=False)
class Writing:
    """The strokes in and around a box, at 200 dpi.

    `ink` is how far they stand out of their paper, `labels` numbers the pieces that are one
    stroke, 0 for none, and `origin` is the pixel of the page where both begin.
    """

    ink: Ink
    labels: npt.NDArray[np.int32]
    origin: tuple[int, int]

    @classmethod
    def of(cls, found: Registration, box: BoxMm) -> Self:
        """Return what is written in and around a box of a registered page."""
        left, top, right, bottom = _pixels(box, _MARGIN, found.blank.print.shape)
        area = (left, top, right - left, bottom - top)
        seen = found.cut(tuple(side / PER_MM for side in area))  # type: ignore[arg-type]
        assert seen is not None  # `Registration.doubt_at` has been asked
        printed = find_ink(found.blank.print[top:bottom, left:right])
        ink, print_, contrast = _without_print(find_ink(seen), printed)
        strokes = np.asarray(ink > max(2 * BLANK_CONTRAST, _FAINT * 255 * contrast), np.uint8)
        return cls(ink, _pieces(strokes, print_), (left, top))

    def inside(self, box: BoxMm) -> "_Mask":
        """Return 1 for the strokes that stand in a box, with what reaches out of it.

        A stroke that stands in several boxes is cut at their edges.
        """
        left, top, right, bottom = self._placed(box)
        inner = np.zeros_like(self.labels, np.uint8)
        inner[top:bottom, left:right] = 1
        sizes = np.bincount(self.labels.ravel())
        within = np.bincount(self.labels[inner > 0], minlength=len(sizes))
        its = within > _INSIDE * sizes
        its[0] = False
        shared = (self.labels > 0) & ~its[self.labels] & (inner > 0)
        pieces = _large(np.asarray(shared, np.uint8), (_SPECK * 3) * PER_MM**2)
        return np.asarray(its[self.labels] | (pieces > 0), np.uint8)

    def share(self, box: BoxMm) -> float:
        """Return how much of a box is covered with ink, 0 to 1."""
        left, top, right, bottom = self._placed(box)
        return float((self.labels[top:bottom, left:right] > 0).mean())

    def picture(self, strokes: _Mask, box: BoxMm) -> Grey:
        """Return some strokes on white paper, as far as they or the box reach."""
        mask = np.asarray(cv2.dilate(strokes, np.ones((3, 3), np.uint8)))
        x, y, width, height = cv2.boundingRect(mask)
        left, top, right, bottom = self._placed(box)
        left, top = max(0, min(left, x)), max(0, min(top, y))
        right, bottom = max(right, x + width), max(bottom, y + height)
        clean = np.where(mask > 0, 255 - self.ink, 255).astype(np.uint8)
        return clean[top:bottom, left:right]

    def _placed(self, box: BoxMm) -> _Pixels:
        left, top, right, bottom = _pixels(box, 0, (10**6, 10**6))
        x, y = self.origin
        return max(0, left - x), max(0, top - y), right - x, bottom - y


def _pixels(box: BoxMm, margin: float, shape: tuple[int, int]) -> _Pixels:
    """Return the edges of a box with a margin, in pixels of a page of this shape."""
    left, top, width, height = box
    edges = left - margin, top - margin, left + width + margin, top + height + margin
    x, y, right, bottom = (round(edge * PER_MM) for edge in edges)
    return max(0, x), max(0, y), min(right, shape[1]), min(bottom, shape[0])


def _without_print(ink: Ink, printed: Ink) -> tuple[Ink, _Mask, float]:
    """Return the ink without print, 1 where that was solid, and how dark it is here, 0 to 1."""
    size = 2 * round(_THICKER * PER_MM) + 1
    thick = cv2.dilate(printed, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    there = printed > 2 * BLANK_CONTRAST
    contrast = float(np.median(ink[there] / printed[there])) if there.any() else 0.5
    contrast = min(contrast, 1.0)
    left = cv2.subtract(ink, cv2.convertScaleAbs(thick, alpha=contrast))
    solid = np.asarray(thick > 255 * _SOLID, np.uint8)
    across = np.ones((2 * size + 1, 2 * size + 1), np.uint8)
    mended = cv2.morphologyEx(np.where(solid > 0, 0, left).astype(np.uint8), cv2.MORPH_CLOSE, across)
    both = np.minimum(mended, ink)
    return np.where(solid > 0, both, left).astype(np.uint8), solid, contrast


def _pieces(strokes: _Mask, print_: _Mask) -> npt.NDArray[np.int32]:
    """Return strokes by their number; specks, and what print leaves behind, are none."""
    near = np.asarray(cv2.dilate(print_, np.ones((5, 5), np.uint8)))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(strokes)
    sizes = stats[:, cv2.CC_STAT_AREA]
    beside = np.bincount(labels[near > 0], minlength=len(sizes))
    kept = (sizes >= _SPECK * PER_MM**2) & (beside < _REST * sizes)
    kept[0] = False
    return np.asarray(np.where(kept[labels], labels, 0), np.int32)


def _large(mask: _Mask, least: float) -> _Mask:
    """Return a mask without its pieces of less area."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    kept = stats[:, cv2.CC_STAT_AREA] >= least
    kept[0] = False
    return np.asarray(kept[labels], np.uint8)
