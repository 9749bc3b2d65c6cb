"""From anything that is one picture to one grey array, opened safely.

The only place that decodes pictures. Nothing here knows what a digit is: `inkdigit.reading.ink`
finds the ink on the grey page that this module returns.
"""

import io
import struct
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from inkdigit.errors import ImageError

Grey = npt.NDArray[np.uint8]
Source = str | Path | bytes | BinaryIO | Image.Image | npt.NDArray[np.generic]

MAX_PIXELS = 64_000_000
# Not every format that Pillow knows: it opens some (EPS) by running another program.
FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
# What Pillow raises for a damaged file, whatever its format.
_BROKEN = (
    OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, OverflowError, MemoryError,
    struct.error,
)  # fmt: skip


def open_grey(source: Source, *, max_pixels: int = MAX_PIXELS) -> Grey:
    """Return the picture as grey `uint8 (height, width)`, 0 black to 255 white.

    Takes a path, bytes, a binary stream, a PIL image, or an array: 2-D grey or 3-D RGB(A), `uint8`,
    `uint16`, `bool`, or float in 0..1. EXIF orientation is applied and transparency laid on paper.
    Raises `ImageError` for what is no picture, is broken, or has more than `max_pixels` pixels.
    """
    if isinstance(source, np.ndarray):
        return _grey_from_array(source, max_pixels)
    if isinstance(source, Image.Image):
        return _grey_from_pil(source, "the image", max_pixels)
    name = str(source) if isinstance(source, str | Path) else "the picture"
    with warnings.catch_warnings():
        # Pillow warns of odd tags and of many pixels; here a picture is read or refused.
        warnings.simplefilter("ignore")
        with _decode(source, name) as image:
            return _grey_from_pil(image, name, max_pixels)


def _decode(source: str | Path | bytes | BinaryIO, name: str) -> Image.Image:
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        return Image.open(stream, formats=FORMATS)
    except UnidentifiedImageError:
        raise ImageError(
            f"{name} is not a picture in a format that can be read ({', '.join(FORMATS)})"
        ) from None
    except Image.DecompressionBombError:
        raise ImageError(f"{name} has too many pixels to be opened safely") from None
    except OSError as error:
        raise ImageError(f"{name} cannot be opened: {error.strerror or error}") from None
    except _BROKEN as error:
        raise ImageError(f"{name} is broken: {error}") from None


def _grey_from_pil(image: Image.Image, name: str, max_pixels: int) -> Grey:
    _check_pixels(image.height, image.width, name, max_pixels)
    try:
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith("I;16"):
            return _to_uint8(np.asarray(upright).astype(np.uint16))
        if upright.mode in {"I", "F"}:
            return _grey_from_deep(np.asarray(upright, np.float64), name)
        if upright.has_transparency_data:
            return _on_paper(np.asarray(upright.convert("LA")))
        return np.array(upright.convert("L"))
    except _BROKEN as error:
        raise ImageError(f"{name} is broken: {error}") from None


def _grey_from_deep(values: npt.NDArray[np.float64], name: str) -> Grey:
    """Return grey for 32 bits a pixel, whose white is 1, 255 or 65535: the least that holds all."""
    if not np.isfinite(values).all():
        raise ImageError(f"{name} holds NaN or infinite values")
    white = next((white for white in (1, 255) if values.max() <= white), 65535)
    return np.rint(values.clip(0, white) * (255 / white)).astype(np.uint8)


def _grey_from_array(array: npt.NDArray[np.generic], max_pixels: int) -> Grey:
    if not (array.ndim == 2 or (array.ndim == 3 and array.shape[2] in {1, 3, 4})):
        raise ImageError(
            f"an array of shape {array.shape} is no picture: expected (h, w) or (h, w, 3 or 4)"
        )
    _check_pixels(array.shape[0], array.shape[1], "the array", max_pixels)
    pixels = _to_uint8(array)
    if pixels.ndim == 2:
        return pixels
    if pixels.shape[2] == 1:
        return pixels[:, :, 0]
    image = Image.fromarray(pixels)
    return (
        _on_paper(np.asarray(image.convert("LA")))
        if pixels.shape[2] == 4
        else np.array(image.convert("L"))
    )


def _to_uint8(array: npt.NDArray[np.generic]) -> Grey:
    if array.dtype == np.uint8:
        return array.astype(np.uint8)
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * np.uint8(255)
    if np.issubdtype(array.dtype, np.uint16):
        return (array.astype(np.uint32) // 257).astype(np.uint8)
    if np.issubdtype(array.dtype, np.floating):
        values = array.astype(np.float64)
        if not np.isfinite(values).all():
            raise ImageError("the array holds NaN or infinite values")
        if values.min() < 0 or values.max() > 1:
            raise ImageError(
                f"a float array must lie in 0..1, received {values.min():g} to {values.max():g}"
            )
        return np.rint(values * 255).astype(np.uint8)
    raise ImageError(f"an array of {array.dtype} is no picture: expected uint8, uint16 or float")


def _on_paper(grey_alpha: Grey) -> Grey:
    """Lay what is drawn on a transparent ground on the paper that it stands out from."""
    grey = grey_alpha[..., 0].astype(np.float32)
    alpha = grey_alpha[..., 1].astype(np.float32) / 255
    ink = float((grey * alpha).sum() / max(float(alpha.sum()), 1e-6))
    paper = 0.0 if ink > 127 and alpha.min() < 1 else 255.0
    return np.rint(grey * alpha + paper * (1 - alpha)).astype(np.uint8)


def _check_pixels(height: int, width: int, name: str, max_pixels: int) -> None:
    if height < 1 or width < 1:
        raise ImageError(f"{name} is empty ({width}×{height} pixels)")
    if height * width > max_pixels:
        raise ImageError(
            f"{name} has {height * width:,} pixels ({width}×{height}), more than {max_pixels:,}"
        )
