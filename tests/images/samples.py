"""Pictures whose grey is known, and how far what was opened is from it."""

import io
import struct
import zlib

import numpy as np
import numpy.typing as npt
from PIL import Image

from inkdigit.images import Pages

Bytes = npt.NDArray[np.uint8]


RAMP: Bytes = np.linspace(0, 255, 24 * 30).round().astype(np.uint8).reshape(24, 30)


COLOURS: Bytes = np.random.default_rng(0).integers(0, 256, (24, 30, 3), np.uint8)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def luma(rgb: Bytes) -> npt.NDArray[np.float64]:
    """ITU-R 601, by hand."""
    return rgb[..., :3].astype(np.float64) @ [0.299, 0.587, 0.114]


def farthest(found: Bytes, expected: npt.ArrayLike) -> float:
    assert found.dtype == np.uint8
    assert found.shape == np.shape(expected)
    return float(np.abs(found.astype(np.float64) - np.asarray(expected, np.float64)).max())


def png(width: int, height: int, bits: int, kind: int, rows: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    chunks = {b"IHDR": header, b"IDAT": zlib.compress(rows), b"IEND": b""}
    packed = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks.items()
    )
    return b"\x89PNG\r\n\x1a\n" + packed


def shades_of(pages: Pages) -> list[float]:
    return [round(float(grey.mean())) for grey in pages]
