"""What ink lies on and how its picture was taken: paper, light, camera and compression."""

import cv2
import numpy as np

from inkdigit.learning.synthesis.pixels import Floats, Ink, Random, blurred, compressed, resized
from inkdigit.reading.preprocessing.paper import ink_and_polarity

_TEXTURES = 48
_TEXTURE_SHAPE = (160, 1024)


class Backgrounds:
    """Security backgrounds and plain paper, drawn once and cut from as needed."""

    def __init__(self, rng: Random) -> None:
        self._textures = [_guilloche(rng) for _ in range(_TEXTURES)]

    def put(self, ink: Ink, rng: Random) -> Ink:
        """Return a grey picture `uint8 (h, w)` of ink `uint8 (h, w)` on some paper."""
        height, width = ink.shape
        strength = rng.uniform(0.25, 1.0) if rng.random() < 0.7 else 1.0
        darkness = ink.astype(np.float32) * np.float32(strength / 255)
        if rng.random() < 0.3:
            darkness *= _uneven(height, width, rng, 0.5)
        if rng.random() < 0.5:
            printed = self._cut(height, width, rng)
            printed *= np.float32(strength * rng.uniform(0.05, 0.5))
            np.maximum(darkness, printed, out=darkness)
        if rng.random() < 0.35:
            _rule(darkness, strength, rng)
        grey = 1 - darkness * np.float32(0.9)
        shade = np.float32(rng.uniform(0.45, 1.0))
        grey *= shade * _uneven(height, width, rng, 0.4) if rng.random() < 0.4 else shade
        if rng.random() < 0.1:
            grey = 1 - grey
        return photograph(grey, rng)

    def _cut(self, height: int, width: int, rng: Random) -> Floats:
        texture = self._textures[rng.integers(len(self._textures))]
        zoom = rng.uniform(0.6, 1.5)
        rows, columns = int(height / zoom) + 1, int(width / zoom) + 1
        top = rng.integers(max(1, texture.shape[0] - rows))
        left = rng.integers(max(1, texture.shape[1] - columns))
        piece = texture[top : top + rows, left : left + columns]
        return resized(piece, width, height)


def framed(ink: Ink, room: int, rng: Random) -> Ink:
    """Draw the printed border of a cell around the ink and so much room: some of its sides."""
    out = np.pad(ink, room)
    height, width = out.shape
    inset = rng.uniform(-3, 8, 4)
    thick, shade = int(rng.integers(1, 8)), int(rng.integers(100, 256))
    tilt = rng.normal(0, 0.02, 4) * height
    sides = rng.random(4) < 0.6
    lines = (
        ((0, inset[0]), (width, inset[0] + tilt[0])),
        ((0, height - inset[1]), (width, height - inset[1] + tilt[1])),
        ((inset[2], 0), (inset[2] + tilt[2], height)),
        ((width - inset[3], 0), (width - inset[3] + tilt[3], height)),
    )
    for start, end in np.array(lines).astype(np.int32)[sides]:
        cv2.line(out, start, end, shade, thick, cv2.LINE_AA)
    return out


def photograph(grey: Floats, rng: Random) -> Ink:
    """Return what a camera or scanner makes of `float32 (h, w)`: blur, few pixels, noise, JPEG."""
    if rng.random() < 0.6:
        grey = blurred(grey, rng.uniform(0.3, 1.6))
    if rng.random() < 0.6:
        scale = rng.uniform(0.35, 0.9)
        height, width = grey.shape
        smaller = max(8, round(width * scale)), max(12, round(height * scale))
        grey = resized(grey, *smaller, cv2.INTER_AREA)
    if rng.random() < 0.6:
        noise = rng.standard_normal(grey.shape, np.float32)
        if rng.random() < 0.3:
            noise = blurred(noise, 0.8) * 2
        grey = grey + noise * np.float32(rng.uniform(0.005, 0.05))
    pixels = (grey * 255).clip(0, 255).astype(np.uint8)
    if rng.random() < 0.08:
        return _bilevel(pixels)
    if rng.random() < 0.5:
        pixels = compressed(pixels, int(rng.integers(25, 95)))
    return pixels


def _bilevel(pixels: Ink) -> Ink:
    """Return what a scanner makes of a picture that leaves black and white alone."""
    _, is_dark = ink_and_polarity(pixels)
    flipped = np.uint8(0 if is_dark else 255)
    method, around = cv2.ADAPTIVE_THRESH_MEAN_C, max(31, len(pixels) | 1)
    told = cv2.adaptiveThreshold(pixels ^ flipped, 255, method, cv2.THRESH_BINARY, around, 15)
    return np.asarray(told, np.uint8) ^ flipped


def _guilloche(rng: Random) -> Floats:
    """Return a printed security background: families of waving lines, or a fine screen."""
    texture = np.zeros(_TEXTURE_SHAPE, np.uint8)
    x = np.arange(-20, _TEXTURE_SHAPE[1] + 20, 6)
    for _ in range(rng.integers(1, 4)):
        period, size = rng.uniform(30, 250), rng.uniform(0, 14)
        step, tilt, phase = rng.uniform(4, 14), rng.normal(0, 0.25), rng.uniform(0, 6.3)
        shade = int(rng.integers(90, 256))
        reach = abs(tilt) * _TEXTURE_SHAPE[1]
        drift = rng.uniform(0, 0.6)
        for number, y0 in enumerate(np.arange(-reach, _TEXTURE_SHAPE[0] + reach, step)):
            y = y0 + tilt * x + size * np.sin(x / period * 6.28 + phase + drift * number)
            points = np.rint(np.stack([x, y], axis=1) * 16).astype(np.int32)
            cv2.polylines(texture, [points], False, shade, 1, cv2.LINE_AA, 4)
    if rng.random() < 0.2:
        screen = rng.integers(0, 256, (_TEXTURE_SHAPE[0] // 4, _TEXTURE_SHAPE[1] // 4), np.uint8)
        height, width = _TEXTURE_SHAPE
        texture = np.maximum(texture, resized(screen, width, height) // 2)
    return texture.astype(np.float32) / np.float32(255)


def _uneven(height: int, width: int, rng: Random, depth: float) -> Floats:
    """Return a smooth factor `float32 (h, w)` between `1 - depth` and 1."""
    coarse = rng.uniform(1 - depth, 1, (2 + rng.integers(2), 2 + rng.integers(4)))
    return resized(coarse.astype(np.float32), width, height, cv2.INTER_CUBIC)


def _rule(darkness: Floats, strength: float, rng: Random) -> None:
    """Draw ruled lines or the frame of a field, in place, with both of its sides or none.

    A single one would be a 1, on blank paper and at the end of a number.
    """
    height, width = darkness.shape
    shade = float(strength * rng.uniform(0.3, 1.0))
    thick = int(rng.integers(1, 4))
    tilt = rng.normal(0, 0.01) * width
    if rng.random() < 0.6:
        places = [rng.uniform(0.72, 1.0)] if rng.random() < 0.7 else [rng.uniform(0, 0.2)]
        if rng.random() < 0.3:
            places.append(rng.uniform(0, 0.15))
        dotted = rng.random() < 0.3
        step, part = (rng.uniform(3, 14), rng.uniform(0.3, 0.8)) if dotted else (width, 1.0)
        starts = np.arange(0, width, step)
        for place in places:
            for ends in np.stack([starts, starts + part * step], axis=1):
                points = np.stack([ends, place * (height - 1) + tilt * ends / width], axis=1)
                start, end = points.astype(int).tolist()
                cv2.line(darkness, start, end, shade, thick, cv2.LINE_AA)
    if rng.random() < 0.4:
        for x in (1, width - 3):
            cv2.line(darkness, (x, 0), (int(x + tilt / 4), height), shade, thick, cv2.LINE_AA)
