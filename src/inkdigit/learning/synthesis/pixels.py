"""OpenCV's operations on pictures, with types: what comes out is of the kind that went in."""

from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

Ink = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Random = np.random.Generator
Picture = TypeVar("Picture", Ink, Floats)


def resized(picture: Picture, width: int, height: int, how: int = cv2.INTER_LINEAR) -> Picture:
    """Return a picture `(h, w)` at another size."""
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), picture.dtype)


def blurred(picture: Picture, sigma: float) -> Picture:
    """Return a picture `(h, w)` out of focus."""
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), picture.dtype)


def warped(
    picture: Ink, matrix: npt.NDArray[np.float64], width: int, height: int, edge: int = 0
) -> Ink:
    """Return a picture `(h, w)` moved by an affine map `(2, 3)`, `edge` where nothing lies."""
    return np.asarray(cv2.warpAffine(picture, matrix, (width, height), borderValue=edge), np.uint8)


def inked(picture: Ink, above: int = 0) -> Ink:
    """Return the part of a picture around all ink stronger than `above`, empty if there is none."""
    x, y, width, height = cv2.boundingRect((picture > above).astype(np.uint8))
    return np.ascontiguousarray(picture[y : y + height, x : x + width])


def with_gamma(picture: Ink, gamma: float) -> Ink:
    """Return a picture with its middle greys made weaker (above 1) or stronger (below 1)."""
    levels = 255 * np.linspace(0, 1, 256) ** gamma
    return np.asarray(cv2.LUT(picture, levels.astype(np.uint8)), np.uint8)


def compressed(picture: Ink, quality: int) -> Ink:
    """Return what JPEG leaves of a picture."""
    _, content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_GRAYSCALE), np.uint8)


def shaken(ink: Ink, rng: Random, most: float = 2.6) -> Ink:
    """Move the ink a little, smoothly: a hand never writes the same twice (Simard et al. 2003)."""
    height, width = ink.shape
    strength = np.float32(rng.uniform(0, most))
    coarse = rng.standard_normal((2, 2 + height // 18, 2 + width // 18), np.float32)
    dx, dy = (strength * resized(way, width, height, cv2.INTER_CUBIC) for way in coarse)
    y, x = np.indices((height, width), np.float32)
    edge = cv2.BORDER_REPLICATE
    moved = cv2.remap(ink, x + dx, y + dy, cv2.INTER_LINEAR, borderMode=edge)
    return np.asarray(moved, np.uint8)
