"""One digit as MNIST has it: 28×28, the ink fitted into 20×20, its centre of mass centred."""

from dataclasses import dataclass

import cv2
import numpy as np

from inkdigit.images import Grey
from inkdigit.reading.preprocessing.layout import FRAME_THICKNESS, Crop, crop, find_digit
from inkdigit.reading.preprocessing.paper import PAPER_NOISE, Ink, find_ink, ink_and_polarity
from inkdigit.reading.result import Box

SIZE = 28
BOX = 20
# Where ink covers more than this share of a picture, nothing tells ink from paper.
_CROWDED = 0.28


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
    return _extracted(find_ink(grey))


def extract_digit_both_ways(grey: Grey) -> list[DigitImage]:
    """Return the one digit on a page, in both ways that it may be seen where that is unclear.

    In a picture cut close around a digit the ink may take up as much room as the paper, and nothing
    but the shapes tells which is which.
    """
    ink, is_dark = ink_and_polarity(grey)
    ways = [_extracted(ink)]
    if np.count_nonzero(ink > 0.4 * ink.max()) > _CROWDED * ink.size:
        low, high = np.percentile(grey, (5, 95), method="nearest")
        above, below = np.maximum(grey, low) - low, high - np.minimum(grey, high)
        ways.append(_extracted(above if is_dark else below))
    return [way for way in ways if way]


def normalise(grey: Grey) -> Grey:
    """Return one digit as `extract_digit` finds it: `uint8 (28, 28)`; zeros for a blank."""
    found = extract_digit(grey)
    return found.pixels if found else np.zeros((SIZE, SIZE), np.uint8)


def _extracted(ink: Ink) -> DigitImage | None:
    found = find_digit(ink)
    if found is None:
        return None
    left, top = int(found.left), int(found.top)
    right, bottom = int(np.ceil(found.right)), int(np.ceil(found.bottom))
    piece = crop(found.ink, left, top, right, bottom)
    piece[piece < float(piece.max()) * PAPER_NOISE] = 0
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
