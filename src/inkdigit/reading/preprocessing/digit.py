"""One digit as MNIST has it: 28×28, the ink fitted into 20×20, its centre of mass centred."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.images import Grey
from inkdigit.reading.preprocessing import paper
from inkdigit.reading.preprocessing.layout import FRAME_THICKNESS, Crop, crop, find_digit
from inkdigit.reading.result import Box

SIZE = 28
BOX = 20
# Where ink covers more than this share of a picture, nothing tells ink from paper.
_CROWDED = 0.28
# A frame along the border is thin. Where more than this share of the ink there is not, it is the
# paper around a digit that was cut out close. From 0.1 to 0.35, MNIST's digits come out alike.
_THICK = 0.2


@dataclass(frozen=True)
class DigitImage:
    """One digit made ready for a digit network, `uint8 (28, 28)`, and its place in the picture.

    `beside` names what else is there: another `character`, at least half as tall, a `dash` or a
    `dot` ahead of the digit, or the `edge` of the picture, if what is read is a line along it.
    """

    pixels: Grey
    box: Box
    beside: str = ""


def extract_digit(grey: Grey) -> DigitImage | None:
    """Return the one digit on a page as MNIST has it, ink 255 on paper 0; `None` for blank paper.

    The normalisation of MNIST, as LeCun et al. (1998) describe it: the ink fitted into 20×20 with
    its proportions kept, and its centre of mass put into the centre of 28×28.
    """
    return _extracted(_digit_ink(grey)[0])


def extract_digit_both_ways(grey: Grey) -> list[DigitImage]:
    """Return the one digit on a page, in both ways that it may be seen where that is unclear.

    In a picture cut close around a digit the ink may take up as much room as the paper, and nothing
    but the shapes tells which is which.
    """
    ink, is_dark = _digit_ink(grey)
    ways = [_extracted(ink)]
    if np.count_nonzero(ink > 0.4 * ink.max()) > _CROWDED * ink.size:
        ways.append(_extracted(_flat_ink(grey, is_dark=not is_dark)))
    return [way for way in ways if way]


def normalise(grey: Grey) -> Grey:
    """Return one digit as `extract_digit` finds it: `uint8 (28, 28)`; zeros for a blank."""
    found = extract_digit(grey)
    return found.pixels if found else np.zeros((SIZE, SIZE), np.uint8)


def light_ink(grey: Grey) -> Grey:
    """Return a picture of one digit with its ink light (255) on dark paper (0), framed as it was.

    Blank paper gives zeros. Shape `(height, width)`.
    """
    ink, _ = _digit_ink(grey)
    peak = float(ink.max())
    if peak < paper.BLANK_CONTRAST:
        return np.zeros_like(grey)
    return np.asarray(cv2.convertScaleAbs(ink, alpha=255 / peak), np.uint8)


def _digit_ink(grey: Grey) -> tuple[paper.Ink, bool]:
    """Return the ink of a picture of one digit, and whether it is darker than its paper.

    A digit that was cut out close may take up more room than its paper, so that the paper stands
    out as ink. But along the border there is less of the digit than of its paper.
    """
    ink, is_dark = paper.ink_and_polarity(grey)
    strokes = paper.binarise(ink)
    if strokes is None or not _is_surrounding(strokes):
        return ink, is_dark
    return _flat_ink(grey, is_dark=not is_dark), not is_dark


def _is_surrounding(strokes: Grey) -> bool:
    """Return whether strokes lie along most of the border of their picture, and are no frame."""
    reach = max(1, round(FRAME_THICKNESS * min(strokes.shape)))
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    along = _border(strokes)
    thick = _border(cv2.morphologyEx(strokes, cv2.MORPH_OPEN, kernel))
    return bool(along.mean() > 0.5 and thick.sum() > _THICK * along.sum())


def _border(picture: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    return np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])


def _flat_ink(grey: Grey, *, is_dark: bool) -> paper.Ink:
    """Return how far each pixel stands out from paper that is everywhere alike."""
    low, high = np.percentile(grey, (5, 95), method="nearest")
    ink = high - np.minimum(grey, high) if is_dark else np.maximum(grey, low) - low
    return np.asarray(ink, np.uint8)


def _extracted(ink: paper.Ink) -> DigitImage | None:
    found = find_digit(ink)
    if found is None:
        return None
    left, top = int(found.left), int(found.top)
    right, bottom = int(np.ceil(found.right)), int(np.ceil(found.bottom))
    piece = crop(found.ink, left, top, right, bottom)
    piece[piece < float(piece.max()) * paper.PAPER_NOISE] = 0
    box = (left, top, right - left, bottom - top)
    beside = found.beside or ("edge" if _lies_along_edge(box, ink.shape) else "")
    return DigitImage(_centred(_fitted(piece)), box, beside)


def _lies_along_edge(box: Box, page: tuple[int, int]) -> bool:
    """Return whether a box is a narrow one at an edge of a page `(height, width)`: a frame's."""
    left, top, width, height = box
    sides = (left, width, height, page[1]), (top, height, width, page[0])
    return any(
        thick < min(FRAME_THICKNESS * length, long / 4)
        and min(start, length - start - thick) <= max(1, length / 100)
        for start, thick, long, length in sides
    )


def _fitted(piece: Crop) -> Grey:
    height, width = piece.shape
    scale = BOX / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    # Back to full ink: a thin stroke of a large page would fade away otherwise.
    fitted = cv2.resize(piece, size, interpolation=method).clip(0)
    return np.asarray(np.rint(fitted * (255 / max(float(fitted.max()), 1e-6))), np.uint8)


def _centred(digit: Grey) -> Grey:
    canvas = np.zeros((SIZE, SIZE), np.uint8)
    moments, (height, width) = cv2.moments(digit), digit.shape
    mass = max(moments["m00"], 1e-6)
    top, left = _start(moments["m01"] / mass, height), _start(moments["m10"] / mass, width)
    canvas[top : top + height, left : left + width] = digit
    return canvas


def _start(centre: float, length: int) -> int:
    """Return where a digit starts along an axis for its centre of mass to be where MNIST has it.

    That is the pixel 14 of 0 to 27, half a pixel beyond the middle of the picture.
    """
    return min(max(round(SIZE // 2 - centre), 0), SIZE - length)
