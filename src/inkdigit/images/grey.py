"""What a grey page is, and how large one may be."""

import numpy as np
import numpy.typing as npt

from inkdigit.errors import ImageError

Grey = npt.NDArray[np.uint8]

MAX_PIXELS = 64_000_000
WHITES = tuple(2**bits - 1 for bits in (8, 10, 12, 14, 16))


def check_size(height: int, width: int, name: str, max_pixels: int) -> None:
    """Raise `ImageError` for a picture without pixels, or with more than `max_pixels`."""
    if height < 1 or width < 1:
        raise ImageError(f"{name} is empty ({width}×{height} pixels)")
    if height * width > max_pixels:
        raise ImageError(
            f"{name} has {height * width:,} pixels ({width}×{height}), more than "
            f"{max_pixels:,} (max_pixels): shrink it"
        )


def turned(page: Grey, degrees: int) -> Grey:
    """Return a page turned clockwise by a multiple of 90 degrees.

    >>> turned(np.array([[1, 2]], np.uint8), 90).tolist()
    [[1], [2]]
    """
    return np.ascontiguousarray(np.rot90(page, -degrees // 90))


def white_of(top: float) -> int:
    """Return the white of pixels of which the largest is `top`.

    That is the largest number of 8, 10, 12, 14 or 16 bits, of the fewest that hold all: cameras and
    scanners leave the upper bits of a wider pixel empty.
    """
    return next((white for white in WHITES if top <= white), WHITES[-1])


def from_16_bits(values: npt.NDArray[np.uint16]) -> Grey:
    """Return pixels of up to 16 bits in 8."""
    return np.asarray(values // (white_of(float(values.max())) // 255), np.uint8)
