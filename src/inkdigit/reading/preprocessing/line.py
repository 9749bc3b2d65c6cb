"""The line image: a line of writing, cut out of its page at the height that line networks read."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.images import Grey
from inkdigit.reading.preprocessing.layout import Crop, crop, find_line
from inkdigit.reading.preprocessing.paper import PAPER_NOISE, Ink, find_ink
from inkdigit.reading.result import Box

LINE_HEIGHT = 32
# A line image is at most so wide: over two hundred digits, more than any field holds.
MAX_LINE_WIDTH = 4096
# Paper around the writing, in its heights.
_MARGIN = 0.12
# Writing several times as high is made smaller before paper is put around it: a picture 20 pixels
# wide and 30,000 high would take a gigabyte with its margins.
_TALLEST = 2048
# Ink of a line image that is darker is a stroke, and one of fewer pixels than this is no mark.
_STROKE = 80
_LEAST_MARK = 4
# A stroke of this share of a digit's height may be one: of a photographed 11 the first 1 was half
# as tall.
_TALL = 0.45


@dataclass(frozen=True)
class LineImage:
    """A line of writing made ready for a line network.

    `pixels` is `uint8 (32, width)`, ink 255 on paper 0. It is the area `(left, top, width, height)`
    of a picture of the shape `page`, beyond whose edges it may reach; where the line sinks by
    `slope` pixels for each to the right, it is the top at its left. `several_lines` says that the
    picture shows another line, whole, `far_apart` that there is a gap as between two numbers, and
    `many_numbers` that the picture is a page of them.
    """

    pixels: Grey
    area: Box
    page: tuple[int, int]
    several_lines: bool = False
    far_apart: bool = False
    many_numbers: bool = False
    slope: float = 0.0

    @cached_property
    def strokes(self) -> npt.NDArray[np.uint8]:
        """1 where there is a stroke, `uint8 (32, width)`."""
        return np.asarray(cv2.threshold(self.pixels, _STROKE, 1, cv2.THRESH_BINARY)[1], np.uint8)

    @cached_property
    def pieces(self) -> list[list[int]]:
        """Left, top, width and height of the connected pieces of ink, from left to right."""
        pieces = cv2.connectedComponentsWithStats(self.strokes)[2][1:]
        pieces = pieces[pieces[:, cv2.CC_STAT_AREA] >= _LEAST_MARK, : cv2.CC_STAT_AREA]
        return cast("list[list[int]]", pieces[np.argsort(pieces[:, cv2.CC_STAT_LEFT])].tolist())

    def has_ink(self, start: int, end: int) -> bool:
        """Return whether there is more than paper's texture between two columns."""
        return bool(self.pixels[:, max(0, start) : end].max(initial=0) > 255 * PAPER_NOISE)

    def tall_groups(self, digits: Sequence[Box], marks: Sequence[Box]) -> int:
        """Return how many groups the pieces form that are about as tall as the digits.

        Boxes are in pixels of the picture. What stands above or below each other is one group, and
        what is a mark is none.
        """
        across, down = self._scale
        height = max(box[3] for box in digits) * down
        middles = [(box[0] + box[2] / 2 - self.area[0]) * across for box in marks]
        groups, end = 0, -1
        for left, _, width, tall in self.pieces:
            if tall < _TALL * height or any(left <= x <= left + width for x in middles):
                continue
            groups += left >= end
            end = max(end, left + width)
        return groups

    def dot_ahead(self) -> bool:
        """Return whether a dot on the baseline is the first piece of ink."""
        if len(self.pieces) < 2:
            return False
        (left, top, width, height), second = self.pieces[:2]
        small = max(width, height) <= LINE_HEIGHT / 4
        low = top + height / 2 >= 0.7 * LINE_HEIGHT
        return small and low and left + width <= second[0]

    @property
    def is_column(self) -> bool:
        """Whether pieces stand higher than wide, as those of a number do that lies on its side."""
        tall = self.area[3] > self.area[2]
        return tall and len(self.pieces) > 1 and not self.many_numbers

    @property
    def _scale(self) -> tuple[float, float]:
        """Pixels of the line image for one of the picture, across and down."""
        height, width = self.pixels.shape
        return width / self.area[2], height / self.area[3]

    def to_picture(self, x: int, y: int, width: int, height: int) -> Box:
        """Return a box of the line image in whole pixels of the picture; it has at least one."""
        left, top = map(float, self.area[:2])
        page_height, page_width = self.page
        across, down = self._scale
        top += self.slope * (x + width / 2) / across
        x, width = _within(left + x / across, left + (x + width) / across, page_width)
        y, height = _within(top + y / down, top + (y + height) / down, page_height)
        return x, y, width, height


def _within(first: float, end: float, length: int) -> tuple[int, int]:
    """Return where a stretch begins in a side of this length, and its own, in whole pixels."""
    start = min(max(round(first), 0), length - 1)
    return start, max(1, min(round(end), length) - start)


def extract_line(grey: Grey) -> LineImage | None:
    """Return the line of writing on a page; `None` where there is none.

    Of several lines it is the one with most ink.
    """
    found = find_line(find_ink(grey))
    if found is None:
        return None
    margin = _MARGIN * (found.bottom - found.top) + 1
    left, top = int(np.floor(found.left - margin)), int(np.floor(found.top - margin))
    right, bottom = int(np.ceil(found.right + margin)), int(np.ceil(found.bottom + margin))
    scale = LINE_HEIGHT / (bottom - top)
    width = min(max(LINE_HEIGHT // 2, round((right - left) * scale)), MAX_LINE_WIDTH)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    piece = _cut_out(found.ink, left, top, right, bottom, found.slope)
    pixels = cv2.resize(piece, (width, LINE_HEIGHT), interpolation=method)
    rank = pixels.size // 50
    peak = max(float(np.partition(pixels.ravel(), -rank)[-rank]), 0.5 * float(pixels.max()), 1e-6)
    full = np.minimum(pixels * (255 / peak), 255).astype(np.uint8)
    area = (left, top, right - left, bottom - top)
    told = found.several_lines, found.far_apart, found.many_numbers
    return LineImage(full, area, grey.shape, *told, found.slope)


def _cut_out(ink: Ink, left: int, top: int, right: int, bottom: int, slope: float) -> Crop:
    """Cut a box out of the ink, larger than the line image but not beyond all measure.

    Its columns are moved up or down so that a line of this slope lies level.
    """
    times = max(1, (bottom - top) // _TALLEST)
    if times > 1:
        height, width = (max(1, side // times) for side in ink.shape)
        ink = np.asarray(cv2.resize(ink, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    left, top, right, bottom = (side // times for side in (left, top, right, bottom))
    if not slope:
        return crop(ink, left, top, right, bottom)
    sunk = slope * (right - left)
    above, below = int(np.floor(min(0.0, sunk))), int(np.ceil(max(0.0, sunk)))
    matrix = np.array([[1.0, 0.0, 0.0], [-slope, 1.0, above]])
    size = right - left, bottom - top
    level = cv2.warpAffine(crop(ink, left, top + above, right, bottom + below), matrix, size)
    return np.asarray(level, np.float32)
