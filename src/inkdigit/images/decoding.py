"""Pillow, which decodes all but PDF, held to `ImageError` and to our own limit on pixels."""

import io
import itertools
import re
import struct
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module

import numpy as np
from PIL import ExifTags, Image, ImageFile, TiffImagePlugin, UnidentifiedImageError

from inkdigit.errors import ImageError, MissingExtraError
from inkdigit.images.colour import grey_from_colours
from inkdigit.images.formats import CAMERA_RAW, is_heif
from inkdigit.images.grey import MAX_PIXELS, Grey, check_size, from_16_bits, white_of

# Not every format that Pillow knows: it opens some (EPS) by running another program.
FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP")
# Importing these spares Pillow the search through all its plugins.
_PLUGINS = [import_module(f"PIL.{name}ImagePlugin") for name in ("Avif", "Jpeg2K", "WebP")]

# TIFF's tag of what a frame is, and its bits for a thumbnail and for a mask.
_FRAME_KIND, _NO_PAGE = 254, 0b101
# The tags of a camera's raw TIFF: the version of DNG, or frames below a first one, a thumbnail.
_DNG, _FRAMES_BELOW = 50706, 330

# The box that holds the width and height of a coded picture.
_HEIF_EXTENT = re.compile(rb"ispe\0{4}(.{8})", re.DOTALL)

_TURNS = Image.Transpose
# By EXIF's orientation.
_UPRIGHT = {
    2: _TURNS.FLIP_LEFT_RIGHT, 3: _TURNS.ROTATE_180, 4: _TURNS.FLIP_TOP_BOTTOM,
    5: _TURNS.TRANSPOSE, 6: _TURNS.ROTATE_270, 7: _TURNS.TRANSVERSE, 8: _TURNS.ROTATE_90,
}  # fmt: skip


def open_picture(content: bytes, name: str, max_pixels: int) -> ImageFile.ImageFile | None:
    """Return the picture with its header read and its pixels not yet; None for another format."""
    with _pillow(name, max_pixels), suppress(UnidentifiedImageError):
        image = Image.open(io.BytesIO(content), formats=FORMATS)
        if isinstance(image, TiffImagePlugin.TiffImageFile) and _is_raw(image.tag_v2):
            raise ImageError(f"{name} is {CAMERA_RAW}")
        return image
    return _open_heif(content, name, max_pixels) if is_heif(content) else None


def _is_raw(tags: TiffImagePlugin.ImageFileDirectory_v2) -> bool:
    return _DNG in tags or (_FRAMES_BELOW in tags and tags.get(_FRAME_KIND, 0) & _NO_PAGE != 0)


def _open_heif(content: bytes, name: str, max_pixels: int) -> ImageFile.ImageFile:
    """Return the primary picture of a HEIF file (extra `heic`), which comes upright."""
    try:
        from pi_heif import HeifImageFile
    except ImportError:
        raise MissingExtraError("heic", f"pi-heif to read {name}, a HEIC photo") from None
    # What is cut off a picture after it was decoded does not count in its size.
    for extent in _HEIF_EXTENT.finditer(content):
        width, height = struct.unpack(">II", extent[1])
        check_size(height, width, name, max_pixels)
    with _pillow(name, max_pixels):
        image: ImageFile.ImageFile = HeifImageFile(io.BytesIO(content))
    return image


def frames_of(image: ImageFile.ImageFile, most: int) -> list[int | None]:
    """Return which frames are pages: all of a TIFF but thumbnails and masks, at most so many.

    `None`, the frame that is open, for other formats: an animation's first. Where a TIFF's chain of
    frames is broken, the next counts as the last, and cannot be decoded.
    """
    if not isinstance(image, TiffImagePlugin.TiffImageFile):
        return [None]
    pages: list[int | None] = []
    with _QUIET, suppress(Exception):
        for frame in itertools.count():
            pages.append(frame)
            try:
                image.seek(frame)
            except EOFError:
                pages.pop()
                break
            if image.tag_v2.get(_FRAME_KIND, 0) & _NO_PAGE:
                pages.pop()
            if len(pages) == most:
                break
    return pages or [0]


def grey_picture(
    image: Image.Image, name: str, max_pixels: int, *, frame: int | None = None
) -> Grey:
    """Return a frame of a TIFF, or else the one that is open, as grey `uint8 (height, width)`."""
    with _pillow(name, max_pixels):
        if frame is not None:
            # From the first frame: to seek a frame whose header is broken once more does nothing.
            image.seek(0)
            image.seek(frame)
        check_size(image.height, image.width, name, max_pixels)
        image.load()
        picture = _in_8_bits(_upright(image), name)
    return np.array(picture) if picture.mode == "L" else grey_from_colours(picture)


def _upright(image: Image.Image) -> Image.Image:
    orientation = None
    # Damage to what is noted beside the picture is no damage to the picture.
    with suppress(Exception):
        orientation = _UPRIGHT.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    return image if orientation is None else image.transpose(orientation)


def _in_8_bits(image: Image.Image, name: str) -> Image.Image:
    """Return the picture in mode L, RGB or RGBA."""
    if image.mode.startswith("I;16"):
        return Image.fromarray(from_16_bits(np.asarray(image)))
    if image.mode in {"I", "F"}:
        return Image.fromarray(_from_32_bits(image, name))
    if image.mode == "LAB":
        return image.getchannel("L")
    if image.mode == "La":
        return image.convert("LA").convert("RGBA")
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("L" if image.mode in {"1", "L"} else "RGB")


def _from_32_bits(image: Image.Image, name: str) -> Grey:
    """Return grey for 32 bits a pixel; white is 1 where that holds all, or as with fewer bits."""
    values = np.asarray(image, np.float32)
    top = float(values.max())
    if not np.isfinite([top, values.min()]).all():
        raise ImageError(f"{name} holds NaN or infinite values")
    white = 1 if top <= 1 else max(white_of(top), top)
    return np.rint(values.clip(0, white) * np.float32(255 / white)).astype(np.uint8)


class _Quiet:
    """Mutes Pillow's warnings of odd tags and many pixels: here a picture is read or refused.

    `warnings.catch_warnings` restores what it found, which is wrong where threads overlap: so the
    first to come saves the filters and the last to go restores them.
    """

    _lock, _inside = threading.Lock(), 0

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._saved = warnings.catch_warnings()
                self._saved.__enter__()
                warnings.filterwarnings("ignore", module=r"PIL\.")
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                self._saved.__exit__(None, None, None)


# What is wrong with a picture, by what Pillow says of it.
_FAULTS = {
    "closed image": "it was closed before it was read",
    "end of file|expected to read|not enough|truncated": "it ends early",
    "": "what is inside is damaged",
}
_QUIET = _Quiet()
_UNLIMITED = threading.Lock()


@contextmanager
def _pillow(name: str, max_pixels: int) -> Iterator[None]:
    try:
        with _QUIET, _limit_of_its_own(max_pixels):
            yield
    except ImageError:
        raise
    except Image.DecompressionBombError:
        raise ImageError(
            f"{name} has more than {max_pixels:,} pixels (max_pixels): shrink it"
        ) from None
    except MemoryError:
        raise ImageError(f"{name} is broken or needs more memory than there is") from None
    except Exception as error:
        fault = next(_FAULTS[said] for said in _FAULTS if re.search(said, str(error).lower()))
        raise ImageError(f"{name} is broken: {fault}") from error


@contextmanager
def _limit_of_its_own(max_pixels: int) -> Iterator[None]:
    """Let Pillow's own limit, one for the process, hold unless a higher one was asked for."""
    if max_pixels <= MAX_PIXELS:
        yield
        return
    with _UNLIMITED:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit
