"""Digits slightly changed, a whole epoch at once: the augmentations that recipes name.

Each takes images `uint8 (n, 28, 28)` and a random generator, and returns as many of the same shape.
"""

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.reading.preprocessing.digit import SIZE

Images = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]
Random = np.random.Generator

# How far `warped` goes at most: degrees, the logarithm of a factor, a tangent, pixels; and the
# standard deviation by which each point of its grid strays, in pixels.
TURN, ZOOM, SHEAR, SHIFT, STRAY = 12, 0.12, 0.15, 2.5, 0.8
# Pixel coordinates from the middle of a digit, and those of the grid's points, a side.
MIDDLE = (SIZE - 1) / 2
PIXELS, POINTS = (np.linspace(-MIDDLE, MIDDLE, count) for count in (SIZE, 4))
CHUNK = 1000


def shifted(images: Images, rng: Random) -> Images:
    """Return each digit moved by up to one pixel, across and down."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, images.shape[1:], axis=(1, 2))
    down, across = rng.integers(0, 3, (2, len(images)))
    return np.asarray(windows[np.arange(len(images)), down, across], np.uint8)


def warped(images: Images, rng: Random) -> Images:
    """Return each digit turned, zoomed, sheared, moved and bent.

    A grid of 4×4 points says where pixels are taken from. It is changed as a whole, then each of
    its points strays (elastic distortion, Simard et al. 2003, on a coarse grid), and the pixels
    between follow in straight lines.
    """
    points = _affine(len(images), rng) @ _grid(POINTS)
    points += rng.uniform(-SHIFT, SHIFT, (len(images), 2, 1))
    points += rng.normal(0, STRAY, points.shape)
    between = _between().astype(np.float32)
    changed = np.empty(images.shape, np.uint8)
    for start in range(0, len(images), CHUNK):
        chunk = points[start : start + CHUNK].astype(np.float32)
        places = (chunk @ between + np.float32(MIDDLE)).reshape(-1, 2, SIZE, SIZE)
        for number, (across, down) in enumerate(places, start):
            cv2.remap(images[number], across, down, cv2.INTER_LINEAR, dst=changed[number])
    return changed


def _affine(count: int, rng: Random) -> npt.NDArray[np.float64]:
    """Return matrices `(count, 2, 2)` that zoom, shear, then turn a point `(across, down)`."""
    angle = np.deg2rad(rng.uniform(-TURN, TURN, count))
    wide, high = np.exp(rng.uniform(-ZOOM, ZOOM, (2, count)))
    slant = rng.uniform(-SHEAR, SHEAR, count)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    zoom = np.array([[wide, slant * high], [np.zeros(count), high]])
    return np.asarray(np.einsum("ijn,jkn->nik", turn, zoom))


def _grid(side: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the points `(2, n²)`, across and down, of a square grid, row by row."""
    return np.stack([np.tile(side, len(side)), np.repeat(side, len(side))])


def _between() -> npt.NDArray[np.float64]:
    """Return how much each of 16 points says about each of 784 pixels, linearly, `(16, 784)`."""
    one_side = np.array([np.interp(PIXELS, POINTS, unit) for unit in np.eye(len(POINTS))])
    return np.kron(one_side, one_side)


AUGMENTATIONS: dict[str, Callable[[Images, Random], Images]] = {
    "none": lambda images, _: images,
    "shift": shifted,
    "warp": warped,
}
