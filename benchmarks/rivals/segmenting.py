"""The baseline: cut a line into connected pieces of ink, and name each with the digit model.

Pieces that stand above each other are one digit, and what is much lower than the tallest is a dot
or a dash. Nothing is done about digits that touch.
"""

import cv2
import numpy as np

from inkdigit.images import Grey
from inkdigit.reading.model_file import DigitModel
from inkdigit.reading.preprocessing.digit import normalise
from inkdigit.reading.preprocessing.line import extract_line

# What is lower than this share of the tallest piece is no digit.
_LEAST_HEIGHT = 0.4
# Pieces of which the narrower has this share of its width above or below the other are one.
_SHARED = 0.5


def read_segments(page: Grey, model: DigitModel) -> tuple[str, float]:
    """Return the digits on a page and the probability that all are right."""
    found = extract_line(page)
    digits = [normalise(piece) for piece in segments(found.pixels)] if found else []
    if not digits:
        return "", 1.0
    odds = model.predict_proba(np.stack(digits))
    names = [model.info.classes[place] for place in odds.argmax(axis=1)]
    text = "".join(name for name in names if name.isdecimal())
    return text, float(odds.max(axis=1).prod())


def segments(pixels: Grey) -> list[Grey]:
    """Return the pieces of a strip of ink from left to right, each alone: dark on wide paper."""
    _, mask = cv2.threshold(pixels, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    spans = [(int(stats[i, 0]), int(stats[i, 0] + stats[i, 2]), i) for i in range(1, count)]
    inks = [np.isin(labels, numbers) for numbers in merged(spans)]
    heights = [int(ink.any(axis=1).sum()) for ink in inks]
    kept = [
        ink for ink, high in zip(inks, heights, strict=True) if high >= _LEAST_HEIGHT * max(heights)
    ]
    return [_alone(pixels, ink) for ink in kept]


def merged(spans: list[tuple[int, int, int]]) -> list[list[int]]:
    """Return the numbers of `(left, right, number)` in groups that overlap, from left to right."""
    groups: list[tuple[int, int, list[int]]] = []
    for left, right, number in sorted(spans):
        if groups:
            start, end, numbers = groups[-1]
            if min(end, right) - left >= _SHARED * min(end - start, right - left):
                groups[-1] = start, max(end, right), [*numbers, number]
                continue
        groups.append((left, right, [number]))
    return [numbers for _, _, numbers in groups]


def _alone(pixels: Grey, ink: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Grey:
    columns = np.flatnonzero(ink.any(axis=0))
    piece = np.where(ink, pixels, 0)[:, columns[0] : columns[-1] + 1]
    return np.asarray(255 - np.pad(piece, max(piece.shape) // 2), np.uint8)
