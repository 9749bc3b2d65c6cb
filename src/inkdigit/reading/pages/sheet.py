"""A sheet of paper on a desk, as if it were seen from straight above."""

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.images import Grey

Matrix = npt.NDArray[np.float64]

# A sheet takes so much of the picture, and is so much lighter than what it lies on; and so much of
# its four-cornered outline is paper.
_LEAST_AREA, _LIGHTER, _FILLED = 0.2, 40, 0.95
# Corners closer than this to where an upright rectangle's are stay, in lengths of the sheet.
_STRAIGHT = 0.012
# So much of what lies around a sheet stays, in lengths of it: it may be a box on a larger one.
_AROUND = 0.5


class Flat(NamedTuple):
    """A page without perspective.

    `matrix` `(3, 3)` takes its pixels to those of the picture, whose height and width `shape` is.
    """

    page: Grey
    matrix: Matrix
    shape: tuple[int, int]

    def to_picture(self, points: Matrix) -> Matrix:
        """Return points `(n, 2)` in pixels of the picture."""
        return np.asarray(cv2.perspectiveTransform(points[None], self.matrix)[0], np.float64)


def flattened(grey: Grey, small: Grey) -> Flat:
    """Return a page as seen from above, where all four corners of its sheet show on a darker desk.

    They are looked for in `small`, the same picture some hundred pixels wide. Any other page, and
    one that lies straight already, is returned as it is.
    """
    corners = find_sheet(small)
    if corners is None:
        return Flat(grey, np.eye(3), grey.shape)
    corners = corners * np.array(grey.shape[::-1]) / small.shape[::-1]
    left_upper, right_upper, right_lower, left_lower = corners
    width = (np.hypot(*(right_upper - left_upper)) + np.hypot(*(right_lower - left_lower))) / 2
    height = (np.hypot(*(left_lower - left_upper)) + np.hypot(*(right_lower - right_upper))) / 2
    upright = np.array([[0, 0], [width, 0], [width, height], [0, height]])
    away = np.hypot(*(corners - corners.mean(axis=0) - upright + upright.mean(axis=0)).T)
    if away.max() < _STRAIGHT * max(width, height):
        return Flat(grey, np.eye(3), grey.shape)
    to_flat = cv2.getPerspectiveTransform(corners.astype(np.float32), upright.astype(np.float32))
    rows, columns = grey.shape
    edges = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float64)
    low, high = np.zeros(2), upright[2].round()
    # Where the horizon of the sheet's plane crosses the picture, nothing around the sheet is kept.
    depths = np.concatenate([corners, edges]) @ to_flat[2, :2] + to_flat[2, 2]
    if (depths * depths[0] > 0).all():
        ends = cv2.perspectiveTransform(edges[None], to_flat)[0]
        low = np.maximum(ends.min(axis=0), -_AROUND * upright[2]).round()
        high = np.minimum(ends.max(axis=0), (1 + _AROUND) * upright[2]).round()
    shift = np.array([[1, 0, low[0]], [0, 1, low[1]], [0, 0, 1]])
    matrix = np.linalg.inv(to_flat) @ shift
    size = (int(high[0] - low[0]), int(high[1] - low[1]))
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    page = cv2.warpPerspective(grey, matrix, size, None, how, cv2.BORDER_REPLICATE)
    return Flat(np.asarray(page, np.uint8), matrix, grey.shape)


def find_sheet(grey: Grey) -> Matrix | None:
    """Return the corners `(4, 2)` of the sheet in a picture, clockwise from the left upper one.

    `None` where no sheet shows with all of them.
    """
    small = cv2.GaussianBlur(grey, (5, 5), 0)
    _, light = cv2.threshold(small, 0, 1, cv2.THRESH_OTSU)
    light = cv2.morphologyEx(light, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
    outlines, _ = cv2.findContours(light, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    outline = cv2.convexHull(max(outlines, key=cv2.contourArea, default=np.zeros((1, 1, 2), int)))
    corners = cv2.approxPolyDP(outline, 0.02 * cv2.arcLength(outline, True), True)[:, 0]
    if len(corners) != 4 or not _is_inside(corners, small.shape):
        return None
    sheet = cv2.fillConvexPoly(np.zeros_like(light), corners, 1).astype(bool)
    if sheet.mean() < _LEAST_AREA or light[sheet].mean() < _FILLED:
        return None
    if np.median(small[sheet]) - np.median(small[~sheet]) < _LIGHTER:
        return None
    middle = corners - corners.mean(axis=0)
    clockwise = corners[np.argsort(np.arctan2(middle[:, 1], middle[:, 0]))]
    # The uppermost side begins with it.
    first = int((clockwise + np.roll(clockwise, -1, axis=0))[:, 1].argmin())
    return np.asarray(np.roll(clockwise, -first, axis=0), np.float64)


def _is_inside(corners: npt.NDArray[Any], shape: tuple[int, ...]) -> bool:
    """Return whether no corner lies at the edge of a picture, where the sheet may go on."""
    return bool((corners > 1).all() and (corners < np.array(shape[::-1]) - 2).all())
