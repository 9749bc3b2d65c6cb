"""The fifteen corruptions of MNIST-C, written from what Mu and Gilmer (2019) say of them.

Each takes digits `uint8 (n, 28, 28)`, ink 255 on paper 0, and a random generator, and returns as
many. Their strengths are our own, such that people still read the digits. So the figures compare
networks with each other, but not with figures that were published for MNIST-C.
"""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.learning.datasets.digits import Digits
from inkdigit.learning.evaluation.metrics import Evaluation
from inkdigit.reading.preprocessing.digit import SIZE

INK = 255

Images = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float64]
Random = np.random.Generator


def shot_noise(images: Images, rng: Random, photons: float = 5) -> Images:
    """Return digits in so little light that its particles count: Poisson noise."""
    return _bytes(rng.poisson(images / INK * photons) * INK / photons)


def impulse_noise(images: Images, rng: Random, share: float = 0.17) -> Images:
    """Return digits of which a share of the pixels is black or white."""
    noise = np.where(rng.random(images.shape) < 0.5, 0, INK)
    return _bytes(np.where(rng.random(images.shape) < share, noise, images))


def glass_blur(images: Images, rng: Random) -> Images:
    """Return digits behind frosted glass: each pixel changes places with one beside it."""
    shaken, every = images.copy(), np.arange(len(images))
    for place in np.ndindex(SIZE - 2, SIZE - 2):
        one = every, place[0] + 1, place[1] + 1
        other = every, *(np.array([place]).T + rng.integers(0, 3, (2, len(images))))
        shaken[one], shaken[other] = shaken[other], shaken[one]
    return np.array([cv2.GaussianBlur(image, (0, 0), 0.6) for image in shaken])


def motion_blur(images: Images, rng: Random, length: int = 7) -> Images:
    """Return digits that moved along a line of some direction."""
    line = np.zeros((length, length), np.float32)
    line[length // 2] = 1
    blurred = []
    for image, angle in zip(images, rng.uniform(-45, 45, len(images)), strict=True):
        turn = cv2.getRotationMatrix2D((length // 2, length // 2), angle, 1)
        kernel = cv2.warpAffine(line, turn, (length, length))
        blurred.append(cv2.filter2D(image, -1, kernel / kernel.sum()))
    return np.array(blurred)


def shear(images: Images, rng: Random, slant: float = 0.6) -> Images:
    """Return digits slanted to one side or the other."""
    slants = slant * rng.choice([-1.0, 1.0], len(images))
    return affine(images, np.eye(2) + slants[:, None, None] * [[0, 1], [0, 0]])


def scale(images: Images, _: Random, factor: float = 0.6) -> Images:
    """Return digits made smaller."""
    return affine(images, factor * np.eye(2))


def rotate(images: Images, rng: Random, degrees: float = 25) -> Images:
    """Return digits turned to one side or the other."""
    angle = np.deg2rad(degrees) * rng.choice([-1.0, 1.0], len(images))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return affine(images, np.moveaxis(turn, -1, 0))


def translate(images: Images, rng: Random, pixels: float = 4) -> Images:
    """Return digits moved so far in some direction."""
    angle = rng.uniform(0, 2 * np.pi, len(images))
    return affine(images, np.eye(2), pixels * np.stack([np.cos(angle), np.sin(angle)], axis=-1))


def brightness(images: Images, _: Random, more: float = 0.6) -> Images:
    """Return digits on paper that is nearly as bright as they are."""
    return _bytes(images + more * INK)


def stripe(images: Images, _: Random, width: int = 8) -> Images:
    """Return digits whose middle columns are inverted."""
    striped = images.copy()
    middle = slice((SIZE - width) // 2, (SIZE + width) // 2)
    striped[:, :, middle] = INK - striped[:, :, middle]
    return striped


def fog(images: Images, rng: Random, density: float = 1.2) -> Images:
    """Return digits behind fog as thick here and thin there as clouds (diamond-square)."""
    veiled = images / INK + density * plasma(len(images), rng)[:, :SIZE, :SIZE]
    return _bytes(veiled / (1 + density) * INK)


def plasma(count: int, rng: Random, side: int = 32, roughness: float = 0.5) -> Floats:
    """Return maps `(count, side, side)` in 0..1 that close on themselves (Fournier et al. 1982).

    Halfway between known places is their mean and a random step, ever smaller.
    """
    maps, step, wide = np.zeros((count, side, side)), side, 1.0
    while step > 1:
        half = step // 2

        def between(*known: Floats, wide: float = wide) -> Floats:
            return np.asarray(np.mean(known, axis=0)) + rng.uniform(-wide, wide, known[0].shape)

        corners = maps[:, ::step, ::step]
        right, below = np.roll(corners, -1, 2), np.roll(corners, -1, 1)
        middles = between(corners, right, below, np.roll(right, -1, 1))
        maps[:, half::step, half::step] = middles
        maps[:, ::step, half::step] = between(corners, right, middles, np.roll(middles, 1, 1))
        maps[:, half::step, ::step] = between(corners, below, middles, np.roll(middles, 1, 2))
        step, wide = half, wide * roughness
    maps -= maps.min(axis=(1, 2), keepdims=True)
    return np.asarray(maps / maps.max(axis=(1, 2), keepdims=True))


def spatter(images: Images, rng: Random, share: float = 0.1) -> Images:
    """Return digits behind drops on the lens."""
    noise = rng.normal(size=images.shape)
    drops = np.array([cv2.GaussianBlur(image, (0, 0), 1.3) for image in noise])
    wet = drops > np.quantile(drops, 1 - share, axis=(1, 2), keepdims=True)
    return _bytes(np.maximum(images, 0.7 * INK * wet))


def dotted_line(images: Images, rng: Random) -> Images:
    """Return digits that a dotted line crosses from the left to the right."""
    crossed, across = images.copy(), np.arange(1, SIZE, 3)
    for image, ends in zip(crossed, rng.uniform(4, SIZE - 4, (len(images), 2)), strict=True):
        down = np.linspace(ends[0], ends[1], len(across)).round().astype(int)
        image[down, across] = image[down, across + 1] = INK
    return crossed


def zigzag(images: Images, rng: Random, height: float = 2) -> Images:
    """Return digits that a jagged line crosses from the left to the right."""
    crossed, across = images.copy(), np.arange(-1, SIZE + 3, 3)
    jags = height * (-1.0) ** np.arange(len(across))
    for image, ends in zip(crossed, rng.uniform(4, SIZE - 4, (len(images), 2)), strict=True):
        down = np.linspace(ends[0], ends[1], len(across)) + jags
        points = np.stack([across, down], axis=-1)
        cv2.polylines(image, [points.round().astype(np.int32)], False, INK, 1, cv2.LINE_AA)
    return crossed


def canny_edges(images: Images, _: Random) -> Images:
    """Return the outlines of digits (Canny 1986)."""
    return np.array([cv2.Canny(image, 100, 200) for image in images])


CORRUPTIONS: dict[str, Callable[[Images, Random], Images]] = {
    corruption.__name__.replace("_", " "): corruption
    for corruption in (
        shot_noise, impulse_noise, glass_blur, motion_blur, shear, scale, rotate, brightness,
        translate, stripe, fog, spatter, dotted_line, zigzag, canny_edges,
    )
}  # fmt: skip


def affine(images: Images, matrix: Floats, shift: npt.ArrayLike = 0.0) -> Images:
    """Return digits put elsewhere: a matrix about their middle, then a shift, across and down.

    `matrix` is `(2, 2)`, or `(n, 2, 2)` for one a digit; so is `shift`, `(n, 2)` pixels.
    """
    middle = np.full(2, (SIZE - 1) / 2)
    linear = np.broadcast_to(matrix, (len(images), 2, 2))
    ends = middle - linear @ middle + shift
    maps = np.concatenate([linear, ends[:, :, None]], axis=2)
    placed = zip(images, maps, strict=True)
    return np.array([cv2.warpAffine(image, map_, (SIZE, SIZE)) for image, map_ in placed])


def evaluate_corrupted(
    probabilities: Callable[[Images], npt.NDArray[np.float32]], digits: Digits
) -> dict[str, Evaluation]:
    """Return an evaluation of the digits under each corruption, by its name.

    `probabilities` turns images `uint8 (n, 28, 28)` into `float32 (n, classes)`. What is drawn by
    chance is the same for every network.
    """
    return {
        name: Evaluation(
            digits.labels, probabilities(corrupt(digits.images, np.random.default_rng(0)))
        )
        for name, corrupt in CORRUPTIONS.items()
    }


def _bytes(values: npt.NDArray[Any]) -> Images:
    return np.asarray(np.clip(np.rint(values), 0, INK), np.uint8)
