"""From a grey page with one digit on it to the 28×28 picture that the networks know.

The normalisation of MNIST, as LeCun et al. describe it: the ink fitted into 20×20 with its
proportions kept, and its centre of mass put into the centre of 28×28. Training on pictures of one's
own and reading both go through here, so they see the same pixels.
"""

import numpy as np
import numpy.typing as npt
from PIL import Image

from inkdigit.images import Grey

SIZE = 28
BOX = 20
# Fainter than this share of the blackest ink is paper texture, not a stroke.
PAPER_NOISE = 0.25
# A page whose darkest and lightest pixels differ by less than this (of 255) is blank.
BLANK_CONTRAST = 12


def light_ink(grey: Grey) -> Grey:
    """Return the page with its ink light (255) on dark paper (0), whichever way round it came.

    The paper is what lies along the border. Blank paper gives zeros. Shape `(height, width)`.
    """
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    difference = grey.astype(np.float32) - float(np.median(border))
    lighter, darker = difference.clip(min=0), (-difference).clip(min=0)
    ink = lighter if lighter.sum() > darker.sum() else darker
    peak = float(ink.max())
    if peak < BLANK_CONTRAST:
        return np.zeros_like(grey)
    return np.rint(ink * (255 / peak)).astype(np.uint8)


def normalise(grey: Grey) -> Grey:
    """Return one digit as MNIST has it: `uint8 (28, 28)`, ink 255 on paper 0; zeros for a blank."""
    ink = light_ink(grey)
    strokes = ink > 255 * PAPER_NOISE
    if not strokes.any():
        return np.zeros((SIZE, SIZE), np.uint8)
    ink[ink < 255 * PAPER_NOISE / 2] = 0
    rows, columns = np.flatnonzero(strokes.any(axis=1)), np.flatnonzero(strokes.any(axis=0))
    crop = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return _centred(_fitted(crop))


def _fitted(crop: Grey) -> Grey:
    height, width = crop.shape
    scale = BOX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    method = Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC
    # As float, and back to full ink: a thin stroke of a large page would fade away otherwise.
    fitted = np.asarray(Image.fromarray(crop.astype(np.float32)).resize(size, method)).clip(0)
    return np.asarray(np.rint(fitted * (255 / fitted.max())), np.uint8)


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
    centre = float(profile @ np.arange(len(profile)) / profile.sum())
    return min(max(round(SIZE // 2 - centre), 0), SIZE - len(profile))
