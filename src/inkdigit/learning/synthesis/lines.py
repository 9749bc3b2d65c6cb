"""Lines of digits as hands write them: how characters are set side by side."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.learning.synthesis.allographs import LETTERS, SIGNS, Allograph
from inkdigit.learning.synthesis.glyphs import DISTINCT_LETTERS, SYMBOLS, Glyph, draw, printed
from inkdigit.learning.synthesis.hands import Hands, Pen, Sample
from inkdigit.learning.synthesis.paper import Backgrounds, framed, photograph
from inkdigit.learning.synthesis.pixels import Ink, Random, resized, shaken, warped, with_gamma
from inkdigit.learning.synthesis.real_hands import Line, RealHands
from inkdigit.learning.synthesis.texts import RAISED, STRUCK, TOKENS, as_read, invent_text
from inkdigit.reading.alphabet import DIGITS, MARKS, NOT_A_DIGIT

DIGIT_HEIGHT = 44
_HEIGHT = 240
_TOP = 98
# Ink is what is darker than this.
_INK = 60
# Where a digit has a tail, it begins below this share of its height.
_TAIL_FROM = 0.55
_TAILED = "14579"
# Of lines beside real ones: how many are real ones as they were found.
_REAL_LINES = 1 / 6


class Style:
    """What stays the same along a line."""

    def __init__(self, hands: Hands, rng: Random) -> None:
        self.kind = hands.kind(rng)
        self.pen = rng.uniform(1.5, 8) if rng.random() < 0.9 else rng.uniform(8, 12)
        # By how many pixels a stroke that is ink already is thickened.
        self.weight = rng.normal(0.2, 1.4)
        self.slant = rng.normal(0.1, 0.2) if rng.random() < 0.6 else rng.normal(0.45, 0.2)
        self.stretch = float(np.exp(rng.normal(-0.05, 0.25)))
        self.wobble = rng.uniform(0.01, 0.06)
        self.gap = rng.normal(0.16, 0.14)
        self.uneven = rng.uniform(0.1, 0.4) if rng.random() < 0.15 else 0.06
        self.climb = rng.normal(0, 0.1 if rng.random() < 0.1 else 0.03)
        self.ligature = rng.uniform(0.1, 0.7) if rng.random() < 0.2 else 0.0
        # Whether zeros that follow each other are written without lifting the pen.
        self.chained = rng.random() < 0.3 and self.kind in {"strokes", "mixed"}
        # How much each character differs in size from the one before, and from the others always.
        self.unsteady = rng.uniform(0.18, 0.35) if rng.random() < 0.12 else rng.uniform(0.03, 0.18)
        habit = rng.uniform(0, 0.25) if rng.random() < 0.4 else 0.0
        self.sizes = dict(zip(DIGITS, np.exp(rng.normal(0, habit, 10)), strict=True))
        tails = rng.uniform(0.3, 1.6, len(_TAILED)) * (rng.random(len(_TAILED)) < 0.6)
        self.tails = dict(zip(_TAILED, tails, strict=True)) if rng.random() < 0.25 else {}
        # A font by its number, or print.
        fonts = len(hands.fonts)
        self.lettering = int(rng.integers(fonts)) if fonts and rng.random() < 0.6 else fonts


class LineWriter:
    """Writes lines of digits by some hand on invented paper, and shows lines of real registers."""

    def __init__(
        self,
        hands: Hands,
        papers: Backgrounds,
        real: RealHands | None = None,
        invent: Callable[[Random], str] = invent_text,
        style: Callable[[Hands, Random], Style] = Style,
    ) -> None:
        self.hands, self.papers, self.real = hands, papers, real or RealHands()
        self._invent, self._style = invent, style

    def picture(self, rng: Random) -> tuple[Ink, str]:
        """Return a grey picture `uint8 (h, w)` of a line, and what is to be read in it."""
        if self.real.lines and rng.random() < _REAL_LINES:
            line = self.real.line(rng)
            return _retaken(line, rng), line.text
        text = self._invent(rng)
        ink = self.ink(text, rng)
        if rng.random() < 0.15:
            # The lines of a table reach well beyond the writing, or one would be a 1.
            ink = framed(ink, round(rng.uniform(0.3, 0.7) * DIGIT_HEIGHT), rng)
        return self.papers.put(ink, rng), as_read(text)

    def ink(
        self, text: str, rng: Random, letters: str = DISTINCT_LETTERS, *, alone: bool = False
    ) -> Ink:
        """Return a text as ink `uint8 (h, w)` on a dark ground; some of `letters` for each `?`.

        By default they are those that no hand's digit looks like: along a line of digits an `h` is
        a 4. How a text says what is raised or struck out is in `texts`. Now and then the ink of
        another line reaches in, unless it is to be `alone`.
        """
        canvas = self._canvas(letters, rng)
        for part in TOKENS.findall(text):
            if STRUCK in part:
                struck, _, above = part.rpartition(STRUCK)
                canvas.strike_out(struck.replace(STRUCK, ""), above)
            elif part.startswith("00") and canvas.style.chained:
                canvas.draw(_chain(len(part), rng), part)
            else:
                for character in part:
                    canvas.write(character)
        return shaken(canvas.finish(alone=alone), rng)

    def strokes(self, shape: Allograph, rng: Random) -> Ink:
        """Return a shape that is neither digit nor mark, as ink `uint8 (h, w)`."""
        canvas = self._canvas("", rng)
        canvas.draw(shape, NOT_A_DIGIT)
        return shaken(canvas.finish(), rng)

    def _canvas(self, letters: str, rng: Random) -> "_Canvas":
        return _Canvas(self.hands, self.real, self._style(self.hands, rng), letters, rng)


class _Canvas:
    """A line being written from left to right."""

    def __init__(
        self, hands: Hands, real: RealHands, style: Style, letters: str, rng: Random
    ) -> None:
        self._hands, self._real, self._letters, self._rng = hands, real, letters, rng
        self.style = style
        self._own = Pen(rng)
        self._hand = hands.hand(self.style.kind, self._own, rng)
        self._ink = np.zeros((_HEIGHT, 256), np.uint8)
        self._x = float(rng.uniform(4, 24))
        self._left = 0  # where the last character begins
        self._space = 0.0
        self._right = np.zeros(_HEIGHT)  # how far to the right the ink goes, row by row
        self._last: str = ""

    def write(self, character: str, lifted: float = 0.0) -> None:
        """Add a character; one that is raised may be `lifted` farther, in heights of a digit."""
        rng, style = self._rng, self.style
        if character == " ":
            self._space = rng.uniform(0.3, 1.5)
            return
        if character in RAISED:
            size, base = rng.uniform(0.35, 0.6), rng.uniform(0.25, 0.55) - lifted
        else:
            size, base = float(np.exp(rng.normal(0, style.unsteady))), 1.0
            size *= style.sizes.get(character, 1.0)
        glyph = self._glyph(RAISED.get(character, character), size)
        if glyph is None or not glyph.ink.size:
            return
        top = _TOP + round((glyph.top + base - size) * DIGIT_HEIGHT)
        top += round(style.climb * self._x + rng.normal(0, style.unsteady / 3) * DIGIT_HEIGHT)
        self._set(glyph.ink, top, NOT_A_DIGIT if character in RAISED else character)

    def strike_out(self, characters: str, above: str) -> None:
        """Add characters, draw lines through all of them, and set raised ones above."""
        rng, height = self._rng, DIGIT_HEIGHT
        start = None
        for character in characters:
            self.write(character)
            start = self._left if start is None else start
        first = (start or 0) - rng.uniform(0.05, 0.35) * height
        last = self._x + rng.uniform(0.1, 0.4) * height
        top = _TOP + self.style.climb * self._x + rng.normal(0, 0.05) * height
        # One line across a 7 or a 0 would leave it what it is.
        for across in _STRIKES[int(rng.integers(2 if characters in {"0", "7"} else 0, 6))]:
            x = np.linspace(first, last, len(across))
            y = top + (np.array(across) + rng.normal(0, 0.06, len(across))) * height
            points = np.rint(np.stack([x, y], axis=1)).astype(np.int32)
            self._grow(int(last) + 12)
            width = max(1, round(self.style.pen * rng.uniform(0.6, 1.1)))
            cv2.polylines(self._ink, [points], False, 255, width, cv2.LINE_AA)
        self._x, self._last = max(first, 0), ""
        for character in above:
            self.write(character, rng.uniform(0.3, 0.6))
        self._x, self._last = max(last, self._x), NOT_A_DIGIT

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
        self._x, self._left = x + ink.shape[1], x
        self._last, self._space = character, 0.0

    def _place(self, ink: Ink, rows: npt.NDArray[np.intp], top: int, character: str) -> int:
        """Return the column at which ink begins that has strokes in these rows of it.

        Slanting neighbours lean into each other: the gap is between their inks, row by row.
        """
        gap: float = (self.style.gap + self._rng.normal(0, self.style.uneven)) * DIGIT_HEIGHT
        if character in MARKS:
            gap = abs(gap) * 0.6 + 2 if self._rng.random() < 0.85 else self._rng.uniform(-4, 2)
        gap += self._space * DIGIT_HEIGHT
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

    def finish(self, *, alone: bool = False) -> Ink:
        """Return the line, with room at both ends and now and then another line's ink."""
        rng = self._rng
        width = int(max(self._x, 24) + rng.uniform(4, 30))
        self._grow(width)
        ink = self._ink[:, :width]
        rows = np.flatnonzero(self._right)
        first, last = (rows[0], rows[-1]) if len(rows) else (_TOP, _TOP + DIGIT_HEIGHT)
        above, below = rng.integers(0, 22, 2)
        top, bottom = max(0, first - above), min(_HEIGHT, last + 1 + below)
        if rng.random() < 0.15 and not alone:
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
        if character in SIGNS:
            return self._invented(SIGNS[character], size)
        if character not in DIGITS + MARKS:
            return self._lettered(character, size)
        glyph = self._realised(self._hand(character, self._rng), size)
        tail = self.style.tails.get(character)
        return _with_tail(glyph, tail) if glyph and tail else glyph

    def _realised(self, sample: Sample | None, size: float) -> Glyph | None:
        if sample is None or isinstance(sample, Glyph):
            return self._fitted(sample, size)
        return self._pen(sample, size, self.style.wobble)

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
        if kind < 0.12:  # a scribble or a flourish
            points = rng.uniform(0, 1, (int(rng.integers(5, 12)), 2)) * (rng.uniform(0.8, 3), 1)
            return self._pen((tuple((float(x), float(y)) for x, y in points),), size, 0.02)
        if kind < 0.35:
            shapes = [shape for several in SIGNS.values() for shape in several]
        elif kind < 0.45 and self._real.others:
            return self._fitted(self._real.others[rng.integers(len(self._real.others))], size)
        elif len(self._hands.fonts) and kind < 0.7:
            characters = self._letters if rng.random() < 0.8 else SYMBOLS
            return self._lettered(characters[rng.integers(len(characters))], size)
        else:
            shapes = [*LETTERS[self._letters[rng.integers(len(self._letters))]]]
        return self._invented(shapes, size)

    def _invented(self, shapes: Sequence[Allograph], size: float) -> Glyph:
        shape = self._own.own(shapes[int(self._rng.integers(len(shapes)))], self._rng)
        return self._pen(shape, size, self.style.wobble)

    def _lettered(self, character: str, size: float) -> Glyph | None:
        """Return a letter or symbol in the lettering of the line: a font, or print."""
        font, fonts = self.style.lettering, self._hands.fonts
        glyph = fonts.glyph(font, character) if font < len(fonts) else printed(character)
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
        return Glyph(_weighted(ink, self._rng.normal(self.style.weight, 0.5)), top, bottom)


# Lines through what is struck out, from left to right, at heights from 0 (top) to 1.
_STRIKES = (
    ((0.5, 0.5),), ((1.0, 0.0),), ((0.4, 0.4), (0.62, 0.62)), ((0.0, 1.0), (1.0, 0.0)),
    ((0.3, 0.7, 0.3, 0.7, 0.3, 0.7),), ((0.1, 0.9, 0.0, 1.0, 0.1, 0.8, 0.2), (0.5, 0.5)),
)  # fmt: skip


def _with_tail(glyph: Glyph, length: float) -> Glyph:
    """Let the lower part of a digit reach below the line, so much longer than it was."""
    height, width = glyph.ink.shape
    upper = round(height * _TAIL_FROM)
    tail = resized(glyph.ink[upper:], width, max(1, round((height - upper) * (1 + length))))
    ink = np.concatenate([glyph.ink[:upper], tail])
    bottom = glyph.top + (glyph.bottom - glyph.top) * len(ink) / height
    return Glyph(ink, glyph.top, bottom)


def _retaken(line: Line, rng: Random) -> Ink:
    """Return a line of a register as another camera might have it, and another day's writing."""
    grey = line.open()
    paper = np.uint8(np.median(grey))
    if rng.random() < 0.5:  # without what reaches into it from beside
        outside = cv2.fillPoly(np.ones_like(grey), [line.outline], 0) > 0
        grey = np.where(outside, paper, grey)
    height, width = grey.shape
    across, down = np.exp(rng.normal(0, 0.15, 2))
    lean, tilt = rng.normal(0, 0.12), rng.normal(0, 0.02)
    matrix = np.array([[across, lean, max(0, -lean) * height], [tilt, down, 0.0]])
    size = round(width * across + abs(lean) * height), round(height * down)
    ink = warped(255 - grey, matrix, *size, edge=255 - int(paper))
    darkness = with_gamma(shaken(ink, rng, 1.3), float(np.exp(rng.normal(0, 0.3))))
    return photograph(1 - darkness.astype(np.float32) / np.float32(255), rng)


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


def _weighted(ink: Ink, change: float) -> Ink:
    """Make the stroke so many pixels thicker, or thinner below zero."""
    change = int(np.clip(np.rint(change), -2, 4))
    if change == 0:
        return ink
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (abs(change) + 1,) * 2)
    changed = np.asarray((cv2.erode if change < 0 else cv2.dilate)(ink, disc), np.uint8)
    return changed if changed.max(initial=0) > 128 else ink
