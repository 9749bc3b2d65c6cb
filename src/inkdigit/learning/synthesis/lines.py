"""Lines of digits as hands write them: how characters are set side by side."""

import re

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.learning.synthesis.allographs import LETTERS, MARKS, SIGNS, WRITTEN, Allograph, Stroke
from inkdigit.learning.synthesis.glyphs import DISTINCT_LETTERS, SYMBOLS, Glyph, Writers, draw
from inkdigit.learning.synthesis.paper import Backgrounds
from inkdigit.learning.synthesis.pixels import Ink, Random, resized, warped
from inkdigit.learning.synthesis.texts import invent_text
from inkdigit.reading.alphabet import DIGITS, NOT_A_DIGIT

DIGIT_HEIGHT = 44
_HEIGHT = 140
_TOP = 48
# Ink is what is darker than this.
_INK = 60
_ZEROS = re.compile("(0{2,})")
# The same hand writes a line: what MNIST's many writers, a font and a pen each give.
_HANDS = ("strokes", "mnist", "font", "mixed")
_HAND_SHARES = (0.5, 0.2, 0.2, 0.1)


class _Style:
    """What stays the same along a line."""

    def __init__(self, hands: Writers, rng: Random) -> None:
        hand, fonts = str(rng.choice(_HANDS, p=_HAND_SHARES)), len(hands.fonts)
        self.hand = hand if fonts or hand != "font" else "strokes"
        self.font = int(rng.integers(fonts)) if fonts else 0
        self.pen = rng.uniform(1.5, 8) if rng.random() < 0.9 else rng.uniform(8, 12)
        self.slant = rng.normal(0.1, 0.2) if rng.random() < 0.6 else rng.normal(0.45, 0.2)
        self.stretch = float(np.exp(rng.normal(-0.05, 0.25)))
        self.wobble = rng.uniform(0.01, 0.06)
        self.gap = rng.normal(0.16, 0.14)
        self.climb = rng.normal(0, 0.03)
        self.loyalty = rng.uniform(0.5, 1)
        self.own = rng.uniform(0, 0.8)
        self.ligature = rng.uniform(0.1, 0.7) if rng.random() < 0.2 else 0.0
        # Whether zeros that follow each other are written without lifting the pen.
        self.chained = rng.random() < 0.3 and self.hand in {"strokes", "mixed"}
        self.unsteady = rng.uniform(0.03, 0.18)


class LineWriter:
    """Writes lines of digits by invented hands on invented paper."""

    def __init__(self, hands: Writers, papers: Backgrounds) -> None:
        self._hands = hands
        self._papers = papers

    def picture(self, rng: Random) -> tuple[Ink, str]:
        """Return a grey picture `uint8 (h, w)` of a line, and what stands in it."""
        text = invent_text(rng)
        return self._papers.put(self.ink(text, rng), rng), text

    def ink(self, text: str, rng: Random, letters: str = DISTINCT_LETTERS) -> Ink:
        """Return the text as ink `uint8 (h, w)` on a dark ground; some of `letters` for each `?`.

        By default they are those that no hand's digit looks like: along a line of digits an `h` is
        a 4.
        """
        canvas = _Canvas(self._hands, letters, rng)
        for part in _ZEROS.split(text):
            if part.startswith("00") and canvas.style.chained:
                canvas.draw(_chain(len(part), rng), part)
            else:
                for character in part:
                    canvas.write(character)
        return _shake(canvas.finish(), rng)

    def strokes(self, shape: Allograph, rng: Random) -> Ink:
        """Return a shape that is neither digit nor mark, as ink `uint8 (h, w)`."""
        canvas = _Canvas(self._hands, "", rng)
        canvas.draw(shape, NOT_A_DIGIT)
        return _shake(canvas.finish(), rng)


class _Canvas:
    """A line being written from left to right."""

    def __init__(self, hands: Writers, letters: str, rng: Random) -> None:
        self._hands, self._letters, self._rng = hands, letters, rng
        self.style = _Style(hands, rng)
        self._ink = np.zeros((_HEIGHT, 256), np.uint8)
        self._x = float(rng.uniform(4, 24))
        self._favourites: dict[str, Allograph] = {}
        self._right = np.zeros(_HEIGHT)  # how far to the right the ink goes, row by row
        self._last: str = ""

    def write(self, character: str) -> None:
        """Add a character."""
        rng, style = self._rng, self.style
        size = float(np.exp(rng.normal(0, style.unsteady)))
        glyph = self._glyph(character, size)
        if glyph is None or not glyph.ink.size:
            return
        top = _TOP + round((glyph.top + 1 - size) * DIGIT_HEIGHT)
        top += round(style.climb * self._x + rng.normal(0, style.unsteady / 3) * DIGIT_HEIGHT)
        self._set(glyph.ink, top, character)

    def draw(self, shape: Allograph, what: str) -> None:
        """Add a shape of one's own, for these characters."""
        glyph = self._pen(shape, 1.0, self.style.wobble)
        self._set(glyph.ink, _TOP + round(glyph.top * DIGIT_HEIGHT), what[-1])

    def _set(self, ink: Ink, top: int, character: str) -> None:
        bottom = min(top + len(ink), _HEIGHT)
        ink, top = ink[max(0, -top) : max(0, bottom - top)], max(0, top)
        rows = np.flatnonzero(ink.max(axis=1, initial=0) > _INK)
        if not len(rows):
            return
        x = self._place(ink, rows, top, character)
        self._grow(x + ink.shape[1])
        view = self._ink[top : top + len(ink), x : x + ink.shape[1]]
        if self._last and self._last in DIGITS and character in DIGITS:
            self._join(x, top, ink)
        np.maximum(view, ink, out=view)
        last = ink.shape[1] - 1 - np.argmax(ink[rows][:, ::-1] > _INK, axis=1)
        self._right[rows + top] = np.maximum(self._right[rows + top], x + last)
        self._x = x + ink.shape[1]
        self._last = character

    def _place(self, ink: Ink, rows: npt.NDArray[np.intp], top: int, character: str) -> int:
        """Return the column at which ink begins that has strokes in these rows of it.

        Slanting neighbours lean into each other: the gap is between their inks, row by row.
        """
        gap: float = (self.style.gap + self._rng.normal(0, 0.06)) * DIGIT_HEIGHT
        if character in MARKS:
            gap = abs(gap) * 0.6 + 2 if self._rng.random() < 0.85 else self._rng.uniform(-4, 2)
        if not self._last:
            return round(max(self._x, 0))
        first = np.argmax(ink[rows] > _INK, axis=1)
        # What lies three rows above or below is in the way as well.
        around = np.clip(rows + top + np.array([[-3], [0], [3]]), 0, _HEIGHT - 1)
        reach = float((self._right[around].max(axis=0) - first).max())
        return round(float(max(reach + gap, self._x - 0.6 * ink.shape[1], 0)))

    def _join(self, x: int, top: int, ink: Ink) -> None:
        """Draw what a running pen leaves between two digits."""
        if self._rng.random() >= self.style.ligature:
            return
        level = int(_TOP + self._rng.uniform(0.0, 1.0) * DIGIT_HEIGHT)
        row = min(max(level - top, 0), len(ink) - 1)
        entry = x + int(np.argmax(ink[row] > _INK))
        start = int(self._right[min(max(level, 0), _HEIGHT - 1)])
        if 0 < start < entry < start + DIGIT_HEIGHT:
            sag = int(self._rng.normal(0, 4))
            curve = np.array([[start, level], [(start + entry) // 2, level + sag], [entry, level]])
            pen = max(1, round(self.style.pen * 0.8))
            cv2.polylines(self._ink, [curve.astype(np.int32)], False, 255, pen, cv2.LINE_AA)

    def finish(self) -> Ink:
        """Return the line, with room at both ends and now and then another line's ink."""
        rng = self._rng
        width = int(max(self._x, 24) + rng.uniform(4, 30))
        self._grow(width)
        ink = self._ink[:, :width]
        rows = np.flatnonzero(self._right)
        first, last = (rows[0], rows[-1]) if len(rows) else (_TOP, _TOP + DIGIT_HEIGHT)
        above, below = rng.integers(0, 22, 2)
        top, bottom = max(0, first - above), min(_HEIGHT, last + 1 + below)
        if rng.random() < 0.15:
            self._neighbours(ink[top:bottom])
        return ink[top:bottom]

    def _neighbours(self, ink: Ink) -> None:
        """Let the ink of the line above or below reach into the picture."""
        rng = self._rng
        for _ in range(int(rng.integers(1, 5))):
            glyph = self._fitted(self._hands.mnist(str(rng.integers(10)), rng), 1.0)
            if glyph is None:
                continue
            rows = int(rng.integers(3, 12))
            x = int(rng.integers(0, max(1, ink.shape[1] - glyph.ink.shape[1])))
            part = glyph.ink[-rows:] if rng.random() < 0.5 else glyph.ink[:rows]
            y = 0 if rng.random() < 0.5 else max(0, len(ink) - len(part))
            view = ink[y : y + len(part), x : x + part.shape[1]]
            np.maximum(view, part[: len(view), : view.shape[1]], out=view)

    def _grow(self, width: int) -> None:
        if width > self._ink.shape[1]:
            more = width - self._ink.shape[1] + 256
            self._ink = np.pad(self._ink, ((0, 0), (0, more)))

    def _glyph(self, character: str, size: float) -> Glyph | None:
        """Return a character as it stands in the line; `top` is in heights of a digit."""
        if character == NOT_A_DIGIT:
            return self._not_a_digit(size)
        hand = self.style.hand
        if hand == "mixed":
            hand = str(self._rng.choice(["strokes", "mnist"]))
        if character in MARKS or hand == "strokes":
            return self._drawn(character, size)
        if hand == "font":
            return self._fitted(self._hands.fonts.glyph(self.style.font, character), size)
        return self._fitted(self._hands.mnist(character, self._rng), size)

    def _drawn(self, character: str, size: float) -> Glyph:
        rng = self._rng
        shapes = WRITTEN[character]
        if character not in self._favourites or rng.random() > self.style.loyalty:
            shape = shapes[rng.integers(len(shapes))]
            self._favourites[character] = (
                shape if character in MARKS else _own(shape, self.style.own, rng)
            )
        return self._pen(self._favourites[character], size, self.style.wobble)

    def _pen(self, shape: Allograph, size: float, wobble: float) -> Glyph:
        rng, height, pen = self._rng, DIGIT_HEIGHT * size, self.style.pen
        slant = self.style.slant + rng.normal(0, 0.04)
        stretch = self.style.stretch * float(np.exp(rng.normal(0, 0.1)))
        glyph = draw(
            shape, rng, height=height, pen=pen, slant=slant, stretch=stretch, wobble=wobble
        )
        return Glyph(glyph.ink, glyph.top * size, glyph.bottom * size)

    def _not_a_digit(self, size: float) -> Glyph | None:
        rng, kind = self._rng, self._rng.random()
        if kind < 0.12:
            points = rng.uniform(0, 1, (int(rng.integers(5, 12)), 2))
            return self._pen((tuple((float(x), float(y)) for x, y in points),), size, 0.02)
        if kind < 0.35:
            shapes = [shape for several in SIGNS.values() for shape in several]
        elif len(self._hands.fonts) and kind < 0.7:
            return self._printed(size)
        else:
            shapes = [*LETTERS[self._letters[rng.integers(len(self._letters))]]]
        shape = _own(shapes[rng.integers(len(shapes))], self.style.own, rng)
        return self._pen(shape, size, self.style.wobble)

    def _printed(self, size: float) -> Glyph | None:
        """Return a letter or a symbol in a font."""
        rng, fonts = self._rng, self._hands.fonts
        font = self.style.font if self.style.hand == "font" else rng.integers(len(fonts))
        characters = self._letters if rng.random() < 0.8 else SYMBOLS
        glyph = fonts.glyph(int(font), characters[rng.integers(len(characters))])
        return self._fitted(glyph, size)

    def _fitted(self, glyph: Glyph | None, size: float) -> Glyph | None:
        """Return a glyph from elsewhere at the size, slant, width and weight of this hand."""
        if glyph is None or not glyph.ink.size:
            return None
        top, bottom = glyph.top * size, glyph.bottom * size
        height = max(2, round((bottom - top) * DIGIT_HEIGHT))
        scale = height / len(glyph.ink)
        lean = (self.style.slant * 0.6 + self._rng.normal(0, 0.05)) * scale
        stretch = scale * self.style.stretch
        room = abs(lean) * len(glyph.ink)
        matrix = np.array([[stretch, -lean, max(lean, 0) * len(glyph.ink)], [0, scale, 0]])
        width = max(2, round(glyph.ink.shape[1] * stretch + room) + 1)
        ink = warped(glyph.ink, matrix, width, height)
        return Glyph(_weighted(ink, self._rng), top, bottom)


def _own(shape: Allograph, strength: float, rng: Random) -> Allograph:
    """Return a hand's own version of a shape: points elsewhere, upper or lower half larger."""
    bend = float(np.exp(rng.normal(0, 0.3 * strength)))
    spread = rng.normal(0, 0.25 * strength)
    return tuple(_own_stroke(stroke, bend, spread, 0.05 * strength, rng) for stroke in shape)


def _own_stroke(stroke: Stroke, bend: float, spread: float, stray: float, rng: Random) -> Stroke:
    moved: list[tuple[float, float]] = []
    for place, (x, y) in enumerate(stroke):
        if place and stroke[place - 1] == (x, y):  # a corner stays one
            moved.append(moved[-1])
            continue
        dx, dy = rng.normal(0, stray, 2)
        middle = 0.3 + (x - 0.3) * (1 + spread * (1 - 2 * y))
        moved.append((middle + dx, (y**bend if y > 0 else y) + dy))
    return tuple(moved)


def _chain(zeros: int, rng: Random) -> Allograph:
    """Return zeros that one stroke writes, each joined to the next at its top."""
    top, step = rng.uniform(0, 0.45), rng.uniform(0.5, 0.9)
    height = 1 - top
    link = rng.uniform(-0.08, 0.15) * height
    points = []
    for number in range(zeros):
        x = number * step
        loop = ((0.35, 0.05), (0.08, 0.3), (0.08, 0.75), (0.3, 1.0), (0.55, 0.7), (0.48, 0.2))
        points += [(x + across * step / 0.75, top + height * down) for across, down in loop]
        points.append((x + 0.35 * step / 0.75, top + 0.02 * height))
        if number < zeros - 1 or rng.random() < 0.3:
            points.append((x + 0.8 * step, top + link))
    return (tuple(points),)


def _weighted(ink: Ink, rng: Random) -> Ink:
    """Make the stroke thinner or thicker."""
    change = int(np.clip(np.rint(rng.normal(0.2, 1.5)), -2, 4))
    if change == 0:
        return ink
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(change) + 1,) * 2)
    changed = np.asarray((cv2.erode if change < 0 else cv2.dilate)(ink, disc), np.uint8)
    return changed if changed.max(initial=0) > 128 else ink


def _shake(ink: Ink, rng: Random) -> Ink:
    """Move the ink a little, smoothly: a hand never writes the same twice (Simard et al. 2003)."""
    height, width = ink.shape
    strength = np.float32(rng.uniform(0, 2.6))
    coarse = rng.standard_normal((2, 2 + height // 18, 2 + width // 18), np.float32)
    dx, dy = (strength * resized(way, width, height, cv2.INTER_CUBIC) for way in coarse)
    y, x = np.indices((height, width), np.float32)
    return np.asarray(cv2.remap(ink, x + dx, y + dy, cv2.INTER_LINEAR), np.uint8)
