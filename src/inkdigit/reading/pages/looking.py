"""From a grey page to where handwritten numbers stand on it, and each of them cut out alone."""

from dataclasses import dataclass
from functools import cache, cached_property

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.images import Grey, turned
from inkdigit.reading.calibration import Floats
from inkdigit.reading.model_file import PageModel
from inkdigit.reading.pages.places import MULTIPLE, RULE, STRIDE, WRITING, Place, find_places
from inkdigit.reading.pages.sheet import Flat, Matrix, flattened
from inkdigit.reading.preprocessing.paper import Ink, page_ink

# The long side of a page as the network is shown it, and of the smallest that is looked at.
LONG_SIDE, _LEAST_SIDE = 1280, 160
# A page that is less high or wide as it is looked at has no room for a digit that can be found.
_LEAST_DIGIT = 8
# Numbers are found best so high; where most are lower, a page is looked at closer, up to so much,
# and no picture is enlarged by more.
_BEST, _CLOSER, _WORTH = 22, 2.0, 1.15
# A look finds numbers up to this many pixels high, and smaller looks those that are higher.
_TALL, _LOW = 40, 13
# Numbers of two looks that share so much of the smaller one are the same.
_SAME = 0.4
# Which way a page lies is seen in this size, and in so many pixels of it what is paper.
_REDUCED, _CLOSE_AROUND = 512, 31
# A page that is more askew, in radians, is levelled and looked at again.
_ASKEW = 0.025
# What goes along for so many places tells the angle of a page; shorter runs go down it.
_LONG, _ALONG = 16, np.ones((1, 5), np.uint8)
# Lines of writing are so many times as wide as high, and on their side as high as wide. What is
# neither, as digits are that stand alone, and fewer pieces of writing may lie either way.
_WIDER, _FEW = 1.55, 8
# Ink is close beside a number within so many heights of it; and how strong it is.
_NEAR, _STRONG = 0.9, 90
# Paper around a number that is cut out, in heights of it, and the most pixels that is high.
_ROOM, _LARGEST = 0.3, 160


@dataclass(frozen=True, eq=False)
class Spot:
    """A number on a page: its place, and the page as it was looked at in which that lies.

    A pixel of that is so many (`scale`) of the first look, which is the largest.
    """

    place: Place
    look: "Look"
    scale: float = 1.0

    @property
    def corners(self) -> npt.NDArray[np.float64]:
        """The corners of its box, `(4, 2)`, in pixels of the page as it was flattened."""
        x, y, width, height = self.place.box
        points = [[x, y], [x + width, y], [x + width, y + height], [x, y + height]]
        return self.look.to_page(np.array(points, np.float64))

    @cached_property
    def level(self) -> tuple[float, float, float, float]:
        """Its box `(x, y, w, h)` in pixels of the first look, whichever look found it."""
        x, y, width, height = (side * self.scale for side in self.place.box)
        return x, y, width, height


@dataclass(frozen=True, eq=False)
class Look:
    """A page made smaller and level, and what the network says of its places.

    `matrix` takes its pixels to those of the page.
    """

    ink: Ink
    said: Floats
    matrix: Matrix
    long_side: int

    @cached_property
    def places(self) -> list[Place]:
        """Where numbers stand."""
        return find_places(self.said, self.ink)

    def own(self, place: Place) -> npt.NDArray[np.uint8]:
        """Return the cells of a number and those around it that are nothing else's.

        There are two more at each side, where a dot may stand, and one above and below.
        """
        cells = np.pad(place.cells, 2).astype(np.uint8)
        own = cv2.dilate(cells, np.ones((3, 5), np.uint8))
        left, top, width, height = (side // STRIDE for side in place.whole)
        what = np.pad(self.said.argmax(axis=-1), 2)[top : top + height + 4, left : left + width + 4]
        foreign = (what >= RULE) & (what <= WRITING) & (cells == 0)
        return np.asarray(np.where(foreign, 0, own), np.uint8)

    def is_beside_ink(self, place: Place) -> bool:
        """Return whether a stroke as high as a digit stands close beside a number, and no rule.

        It may be a digit that was not seen as one.
        """
        x, y, width, height = place.box
        near, inset = round(_NEAR * height), height // 5
        left, right = max(0, x - near), x + width + near
        columns = [*range(left, x - 1), *range(x + width + 1, min(right, self.ink.shape[1]))]
        strong = self.ink[:, columns] > _STRONG
        inside = strong[y + inset : y + height - inset].mean(axis=0) > 0.7
        above, below = strong[max(0, y - height // 2) : y], strong[y + height :][: height // 2]
        on = [part.mean(axis=0) > 0.7 if len(part) else inside for part in (above, below)]
        return bool((inside & ~(on[0] & on[1])).any())

    def to_page(self, points: Matrix) -> Matrix:
        """Return points `(n, 2)` in pixels of the page."""
        return np.asarray(points @ self.matrix[:, :2].T + self.matrix[:, 2])


def look(
    model: PageModel,
    page: Grey,
    is_dark: bool,
    long_side: int,
    angle: float = 0.0,
    whole: tuple[int, int] | None = None,
) -> Look:
    """Look at a page that was made so large and turned by an angle, in radians, to lie level.

    Where it was made smaller before, `whole` is the height and width that it has.
    """
    height, width = page.shape
    down, across = whole or page.shape
    scale = min(_CLOSER, long_side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(page, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    back = np.array([[across / size[0], 0, 0], [0, down / size[1], 0]])
    if angle:
        small, turn = _levelled(np.asarray(small, np.uint8), angle)
        back = np.column_stack([back[:, :2] @ turn[:, :2], back[:, :2] @ turn[:, 2]])
    ink = page_ink(np.asarray(small, np.uint8), is_dark=is_dark)
    bottom, right = (-side % MULTIPLE for side in ink.shape)
    ink = np.asarray(cv2.copyMakeBorder(ink, 0, bottom, 0, right, cv2.BORDER_CONSTANT), np.uint8)
    return Look(ink, model.places(ink), back, max(size))


def _levelled(page: Grey, angle: float) -> tuple[Grey, Matrix]:
    """Return a page turned by an angle, whole, and what takes its pixels back."""
    height, width = page.shape
    cos, sin = np.cos(angle), np.sin(angle)
    size = round(width * cos + height * abs(sin)), round(height * cos + width * abs(sin))
    turn = np.array([[cos, -sin], [sin, cos]])
    middle = np.array([width, height]) / 2
    back = np.column_stack([turn, middle - turn @ np.array(size) / 2])
    level = cv2.warpAffine(page, back, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                           borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    return np.asarray(level, np.uint8), back


@dataclass(frozen=True, eq=False)
class Seen:
    """All that was seen on a page: turned clockwise by `quarters`, and `angle` radians askew.

    Where it `may_lie` on its side as well, only who reads it can tell.
    """

    flat: Flat
    quarters: int
    angle: float
    first: Look
    spots: list[Spot]
    is_dark: bool
    may_lie: bool = False

    def cut_out(self, spot: Spot) -> tuple[Grey, Matrix]:
        """Return a number alone on its paper, and what takes its pixels to those of the page.

        What is not its own is erased: neighbours, rules and print.
        """
        seen, (x, y, width, height) = spot.look, spot.place.box
        room = max(2.0, _ROOM * height)
        scale = min(1.0, _LARGEST / (height * np.hypot(*seen.matrix[:, 0])))
        finer = max(1.0, np.hypot(*seen.matrix[:, 0]) * scale)
        size = round((width + 2 * room) * finer), round((height + 2 * room) * finer)
        corner = np.array([x - room, y - room])
        to_look = np.column_stack([np.eye(2) / finer, corner])
        to_page = np.column_stack(
            [seen.matrix[:, :2] / finer, seen.matrix[:, :2] @ corner + seen.matrix[:, 2]]
        )
        flags = cv2.INTER_AREA | cv2.WARP_INVERSE_MAP
        crop = cv2.warpAffine(
            self.flat.page, to_page, size, flags=flags, borderMode=cv2.BORDER_REPLICATE
        )
        own = seen.own(spot.place)
        left, top = spot.place.whole[0] - 2 * STRIDE, spot.place.whole[1] - 2 * STRIDE
        cells = np.column_stack(
            [to_look[:, :2] / STRIDE, (to_look[:, 2] - (left, top)) / STRIDE - 0.5]
        )
        mask = cv2.warpAffine(own * 255, cells, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        crop = np.asarray(crop, np.uint8)
        paper = np.percentile(crop, 75 if self.is_dark else 25)
        return np.where(mask > 127, crop, np.uint8(paper)), to_page


def see(model: PageModel, grey: Grey, rotate: int | None = None) -> Seen:
    """Return what is seen on a page, turned clockwise by `rotate` degrees.

    Without, it is turned by a quarter where it lies on its side. Perspective is taken out where its
    sheet shows whole, and it is levelled. Its numbers are those that are found at the size in which
    most are high enough, and higher ones at half of that and at a quarter.
    """
    reduced = _reduced(grey, _REDUCED)
    is_dark = _is_dark_on_light(reduced)
    if rotate is None:
        quarters, may_lie = _on_its_side(model, reduced, is_dark)
    else:
        quarters, may_lie = rotate // 90, False
    flat = flattened(turned(grey, 90 * quarters), turned(reduced, 90 * quarters))
    # All looks begin with what is no larger than the largest.
    page, whole = _reduced(flat.page, round(_CLOSER * LONG_SIDE)), flat.page.shape

    @cache
    def look_at(long_side: int, angle: float) -> Look:
        return look(model, page, is_dark, long_side, angle, whole)

    first, angle = look_at(LONG_SIDE, 0.0), 0.0
    askew, closer = skew(first.said), _closer(first, max(page.shape))
    if abs(askew) > _ASKEW or closer > _WORTH * LONG_SIDE:
        angle = askew if abs(askew) > _ASKEW else 0.0
        first = look_at(closer, angle)
    spots = [Spot(one, first) for one in first.places if one.box[3] <= _TALL]
    side = first.long_side // 2
    while side >= _LEAST_SIDE:
        smaller = look_at(side, angle)
        scale, found = first.long_side / smaller.long_side, smaller.places
        higher = [Spot(one, smaller, scale) for one in found if _LOW < one.box[3] <= _TALL]
        spots = _joined(spots, higher)
        side //= 2
    return Seen(flat, quarters, angle, first, spots, is_dark, may_lie)


def why_overlooked(shape: tuple[int, int]) -> str:
    """Return why what stands on a page of this shape cannot be found, or nothing if it can."""
    size = "×".join(map(str, shape[::-1]))
    if max(shape) < _LEAST_SIDE:
        return f"the picture is too small for a page ({size} pixels)"
    if min(shape) * min(_CLOSER, LONG_SIDE / max(shape)) < _LEAST_DIGIT:
        return f"the picture is too long and narrow to look at whole ({size} pixels): cut it up"
    return ""


def _closer(seen: Look, most: int) -> int:
    """Return how long a page is to be looked at for its numbers to be high enough, at most so."""
    heights = [place.box[3] for place in seen.places] or [_BEST]
    share = float(np.clip(_BEST / max(1.0, float(np.median(heights))), 1, _CLOSER))
    return round(min(share * LONG_SIDE, max(most, LONG_SIDE)))


def _reduced(grey: Grey, long_side: int) -> Grey:
    if max(grey.shape) <= long_side:
        return grey
    scale = long_side / max(grey.shape)
    size = tuple(max(1, round(side * scale)) for side in grey.shape[::-1])
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)


def _is_dark_on_light(reduced: Grey) -> bool:
    """Return whether ink is darker than the paper that is close around it, whatever the light."""
    paper = cv2.medianBlur(reduced, _CLOSE_AROUND)
    return cv2.norm(cv2.subtract(paper, reduced)) >= cv2.norm(cv2.subtract(reduced, paper))


def _on_its_side(model: PageModel, reduced: Grey, is_dark: bool) -> tuple[int, bool]:
    """Return by how many quarters a page is to be turned for its lines to lie level.

    And whether it may as well be one more. Which way up it then stands the digits themselves say,
    to who reads them.
    """
    seen = look(model, reduced, is_dark, max(reduced.shape))
    what = (seen.said.argmax(axis=-1) > RULE).astype(np.uint8)
    stats = cv2.connectedComponentsWithStats(what)[2][1:]
    height, width = (int(stats[:, n].sum()) for n in (cv2.CC_STAT_HEIGHT, cv2.CC_STAT_WIDTH))
    doubtful = 0 < len(stats) < _FEW or max(height, width) < _WIDER * min(height, width)
    return int(height > width and not doubtful), doubtful


def skew(said: Floats) -> float:
    """Return by how much the lines of a page are askew, in radians: of rules, words and numbers."""
    what = said.argmax(axis=-1)
    # Rules that go down part those that go along, and gaps between letters are closed.
    along = cv2.morphologyEx((what == RULE).astype(np.uint8), cv2.MORPH_OPEN, _ALONG)
    words = cv2.morphologyEx((what > RULE).astype(np.uint8), cv2.MORPH_CLOSE, _ALONG)
    angles, lengths = list[float](), list[float]()
    for mask in (along, words):
        _, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
        for label, (x, y, width, height, _) in enumerate(stats.tolist()):
            if label and width >= _LONG and width >= 4 * height:
                own = labels[y : y + height, x : x + width] == label
                rows, columns = np.nonzero(own)
                angles.append(float(np.arctan(np.polyfit(columns, rows, 1)[0])))
                lengths.append(float(width))
    if not angles:
        return 0.0
    order = np.argsort(angles)
    total = np.cumsum(np.array(lengths)[order])
    return angles[int(order[np.searchsorted(total, total[-1] / 2)])]


def _joined(spots: list[Spot], higher: list[Spot]) -> list[Spot]:
    """Return the numbers of two looks, each once: of the same, the one that is surer."""
    kept = list(spots)
    for one in higher:
        same = [other for other in kept if _shared(one, other) > _SAME]
        if all(one.place.probability > other.place.probability for other in same):
            kept = [other for other in kept if other not in same] + [one]
    return kept


def _shared(one: Spot, other: Spot) -> float:
    (x, y, w, h), (left, top, width, height) = one.level, other.level
    across = min(x + w, left + width) - max(x, left)
    down = min(y + h, top + height) - max(y, top)
    return float(max(0.0, across) * max(0.0, down) / max(1.0, min(w * h, width * height)))
