"""From an array of pixels to grey, and from grey to a file."""

import io
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from PIL import Image

from inkdigit.errors import ImageError
from inkdigit.images.colour import grey_from_colours
from inkdigit.images.grey import Grey, check_size, from_16_bits

# How far beyond 0..1 a float may lie by rounding.
_ROUNDING = 1e-3


def grey_from_array(array: npt.NDArray[np.generic], max_pixels: int) -> Grey:
    """Return grey `uint8 (height, width)`, a copy, from 2-D grey or 3-D grey, RGB or RGBA.

    Takes `uint8`, `uint16`, `bool`, and float in 0..1. Raises `ImageError` for anything else.
    """
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in {1, 3, 4})):
        raise ImageError(
            f"an array of shape {array.shape} is no picture: expected (h, w) or (h, w, 1, 3 or 4)"
        )
    check_size(array.shape[0], array.shape[1], "the array", max_pixels)
    pixels = _to_uint8(np.asarray(array))
    if pixels.ndim == 2:
        return pixels
    if pixels.shape[2] == 1:
        return pixels[:, :, 0]
    return grey_from_colours(Image.fromarray(pixels))


def _to_uint8(array: npt.NDArray[np.generic]) -> Grey:
    if array.dtype == np.uint8:
        return array.astype(np.uint8)
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if np.issubdtype(array.dtype, np.uint16):
        return from_16_bits(cast("npt.NDArray[np.uint16]", array))
    if np.issubdtype(array.dtype, np.floating):
        return _from_floats(cast("npt.NDArray[np.floating[Any]]", array))
    raise ImageError(
        f"an array of {array.dtype} is no picture: expected uint8, uint16, bool or float"
    )


def _from_floats(array: npt.NDArray[np.floating[Any]]) -> Grey:
    low, high = float(array.min()), float(array.max())
    if not np.isfinite([low, high]).all():
        raise ImageError("the array holds NaN or infinite values")
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        raise ImageError(f"a float array must lie in 0..1, received {low:g} to {high:g}")
    return np.asarray(np.rint(array.clip(0, 1) * array.dtype.type(255)), np.uint8)


def as_png(page: Grey) -> bytes:
    """Return `uint8 (height, width)` as the bytes of a PNG file."""
    stream = io.BytesIO()
    Image.fromarray(page).save(stream, "PNG")
    return stream.getvalue()
