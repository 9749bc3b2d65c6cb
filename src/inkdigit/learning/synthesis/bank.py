"""The pieces that pages are composed of: numbers, words, print, by many hands and in many fonts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from inkdigit.learning.synthesis.allographs import LETTERS
from inkdigit.learning.synthesis.glyphs import PRINT_FOLDER, open_font
from inkdigit.learning.synthesis.lines import DIGIT_HEIGHT, LineWriter
from inkdigit.learning.synthesis.pixels import Ink, Random, inked
from inkdigit.learning.synthesis.real_hands import Line, RealHands
from inkdigit.learning.synthesis.texts import number_text
from inkdigit.reading.pages.places import NUMBER, PRINT, WRITING
from inkdigit.reading.preprocessing.layout import find_line
from inkdigit.reading.preprocessing.paper import find_ink

Points = npt.NDArray[np.float32]

# How many different digits and longer numbers there are; and of them, how many are real.
_DIGITS, _NUMBERS, _REAL = 4000, 10000, 0.2
_POSTCODES = 1000
# What is weaker in a picture of a real number is its paper, or a rule of it.
_PEN = 110
# An upright rule is at least so much of its picture high, and so many times narrower.
_BAR, _BAR_WIDTH = 0.2, 0.2
# How many words each font and hand knows, and how many hands write letters of their own: with
# fewer, a network learns the words by heart, and takes other people's for numbers.
_WORDS, _LETTERED = 100, 20
_SEED = 20
# The core of a number is so much of its height, and as far from its ends.
_CORE = 0.42
_SYLLABLES = (
    "a e i o u an en er in on or le la re de ro st ch tr sol mar ber lin zo qu ill os is ut"
)
_PRINT_FILES = ("*-latin-400-*.woff2", "*-latin-700-normal.woff2", "*.ttf", "*.otf")
_NOT_PRINT = ("stixsiz", "stixnon", "cmex", "cmsy", "cmmi", "lastresort")


@dataclass(frozen=True)
class Piece:
    """Ink to be set on a page, `uint8 (h, w)`, at a height of `unit` pixels for a digit.

    A number has the hull of its ink and its `core`, `float32 (n, 2)`.
    """

    ink: Ink
    what: int
    unit: float
    text: str = ""
    hull: Points | None = None
    core: Points | None = None


class Vocabulary:
    """Pieces of one kind, each drawn when first asked for, and always alike."""

    def __init__(self, draw: Callable[[Random], Piece], size: int, *seed: int) -> None:
        self._draw, self._size, self._seed = draw, size, seed
        self._drawn: dict[int, Piece] = {}

    def pick(self, rng: Random) -> Piece:
        """Return one of them."""
        index = int(rng.integers(self._size))
        if index not in self._drawn:
            self._drawn[index] = self._draw(np.random.default_rng([_SEED, *self._seed, index]))
        return self._drawn[index]


class Bank:
    """Numbers, words and print by many hands and in many fonts."""

    def __init__(
        self, writer: LineWriter, real: RealHands, fonts: Sequence[Path], prints: Sequence[Path]
    ) -> None:
        self._writer, self._real = writer, real
        self._digits = Vocabulary(partial(self._number, one_digit=True), _DIGITS, 0)
        self._numbers = Vocabulary(partial(self._number, one_digit=False), _NUMBERS, 1)
        self.postcodes = Vocabulary(self._postcode, _POSTCODES, 4)
        words = [partial(_weighted_word, path) for path in fonts for _ in range(2)]
        hands: list[Callable[[Random], Piece]] = [*words, *[self._letters] * _LETTERED]
        self.hands = [Vocabulary(draw, _WORDS, 2, n) for n, draw in enumerate(hands)]
        self.prints = [
            Vocabulary(partial(_printed, path), _WORDS, 3, n) for n, path in enumerate(prints)
        ]

    def number(self, rng: Random, one_digit: float = 0.36) -> Piece:
        """Return a number, often of one digit."""
        return (self._digits if rng.random() < one_digit else self._numbers).pick(rng)

    def _number(self, rng: Random, *, one_digit: bool) -> Piece:
        while True:
            if self._real.lines and rng.random() < _REAL:
                piece = line_piece(self._real.line(rng))
            else:
                piece = self._written(str(rng.integers(10)) if one_digit else number_text(rng), rng)
            if piece and (len(piece.text) == 1) == one_digit:
                return piece

    def _postcode(self, rng: Random) -> Piece:
        while not (piece := self._written(f"{rng.integers(100_000):05d}", rng)):
            pass
        return piece

    def _written(self, text: str, rng: Random) -> Piece | None:
        return number_piece(self._writer.ink(text, rng, alone=True), text)

    def _letters(self, rng: Random) -> Piece:
        # A letter alone may be a digit.
        text = "?" * int(rng.integers(2, 7))
        return Piece(inked(self._writer.ink(text, rng, "".join(LETTERS), alone=True)), WRITING, 44)


def _weighted_word(font: Path, rng: Random) -> Piece:
    """Return a word in a font of handwriting, as pens of many widths write it."""
    piece, weight = _in_font(font, word(rng), WRITING), int(rng.integers(0, 7))
    if weight < 2:
        return piece
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (weight, weight))
    return replace(piece, ink=np.asarray(cv2.dilate(piece.ink, disc), np.uint8))


def _printed(font: Path, rng: Random) -> Piece:
    return _in_font(font, printed_text(rng), PRINT)


@cache
def print_fonts(folder: Path | None, *, held_out: bool) -> list[Path]:
    """Return the files of fonts for print: of matplotlib's, and of those below a folder.

    One font in eight is held out, in all its styles.
    """
    import matplotlib

    own = sorted(Path(matplotlib.get_data_path(), "fonts", "ttf").glob("*.ttf"))
    fonts = [[path] for path in own if not path.name.lower().startswith(_NOT_PRINT)]
    for font in sorted(folder.rglob(f"{PRINT_FOLDER}/*")) if folder else ():
        fonts.append(sorted({path for name in _PRINT_FILES for path in font.rglob(name)}))
    return [path for i, font in enumerate(fonts) if (i % 8 == 3) == held_out for path in font]


def number_piece(ink: Ink, text: str) -> Piece | None:
    """Return a number with its hull and core; `None` for no ink."""
    ink = inked(ink, 60)
    y, x = np.nonzero(ink > 60)
    if len(x) < 4 or min(ink.shape) < 3:
        return None
    points = np.stack([x, y], axis=1).astype(np.float32)
    hull = np.asarray(cv2.convexHull(points)[:, 0], np.float32)
    middle = points.mean(axis=0)
    width, height = float(np.ptp(x)), float(np.ptp(y))
    slope = float(np.polyfit(x, y, 1)[0]) if width > 1.5 * height else 0.0
    axis = middle[1] + slope * (hull[:, 0] - middle[0])
    level = axis + _CORE * (hull[:, 1] - axis)
    centre = float(x.min()) + width / 2
    narrower = max(width - (1 - _CORE) * height, 0.35 * width) / max(width, 1.0)
    core = np.stack([centre + narrower * (hull[:, 0] - centre), level], axis=1)
    return Piece(ink, NUMBER, DIGIT_HEIGHT, text, hull, core.astype(np.float32))


def line_piece(line: Line) -> Piece | None:
    """Return a number of a real register, cut out along its outline and without rules."""
    grey = line.open()
    within = cv2.fillPoly(np.zeros_like(grey), [line.outline], 1)
    found = find_line(find_ink(grey) * np.asarray(within, np.uint8))
    if found is None:
        return None
    ink = np.ascontiguousarray(found.ink[:, max(0, int(found.left)) : int(found.right) + 1])
    strong = np.percentile(ink[ink > 0], 97) if ink.any() else 0
    if strong < 30 or not line.text:
        return None
    ink = np.asarray(cv2.convertScaleAbs(ink, alpha=255 / strong), np.uint8)
    ink[ink < _PEN] = 0
    if _has_bar(ink):
        return None
    piece = number_piece(ink, line.text)
    return piece and Piece(
        piece.ink, NUMBER, 0.8 * len(piece.ink), line.text, piece.hull, piece.core
    )


def _has_bar(ink: Ink) -> bool:
    """Return whether an upright rule stands at an end; it may be a straight 1."""
    stats = cv2.connectedComponentsWithStats((inked(ink) > 0).astype(np.uint8))[2]
    left, _, width, height, _ = stats[1:].T
    at_end = (left == 0) | (left + width == stats[0, cv2.CC_STAT_WIDTH])
    return bool((at_end & (width < _BAR_WIDTH * height) & (height > _BAR * len(ink))).any())


def word(rng: Random) -> str:
    """Return something like a word, of letters that are not all like digits."""
    text = ""
    while set(text) <= set("oilzqus"):
        text = "".join(rng.choice(_SYLLABLES.split(), int(rng.integers(1, 5))))
    kind = rng.random()
    return text.upper() if kind < 0.15 else text.capitalize() if kind < 0.45 else text


def printed_text(rng: Random) -> str:
    """Return what is printed: words, and numbers too."""
    kind = rng.random()
    if kind < 0.3:
        return number_text(rng) if rng.random() < 0.6 else str(rng.integers(0, 32))
    return word(rng) + str(rng.choice(["", "", "", ".", ":", ",", ")"]))


@cache
def _font(path: Path) -> tuple[ImageFont.FreeTypeFont, float]:
    font = open_font(path, 48)
    _, top, _, bottom = font.getbbox("0")
    return font, max(8.0, bottom - top)


def _in_font(path: Path, text: str, what: int) -> Piece:
    font, height = _font(path)
    left, top, right, bottom = (int(side) for side in font.getbbox(text))
    image = Image.new("L", (max(4, right - left) + 6, max(4, bottom - top) + 6))
    ImageDraw.Draw(image).text((3 - left, 3 - top), text, fill=255, font=font)
    return Piece(np.array(image), what, height, text)
