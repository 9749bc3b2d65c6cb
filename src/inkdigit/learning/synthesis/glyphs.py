"""One character by one hand, as ink `uint8 (height, width)` on a dark ground."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from inkdigit.errors import DataError
from inkdigit.learning.synthesis.allographs import Allograph
from inkdigit.learning.synthesis.pixels import Ink, Random

Floats = npt.NDArray[np.float64]

FONT_FILES = ("*-latin-400-normal.woff2", "*-wght-normal.woff2", "*.ttf", "*.otf")
# What is in a folder of this name are fonts for print, a folder each.
PRINT_FOLDER = "@print"
# Letters that no hand's digit looks like, as an 8 does like a B or a 4 like an h.
DISTINCT_LETTERS = "EHKMRWXekmwx"
SYMBOLS = "$#*€£%+?@"
_FONT_SIZE = 64
_HELD_OUT = 8
_STEPS = np.linspace(0, 1, 5, endpoint=False)[:, None, None]
_SHIFT = 4  # bits after the point in OpenCV's drawing coordinates


@dataclass(frozen=True)
class Glyph:
    """Ink of one character.

    `top` and `bottom` are where it stands in the line: 0 is the height of a digit, 1 the baseline.
    """

    ink: Ink
    top: float
    bottom: float


def draw(
    shape: Allograph,
    rng: Random,
    *,
    height: float,
    pen: float,
    slant: float,
    stretch: float,
    wobble: float,
) -> Glyph:
    """Draw an allograph with a round pen.

    `height` is that of a digit and `pen` the width of the stroke, both in pixels; `slant` is the
    tangent of the writing's angle, `stretch` its width, and `wobble` how far points stray, in
    heights of a digit.
    """
    pressure = rng.uniform(-0.5, 0.5) if rng.random() < 0.3 else 0.0
    warp = np.array([[stretch, -slant], [rng.normal(0, 0.04), 1.0]])
    strokes = []
    for stroke in shape:
        points = np.array(stroke) + rng.normal(0, wobble, (len(stroke), 2))
        corners = (np.diff(np.array(stroke), axis=0) == 0).all(axis=1)
        points[1:][corners] = points[:-1][corners]
        strokes.append(smooth(points) @ warp.T * height)
    every = np.concatenate(strokes)
    margin = pen / 2 + 2
    low, high = every.min(axis=0) - margin, every.max(axis=0) + margin
    width, depth = np.ceil(high - low).astype(int)
    ink = np.zeros((depth, width), np.uint8)
    for stroke in strokes:
        _ink(ink, stroke - low, pen, pressure)
    return Glyph(ink, float(low[1] / height), float(high[1] / height))


def smooth(points: Floats) -> Floats:
    """Return a Catmull-Rom curve through the points."""
    padded = np.concatenate([points[:1], points, points[-1:]])
    t = _STEPS
    a, b, c, d = (padded[i : len(padded) - 3 + i] for i in range(4))
    curve = 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3
    )
    return np.concatenate([curve.transpose(1, 0, 2).reshape(-1, 2), points[-1:]])


def _ink(canvas: Ink, stroke: Floats, pen: float, pressure: float) -> None:
    points = np.rint(stroke * (1 << _SHIFT)).astype(np.int32)
    if not pressure:
        width = max(1, round(pen))
        cv2.polylines(canvas, [points], False, 255, width, cv2.LINE_AA, _SHIFT)
        return
    # A pen presses more on the way down, or less.
    fall = np.diff(stroke[:, 1])
    steps = np.maximum(np.hypot(np.diff(stroke[:, 0]), fall), 1e-6)
    widths = np.maximum(1, np.rint(pen * (1 + pressure * fall / steps))).astype(int)
    for start, end, width in zip(points[:-1], points[1:], widths, strict=True):
        cv2.line(canvas, start, end, 255, int(width), cv2.LINE_AA, _SHIFT)


class Fonts:
    """The glyphs of handwriting fonts, rendered once.

    One font in eight is held out: lines in it are for validation and calibration.
    """

    def __init__(self, folder: str | Path | None, *, held_out: bool = False) -> None:
        """Take the fonts below a folder; `DataError` where it holds none. `None`: no fonts."""
        paths = _font_files(Path(folder)) if folder else []
        self.paths = [p for i, p in enumerate(paths) if (i % _HELD_OUT == 0) == held_out]

    def __len__(self) -> int:
        return len(self.paths)

    @property
    def names(self) -> list[str]:
        """The names of the fonts' files."""
        return [path.name for path in self.paths]

    def glyph(self, font: int, character: str) -> Glyph | None:
        """Return a character as a font has it, `None` if it has no ink."""
        return _rendered(self.paths[font], character)


def _font_files(folder: Path) -> list[Path]:
    found = {path for name in FONT_FILES for path in folder.rglob(name)}
    found = {path for path in found if PRINT_FOLDER not in path.parts}
    if len(found) < 2:
        # One is for validation alone, so that one is none to learn from.
        raise DataError(
            f"{folder} holds {'a single font' if found else 'no font'}: expected at least two "
            f"({', '.join(FONT_FILES)})"
        )
    return sorted(found, key=lambda path: path.name)


@cache
def _font(path: Path) -> tuple[ImageFont.FreeTypeFont, float, float]:
    """Return a font with the top and bottom of its digits."""
    font = open_font(path, _FONT_SIZE)
    return font, *_top_and_bottom(font)


def open_font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    """Return a font of so many pixels; raises `DataError` for what is none."""
    try:
        return ImageFont.truetype(str(path), size)
    except OSError as error:
        raise DataError(f"{path} is no font that can be used ({error}): take it away") from None


def _top_and_bottom(font: ImageFont.FreeTypeFont) -> tuple[float, float]:
    boxes = [font.getbbox(digit) for digit in "0123456789"]
    return float(np.median([b[1] for b in boxes])), float(np.median([b[3] for b in boxes]))


@cache
def printed(character: str) -> Glyph | None:
    """Return a character in print, `None` if it has no ink."""
    font = ImageFont.load_default(_FONT_SIZE)
    assert isinstance(font, ImageFont.FreeTypeFont)
    return _in_font(font, *_top_and_bottom(font), character)


@cache
def _rendered(path: Path, character: str) -> Glyph | None:
    return _in_font(*_font(path), character)


def _in_font(
    font: ImageFont.FreeTypeFont, top: float, bottom: float, character: str
) -> Glyph | None:
    left, up, right, down = (int(side) for side in font.getbbox(character))
    if right - left < 1 or down - up < 1:
        return None
    # Calligraphic hairlines are no pen's: the stroke is thickened where a font is very thin.
    image = Image.new("L", (right - left + 8, down - up + 8))
    ImageDraw.Draw(image).text((4 - left, 4 - up), character, fill=255, font=font)
    ink = np.array(image)
    if ink.sum() < 255 * 2.5 * np.count_nonzero(cv2.Canny(ink, 50, 150)) / 2:
        ink = np.asarray(cv2.dilate(ink, np.ones((2, 2), np.uint8)), np.uint8)
    height = max(bottom - top, 1.0)
    return Glyph(ink, (up - 4 - top) / height, (down + 4 - top) / height)
