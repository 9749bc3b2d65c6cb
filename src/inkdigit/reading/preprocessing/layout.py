"""What stands where on a page: connected pieces of ink, which are print, which form the line.

A picture is searched at no more than 512 pixels a side. What is a rule or a frame is told from
writing by its shape and place, and taken out of the ink.
"""

from dataclasses import dataclass
from statistics import median
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.reading.preprocessing.paper import LEAST_STROKE, Ink, binarise, holds_digit
from inkdigit.reading.result import Box

# A part of the ink, as float: what is scaled down would fade away by rounding otherwise.
Crop = npt.NDArray[np.float32]
Strokes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.intp]
Labels = npt.NDArray[np.integer]
Bodies = npt.NDArray[np.float64]
Column = npt.NDArray[np.float64]

# The side of a frame is thinner than this share of the picture.
FRAME_THICKNESS = 0.08


@dataclass(frozen=True)
class LayoutConfig:
    """The thresholds of layout, chosen by eye on drawn pictures and on the development sets.

    The tests in `tests/reading/preprocessing` hold what each was chosen for. Shares are of the
    picture's sides where nothing else is said. None was fitted; `benchmarks/reading.py` measures
    what they cost together.
    """

    # The longer side of a picture as it is searched, and the least that the shorter becomes.
    search_side: int = 512
    least_side: int = 16

    # A rule is so many times longer than high, and so long; a thinner one may be shorter.
    rule_shape: tuple[float, float] = (4, 0.5)
    thin_rule_shape: tuple[float, float] = (10, 0.3)
    # and no higher than this.
    rule_height: float = 0.2
    # An upright rule runs over so much of the picture's height, with no gaps as long as a part of
    # it, in straight parts as long as another. On average it is less than a share of that height
    # wide, and it reaches over less than another share of the picture's width.
    rule_span: float = 0.85
    rule_gap: int = 12
    rule_part: int = 4
    upright_rule: tuple[float, float] = (0.25, 0.4)
    # Two pieces clear of it are as high as the first share of it at least, and none as the second.
    beside_rule: tuple[float, float] = (0.1, 0.4)
    # A frame's upright side lies so close to the picture's edge,
    frame_reach: float = 0.03
    # a longer piece of it along the edge is so long,
    frame_length: float = 0.5
    # and no more of it than this lies off a tenth of the picture along the edge.
    frame_inside: float = 0.1

    # What the picture's upper or lower edge cuts off is the end of another line, if it is lower
    # than this share of the tallest piece.
    cut_off: float = 0.4
    # Pieces smaller than this share of the largest are specks.
    speck: float = 0.01
    # Pieces of the main line are at least this share of the tallest high.
    main_height: float = 0.4

    # How far a line image reaches above and below the digits' bodies, in their heights, where there
    # is writing: a tail or a rule that reaches farther is cut off.
    beyond_bodies: float = 0.2
    # A line that climbs less, in heights of its digits, is left as it is,
    least_climb: float = 0.5
    # and so is one of few digits, of which one astray decides, that seems to climb more steeply.
    steepest_few: float = 0.6

    # Wider gaps, in heights of the line, part numbers; digits in boxes of their own stand closer.
    widest_gap: float = 2.0
    # So does a gap wider than this that is so many times the others: around a dot one may be wide.
    wide_gap: float = 1.2
    times_others: float = 3.0
    # So many pieces of this share of the main line's height are another line; less is noise.
    other_lines: tuple[tuple[float, int], ...] = ((0.15, 3), (0.25, 2))

    # So many pieces about as high, in so many rows or more of two or more, are a page of numbers: a
    # line of the development sets has at most 7 pieces in 3.
    page_pieces: int = 8
    page_rows: int = 3

    # Pieces of one digit lie within this share of its largest piece's longer side.
    digit_reach: float = 0.3
    # Beside a digit: a dash is so many times wider than high and so wide, in heights of the digit,
    dash_shape: tuple[float, float] = (1.7, 0.15)
    # with its middle between these shares of the digit's height,
    dash_middle: tuple[float, float] = (0.25, 0.8)
    # and a dot is so large, with its middle between these.
    dot_size: float = 0.06
    dot_middle: tuple[float, float] = (0.8, 1.15)


CONFIG = LayoutConfig()
# OpenCV labels pieces in 16 bits up to so many pixels, in half the time.
_FEW_PIXELS = 100_000
# Two digits, one higher than the other, tell no slope.
_LEAST_BODIES = 3
# One astray of so many does not turn the median of their slopes.
_MANY_BODIES = 5


@dataclass(frozen=True)
class Layout:
    """Where the writing is on a page, in its pixels, and the page's ink without what is printed.

    `slope` is by how many pixels a line sinks for each to the right; its top and bottom are those
    at the left. `several_lines`, `far_apart` and `many_numbers` are said of a line, `beside` of a
    digit (see `LineImage` and `DigitImage`).
    """

    ink: Ink
    left: float
    top: float
    right: float
    bottom: float
    slope: float = 0.0
    several_lines: bool = False
    far_apart: bool = False
    many_numbers: bool = False
    beside: str = ""


def find_line(ink: Ink) -> Layout | None:
    """Return where the line of writing is in ink `uint8 (h, w)`; `None` where there is none."""
    pieces = _searched(ink)
    return pieces.line(ink) if pieces else None


def find_digit(ink: Ink) -> Layout | None:
    """Return where the one character is in ink `uint8 (h, w)`; `None` where there is none."""
    pieces = _searched(ink, ruled=False)
    return pieces.digit(ink) if pieces else None


def crop(ink: Ink, left: int, top: int, right: int, bottom: int) -> Crop:
    """Cut a box out of the ink, with paper where it reaches beyond the page."""
    height, width = ink.shape
    inside = ink[max(0, top) : min(bottom, height), max(0, left) : min(right, width)]
    beyond = max(0, -top), max(0, bottom - height), max(0, -left), max(0, right - width)
    return np.asarray(cv2.copyMakeBorder(inside, *beyond, cv2.BORDER_CONSTANT, value=0), np.float32)


def _searched(ink: Ink, *, ruled: bool = True) -> "_Pieces | None":
    """Return the pieces of ink `uint8 (h, w)`; `None` for blank paper, or too little of it.

    A picture that may be `ruled` is searched for the upright rules of a table.
    """
    if not holds_digit(ink.shape):
        return None
    height, width = ink.shape
    longer, shorter = max(height, width), min(height, width)
    scale = min(1.0, max(CONFIG.search_side / longer, CONFIG.least_side / shorter))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA) if scale < 1 else ink
    strokes = binarise(np.asarray(small, np.uint8))
    pieces = None if strokes is None else _Pieces(strokes, scale, ruled=ruled)
    return pieces if pieces and pieces.writing.any() else None


def _slope(x: Column, y: Column, height: float) -> float:
    """Return how steeply bodies of this height sink (Theil 1950, Sen 1968); 0 for hardly at all."""
    first, second = np.triu_indices(len(x), 1)
    far = x[second] - x[first] > height
    if len(x) < _LEAST_BODIES or not far.any():
        return 0.0
    first, second = first[far], second[far]
    slope = float(np.median((y[second] - y[first]) / (x[second] - x[first])))
    astray = len(x) < _MANY_BODIES and abs(slope) > CONFIG.steepest_few
    return 0.0 if astray or abs(slope) * np.ptp(x) <= CONFIG.least_climb * height else slope


def _connected(strokes: Strokes) -> tuple[Labels, Numbers]:
    """Return the numbers of connected pieces, and a row for each of its place, size and area."""
    # No more than a fourth of the pixels are pieces.
    kind = cv2.CV_16U if strokes.size < _FEW_PIXELS else cv2.CV_32S
    _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
        strokes, 8, kind, cv2.CCL_DEFAULT
    )
    return np.asarray(labels), stats[1:].astype(np.intp)


def _upright_rules(strokes: Strokes) -> Mask:
    """Return where strokes `uint8 (h, w)` run straight from the upper to the lower edge.

    They are what stays of them, made wider by a pixel on each side and with their gaps closed, when
    they are opened by upright lines. Those are short, so that a rule may lean.
    """
    high, across = strokes.shape
    gap, part = max(1, high // CONFIG.rule_gap), max(3, high // CONFIG.rule_part)
    wide = cv2.copyMakeBorder(
        cv2.dilate(strokes, np.ones((1, 3), np.uint8)), gap, gap, 0, 0, cv2.BORDER_REPLICATE
    )
    closed = cv2.morphologyEx(wide, cv2.MORPH_CLOSE, np.ones((gap, 1), np.uint8))[gap:-gap]
    straight = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((part, 1), np.uint8))
    labels, stats = _connected(np.asarray(straight, np.uint8))
    _, _, width, height, area = stats.T
    thickness, reach = CONFIG.upright_rule
    rules = (height >= CONFIG.rule_span * high) & (area < thickness * high * height)
    return np.concatenate([[False], rules & (width < reach * across)])[labels]


def _without_rules(strokes: Strokes) -> tuple[Mask, Labels, Numbers]:
    """Return where upright rules are, and the pieces of ink beside them.

    An upright stroke from edge to edge may be a 1, or the side of a 0. There are rules only where
    all else is much lower than the picture, and two pieces of it stand clear of them: one may be a
    comma or a dash between tall 1s.
    """
    rules, (labels, whole) = _upright_rules(strokes), _connected(strokes)
    if rules.any():
        others, pieces = _connected(np.where(rules, np.uint8(0), strokes))
        left, _, width, height, _ = pieces.T
        at_side = (left == 0) | (left + width == strokes.shape[1])
        written = height[~(at_side & (width < FRAME_THICKNESS * height))]
        clear = np.delete(whole[:, cv2.CC_STAT_HEIGHT], np.setdiff1d(labels[rules], 0) - 1)
        least, most = (share * len(strokes) for share in CONFIG.beside_rule)
        if np.count_nonzero(clear >= least) > 1 and written.max(initial=0) < most:
            return rules, others, pieces
    return np.zeros_like(rules), labels, whole


class _Pieces:
    """Connected pieces of ink in a picture `(height, width)`, `scale` times as large as the page.

    And which of them are `printed`, and which are `writing`.
    """

    def __init__(self, strokes: Strokes, scale: float, *, ruled: bool) -> None:
        rules, labels, stats = (
            _without_rules(strokes)
            if ruled
            else (np.zeros(strokes.shape, np.bool_), *_connected(strokes))
        )
        self.rules, self.labels, self.scale = rules, labels, scale
        self.x, self.y, self.width, self.height, self.area = stats.T
        self.right, self.bottom = self.x + self.width, self.y + self.height
        self.printed = self._printed()
        self.writing = self._writing()

    def _printed(self) -> Mask:
        """Return which pieces are rules, or frames along the edge of the picture."""
        high, wide = self.labels.shape
        rule = np.zeros(len(self.area), np.bool_)
        for times, share in (CONFIG.rule_shape, CONFIG.thin_rule_shape):
            rule |= (self.width > times * self.height) & (self.width > share * wide)
        rule &= self.height < CONFIG.rule_height * high
        top, bottom = self.y == 0, self.bottom == high
        left, right = self.x == 0, self.right == wide
        # A frame's side runs from edge to edge; a tall 1 beside the edge leans.
        reach = CONFIG.frame_reach
        at_side = (self.x < reach * wide) | (self.right > (1 - reach) * wide)
        spans = top & bottom & (self.width < FRAME_THICKNESS * self.height)
        upright = spans & at_side
        length = CONFIG.frame_length
        long = (self.width > length * wide) | (self.height > length * high)
        frame = (top | bottom | left | right) & long
        for number in np.flatnonzero(frame & ~rule & ~upright):
            frame[number] = self._hugs_edge(number)
        return np.asarray(rule | upright | frame)

    def _hugs_edge(self, number: np.intp) -> bool:
        """Return whether a piece lies nearly whole in a narrow band along the picture's edge."""
        down, across = self.labels.shape[0] // 10 + 1, min(self.labels.shape) // 10 + 1
        inner = self.labels[down:-down, across:-across] == number + 1
        return bool(np.count_nonzero(inner) < CONFIG.frame_inside * self.area[number])

    def _writing(self) -> Mask:
        """Return which pieces are writing: not printed, no specks, no ends of other lines."""
        high = self.labels.shape[0]
        kept = ~self.printed
        if not kept.any():
            return ~kept
        tallest = self.height[kept].max()
        at_edge = (self.y == 0) | (self.bottom == high)
        kept &= ~(at_edge & (self.height < CONFIG.cut_off * tallest))
        if kept.any():
            kept &= self.area >= max(2.0, CONFIG.speck * self.area[kept].max())
        return kept

    def line(self, ink: Ink) -> Layout:
        """Return the line that holds most of the writing.

        And whether the picture shows another line, of two characters or more, whole, or a page of
        them; and whether a gap in the line is as wide as those between numbers.
        """
        writing = self.writing
        tallest = self.height[writing].max()
        main = np.flatnonzero(writing & (self.height >= CONFIG.main_height * tallest))
        main, several = self._main_line(main)
        top, bottom = self.y[main].min(), self.bottom[main].max()
        middle = self.y + self.height / 2
        inline = writing & (middle >= top) & (middle <= bottom)
        for band in (writing & (middle < top), writing & (middle > bottom)):
            if not several and np.count_nonzero(band) > 1:
                several = self._holds_line(np.flatnonzero(band), bottom - top)
        left, right = int(self.x[inline].min()), int(self.right[inline].max())
        apart = self._far_apart(main, int(bottom - top))
        many = self._many_numbers()
        slope, top, bottom = self._band(main, left)
        said = {"several_lines": several, "far_apart": apart, "many_numbers": many}
        return self._layout(ink, (left, top, right, bottom), slope=slope, **said)

    def _band(self, main: Numbers, left: int) -> tuple[float, float, float]:
        """Return the slope of a line, and its top and bottom at its left: the bodies of its digits.

        What reaches far above or below the usual top and bottom is a tail, a long stroke or a rule,
        and does not count.
        """
        bodies = self._bodies(main)
        x, tops, bottoms = bodies[:, :2].mean(axis=1), bodies[:, 2], bodies[:, 3]
        height = float(np.median(bottoms - tops))
        slope = _slope(x, (tops + bottoms) / 2, height)
        tops, bottoms = tops - slope * (x - left), bottoms - slope * (x - left)
        room = CONFIG.beyond_bodies * height
        top = max(float(tops.min()), float(np.median(tops)) - room)
        return slope, top, min(float(bottoms.max()), float(np.median(bottoms)) + room)

    def _bodies(self, main: Numbers) -> Bodies:
        """Return left, right, top and bottom of pieces, as one of those above each other."""
        bodies: list[list[int]] = []
        boxes = np.stack([self.x, self.right, self.y, self.bottom], axis=1)[main]
        for left, right, top, bottom in boxes[np.argsort(boxes[:, 0])].tolist():
            last = bodies[-1] if bodies else [left, left, top, bottom]
            common = min(last[1], right) - left
            if bodies and 2 * common >= min(last[1] - last[0], right - left):
                last[1:] = max(last[1], right), min(last[2], top), max(last[3], bottom)
            else:
                bodies.append([left, right, top, bottom])
        return np.array(bodies, np.float64)

    def _many_numbers(self) -> bool:
        """Return whether characters stand in rows, whatever grid is around them.

        What is taller, and no grid, has less ink: else they are the texture of the paper.
        """
        high, wide = self.labels.shape
        pieces = ~self.printed
        small = pieces & (self.height >= LEAST_STROKE) & (self.height < high / CONFIG.page_rows)
        if np.count_nonzero(small) < CONFIG.page_pieces:
            return False
        usual = float(np.median(self.height[small]))
        alike = small & (self.height >= usual / 2) & (self.height <= usual * 2)
        taller = pieces & (self.height > usual * 2) & (self.width < wide / 2)
        middles = np.sort(self.y[alike] + self.height[alike] / 2)
        rows = 1 + int(np.count_nonzero(np.diff(middles) > usual / 2))
        many = rows >= CONFIG.page_rows and len(middles) >= max(CONFIG.page_pieces, 2 * rows)
        return bool(many and self.area[alike].sum() > self.area[taller].sum())

    def _far_apart(self, pieces: Numbers, height: int) -> bool:
        """Return whether a wide gap parts the pieces of a line of this height."""
        if len(pieces) < 2:
            return False
        order = pieces[np.argsort(self.x[pieces])]
        reach = np.maximum.accumulate(self.right[order])
        gaps = sorted((self.x[order][1:] - reach[:-1]).tolist())
        usual = median(gaps[:-1]) if len(gaps) > 1 else CONFIG.widest_gap * height
        wide = max(CONFIG.wide_gap * height, CONFIG.times_others * usual)
        return bool(gaps[-1] > min(CONFIG.widest_gap * height, wide))

    def _main_line(self, pieces: Numbers) -> tuple[Numbers, bool]:
        """Return those of the pieces that stand on the line that holds most, and if others do."""
        order = pieces[np.argsort(self.y[pieces], kind="stable")]
        reach = np.maximum.accumulate(self.bottom[order])
        # Rows of paper part lines.
        parted = np.flatnonzero(self.y[order][1:] >= reach[:-1])
        if not len(parted):
            return pieces, False
        lines = [band for band in np.split(order, 1 + parted) if self._side_by_side(band)]
        several = sum(self._whole(line) for line in lines) > 1
        if len(lines) < 2:
            return pieces, several
        return max(lines, key=lambda line: self.area[line].sum()), several

    def _holds_line(self, pieces: Numbers, height: int) -> bool:
        """Return whether the pieces hold another line, whole, beside one of this height."""
        for share, least in CONFIG.other_lines:
            large = pieces[self.height[pieces] >= share * height]
            if len(large) >= least and self._side_by_side(large) and self._whole(large):
                return True
        return False

    def _side_by_side(self, pieces: Numbers) -> bool:
        """Return whether two of the pieces stand beside each other."""
        return bool(self.x[pieces].max() >= self.right[pieces].min())

    def _whole(self, pieces: Numbers) -> bool:
        """Return whether the pieces lie clear of the picture's upper and lower edge."""
        ends = self.y[pieces].min(), self.bottom[pieces].max()
        return bool(ends[0] > 0 and ends[1] < self.labels.shape[0])

    @property
    def _largest(self) -> int:
        return int(np.argmax(np.where(self.writing, self.area, 0)))

    def digit(self, ink: Ink) -> Layout:
        """Return the largest piece and those close, and what stands beside."""
        one = self._largest
        reach = CONFIG.digit_reach * max(self.height[one], self.width[one])
        near = self.writing & (self.x < self.right[one] + reach)
        near &= self.right > self.x[one] - reach
        near &= (self.y < self.bottom[one] + reach) & (self.bottom > self.y[one] - reach)
        left, top = int(self.x[near].min()), int(self.y[near].min())
        box = left, top, int(self.right[near].max()), int(self.bottom[near].max())
        return self._layout(ink, box, beside=self._beside(box))

    def _beside(self, box: Box) -> str:
        """Return what stands beside the largest piece, or outside the box of what is close to it.

        That is another `character`, of some height, or a `dash` or a `dot` ahead; else nothing.
        """
        largest, writing = self._largest, self.writing
        height, top = self.height[largest], self.y[largest]
        before = writing & (self.right <= self.x[largest])
        beside = before | (writing & (self.x >= self.right[largest]))
        outside = (self.x >= box[2]) | (self.right <= box[0])
        outside |= (self.y >= box[3]) | (self.bottom <= box[1])
        outside &= writing & (2 * self.height >= box[3] - box[1])
        if (outside | (beside & (2 * self.height >= height))).any():
            return "character"
        middle = (self.y + self.height / 2 - top) / height
        times, share = CONFIG.dash_shape
        wide = (self.width >= times * self.height) & (self.width >= share * height)
        low, high = CONFIG.dash_middle
        if (before & wide & (middle > low) & (middle < high)).any():
            return "dash"
        large = np.maximum(self.width, self.height) >= CONFIG.dot_size * height
        low, high = CONFIG.dot_middle
        return "dot" if (before & large & (middle >= low) & (middle < high)).any() else ""

    def _layout(self, ink: Ink, box: tuple[float, float, float, float], **said: Any) -> Layout:
        """Return a box `(left, top, right, bottom)` in pixels of the page, and what is said."""
        left, top, right, bottom = (side / self.scale for side in box)
        return Layout(self._clean(ink), left, top, right, bottom, **said)

    def _clean(self, ink: Ink) -> Ink:
        """Return the ink of the page without what is printed."""
        if self.printed.all() or not (self.printed.any() or self.rules.any()):
            return ink
        labels = self.labels
        mask = (self.rules | np.concatenate([[False], self.printed])[labels]).astype(np.uint8)
        wide = cv2.dilate(mask, np.ones((3, 3), np.uint8))
        # The halo of a rule goes with it, the ink of a digit that stands on it does not.
        wide[(labels > 0) & (mask == 0)] = 0
        full = cv2.resize(wide, ink.shape[::-1], interpolation=cv2.INTER_NEAREST)
        return np.where(full > 0, np.uint8(0), ink)
