"""Paper and ink: how far each pixel stands out from what is around it, and which are strokes.

The paper is estimated by a wide median, so shadows and gradients go with it (background
normalisation); strokes are told from paper by Otsu's threshold (Otsu 1979).
"""

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.images import Grey

# A page whose ink differs from its paper by less than this (of 255) is blank.
BLANK_CONTRAST = 12
# Fainter than this share of the blackest ink is paper texture, not a stroke.
PAPER_NOISE = 0.125

# The width and height of the smallest digit that is written anywhere, in fonts of pixels.
_LEAST_DIGIT = 3, 5

# How far each pixel stands out from its paper.
Ink = npt.NDArray[np.uint8]

# A character in so few pixels, the size of MNIST's pictures, fills them: its paper is one colour.
_ONE_CHARACTER = 28
# The paper is estimated on a picture of this height.
_PAPER_HEIGHT = 24
# Otsu's threshold is not trusted below this (of 255): on faint ink it falls into the paper's grain.
_LEAST_THRESHOLD = 50.0
# Where ink is sparse, what is shorter than this many pixels of the searched picture is dust.
LEAST_STROKE = 6
# On a page in its working size, strokes of writing are thinner than this many pixels.
_THICK = 34


def find_ink(grey: Grey) -> Ink:
    """Return how far each pixel stands out from its paper, `uint8 (h, w)`, 0 for paper.

    The paper is what is commonest around a pixel. Ink is what stands out more strongly, darker or
    lighter.
    """
    return ink_and_polarity(grey)[0]


def ink_and_polarity(grey: Grey) -> tuple[Ink, bool]:
    """Return the ink as `find_ink` does, and whether it is darker than its paper."""
    paper = _paper(grey)
    darker, lighter = cv2.subtract(paper, grey), cv2.subtract(grey, paper)
    is_dark = cv2.norm(darker) >= cv2.norm(lighter)
    return np.asarray(darker if is_dark else lighter, np.uint8), is_dark


def holds_digit(page: tuple[int, int]) -> bool:
    """Return whether a digit could stand on a page of a shape `(height, width)`."""
    return page[1] >= _LEAST_DIGIT[0] and page[0] >= _LEAST_DIGIT[1]


def why_unseen(blank: Grey) -> str:
    """Return why no ink could have been seen on a page that shows none, or nothing if it could.

    Ink is darker than its paper, so black shows none. White may be where the light was too much:
    there less contrast is left, and half of what ink has elsewhere may be ink.
    """
    if not holds_digit(blank.shape):
        size = "×".join(map(str, blank.shape[::-1]))
        return f"the picture is too small for a digit ({size} pixels)"
    paper = np.median(blank)
    if paper < BLANK_CONTRAST:
        return "the paper is black"
    if paper == 255 and 2 * _contrast(find_ink(blank)) >= BLANK_CONTRAST:
        return "the picture is over-exposed, and something shows faintly"
    return ""


def _paper(grey: Grey) -> Grey:
    """Return the brightness of the paper under each pixel: a wide median of a reduced picture."""
    height, width = grey.shape
    if max(height, width) <= _ONE_CHARACTER:
        return np.full_like(grey, np.uint8(np.median(grey)))
    scale = min(1.0, _PAPER_HEIGHT / min(height, width), 4 * _PAPER_HEIGHT / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    reach = max(1, int(min(small.shape) * 0.45))
    padded = cv2.copyMakeBorder(small, reach, reach, reach, reach, cv2.BORDER_REFLECT)
    median = cv2.medianBlur(padded, 2 * reach + 1)[reach:-reach, reach:-reach]
    smooth = cv2.blur(median, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)


def binarise(ink: Ink) -> Grey | None:
    """Return 1 for a stroke and 0 for paper, `uint8 (h, w)`; `None` for blank paper."""
    peak = _contrast(ink)
    if peak < BLANK_CONTRAST:
        return _sparse_strokes(ink, peak)
    level = cv2.convertScaleAbs(ink, alpha=255 / peak)
    otsu = cv2.threshold(level, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0]
    threshold = max(_LEAST_THRESHOLD, otsu)
    return np.asarray(cv2.threshold(level, threshold, 1, cv2.THRESH_BINARY)[1], np.uint8)


def _sparse_strokes(ink: Ink, noise: int) -> Grey | None:
    """Return the strokes of writing that takes up next to nothing of its page."""
    if ink.size <= LEAST_STROKE:
        return None
    peak = _strongest(ink, LEAST_STROKE)
    if peak < 2 * BLANK_CONTRAST or peak < 3 * noise:
        return None
    strokes = (ink > 0.4 * peak).astype(np.uint8)
    stats = cv2.connectedComponentsWithStats(strokes)[2][1:]
    sides = stats[:, [cv2.CC_STAT_WIDTH, cv2.CC_STAT_HEIGHT]]
    # A stroke is longer than a speck of dust.
    return strokes if (sides.max(axis=1, initial=0) >= LEAST_STROKE).any() else None


def _contrast(ink: Ink) -> int:
    """Return how far ink stands out from its paper, if it takes up the least share of a page."""
    return _strongest(ink, max(1, ink.size // 500))


def _strongest(ink: Ink, rank: int) -> int:
    """Return the ink of the pixel that has `rank - 1` stronger ones."""
    counts = cv2.calcHist([ink], [0], None, [256], [0, 256]).ravel()
    return 255 - int(np.searchsorted(counts[::-1].cumsum(), rank))


def page_ink(grey: Grey, *, is_dark: bool) -> Ink:
    """Return what is thinner than `_THICK` pixels and darker (or lighter) than what is around it.

    A black top-hat (Meyer 1979): shadows, the desk and edges of paper go with it. The strongest ink
    is 255.
    """
    height, width = grey.shape
    dark = grey if is_dark else cv2.bitwise_not(grey)
    small = cv2.resize(
        dark, (max(1, width // 2), max(1, height // 2)), interpolation=cv2.INTER_AREA
    )
    paper = cv2.morphologyEx(small, cv2.MORPH_CLOSE, np.ones((_THICK // 2, _THICK // 2), np.uint8))
    ink = cv2.subtract(cv2.resize(paper, (width, height), interpolation=cv2.INTER_LINEAR), dark)
    peak = max(2 * BLANK_CONTRAST, _contrast(np.asarray(ink, np.uint8)))
    return np.asarray(cv2.convertScaleAbs(ink, alpha=255 / peak), np.uint8)
