"""A blank's print, and looking for it in a scan: what registrations are refined on and judged by.

Landmarks are small patches around corners of the print (Shi and Tomasi 1994). Each is looked for
where it is expected, by normalised correlation, which light and shadow do not change.
"""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.documents.template import PER_MM, Template
from inkdigit.errors import SettingError
from inkdigit.images import Grey

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

# The long side of the picture that landmarks are looked for in.
_SIDE = 1200
# How many, how far apart, and how many pixels there are around the middle of a patch.
_MOST, LEAST, _APART, _PATCH = 300, 12, 12, 8
# People write so far beyond a field's box.
_BEYOND_MM = 1.0
# A patch looks like its landmark where it correlates so well.
_CORRELATION = 0.6
# So many neighbours say where a patch may be; those within about so many pixels how paper bends,
# and a few that lie nowhere hold it straight.
_NEIGHBOURS, _STRAYING, _BENDING, _STRAIGHT = 12, 3.0, 70.0, 1.0


class Blank:
    """The blank of a page of a form, counted from 1, and its landmarks.

    `small` is its print in the frame that landmarks are looked for in, `landmarks` are points
    `(n, 2)` of it, and a pixel of it is `mm` wide.
    """

    def __init__(self, template: Template, number: int) -> None:
        self.template, self.number = template, number
        self.fields = [field for field in template.fields if field.page == number]
        self.print = template.blank(number)
        self.small = fitted(self.print, _SIDE)
        self.mm = self.print.shape[1] / self.small.shape[1] / PER_MM
        self.smooth = cv2.GaussianBlur(self.small, (0, 0), 1.0)
        found = cv2.goodFeaturesToTrack(
            self.smooth, _MOST, 0.02, _APART, mask=self._around_fields(), blockSize=2 * _PATCH - 1
        )
        if found is None or len(found) < LEAST:
            raise SettingError(f"{self} has too little print to be found again in a scan")
        self.landmarks = np.rint(found[:, 0].astype(np.float64))

    def __str__(self) -> str:
        return f"page {self.number} of {self.template.name}"

    def _around_fields(self) -> Grey:
        """Return 255 where nobody writes; 0 in and around fields, and at the edges of the page."""
        around = np.zeros_like(self.small)
        around[_PATCH:-_PATCH, _PATCH:-_PATCH] = 255
        for field in self.fields:
            left, top, width, height = field.box
            edges = np.array([left, top, left + width, top + height]) / self.mm
            beyond = _BEYOND_MM / self.mm * np.array([-1, -1, 1, 1])
            x, y, right, bottom = np.rint(edges + beyond).clip(0).astype(int)
            around[y:bottom, x:right] = 0
        return around


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


def look(
    warped: npt.NDArray[Any], blank: Blank, expected: Floats, reach: int, visible: Bools
) -> tuple[Floats, Bools]:
    """Return how far each landmark strays from its place, and which correlate well there."""
    strays, alike = expected.copy(), np.zeros(len(expected), np.bool_)
    room = _PATCH + reach
    for i in np.flatnonzero(visible):
        x, y = blank.landmarks[i].astype(int)
        patch = blank.smooth[y - _PATCH : y + _PATCH + 1, x - _PATCH : x + _PATCH + 1]
        left, top = (np.rint((x, y) + expected[i]).astype(int) - room).clip(0)
        window = warped[top : top + 2 * room + 1, left : left + 2 * room + 1]
        if min(window.shape) < len(patch):
            continue
        scores = cv2.matchTemplate(window, patch, cv2.TM_CCOEFF_NORMED)
        _, best, _, (across, down) = cv2.minMaxLoc(scores)
        alike[i] = _CORRELATION <= best <= 1 + 1e-3  # beyond it there was nothing to correlate
        place = across + _peak(scores[down], across), down + _peak(scores[:, across], down)
        strays[i] = np.add(place, (left + _PATCH - x, top + _PATCH - y))
    return strays, alike


def _peak(scores: npt.NDArray[Any], at: int) -> float:
    """Return how far beside the best of several scores their parabola is highest."""
    if not 0 < at < len(scores) - 1:
        return 0.0
    before, best, after = scores[at - 1 : at + 2].tolist()
    return float((before - after) / (2 * (before - 2 * best + after) - 1e-9))


def agreeing(points: Floats, strays: Floats) -> Bools:
    """Return which points stray as their neighbours do; none of too few."""
    if len(points) < LEAST:
        return np.zeros(len(points), np.bool_)
    apart = np.linalg.norm(points[:, None] - points, axis=2)
    nearest = np.argsort(apart, axis=1)[:, :_NEIGHBOURS]
    usual = np.median(strays[nearest], axis=1)
    return np.asarray(np.hypot(*(strays - usual).T) <= _STRAYING)


def bend(places: Floats, points: Floats, strays: Floats) -> Floats:
    """Return by how much paper strays at some places, by the points around them."""
    apart = np.linalg.norm(places[:, None] - points, axis=2)
    weights = np.exp(-0.5 * (apart / _BENDING) ** 2)
    return np.asarray(weights @ strays / (weights.sum(axis=1, keepdims=True) + _STRAIGHT))
