"""A blank's print, looked for again in a scan: what a registration is refined on and judged by.

Landmarks are small patches around corners of the print (Shi and Tomasi 1994). Each is looked for
where it is expected, by normalised correlation, which light and shadow do not change.
"""

from dataclasses import dataclass
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.documents.template import PER_MM, Field, Template
from inkdigit.errors import SettingError
from inkdigit.images import Grey

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# The long side of the picture that landmarks are looked for in.
_SIDE = 1200
# How many, how far apart, and how many pixels there are around the middle of a patch.
_MOST, _LEAST, _APART, _PATCH = 300, 12, 12, 8
# People write so far beyond a field's box.
_BEYOND_MM = 1.0
# How far a patch is looked for; the last time from where its neighbours say that it lies.
_REACHES, _REFITS, _NEXT = (12, 8, 8, 8), 2, 4
# It is found where it correlates so well and lies within so many pixels.
_CORRELATION, _EXACT = 0.6, 2.0
_INLIER = 6.0
# So many neighbours say where a patch may be; those within about so many pixels how paper bends,
# and a few that lie nowhere hold it straight.
_NEIGHBOURS, _STRAYING, _BENDING, _STRAIGHT = 12, 3.0, 70.0, 1.0
_NODES = 12


class Blank:
    """The blank of a page of a form, and its landmarks.

    `small` is its print in the frame that landmarks are looked for in, `landmarks` are points
    `(n, 2)` of it, and a pixel of it is `mm` wide.
    """

    def __init__(self, template: Template, number: int) -> None:
        self.template, self.number = template, number
        self.print = template.blank(number)
        self.small = fitted(self.print, _SIDE)
        self.mm = self.print.shape[1] / self.small.shape[1] / PER_MM
        self.smooth = _smooth(self.small)
        around = self._around_fields()
        found = cv2.goodFeaturesToTrack(
            self.smooth, _MOST, 0.02, _APART, mask=around, blockSize=2 * _PATCH - 1
        )
        points = np.empty((0, 2)) if found is None else np.rint(found[:, 0].astype(np.float64))
        high, wide = self.small.shape
        inside = (points >= _PATCH) & (points < (wide - _PATCH, high - _PATCH))
        self.landmarks = points[inside.all(axis=1)]
        if len(self.landmarks) < _LEAST:
            raise SettingError(f"{self} has too little print to be found again in a scan")

    def __str__(self) -> str:
        return f"page {self.number} of {self.template.name}"

    @property
    def fields(self) -> list[Field]:
        """The fields of this page."""
        return [field for field in self.template.fields if field.page == self.number]

    def _around_fields(self) -> Grey:
        """Return 255 where nobody writes, and 0 inside fields."""
        around = np.full_like(self.small, 255)
        for field in self.fields:
            left, top, width, height = field.box
            edges = (
                left - _BEYOND_MM,
                top - _BEYOND_MM,
                left + width + _BEYOND_MM,
                top + height + _BEYOND_MM,
            )
            x, y, right, bottom = (max(0, round(edge / self.mm)) for edge in edges)
            around[y:bottom, x:right] = 0
        return around


@dataclass(frozen=True, eq=False)
class Pose:
    """How a blank lies in a scan: a homography from its frame to pixels, and how paper bends.

    `bend` is by how many pixels of the frame the paper strays, `(rows, columns, 2)` over it. Of all
    landmarks `visible` are those that the scan reaches, and `found` those that it shows, `residual`
    pixels from where they are expected.
    """

    matrix: Floats
    bend: Floats
    visible: Bools
    found: Bools
    residual: Floats

    @classmethod
    def refined(cls, scan: Grey, blank: Blank, matrix: Floats) -> Self | None:
        """Return the pose that a homography leads to; `None` if the print does not bear it out."""
        smooth, expected = _smooth(scan), np.zeros_like(blank.landmarks)
        for step, reach in enumerate(_REACHES):
            if step <= _REFITS:
                warped = _warped(smooth, blank, matrix)
                visible = _within(mapped(matrix, blank.landmarks), scan.shape)
            strays, alike = _look(warped, blank, expected, reach, visible)
            alike[alike] = _agreeing(blank.landmarks[alike], strays[alike])
            if alike.sum() < _LEAST:
                return None
            good, there = blank.landmarks[alike], strays[alike]
            if step < _REFITS:
                matrix = _refitted(matrix, good, there)
            else:
                expected = _bend(blank.landmarks, good, there)
        strays, alike = _look(warped, blank, expected, _NEXT, visible)
        residual = np.hypot(*(strays - expected).T)
        found = alike & (residual <= _EXACT)
        nodes = _nodes(blank.small.shape)
        bend = _bend(nodes, blank.landmarks[found], strays[found]).reshape(_NODES, _NODES, 2)
        return cls(matrix, bend, visible, found, residual)

    def to_scan(self, points: Floats, size: tuple[int, int]) -> Floats:
        """Return points `(n, 2)` of a frame of this shape as pixels of the scan."""
        places = (points / size[::-1] * (_NODES - 1)).astype(np.float32)
        bend = np.asarray(self.bend, np.float32)
        x, y = places[:, 0], places[:, 1]
        strays = cv2.remap(bend, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return mapped(self.matrix, points + strays.reshape(-1, 2))


def _refitted(matrix: Floats, points: Floats, strays: Floats) -> Floats:
    """Return a homography that takes points of a frame to where they were seen instead."""
    found, _ = cv2.findHomography(points, points + strays, cv2.RANSAC, _INLIER)
    return matrix if found is None else np.asarray(matrix @ found)


def fitted(picture: Grey, side: int) -> Grey:
    """Return a picture made smaller, where it must be, so that its long side fits."""
    scale = side / max(picture.shape)
    if scale >= 1:
        return picture
    height, width = (max(1, round(length * scale)) for length in picture.shape)
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA))


def mapped(matrix: Floats, points: Floats) -> Floats:
    """Return points `(n, 2)` as a homography takes them."""
    return np.asarray(cv2.perspectiveTransform(points[None], matrix)[0], np.float64)


def _smooth(picture: Grey) -> Grey:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.0))


def _warped(scan: Grey, blank: Blank, matrix: Floats) -> Grey:
    """Return a scan in the frame of a blank."""
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = blank.small.shape[::-1]
    warped = cv2.warpPerspective(scan, matrix, size, flags=how, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped)


def _within(points: Floats, shape: tuple[int, int]) -> Bools:
    return np.asarray(((points >= 0) & (points < shape[::-1])).all(axis=1))


def _look(
    warped: Grey, blank: Blank, expected: Floats, reach: int, visible: Bools
) -> tuple[Floats, Bools]:
    """Return how far each landmark strays from its place, and which correlate well there."""
    strays, alike = expected.copy(), np.zeros(len(expected), np.bool_)
    for i in np.flatnonzero(visible):
        x, y = blank.landmarks[i].astype(int)
        patch = blank.smooth[y - _PATCH : y + _PATCH + 1, x - _PATCH : x + _PATCH + 1]
        left, top = np.rint((x, y) + expected[i]).astype(int) - (_PATCH + reach)
        left, top = max(left, 0), max(top, 0)
        size = 2 * (_PATCH + reach) + 1
        window = warped[top : top + size, left : left + size]
        if min(window.shape) < len(patch):
            continue
        scores = cv2.matchTemplate(window, patch, cv2.TM_CCOEFF_NORMED)
        _, best, _, (across, down) = cv2.minMaxLoc(scores)
        alike[i] = _CORRELATION <= best <= 1 + 1e-3  # beyond it there was nothing to correlate
        place = (
            left + across + _peak(scores[down], across),
            top + down + _peak(scores[:, across], down),
        )
        strays[i] = np.add(place, _PATCH) - (x, y)
    return strays, alike


def _peak(scores: npt.NDArray[Any], at: int) -> float:
    """Return how far beside the best of several scores their parabola is highest."""
    if not 0 < at < len(scores) - 1:
        return 0.0
    before, best, after = scores[at - 1 : at + 2].tolist()
    return float((before - after) / (2 * (before - 2 * best + after) - 1e-9))


def _agreeing(points: Floats, strays: Floats) -> Bools:
    """Return which points stray as their neighbours do."""
    apart = np.linalg.norm(points[:, None] - points, axis=2)
    nearest = np.argsort(apart, axis=1)[:, :_NEIGHBOURS]
    usual = np.median(strays[nearest], axis=1)
    return np.asarray(np.hypot(*(strays - usual).T) <= _STRAYING)


def _bend(places: Floats, points: Floats, strays: Floats) -> Floats:
    """Return by how much paper strays at some places, by the points around them."""
    apart = np.linalg.norm(places[:, None] - points, axis=2)
    weights = np.exp(-0.5 * (apart / _BENDING) ** 2)
    return np.asarray(weights @ strays / (weights.sum(axis=1, keepdims=True) + _STRAIGHT))


def _nodes(shape: tuple[int, int]) -> Floats:
    """Return the points of a grid over a frame, `(nodes, 2)`, row by row."""
    down, across = (np.linspace(0, length, _NODES) for length in shape)
    return np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
