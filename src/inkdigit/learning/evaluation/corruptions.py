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


def glass_blur(images: Images, rng: Random, rounds: int = 1) -> Images:
    """Return digits behind frosted glass: each pixel changes places with one beside it."""
    shaken = images.copy()
    every = np.arange(len(images))
    for _ in range(rounds):
        for down, across in np.ndindex(SIZE - 2, SIZE - 2):
            one = every, np.full(len(images), down + 1), np.full(len(images), across + 1)
            other = (every, *(np.array([[down], [across]]) + rng.integers(0, 3, (2, len(images)))))
            shaken[one], shaken[other] = shaken[other], shaken[one]
    return _each(shaken, lambda image, _: cv2.GaussianBlur(image, (0, 0), 0.6))


def motion_blur(images: Images, rng: Random, length: int = 7) -> Images:
    """Return digits that moved along a line of some direction."""
    line = np.zeros((length, length), np.float32)
    line[length // 2] = 1

    def blurred(image: Images, angle: float) -> Any:
        turn = cv2.getRotationMatrix2D((length // 2, length // 2), angle, 1)
        kernel = cv2.warpAffine(line, turn, (length, length))
        return cv2.filter2D(image, -1, kernel / kernel.sum())

    return _each(images, blurred, rng.uniform(-45, 45, len(images)))


def shear(images: Images, rng: Random, slant: float = 0.6) -> Images:
    """Return digits slanted to one side or the other."""
    return affine(images, [[1, _signs(rng, images) * slant], [0, 1]])


def scale(images: Images, _: Random, factor: float = 0.6) -> Images:
    """Return digits made smaller."""
    return affine(images, [[factor, 0], [0, factor]])


def rotate(images: Images, rng: Random, degrees: float = 25) -> Images:
    """Return digits turned to one side or the other."""
    angle = np.deg2rad(degrees) * _signs(rng, images)
    return affine(images, [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])


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
    drops = _each(
        rng.normal(size=images.shape), lambda map_, _: cv2.GaussianBlur(map_, (0, 0), 1.3)
    )
    wet = drops > np.quantile(drops, 1 - share, axis=(1, 2), keepdims=True)
    return _bytes(np.maximum(images, 0.7 * INK * wet))


def dotted_line(images: Images, rng: Random) -> Images:
    """Return digits that a dotted line crosses from the left to the right."""

    def crossed(image: Images, ends: Any) -> Any:
        points = np.stack([np.arange(1, SIZE, 3), np.linspace(ends[0], ends[1], 9)], axis=-1)
        for point in points.round().astype(int).tolist():
            cv2.rectangle(image, point, [point[0] + 1, point[1]], INK, -1)
        return image

    return _each(images.copy(), crossed, rng.uniform(4, SIZE - 4, (len(images), 2)))


def zigzag(images: Images, rng: Random, height: float = 2) -> Images:
    """Return digits that a jagged line crosses from the left to the right."""
    across = np.arange(-1, SIZE + 3, 3)
    jags = height * (-1.0) ** np.arange(len(across))

    def crossed(image: Images, ends: Any) -> Any:
        down = np.linspace(ends[0], ends[1], len(across)) + jags
        points = np.stack([across, down], axis=-1).round().astype(np.int32)
        return cv2.polylines(image, [points], False, INK, 1, cv2.LINE_AA)

    return _each(images.copy(), crossed, rng.uniform(4, SIZE - 4, (len(images), 2)))


def canny_edges(images: Images, _: Random) -> Images:
    """Return the outlines of digits (Canny 1986)."""
    return _each(images, lambda image, _: cv2.Canny(image, 100, 200))


CORRUPTIONS: dict[str, Callable[[Images, Random], Images]] = {
    "shot noise": shot_noise,
    "impulse noise": impulse_noise,
    "glass blur": glass_blur,
    "motion blur": motion_blur,
    "shear": shear,
    "scale": scale,
    "rotate": rotate,
    "brightness": brightness,
    "translate": translate,
    "stripe": stripe,
    "fog": fog,
    "spatter": spatter,
    "dotted line": dotted_line,
    "zigzag": zigzag,
    "canny edges": canny_edges,
}


def affine(images: Images, matrix: Any, shift: Any = (0, 0)) -> Images:
    """Return digits put elsewhere: a matrix about their middle, then a shift, across and down.

    The parts of the matrix `(2, 2)` may be arrays, a number a digit, and `shift` `(n, 2)` pixels.
    """
    middle = (SIZE - 1) / 2
    parts = [[np.broadcast_to(part, len(images)) for part in row] for row in matrix]
    linear = np.moveaxis(np.array(parts, np.float64), -1, 0)
    ends = middle - linear @ [middle, middle] + shift
    maps = np.concatenate([linear, ends[:, :, None]], axis=2)
    return _each(images, lambda image, map_: cv2.warpAffine(image, map_, (SIZE, SIZE)), maps)


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


def _each(
    images: npt.NDArray[Any], change: Callable[[Any, Any], Any], given: npt.ArrayLike = ()
) -> npt.NDArray[Any]:
    """Return each image changed by what is given for it, if anything is."""
    values = np.asarray(given) if np.size(given) else np.zeros(len(images))
    return np.array([change(*pair) for pair in zip(images, values, strict=True)])


def _signs(rng: Random, images: Images) -> Floats:
    return rng.choice([-1.0, 1.0], len(images))


def _bytes(values: npt.NDArray[Any]) -> Images:
    return np.asarray(np.clip(np.rint(values), 0, INK), np.uint8)
