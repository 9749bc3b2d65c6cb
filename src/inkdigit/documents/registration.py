"""From a scan to the frame of its blank: proposed by features, refined and judged by landmarks.

Markers propose homographies where the blank has some, else ORB (Rublee et al. 2011) does, and SIFT
(Lowe 2004) where those are not borne out, all through MAGSAC++ (Barath et al. 2020). What counts is
the blank's own print: a proposal by which that is not found again is refused, as a field read in
the wrong place looks like any other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.documents.landmarks import (
    LEAST,
    Blank,
    Bools,
    Floats,
    agreeing,
    bend,
    fitted,
    look,
    mapped,
)  # fmt: skip
from inkdigit.documents.markers import code_in, code_of, marker_corners
from inkdigit.documents.template import PER_MM, BoxMm, Template
from inkdigit.errors import ImageError
from inkdigit.images import Grey

# The long side of the picture that features are looked for in, and that landmarks are looked for
# in; and the least short side.
_FEATURES_SIDE, _SEARCHED_SIDE, _LEAST_SIDE = 800, 1600, 100
_MOST_FEATURES = 1500
_WAYS = "markers", "ORB", "SIFT"
# A match is better than the next one by this factor (Lowe 2004), and lies within so many pixels.
_RATIO, _INLIER, _LEAST_MATCHES = 0.8, 4.0, 10
# How far patches are looked for: twice to refit the homography, then to learn how paper bends, and
# in the end from where their neighbours say that they lie. They are found within so many pixels.
_REACHES, _REFITS, _LAST_REACH, _REFIT_INLIER, _EXACT = (12, 8, 8, 8), 2, 4, 6.0, 2.0
# So many proposals are judged, the best ones first.
_TRIED = 3
# A page is registered where the scan reaches this share of its landmarks and this share of those is
# found; a field is in its place where this share is found of so many landmarks around it.
_VISIBLE, _SHARE, _NEAR_SHARE, _NEAREST = 0.6, 0.6, 0.4, 12
# It is another page if it is found as well within this share, another copy if it lies so far away
# in shares of the scan.
_CLEARLY, _ELSEWHERE = 0.15, 0.1


@dataclass(frozen=True, eq=False)
class Registration:
    """Where a page of a form lies in a scan: a homography, and how paper bends.

    `matrix` takes pixels of the blank's frame to those of the scan. The scan reaches the landmarks
    that are `visible`, and shows those that are `found`: they stray by `strays (n, 2)` pixels of
    the frame, `residual_pixels` from where they are expected.
    """

    blank: Blank
    scan: Grey
    matrix: Floats
    strays: Floats
    visible: Bools
    found: Bools
    residual_pixels: Floats

    @classmethod
    def refined(cls, scan: Grey, blank: Blank, matrix: Floats) -> Self | None:
        """Return what a homography leads to; `None` if the print does not bear it out."""
        smooth, points = cv2.GaussianBlur(scan, (0, 0), 1.0), blank.landmarks
        expected = np.zeros_like(points)
        size, how = blank.small.shape[::-1], cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        for step, reach in enumerate(_REACHES):
            if step <= _REFITS:
                warped = cv2.warpPerspective(smooth, matrix, size, None, how, cv2.BORDER_REPLICATE)
                places = mapped(matrix, points)
                within = (places >= 0) & (places < scan.shape[::-1])
                visible = np.asarray(within.all(axis=1), np.bool_)
            strays, alike = look(warped, blank, expected, reach, visible)
            alike[alike] = agreeing(points[alike], strays[alike])
            if alike.sum() < LEAST:
                return None
            good, there = points[alike], points[alike] + strays[alike]
            if step < _REFITS:
                refit = cv2.findHomography(good, there, cv2.RANSAC, _REFIT_INLIER)[0]
                matrix = matrix if refit is None else matrix @ refit
            else:
                expected = bend(points, good, strays[alike])
        strays, alike = look(warped, blank, expected, _LAST_REACH, visible)
        residual = np.hypot(*(strays - expected).T)
        return cls(blank, scan, matrix, strays, visible, alike & (residual <= _EXACT), residual)

    @property
    def share(self) -> float:
        """Of the landmarks that the scan reaches, the share that is found again."""
        return float(self.found.sum() / max(1, self.visible.sum()))

    @property
    def residual(self) -> float:
        """How many mm lie between where landmarks are expected and found, for 95 of 100."""
        found = self.residual_pixels[self.found]
        return float(np.percentile(found, 95)) * self.blank.mm if len(found) else 0.0

    @property
    def doubt(self) -> str:
        """Why it is refused; nothing where it is sure."""
        if self.visible.mean() < _VISIBLE:
            return f"only a part of {self.blank} is on the picture"
        if self.share < _SHARE:
            return f"{self.share:.0%} of the print of {self.blank} is found again"
        return ""

    def doubt_at(self, box: BoxMm) -> str:
        """Return why a box may lie elsewhere on the scan; nothing where it is sure."""
        corners = self.corners(box)
        if (corners < -1).any() or (corners > self.scan.shape[::-1]).any():
            return "it lies outside of the picture"
        middle = np.array([box[0] + box[2] / 2, box[1] + box[3] / 2]) / self.blank.mm
        apart = np.hypot(*(self.blank.landmarks - middle).T)
        nearest = np.argsort(np.where(self.visible, apart, np.inf))[:_NEAREST]
        near = self.found[nearest].mean() >= _NEAR_SHARE
        return "" if near else "the print around it looks otherwise than on the blank"

    @property
    def rotate(self) -> int:
        """By how many degrees the scan has to be turned clockwise to stand upright, by quarters."""
        left, right, *_ = self.corners((0.0, 0.0, 100.0, 100.0))
        across, down = right - left
        return -90 * round(float(np.degrees(np.arctan2(down, across))) / 90) % 360

    def copy(self, *boxes: BoxMm) -> str:
        """Return which copy this is by the QR code in some boxes, in one of them at least.

        Raises `ImageError` where none can be read, or one is of another page or copy.
        """
        codes = {code for box in boxes if (code := code_in(self.cut(box)))}
        if not codes:
            raise ImageError(f"the code of {self.blank} cannot be read")
        code, its = codes.pop(), code_of(self.blank.template.name, self.blank.number)
        if codes or not code.startswith(its):
            raise ImageError(f"a code on {self.blank} is that of another page")
        return code.removeprefix(its)

    def on(self, scan: Grey) -> Self:
        """Return it for the same scan in other pixels."""
        scale = np.diag([*np.divide(scan.shape[::-1], self.scan.shape[::-1]), 1.0])
        return replace(self, scan=scan, matrix=scale @ self.matrix)

    def corners(self, box: BoxMm) -> Floats:
        """Return the corners `(4, 2)` of a box in mm, clockwise, as pixels of the scan."""
        left, top, width, height = box
        corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * (width, height) + (left, top)
        places, found = corners / self.blank.mm, self.found
        strays = bend(places, self.blank.landmarks[found], self.strays[found])
        return mapped(self.matrix, places + strays)

    def cut(self, box: BoxMm) -> Grey:
        """Return a box as it lies on the scan, at 200 dpi; beyond the scan its edge goes on."""
        there, size = self.corners(box), tuple(round(side * PER_MM) for side in box[2:])
        # A finer scan is cut out finer, and then reduced.
        times = max(1, round(float(np.linalg.norm(there[1] - there[0])) / size[0]))
        width, height = size[0] * times, size[1] * times
        ends = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32) - 0.5
        matrix = cv2.getPerspectiveTransform(ends, np.asarray(there - 0.5, np.float32))
        how, edge = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, cv2.BORDER_REPLICATE
        cut = cv2.warpPerspective(self.scan, matrix, (width, height), None, how, edge)
        return np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), np.uint8)


@dataclass(frozen=True, eq=False)
class _Features:
    """Points of a picture, in its pixels, and their descriptors."""

    points: Floats
    descriptors: npt.NDArray[Any] | None
    norm: int

    @classmethod
    def of(cls, picture: Grey, way: str) -> Self:
        if way == "markers":
            return cls(*marker_corners(picture), cv2.NORM_L2)
        small, sift = fitted(picture, _FEATURES_SIDE), way == "SIFT"
        detector = (cv2.SIFT if sift else cv2.ORB).create(_MOST_FEATURES)
        found, descriptors = detector.detectAndCompute(small, None)
        points = np.array([point.pt for point in found]).reshape(-1, 2) + 0.5
        scale = max(picture.shape) / max(small.shape)
        return cls(points * scale - 0.5, descriptors, cv2.NORM_L2 if sift else cv2.NORM_HAMMING)

    def matched(self, blank: Self) -> tuple[Floats, Floats]:
        """Return points of the blank, and those here that look like them."""
        if self.descriptors is None or blank.descriptors is None or len(blank.points) < 2:
            return np.empty((0, 2)), np.empty((0, 2))
        pairs = cv2.BFMatcher(self.norm).knnMatch(self.descriptors, blank.descriptors, k=2)
        good = [one for one, other in pairs if one.distance < _RATIO * other.distance]
        theirs, ours = [one.trainIdx for one in good], [one.queryIdx for one in good]
        return blank.points[theirs], self.points[ours]


class Registrar:
    """Finds pages of forms in scans: which one a scan shows, and where."""

    def __init__(self, templates: Sequence[Template]) -> None:
        blanks = [Blank(form, n + 1) for form in templates for n in range(len(form.pages))]
        self._known = [
            (one, {way: _Features.of(one.small, way) for way in _WAYS}) for one in blanks
        ]

    def register(self, scan: Grey) -> Registration:
        """Return where which page lies in a scan; `ImageError` where that is in doubt."""
        tried, small = list[Registration](), fitted(scan, _SEARCHED_SIDE)
        if min(small.shape) < _LEAST_SIDE:
            raise ImageError("it is too small to show a page")
        for way in _WAYS:
            proposals = sorted(self._proposals(small, way), key=lambda proposal: -proposal[0])
            for _, blank, matrix in proposals[:_TRIED]:
                if found := Registration.refined(small, blank, matrix):
                    tried.append(found)
            if sure := [one for one in tried if not one.doubt]:
                return _only(sure).on(scan)
        best = max(tried, key=lambda one: one.share, default=None)
        raise ImageError(f"it shows no page of the form{f': {best.doubt}' if best else ''}")

    def _proposals(self, scan: Grey, way: str) -> Iterator[tuple[int, Blank, Floats]]:
        """Yield how many matches agree on a homography of a blank; two of two copies of a page."""
        known = [(blank, features[way]) for blank, features in self._known]
        if not any(len(features.points) for _, features in known):
            return
        seen = _Features.of(scan, way)
        for blank, features in known:
            points, found = seen.matched(features)
            for _ in range(2):
                if len(points) < _LEAST_MATCHES:
                    break
                matrix, mask = cv2.findHomography(points, found, cv2.USAC_MAGSAC, _INLIER)
                if matrix is None or mask.sum() < _LEAST_MATCHES:
                    break
                yield int(mask.sum()), blank, np.asarray(matrix, np.float64)
                points, found = points[mask.ravel() == 0], found[mask.ravel() == 0]


def _only(sure: list[Registration]) -> Registration:
    """Return the surest of several; `ImageError` where another may be meant as well."""
    best, *others = sorted(sure, key=lambda one: -one.share)
    page = 0.0, 0.0, 100.0, 100.0
    for other in others:
        apart = np.abs(best.corners(page) - other.corners(page)).max() / max(best.scan.shape)
        if other.blank is best.blank and apart > _ELSEWHERE:
            raise ImageError(f"it shows {best.blank} twice: scan each page by itself")
        if other.blank is not best.blank and other.share > best.share - _CLEARLY:
            raise ImageError(f"it may be {best.blank} or {other.blank}")
    return best
