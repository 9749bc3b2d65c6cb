"""From a grey page to its ink: away with paper, shadow, rules and frames, and find the writing.

What networks are shown comes from here, in training and in use: `normalise` gives one digit as
MNIST has it, and `strip` a line of writing at the height that line networks read.
"""

from dataclasses import dataclass
from statistics import median

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.images import Grey

SIZE = 28
BOX = 20
STRIP_HEIGHT = 32
# A strip is at most so wide: over two hundred digits, more than any field holds.
MAX_STRIP_WIDTH = 4096
# A page whose ink differs from its paper by less than this (of 255) is blank.
BLANK_CONTRAST = 12
# Fainter than this share of the blackest ink is paper texture, not a stroke.
PAPER_NOISE = 0.125

# How far each pixel stands out from its paper.
Ink = npt.NDArray[np.uint8]
# A part of it, as float: what is scaled down would fade away by rounding otherwise.
Crop = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.intp]
Labels = npt.NDArray[np.integer]
Box = tuple[int, int, int, int]

_PAPER_HEIGHT = 24
_SEARCH_SIDE = 512
_FEW_PIXELS = 100_000
_MARGIN = 0.12
_CROWDED = 0.28
# Where ink is sparse, what is not so long (in a picture as it is searched) is dust.
_LEAST_STROKE = 6
# Wider gaps, in heights of the line, part numbers; digits in boxes of their own stand closer.
_WIDEST_GAP = 2.0
# So does a gap wider than this that is so many times the others': around a dot one may be as wide.
_WIDE_GAP, _TIMES_OTHERS = 1.2, 3.0
# The side of a picture as it is searched is not made shorter than this.
_LEAST_SIDE = 16
# The side of a frame is thinner than this share of the picture.
_FRAME = 0.08
# So many pieces of this share of the main line's height are another line; what is less is noise.
_OTHER_LINES = ((0.15, 3), (0.25, 2))


@dataclass(frozen=True)
class Strip:
    """A line of writing made ready for a line network.

    `pixels` is `uint8 (32, width)`, ink 255 on paper 0. It is the area `(left, top, width, height)`
    of a picture of the shape `page`, beyond whose edges it may reach. It is not `alone` where the
    picture shows another line, whole, and not `together` where it has a gap as two numbers have.
    """

    pixels: Grey
    area: Box
    page: tuple[int, int]
    alone: bool = True
    together: bool = True

    def to_picture(self, x: int, y: int, width: int, height: int) -> Box:
        """Return a box of the strip in whole pixels of the picture; it has at least one."""
        strip_height, strip_width = self.pixels.shape
        left, top, area_width, area_height = self.area
        page_height, page_width = self.page
        across, down = area_width / strip_width, area_height / strip_height
        x, width = _within(left + x * across, left + (x + width) * across, page_width)
        y, height = _within(top + y * down, top + (y + height) * down, page_height)
        return x, y, width, height


def _within(first: float, end: float, length: int) -> tuple[int, int]:
    """Return where a stretch begins in a side of this length, and its own, in whole pixels."""
    start = min(max(round(first), 0), length - 1)
    return start, max(1, min(round(end), length) - start)


@dataclass(frozen=True)
class Single:
    """One digit made ready for a digit network, `uint8 (28, 28)`, and its place in the picture.

    `beside` names what else is there: another `character`, at least half as tall, a `dash` or a
    `dot` ahead of the digit, or the `edge` of the picture, if what is read is a line along it.
    """

    pixels: Grey
    box: Box
    beside: str = ""


def find_ink(grey: Grey) -> Ink:
    """Return how far each pixel stands out from its paper, `uint8 (h, w)`, 0 for paper.

    The paper is what is commonest around a pixel, so shadows and gradients go with it. Ink is what
    stands out more strongly, darker or lighter.
    """
    return _ink(grey)[0]


def _ink(grey: Grey) -> tuple[Ink, bool]:
    """Return the ink, and whether it is darker than its paper."""
    paper = _paper(grey)
    darker, lighter = cv2.subtract(paper, grey), cv2.subtract(grey, paper)
    is_dark = cv2.norm(darker) >= cv2.norm(lighter)
    return np.asarray(darker if is_dark else lighter, np.uint8), is_dark


def light_ink(grey: Grey) -> Grey:
    """Return the page with its ink light (255) on dark paper (0), whichever way round it came.

    Blank paper gives zeros. Shape `(height, width)`.
    """
    ink = find_ink(grey)
    peak = float(ink.max())
    if peak < BLANK_CONTRAST:
        return np.zeros_like(grey)
    return np.asarray(cv2.convertScaleAbs(ink, alpha=255 / peak), np.uint8)


def _paper(grey: Grey) -> Grey:
    """Return the brightness of the paper under each pixel: a wide median of a reduced picture."""
    height, width = grey.shape
    if max(height, width) <= SIZE:
        # A character in so few pixels fills them, and light does not change across it.
        return np.full_like(grey, np.uint8(np.median(grey)))
    scale = min(1.0, _PAPER_HEIGHT / min(height, width), 4 * _PAPER_HEIGHT / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    reach = max(1, int(min(small.shape) * 0.45))
    padded = cv2.copyMakeBorder(small, reach, reach, reach, reach, cv2.BORDER_REFLECT)
    median = cv2.medianBlur(padded, 2 * reach + 1)[reach:-reach, reach:-reach]
    smooth = cv2.blur(median, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


@dataclass(frozen=True)
class _Components:
    """Connected pieces of ink in a picture `(height, width)`, and which of them are writing."""

    labels: Labels
    x: Numbers
    y: Numbers
    width: Numbers
    height: Numbers
    area: Numbers

    @classmethod
    def of(cls, strokes: npt.NDArray[np.uint8]) -> "_Components":
        # Half the time with numbers of 16 bits; no more than a fourth of the pixels are pieces.
        kind = cv2.CV_16U if strokes.size < _FEW_PIXELS else cv2.CV_32S
        _, labels, stats, _ = cv2.connectedComponentsWithStatsWithAlgorithm(
            strokes, 8, kind, cv2.CCL_DEFAULT
        )
        x, y, width, height, area = stats[1:].T.astype(np.intp)
        return cls(np.asarray(labels), x, y, width, height, area)

    def printed(self) -> Mask:
        """Return which pieces are rules, or frames along the edge of the picture."""
        high, wide = self.labels.shape
        rule = (self.width > 4 * self.height) & (self.width > 0.5 * wide)
        rule |= (self.width > 10 * self.height) & (self.width > 0.3 * wide)
        rule &= self.height < 0.2 * high
        top, bottom = self.y == 0, self.y + self.height == high
        left, right = self.x == 0, self.x + self.width == wide
        # A frame's side runs from edge to edge; a tall 1 beside the edge leans.
        at_side = (self.x < 0.03 * wide) | (self.x + self.width > 0.97 * wide)
        upright = at_side & top & bottom & (self.width < _FRAME * self.height)
        long = (self.width > 0.5 * wide) | (self.height > 0.5 * high)
        frame = (top | bottom | left | right) & long
        for number in np.flatnonzero(frame & ~rule & ~upright):
            frame[number] = self._hugs_edge(number)
        return np.asarray(rule | upright | frame)

    def _hugs_edge(self, number: np.intp) -> bool:
        """Return whether a piece lies nearly whole in a narrow band along the picture's edge."""
        band = min(self.labels.shape) // 10 + 1
        inner = self.labels[band:-band, band:-band] == number + 1
        return bool(np.count_nonzero(inner) < 0.1 * self.area[number])

    def writing(self, printed: Mask) -> Mask:
        """Return which pieces are writing: not printed, no specks, no ends of other lines."""
        high = self.labels.shape[0]
        kept = ~printed
        if not kept.any():
            return ~kept
        tallest = self.height[kept].max()
        cut_off = ((self.y == 0) | (self.y + self.height == high)) & (self.height < 0.4 * tallest)
        kept &= ~cut_off
        if kept.any():
            kept &= self.area >= max(2.0, 0.01 * self.area[kept].max())
        return kept

    def line(self, writing: Mask) -> tuple[Box, bool, bool]:
        """Return the box `(left, top, right, bottom)` of the line that holds most of the writing.

        And whether it is alone: no other line, of two characters or more, is whole in the picture.
        And whether it stands together: no gap in it is as wide as those between numbers.
        """
        main = np.flatnonzero(writing & (self.height >= 0.4 * self.height[writing].max()))
        main, alone = self._main_line(main)
        top, bottom = self.y[main].min(), (self.y + self.height)[main].max()
        middle = self.y + self.height / 2
        inline = writing & (middle >= top) & (middle <= bottom)
        for band in (writing & (middle < top), writing & (middle > bottom)):
            if alone and np.count_nonzero(band) > 1:
                alone = not self._holds_line(np.flatnonzero(band), bottom - top)
        left, right = self.x[inline].min(), (self.x + self.width)[inline].max()
        box = (int(left), int(top), int(right), int(bottom))
        return box, alone, self._together(main, box[3] - box[1])

    def _together(self, pieces: Numbers, height: int) -> bool:
        """Return whether no wide gap parts the pieces of a line of this height."""
        if len(pieces) < 2:
            return True
        order = pieces[np.argsort(self.x[pieces])]
        reach = np.maximum.accumulate((self.x + self.width)[order])
        gaps = sorted((self.x[order][1:] - reach[:-1]).tolist())
        usual = median(gaps[:-1]) if len(gaps) > 1 else _WIDEST_GAP * height
        widest = min(_WIDEST_GAP * height, max(_WIDE_GAP * height, _TIMES_OTHERS * usual))
        return bool(gaps[-1] <= widest)

    def _main_line(self, pieces: Numbers) -> tuple[Numbers, bool]:
        """Return those of the pieces that stand on the line that holds most of them."""
        order = pieces[np.argsort(self.y[pieces], kind="stable")]
        reach = np.maximum.accumulate((self.y + self.height)[order])
        # Rows of paper part lines.
        parted = np.flatnonzero(self.y[order][1:] >= reach[:-1])
        if not len(parted):
            return pieces, True
        lines = [band for band in np.split(order, 1 + parted) if self._side_by_side(band)]
        alone = sum(self._whole(line) for line in lines) < 2
        if len(lines) < 2:
            return pieces, alone
        return max(lines, key=lambda line: self.area[line].sum()), alone

    def _holds_line(self, pieces: Numbers, height: int) -> bool:
        """Return whether the pieces hold another line, whole, beside one of this height."""
        for share, least in _OTHER_LINES:
            large = pieces[self.height[pieces] >= share * height]
            if len(large) >= least and self._side_by_side(large) and self._whole(large):
                return True
        return False

    def _side_by_side(self, pieces: Numbers) -> bool:
        """Return whether two of the pieces stand beside each other."""
        return bool(self.x[pieces].max() >= (self.x + self.width)[pieces].min())

    def _whole(self, pieces: Numbers) -> bool:
        """Return whether the pieces lie clear of the picture's upper and lower edge."""
        ends = self.y[pieces].min(), (self.y + self.height)[pieces].max()
        return bool(ends[0] > 0 and ends[1] < self.labels.shape[0])

    def whole(self, writing: Mask) -> tuple[int, int, int, int]:
        """Return the box of the largest piece and of all that stand close to it."""
        largest = int(np.argmax(np.where(writing, self.area, 0)))
        reach = 0.3 * max(self.height[largest], self.width[largest])
        left, top = self.x[largest] - reach, self.y[largest] - reach
        right, bottom = (
            left + self.width[largest] + 2 * reach,
            top + self.height[largest] + 2 * reach,
        )
        near = writing & (self.x < right) & (self.x + self.width > left)
        near &= (self.y < bottom) & (self.y + self.height > top)
        x, y = self.x[near], self.y[near]
        ends = (x + self.width[near]).max(), (y + self.height[near]).max()
        return int(x.min()), int(y.min()), int(ends[0]), int(ends[1])

    def beside(self, writing: Mask, box: Box) -> str:
        """Return what stands beside the largest piece, or outside the box of what is close to it.

        That is another `character`, of some height, or a `dash` or a `dot` ahead; else nothing.
        """
        largest = int(np.argmax(np.where(writing, self.area, 0)))
        height, top = self.height[largest], self.y[largest]
        before = writing & (self.x + self.width <= self.x[largest])
        beside = before | (writing & (self.x >= self.x[largest] + self.width[largest]))
        outside = writing & self._outside(box) & (2 * self.height >= box[3] - box[1])
        if (outside | (beside & (2 * self.height >= height))).any():
            return "character"
        middle = (self.y + self.height / 2 - top) / height
        wide = (self.width >= 1.7 * self.height) & (self.width >= 0.15 * height)
        if (before & wide & (middle > 0.25) & (middle < 0.8)).any():
            return "dash"
        large = np.maximum(self.width, self.height) >= 0.06 * height
        return "dot" if (before & large & (middle >= 0.8) & (middle < 1.15)).any() else ""

    def _outside(self, box: Box) -> Mask:
        left, top, right, bottom = box
        aside = (self.x >= right) | (self.x + self.width <= left)
        return np.asarray(aside | (self.y >= bottom) | (self.y + self.height <= top))


@dataclass(frozen=True)
class _Found:
    """Where the writing is in an ink map, in its pixels, and the map without what is printed."""

    ink: Ink
    left: float
    top: float
    right: float
    bottom: float
    alone: bool
    together: bool
    beside: str


def _find(ink: Ink, *, one: bool) -> _Found | None:
    """Return the line, or the single character, on a page; `None` for blank paper."""
    height, width = ink.shape
    scale = min(1.0, max(_SEARCH_SIDE / max(height, width), _LEAST_SIDE / min(height, width)))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(ink, size, interpolation=cv2.INTER_AREA) if scale < 1 else ink
    strokes = _strokes(np.asarray(small, np.uint8))
    if strokes is None:
        return None
    pieces = _Components.of(strokes)
    if not len(pieces.area):
        return None
    printed = pieces.printed()
    writing = pieces.writing(printed)
    if not writing.any():
        return None
    alone, together, beside = True, True, ""
    if one:
        box = pieces.whole(writing)
        beside = pieces.beside(writing, box)
    else:
        box, alone, together = pieces.line(writing)
    if printed.any() and not printed.all():
        ink = _erased(ink, pieces.labels, printed)
    left, top, right, bottom = (side / scale for side in box)
    return _Found(ink, left, top, right, bottom, alone, together, beside)


def _strokes(ink: Ink) -> Grey | None:
    """Return 1 for a stroke and 0 for paper; `None` for blank paper."""
    rank = max(1, ink.size // 500)
    peak = _strongest(ink, rank)
    if peak < BLANK_CONTRAST:
        return _sparse_strokes(ink, peak)
    level = cv2.convertScaleAbs(ink, alpha=255 / peak)
    threshold = max(50.0, cv2.threshold(level, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0])
    return np.asarray(cv2.threshold(level, threshold, 1, cv2.THRESH_BINARY)[1], np.uint8)


def _sparse_strokes(ink: Ink, noise: int) -> Grey | None:
    """Return the strokes of writing that takes up next to nothing of its page."""
    if ink.size <= _LEAST_STROKE:
        return None
    peak = _strongest(ink, _LEAST_STROKE)
    if peak < 2 * BLANK_CONTRAST or peak < 3 * noise:
        return None
    strokes = (ink > 0.4 * peak).astype(np.uint8)
    pieces = _Components.of(strokes)
    # A stroke is longer than a speck of dust.
    is_stroke = np.maximum(pieces.width, pieces.height) >= _LEAST_STROKE
    return strokes if is_stroke.any() else None


def _strongest(ink: Ink, rank: int) -> int:
    """Return the ink of the pixel that has `rank - 1` stronger ones."""
    counts = cv2.calcHist([ink], [0], None, [256], [0, 256]).ravel()
    return 255 - int(np.searchsorted(counts[::-1].cumsum(), rank))


def _erased(ink: Ink, labels: Labels, printed: Mask) -> Ink:
    mask = np.concatenate([[False], printed])[labels].astype(np.uint8)
    wide = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    # The halo of a rule goes with it, the ink of a digit that stands on it does not.
    wide[(labels > 0) & (mask == 0)] = 0
    full = cv2.resize(wide, ink.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return np.where(full > 0, np.uint8(0), ink)


def strip(grey: Grey) -> Strip | None:
    """Return the line of writing on a page; `None` for blank paper."""
    found = _find(find_ink(grey), one=False)
    if found is None:
        return None
    margin = _MARGIN * (found.bottom - found.top) + 1
    left, top = int(np.floor(found.left - margin)), int(np.floor(found.top - margin))
    right, bottom = int(np.ceil(found.right + margin)), int(np.ceil(found.bottom + margin))
    scale = STRIP_HEIGHT / (bottom - top)
    width = min(max(STRIP_HEIGHT // 2, round((right - left) * scale)), MAX_STRIP_WIDTH)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    crop = _crop(found.ink, left, top, right, bottom)
    pixels = cv2.resize(crop, (width, STRIP_HEIGHT), interpolation=method)
    rank = pixels.size // 50
    peak = max(float(np.partition(pixels.ravel(), -rank)[-rank]), 0.5 * float(pixels.max()), 1e-6)
    full = np.minimum(pixels * (255 / peak), 255).astype(np.uint8)
    area = (left, top, right - left, bottom - top)
    return Strip(full, area, grey.shape, found.alone, found.together)


def _crop(ink: Ink, left: int, top: int, right: int, bottom: int) -> Crop:
    """Cut a box out of the ink, with paper where it reaches beyond the page."""
    height, width = ink.shape
    inside = ink[max(0, top) : min(bottom, height), max(0, left) : min(right, width)]
    beyond = max(0, -top), max(0, bottom - height), max(0, -left), max(0, right - width)
    return np.asarray(cv2.copyMakeBorder(inside, *beyond, cv2.BORDER_CONSTANT, value=0), np.float32)


def single(grey: Grey) -> Single | None:
    """Return the one digit on a page as MNIST has it, ink 255 on paper 0; `None` for blank paper.

    The normalisation of MNIST, as LeCun et al. (1998) describe it: the ink fitted into 20×20 with
    its proportions kept, and its centre of mass put into the centre of 28×28.
    """
    return _single(find_ink(grey))


def single_ways(grey: Grey) -> list[Single]:
    """Return the one digit on a page, in both ways that it may be seen where that is unclear.

    In a picture cut close around a digit the ink may take up as much room as the paper, and nothing
    but the shapes tells which is which.
    """
    ink, is_dark = _ink(grey)
    ways = [_single(ink)]
    if np.count_nonzero(ink > 0.4 * ink.max()) > _CROWDED * ink.size:
        low, high = np.percentile(grey, (5, 95), method="nearest")
        above, below = np.maximum(grey, low) - low, high - np.minimum(grey, high)
        ways.append(_single(above if is_dark else below))
    return [way for way in ways if way]


def _single(ink: Ink) -> Single | None:
    found = _find(ink, one=True)
    if found is None:
        return None
    left, top = int(found.left), int(found.top)
    right, bottom = int(np.ceil(found.right)), int(np.ceil(found.bottom))
    crop = _crop(found.ink, left, top, right, bottom)
    crop[crop < float(crop.max()) * PAPER_NOISE] = 0
    box = (left, top, right - left, bottom - top)
    beside = found.beside or ("edge" if _lies_along_edge(box, ink.shape) else "")
    return Single(_centred(_fitted(crop)), box, beside)


def _lies_along_edge(box: Box, page: tuple[int, int]) -> bool:
    """Return whether a box is a narrow one at an edge of a page `(height, width)`: a frame's."""
    left, top, width, height = box
    sides = (left, width, height, page[1]), (top, height, width, page[0])
    return any(
        thick < min(_FRAME * length, long / 4)
        and min(start, length - start - thick) <= max(1, length / 100)
        for start, thick, long, length in sides
    )


def normalise(grey: Grey) -> Grey:
    """Return one digit as `single` finds it: `uint8 (28, 28)`; zeros for a blank."""
    found = single(grey)
    return found.pixels if found else np.zeros((SIZE, SIZE), np.uint8)


def _fitted(crop: Crop) -> Grey:
    height, width = crop.shape
    scale = BOX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    # Back to full ink: a thin stroke of a large page would fade away otherwise.
    fitted = cv2.resize(crop, size, interpolation=method).clip(0)
    return np.asarray(np.rint(fitted * (255 / max(float(fitted.max()), 1e-6))), np.uint8)


def _centred(digit: Grey) -> Grey:
    canvas = np.zeros((SIZE, SIZE), np.uint8)
    top, left = (_offset(digit, axis) for axis in (0, 1))
    canvas[top : top + digit.shape[0], left : left + digit.shape[1]] = digit
    return canvas


def _offset(digit: Grey, axis: int) -> int:
    """Return where the digit starts along an axis for its centre of mass to be where MNIST has it.

    That is the pixel 14 of 0 to 27, half a pixel beyond the middle of the picture.
    """
    profile: npt.NDArray[np.float64] = digit.sum(axis=1 - axis, dtype=np.float64)
    centre = float(profile @ np.arange(len(profile)) / max(float(profile.sum()), 1e-6))
    return min(max(round(SIZE // 2 - centre), 0), SIZE - len(profile))
