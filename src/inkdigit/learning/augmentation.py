"""Digits slightly changed, a whole epoch at once: the augmentations that recipes name.

Each takes images `uint8 (n, 28, 28)` and a random generator, and returns as many of the same shape.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.uint8]
Random = np.random.Generator


def unchanged(images: Images, _: Random) -> Images:
    """Return the digits as they are."""
    return images


def shifted(images: Images, rng: Random) -> Images:
    """Return each digit moved by up to one pixel, across and down."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, images.shape[1:], axis=(1, 2))
    down, across = rng.integers(0, 3, (2, len(images)))
    return np.asarray(windows[np.arange(len(images)), down, across], np.uint8)


AUGMENTATIONS: dict[str, Callable[[Images, Random], Images]] = {
    "none": unchanged,
    "shift": shifted,
}
