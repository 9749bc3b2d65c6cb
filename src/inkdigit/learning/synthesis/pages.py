"""Pages with numbers among other things, drawn with what lies where."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.learning.synthesis.bank import Bank, Piece, Points, Vocabulary, number_piece
from inkdigit.learning.synthesis.glyphs import smooth
from inkdigit.learning.synthesis.pixels import Ink, Random, blurred, compressed, resized, warped
from inkdigit.reading.pages.places import CORE, NUMBER, PAPER, PRINT, RULE, STRIDE, WRITING
from inkdigit.reading.preprocessing.paper import page_ink

# Of numbers in cells, how many are struck out.
_STRUCK = 0.03
# So many crops are cut from each page that is drawn, at this size; the page is larger.
_CUTS, CROP, _DRAWN = 3, 384, 500
# How many tables have columns of one width. Where rules part these, a number may stand so near to
# the next one, in heights of a digit, and so many are as wide as their cell.
_ALIKE, _PARTED, _FILLED = 0.3, 0.1, 0.3
# A number may reach so much of its height into what stands above and below it.
_OVERLAP = 0.15
# A core is no lower and no narrower than twice this, in pixels of a page.
_LEAST_CORE = 3.0


@dataclass(frozen=True)
class Truth:
    """A number of a drawn page: what it says, and the box of its ink `(x, y, w, h)`."""

    text: str
    box: tuple[int, int, int, int]


# What a network is shown, what lies in each place of it, and the numbers.
Shown = tuple[Ink, Ink, list[Truth]]


class Page:
    """A page being drawn: its ink, and what lies where, both `uint8 (height, width)`."""

    def __init__(self, height: int, width: int, unit: float, rng: Random) -> None:
        self.ink = np.zeros((height, width), np.uint8)
        self.what = np.full((height, width), PAPER, np.uint8)
        self.unit, self.rng = unit, rng
        self.truths: list[tuple[str, Points]] = []
        self.pen = rng.uniform(0.35, 1) if rng.random() < 0.35 else rng.uniform(0.7, 1)
        self.press = rng.uniform(0.3, 1) if rng.random() < 0.3 else rng.uniform(0.7, 1)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.ink.shape

    def size_of(self, piece: Piece, unit: float) -> tuple[int, int]:
        """Return width and height of a piece on the page."""
        scale = unit / piece.unit
        height, width = piece.ink.shape
        return max(2, round(width * scale)), max(2, round(height * scale))

    def put(
        self, piece: Piece, x: float, y: float, unit: float | None = None, beside: float = 0.8
    ) -> int:
        """Set a piece with its left upper corner here, and return its width; off the page is not.

        A number is set nowhere but whole, and where so many heights of a digit `beside` it are
        free.
        """
        unit = unit or self.unit
        width, height = self.size_of(piece, unit)
        left, top = round(x), round(y)
        rows, columns = self.size
        if left < 0 or top < 0 or left + width > columns or top + height > rows:
            return width
        side, above = beside * unit, _OVERLAP * height
        alone = self.is_free(x - side, y + above, width + 2 * side, height - 2 * above)
        if piece.what == NUMBER and not alone:
            return width
        ink = resized(piece.ink, width, height, cv2.INTER_AREA)
        strength = self.press if piece.what == PRINT else self.pen
        ink = np.asarray(cv2.convertScaleAbs(ink, alpha=strength * 1.25), np.uint8)
        view = self.ink[top : top + height, left : left + width]
        np.maximum(view, ink, out=view)
        if piece.hull is None or piece.core is None:
            spread = max(3, round(unit * 0.45)) | 1
            where = cv2.blur(ink, (spread, 3)) > 14
            self.what[top : top + height, left : left + width][where] = piece.what
            return width
        scale, corner = np.float32(width / piece.ink.shape[1]), np.array([left, top], np.float32)
        hull = piece.hull * scale + corner
        cv2.fillConvexPoly(self.what, _whole(hull), NUMBER)
        cv2.polylines(self.what, [_whole(hull)], True, NUMBER, 2)
        cv2.fillConvexPoly(self.what, _whole(_at_least(piece.core * scale + corner)), CORE)
        self.truths.append((piece.text, hull))
        return width

    def rule(self, start: tuple[float, float], end: tuple[float, float], dotted: bool) -> None:
        """Draw a rule, before anything that may lie on it."""
        shade = int(255 * self.press * self.rng.uniform(0.3, 1))
        (x, y), (right, bottom) = (tuple(map(round, point)) for point in (start, end))
        cv2.line(self.what, (x, y), (right, bottom), RULE, 5)
        if dotted:
            for part in np.linspace(0, 1, max(2, (right - x + bottom - y) // 4)):
                at = round(x + part * (right - x)), round(y + part * (bottom - y))
                cv2.circle(self.ink, at, 0, shade, 1)
        else:
            thick = 1 if self.rng.random() < 0.75 else int(self.rng.integers(2, 4))
            cv2.line(self.ink, (x, y), (right, bottom), shade, thick, cv2.LINE_AA)

    def stroke(self, points: npt.NDArray[np.float64], thick: float) -> None:
        """Draw a stroke that is no number's."""
        curve = np.rint(smooth(points) * 16).astype(np.int32)
        width = max(1, round(thick))
        curve = curve.clip(0, np.array(self.size[::-1], np.int32) * 16)
        cv2.polylines(self.ink, [curve], False, int(255 * self.pen), width, cv2.LINE_AA, 4)
        cv2.polylines(self.what, [curve], False, WRITING, width + 4, 8, 4)

    def is_free(self, x: float, y: float, width: float, height: float) -> bool:
        """Return whether nothing but rules lies there."""
        top, left = max(0, round(y)), max(0, round(x))
        return not (self.what[top : round(y + height), left : round(x + width)] > RULE).any()


def _box(points: Points) -> tuple[int, int, int, int]:
    x, y, width, height = cv2.boundingRect(_whole(points))
    return x, y, width, height


def _whole(points: Points) -> npt.NDArray[np.int32]:
    return np.rint(points).astype(np.int32)


def _at_least(core: Points) -> Points:
    """Return a core that a place or two of the network are its own."""
    low, high = core.min(axis=0), core.max(axis=0)
    half = np.maximum((high - low) / 2, 1e-3)
    middle = (low + high) / 2
    return np.asarray(middle + (core - middle) * np.maximum(1, _LEAST_CORE / half), np.float32)


Area = tuple[float, float, float, float]


class Composer:
    """Composes pages of a bank: tables, forms, text, notes, and print alone."""

    def __init__(self, bank: Bank, rng: Random, page: Page) -> None:
        self.bank, self.rng, self.page = bank, rng, page
        self.hand = bank.hands[int(rng.integers(len(bank.hands)))]
        self.print = bank.prints[int(rng.integers(len(bank.prints)))]
        self.small = rng.uniform(0.6, 1.15)
        self.one_digit = rng.choice([0.1, 0.36, 0.36, 0.8])

    def compose(self, kinds: Sequence[str] = ()) -> None:
        """Fill the page with blocks."""
        rng, (height, width) = self.rng, self.page.size
        if rng.random() < 0.08:
            self._background()
        top = rng.uniform(0, 30)
        while top < height - 3 * self.page.unit:
            bottom = min(height - 2.0, top + rng.uniform(6, 22) * self.page.unit)
            left = rng.uniform(0, 0.12) * width
            right = width - 2 - (rng.uniform(0, 0.3) * width if rng.random() < 0.3 else 2)
            kind = str(rng.choice([*kinds] or _KINDS, p=None if kinds else _KIND_SHARES))
            getattr(self, kind)((left, top, right, bottom))
            top = bottom + rng.uniform(0.3, 3) * self.page.unit

    def table(self, area: Area) -> None:
        """Draw rows and columns, ruled or not."""
        rng, page, (left, top, right, bottom) = self.rng, self.page, area
        unit = page.unit
        pitch = unit * rng.uniform(1.15, 2.6)
        edges, alike = [left], rng.uniform(1.8, 4.5) if rng.random() < _ALIKE else None
        while edges[-1] < right - 2 * unit:
            edges.append(edges[-1] + unit * (alike or rng.uniform(1.8, 7.5)))
        edges = [edge for edge in edges if edge <= right]
        rows = np.arange(top, bottom, pitch)
        if len(edges) < 2 or len(rows) < 2:
            return
        beside = _PARTED if self._grid(edges, rows) else 0.8
        header = rng.random() < 0.5
        filled = rng.uniform(0.3, 1)
        for x, end in pairwise(edges):
            kind = str(rng.choice(_CELLS, p=_CELL_SHARES))
            align = rng.choice([0.1, 0.5, 0.9])
            for number, y in enumerate(rows[:-1]):
                if number == 0 and header:
                    self._cell("print", x, y, end - x, pitch, 0.5)
                elif rng.random() < filled:
                    self._cell(kind, x, y, end - x, pitch, align, beside)

    def _grid(self, edges: Sequence[float], rows: npt.NDArray[np.float64]) -> bool:
        """Draw the rules of a table, and return whether any are between its columns."""
        rng, page = self.rng, self.page
        dotted = rng.random() < 0.15
        tilt = rng.normal(0, 1)
        if rng.random() < 0.75:
            for y in rows:
                page.rule((edges[0], y), (edges[-1], y + tilt), dotted)
        parted = bool(rng.random() < 0.75)
        if parted:
            for x in edges:
                page.rule((x, rows[0]), (x, rows[-1]), False)
        return parted

    def _cell(
        self,
        kind: str,
        x: float,
        y: float,
        width: float,
        height: float,
        at: float,
        beside: float = 0.8,
    ) -> None:
        rng, page = self.rng, self.page
        if kind == "mixed":
            kind = str(rng.choice(["number", "word", "dash", "print"]))
        if kind == "dash":
            self._dash(x + width * 0.25, y + height * rng.uniform(0.4, 0.7), width * 0.4)
            return
        for _ in range(3):
            piece = {
                "number": lambda: self.bank.number(rng, self.one_digit),
                "word": lambda: self.hand.pick(rng),
                "print": lambda: self.print.pick(rng),
            }[kind]()
            unit = page.unit * rng.uniform(0.85, 1.15) * (self.small if kind == "print" else 1)
            wide, high = page.size_of(piece, unit)
            if beside == _PARTED and rng.random() < _FILLED:
                unit *= float(np.clip(rng.uniform(0.85, 1.03) * width / wide, 0.7, 1.3))
                wide, high = page.size_of(piece, unit)
            if wide < 1.04 * width:
                across = x + (width - wide) * np.clip(at + rng.normal(0, 0.1), 0, 1)
                down = y + (height - high) * rng.uniform(0.25, 1.05)
                if piece.what == NUMBER and rng.random() < _STRUCK:
                    self._strike_out(piece, across, down, unit)
                else:
                    page.put(piece, across, down, unit, beside)
                return

    def _strike_out(self, piece: Piece, x: float, y: float, unit: float) -> None:
        """Set a number that does not count any more."""
        width, height = self.page.size_of(piece, unit)
        if self.page.is_free(x, y, width, height):
            self.page.put(replace(piece, what=WRITING, hull=None), x, y, unit)
            heights = y + height * self.rng.uniform(0.2, 0.8, 3)
            ends = np.stack([np.linspace(x - 3, x + width + 3, 3), heights], axis=1)
            self.page.stroke(ends, unit * self.rng.uniform(0.06, 0.14))

    def text(self, area: Area) -> None:
        """Write lines of words with a number among them here and there, ruled or not."""
        self._lines(area, (0.0, 0.08, 0.2))

    def words(self, area: Area) -> None:
        """Write lines of words alone."""
        self._lines(area, (0.0,))

    def _lines(self, area: Area, shares: Sequence[float]) -> None:
        rng, page, (left, top, right, bottom) = self.rng, self.page, area
        unit = page.unit
        pitch = unit * rng.uniform(1.5, 2.6)
        often = rng.choice(shares)
        rows = np.arange(top, bottom - pitch, pitch)
        if rng.random() < 0.35:
            for y in rows:
                page.rule((left, y + pitch * 0.9), (right, y + pitch * 0.9), False)
        for y in rows:
            self._line(self.hand, left, y + pitch * 0.15, right, unit, often)

    def _line(
        self, words: Vocabulary, x: float, y: float, right: float, unit: float, often: float
    ) -> None:
        rng, page = self.rng, self.page
        while x < right:
            number = rng.random() < often
            piece = self.bank.number(rng, self.one_digit) if number else words.pick(rng)
            wide, high = page.size_of(piece, unit)
            x += unit * (rng.uniform(0.5, 1.2) if number else 0)
            if x + wide > right:
                return
            page.put(piece, x, y + (1.1 * unit - high) * rng.uniform(0.5, 1), unit)
            x += wide + unit * (rng.uniform(0.6, 1.2) if number else rng.uniform(0.3, 0.7))

    def address(self, area: Area) -> None:
        """Write a name, a street with its number, and a postcode with a place."""
        rng, unit = self.rng, self.page.unit
        left, top, right, _ = area
        left += rng.uniform(0, 0.5) * (right - left)
        pitch = unit * rng.uniform(1.5, 2.4)
        words = [self.hand.pick(rng) for _ in range(4)]
        house, postcode = self.bank.number(rng), self.bank.postcodes.pick(rng)
        for row, line in enumerate((words[:2], (words[2], house), (postcode, words[3]))):
            x, y = left, top + row * pitch
            for piece in line:
                _, high = self.page.size_of(piece, unit)
                x += self.page.put(piece, x, y + (1.1 * unit - high) * rng.uniform(0.5, 1), unit)
                x += unit * rng.uniform(0.9, 1.3)

    def print_only(self, area: Area) -> None:
        """Print lines of words and figures."""
        left, top, right, bottom = area
        unit = self.page.unit * self.rng.uniform(0.5, 1.3)
        pitch = unit * self.rng.uniform(1.4, 2.2)
        for y in np.arange(top, bottom - pitch, pitch):
            end = left + (right - left) * self.rng.uniform(0.5, 1)
            self._line(self.print, left, y, end, unit, 0.0)

    def form(self, area: Area) -> None:
        """Print labels, with a rule, a box, cells or nothing behind them to be filled in."""
        rng, page, (left, top, right, bottom) = self.rng, self.page, area
        unit = page.unit
        for y in np.arange(top, bottom - 2.2 * unit, unit * rng.uniform(1.8, 3.2)):
            x = left
            while x < right - 4 * unit:
                label = self.print.pick(rng)
                x += page.put(label, x, y + 0.4 * unit, unit * self.small) + 0.5 * unit
                wide = unit * rng.uniform(2, 9)
                if x + wide > right:
                    break
                self._blank(x, y, wide)
                x += wide + unit * rng.uniform(0.8, 4)

    def _blank(self, x: float, y: float, wide: float) -> None:
        """Draw a place to write on, and mostly something that is written on it."""
        rng, page, unit = self.rng, self.page, self.page.unit
        kind = rng.random()
        high = unit * rng.uniform(1.4, 2)
        if kind < 0.35:
            page.rule((x, y + high * 0.85), (x + wide, y + high * 0.85), rng.random() < 0.4)
        elif kind < 0.6:
            for start, end in (((0, 0), (wide, 0)), ((0, high), (wide, high)),
                               ((0, 0), (0, high)), ((wide, 0), (wide, high))):  # fmt: skip
                page.rule((x + start[0], y + start[1]), (x + end[0], y + end[1]), False)
        elif kind < 0.75:
            self._comb(x, y, unit * rng.uniform(0.9, 1.5), high, int(rng.integers(2, 7)))
            return
        if rng.random() < 0.75:
            what = str(rng.choice(["number", "number", "number", "word", "dash"]))
            self._cell(what, x, y, wide, high, rng.uniform(0, 1))

    def _comb(self, x: float, y: float, wide: float, high: float, cells: int) -> None:
        """Draw cells with a digit in each: one number."""
        rng, page = self.rng, self.page
        digits = [self.bank.number(rng, 1.0) for _ in range(cells)]
        columns, rows = page.size[1], page.size[0]
        if x + cells * wide > columns - 1 or y + high > rows - 1:
            return
        for number in range(cells + 1):
            page.rule((x + number * wide, y), (x + number * wide, y + high), False)
        for level in (y, y + high):
            page.rule((x, level), (x + cells * wide, level), False)
        if rng.random() < 0.2:
            return
        joined, unit = np.zeros((round(high), round(cells * wide)), np.uint8), page.unit
        for number, digit in enumerate(digits):
            width, height = page.size_of(digit, unit)
            left, top = round((number + 0.5) * wide - width / 2), round((high - height) / 2)
            if left >= 0 <= top and left + width <= joined.shape[1]:
                part = resized(digit.ink, width, height, cv2.INTER_AREA)
                joined[top : top + height, left : left + width] = part[: len(joined) - top]
        x0, y0, _, _ = cv2.boundingRect((joined > 60).astype(np.uint8))
        piece = number_piece(joined, "".join(digit.text for digit in digits))
        if piece:
            page.put(
                Piece(piece.ink, NUMBER, unit, piece.text, piece.hull, piece.core), x + x0, y + y0
            )

    def notes(self, area: Area) -> None:
        """Scatter numbers, words and strokes."""
        rng, page, (left, top, right, bottom) = self.rng, self.page, area
        for _ in range(int(rng.integers(3, 16))):
            kind = rng.random()
            x, y = rng.uniform(left, right), rng.uniform(top, bottom)
            unit = page.unit * rng.uniform(0.7, 1.6)
            if kind < 0.25:
                self._scribble(x, y)
                continue
            piece = self.bank.number(rng) if kind < 0.75 else self.hand.pick(rng)
            width, height = page.size_of(piece, unit)
            if page.is_free(x - 4, y - 4, width + 8, height + 8):
                page.put(piece, x, y, unit)

    def _dash(self, x: float, y: float, length: float) -> None:
        rng = self.rng
        ends = np.array([[x, y], [x + length / 2, y], [x + length, y]])
        self.page.stroke(ends + rng.normal(0, 1, (3, 2)), self.page.unit * rng.uniform(0.06, 0.14))

    def _scribble(self, x: float, y: float) -> None:
        rng, unit = self.rng, self.page.unit
        kind, thick = rng.random(), unit * rng.uniform(0.06, 0.16)
        if kind < 0.25:  # a signature, or words struck out
            points = np.cumsum(
                rng.normal((0.35, 0), (0.3, 0.6), (int(rng.integers(6, 16)), 2)), axis=0
            )
        elif kind < 0.5:  # a tick
            points = np.array([[0, 0], [0.3, 0.5], [1.1, -0.7]]) * rng.uniform(0.6, 1.6)
        elif kind < 0.75:  # a ring
            turn = np.linspace(0, 6.6, 9)
            points = np.stack([np.cos(turn), np.sin(turn)], 1) * rng.uniform(0.8, 3, 2)
        else:  # a brace, an arrow, a long stroke
            points = np.cumsum(rng.normal(0, 1.5, (3, 2)), axis=0)
        points = points * unit + (x, y)
        low, size = points.min(axis=0) - unit / 4, np.ptp(points, axis=0) + unit / 2
        if not self.page.is_free(*low, *size):
            return
        self.page.stroke(np.clip(points, 2, np.array(self.page.size)[::-1] - 3.0), thick)

    def _background(self) -> None:
        """Print something faint all over the paper, as on forms that are hard to copy."""
        rng, page = self.rng, self.page
        piece = self.print.pick(rng)
        unit = page.unit * rng.uniform(0.3, 1)
        width, height = page.size_of(piece, unit)
        one = resized(piece.ink, width, height, cv2.INTER_AREA)
        one = np.pad(one, ((1, int(height * 0.4)), (1, width // 3)))
        across, down = (-(-a // b) for a, b in zip(page.size[::-1], one.shape[::-1], strict=True))
        faint = np.tile(one, (down, across))[: page.size[0], : page.size[1]]
        np.maximum(page.ink, np.asarray(cv2.convertScaleAbs(faint, alpha=rng.uniform(0.05, 0.2))),
                   out=page.ink)  # fmt: skip


_KINDS = ("table", "form", "text", "address", "notes", "print_only")
_KIND_SHARES = (0.36, 0.2, 0.12, 0.04, 0.16, 0.12)
_CELLS = ("number", "mixed", "word", "print", "dash")
_CELL_SHARES = (0.6, 0.12, 0.12, 0.12, 0.04)


def draw_page(
    bank: Bank, rng: Random, height: int, width: int, kinds: Sequence[str] = (), finer: float = 1.0
) -> Page:
    """Draw a page of mostly small writing; `kinds` of blocks, and how much finer it is drawn."""
    usual = rng.random() < 0.75
    unit = float(np.exp(rng.uniform(np.log(10), np.log(24)) if usual else
                        rng.uniform(np.log(8), np.log(60))))  # fmt: skip
    page = Page(height, width, unit * finer, rng)
    Composer(bank, rng, page).compose(kinds)
    return page


def shown(page: Page, rng: Random, height: int, width: int) -> Shown:
    """Return what a network is shown of a page that lies askew, and what lies there.

    That is ink `uint8 (height, width)`, a class for each `STRIDE` pixels, and the numbers that are
    in sight.
    """
    matrix = _placed(page, rng, height, width)
    ink = warped(page.ink, matrix, width, height)
    coarse = matrix / STRIDE
    coarse[:, 2] += 0.5 / STRIDE - 0.5
    size = width // STRIDE, height // STRIDE
    what = np.asarray(cv2.warpAffine(page.what, coarse, size, flags=cv2.INTER_NEAREST), np.uint8)
    grey = photographed(ink, rng)
    if rng.random() < 0.1:
        _darken_side(grey, what, rng)
    truths = []
    for text, hull in page.truths:
        moved = hull @ matrix[:, :2].T.astype(np.float32) + matrix[:, 2].astype(np.float32)
        x, y, wide, high = _box(moved)
        left, top = max(0, x), max(0, y)
        seen = min(x + wide, width) - left, min(y + high, height) - top
        if min(seen) > 0 and seen[0] * seen[1] > wide * high / 2:
            middle = what[(top + seen[1] // 2) // STRIDE, (left + seen[0] // 2) // STRIDE]
            truths += [Truth(text, (left, top, *seen))] * bool(middle >= NUMBER)
    return page_ink(grey, is_dark=True), what, truths


def _placed(page: Page, rng: Random, height: int, width: int) -> npt.NDArray[np.float64]:
    angle = rng.normal(0, 0.025) if rng.random() < 0.85 else rng.uniform(-0.2, 0.2)
    scale = float(np.exp(rng.normal(0, 0.08)))
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turn[0, 1] += rng.normal(0, 0.02)
    rows, columns = page.size
    middle = np.array([columns / 2, rows / 2])
    free = np.maximum(0, [columns - width, rows - height])
    shift = rng.uniform(-0.5, 0.5, 2) * free
    move = np.array([width / 2, height / 2]) - turn @ (middle + shift)
    return np.column_stack([turn, move])


def photographed(ink: Ink, rng: Random) -> Ink:
    """Return a grey picture of ink on paper: mostly a clean scan, now and then a poor one."""
    height, width = ink.shape
    hard = rng.random() < 0.3
    grey = ink.astype(np.float32) * np.float32(-rng.uniform(0.4, 0.95) / 255) + np.float32(1)
    if rng.random() < (0.9 if hard else 0.4):
        grey = blurred(grey, rng.uniform(0.3, 1.1 if hard else 0.7))
    if hard and rng.random() < 0.4:
        scale = rng.uniform(0.6, 0.95)
        grey = resized(grey, round(width * scale), round(height * scale), cv2.INTER_AREA)
        grey = resized(grey, width, height)
    if rng.random() < 0.4:
        coarse = rng.uniform(1 - (0.6 if hard else 0.25), 1, (3, 3)).astype(np.float32)
        grey *= resized(coarse, width, height, cv2.INTER_CUBIC)
    grey *= np.float32(rng.uniform(0.6, 1))
    noise = rng.standard_normal((height, width), np.float32)
    noise *= np.float32(rng.uniform(0.003, 0.05 if hard else 0.015))
    if rng.random() < 0.3:
        noise = blurred(noise, 0.8) * 2
    pixels = np.asarray(cv2.convertScaleAbs(np.maximum(grey + noise, 0), alpha=255), np.uint8)
    return compressed(pixels, int(rng.integers(30, 90))) if rng.random() < 0.25 else pixels


def _darken_side(grey: Ink, what: Ink, rng: Random) -> None:
    """Show a strip of what the paper lies on, in place."""
    share, quarters = rng.uniform(0.02, 0.25), int(rng.integers(4))
    grain = blurred(rng.standard_normal(grey.shape, np.float32), rng.uniform(0.5, 4))
    grain *= np.float32(rng.choice([0, 0, 10, 30]) / max(1e-6, float(grain.std())))
    desk = (grain + np.float32(rng.uniform(5, 170))).clip(0, 255).astype(np.uint8)
    for picture, other in ((grey, desk), (what, np.full_like(what, PAPER))):
        side = round(share * len(picture))
        np.rot90(picture, quarters)[:side] = np.rot90(other, quarters)[:side]


class PageWriter:
    """Draws pages, and cuts crops from them."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank
        self._page: tuple[list[int], Page] | None = None

    def crop(self, seed: list[int]) -> Shown:
        """Return a crop of a page, `CROP` pixels wide and high; `_CUTS` seeds share a page."""
        of_page = [*seed[:-1], seed[-1] // _CUTS]
        if self._page is None or self._page[0] != of_page:
            self._page = (
                of_page,
                draw_page(self._bank, np.random.default_rng(of_page), _DRAWN, _DRAWN),
            )
        return shown(self._page[1], np.random.default_rng([*seed, 1]), CROP, CROP)

    def picture(
        self, seed: list[int], kinds: Sequence[str] = (), size: tuple[int, int] = (1536, 1152)
    ) -> tuple[Ink, list[Truth]]:
        """Return a grey picture `uint8 (h, w)` of a page, and its numbers."""
        height, width = size
        rng, finer = np.random.default_rng(seed), max(size) / 1024
        page = draw_page(self._bank, rng, height, width, kinds, finer)
        return _scanned(page, rng)

    def envelope(self, seed: list[int]) -> tuple[Ink, list[Truth]]:
        """Return a grey picture `uint8 (600, 900)` of an envelope, and its numbers.

        A sender is printed on it, and an address written by hand.
        """
        rng = np.random.default_rng(seed)
        page = Page(600, 900, rng.uniform(18, 40), rng)
        composer = Composer(self._bank, rng, page)
        composer.print_only((30, 25, 340, 170))
        composer.address((220, 250, 880, 590))
        return _scanned(page, rng)


def _scanned(page: Page, rng: Random) -> tuple[Ink, list[Truth]]:
    """Return a grey picture of a page that lies straight, and its numbers."""
    truths = [Truth(text, _box(hull)) for text, hull in page.truths]
    return photographed(page.ink, rng), truths
