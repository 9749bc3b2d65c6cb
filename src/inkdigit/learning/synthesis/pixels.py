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


def warped(picture: Ink, matrix: npt.NDArray[np.float64], width: int, height: int) -> Ink:
    """Return a picture `(h, w)` moved by an affine map `(2, 3)`, dark where nothing lies."""
    return np.asarray(cv2.warpAffine(picture, matrix, (width, height)), np.uint8)


def displaced(picture: Ink, x: Floats, y: Floats) -> Ink:
    """Return a picture `(h, w)` whose pixels are taken from the places `x`, `y` `(h, w)`."""
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_LINEAR), np.uint8)


def thickened(ink: Ink, kernel: Ink) -> Ink:
    """Return strokes made thicker."""
    return np.asarray(cv2.dilate(ink, kernel), np.uint8)


def thinned(ink: Ink, kernel: Ink) -> Ink:
    """Return strokes made thinner."""
    return np.asarray(cv2.erode(ink, kernel), np.uint8)


def disc(size: int) -> Ink:
    """Return a round kernel."""
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def with_gamma(picture: Ink, gamma: float) -> Ink:
    """Return a picture with its middle greys made weaker (above 1) or stronger (below 1)."""
    levels = 255 * np.linspace(0, 1, 256) ** gamma
    return np.asarray(cv2.LUT(picture, levels.astype(np.uint8)), np.uint8)


def compressed(picture: Ink, quality: int) -> Ink:
    """Return what JPEG leaves of a picture."""
    _, content = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(content, cv2.IMREAD_GRAYSCALE), np.uint8)
