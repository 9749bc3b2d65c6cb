"""What people wrote into a box: the ink of a scan, without what the blank prints there.

The blank's ink is taken from the scan's, somewhat thickened, as no registration is exact. Where
print is pale, writing shows through; under dark rules it is mended, where it goes on behind them.
"""

from dataclasses import dataclass, replace
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
# What lies to this share beside print is a rest of it; what lies to this share in a box is its, and
# to that share in a cell is not cut at its edges.
_REST, _INSIDE, _IN_CELL = 0.7, 0.5, 0.75
# Paper beside what is read, in mm.
_ROOM = 0.6
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

    def inside(self, box: BoxMm) -> "Writing":
        """Return the strokes that stand in a box, with what reaches out of it a little.

        What mostly stands elsewhere is not its, nor what runs far beyond it, as a cross through
        several boxes does.
        """
        high, wide = self.labels.shape
        far = {*self.labels[[0, high - 1]].ravel(), *self.labels[:, [0, wide - 1]].ravel()}
        its = self._share_inside(box) > _INSIDE
        its[list(far)] = False
        return replace(self, labels=np.where(its[self.labels], self.labels, 0))

    def cell(self, box: BoxMm) -> "Writing":
        """Return the strokes that stand in a cell; those in several are cut at its edges."""
        its = self._share_inside(box) > _IN_CELL
        mask = its[self.labels] | (self._inner(box) > 0)
        others = self._share_inside(box) < 1 - _IN_CELL
        return replace(self, labels=np.where(mask & ~others[self.labels], self.labels, 0))

    def _inner(self, box: BoxMm) -> _Mask:
        left, top, right, bottom = self._placed(box)
        inner = np.zeros(self.labels.shape, np.uint8)
        inner[top:bottom, left:right] = 1
        return inner

    def _share_inside(self, box: BoxMm) -> npt.NDArray[np.float64]:
        """Return of each piece which share of it stands in a box, `(pieces + 1,)`."""
        sizes = np.bincount(self.labels.ravel())
        within = np.bincount(self.labels[self._inner(box) > 0], minlength=len(sizes))
        shares = within / np.maximum(sizes, 1)
        shares[0] = 0
        return np.asarray(shares)

    @property
    def is_empty(self) -> bool:
        """Whether there is no stroke."""
        return not self.labels.any()

    def share(self, box: BoxMm) -> float:
        """Return how much of a box is covered with ink, 0 to 1."""
        left, top, right, bottom = self._placed(box)
        return float((self.labels[top:bottom, left:right] > 0).mean())

    def picture(self) -> Grey:
        """Return the strokes on white paper, over the whole height of the box and its margin."""
        mask = np.asarray(
            cv2.dilate(np.asarray(self.labels > 0, np.uint8), np.ones((3, 3), np.uint8))
        )
        x, _, width, _ = cv2.boundingRect(mask)
        room = round(_ROOM * PER_MM)
        clean = np.where(mask > 0, 255 - self.ink, 255).astype(np.uint8)[:, x : x + width]
        return np.asarray(
            cv2.copyMakeBorder(clean, 0, 0, room, room, cv2.BORDER_CONSTANT, value=255)
        )

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
    mended = cv2.morphologyEx(
        np.where(solid > 0, 0, left).astype(np.uint8), cv2.MORPH_CLOSE, across
    )
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
