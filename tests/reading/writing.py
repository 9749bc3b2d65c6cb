"""Pictures of writing: digits of the sample on paper of any kind, and how to compare them."""

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from inkdigit.learning.datasets import Dataset

Grey = npt.NDArray[np.uint8]


Box = tuple[int, int, int, int]


def written(sample: Dataset, count: int, height: int = 28, first: int = 0) -> Grey:
    """Digits of the sample side by side, ink 255."""
    line = np.hstack(list(sample.test.images[first : first + count]))
    size = round(line.shape[1] * height / line.shape[0]), height
    return np.asarray(Image.fromarray(line).resize(size, Image.Resampling.BICUBIC))


def paper(shape: tuple[int, int], line: Grey, place: tuple[int, int], white: int = 230) -> Grey:
    """Light paper with dark writing, its corner at `place` (x, y)."""
    page = np.full(shape, white, float)
    (x, y), (height, width) = place, line.shape
    page[y : y + height, x : x + width] -= line * 0.75
    return page.clip(0, 255).astype(np.uint8)


def ink_box(line: Grey, place: tuple[int, int]) -> Box:
    rows, columns = np.nonzero(line > 100)
    x, y = int(columns.min()) + place[0], int(rows.min()) + place[1]
    return x, y, int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


def put(page: Grey, text: str, x: int, y: int) -> None:
    """Dark print of some 35 pixels' height, its lower left corner at (x, y)."""
    cv2.putText(page, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 20, 4, cv2.LINE_AA)


def centre_of_mass(digit: Grey) -> npt.NDArray[np.float64]:
    """As pixel numbers, row and column."""
    grid = np.stack(np.mgrid[0:28, 0:28])
    return np.asarray((grid * digit).sum(axis=(1, 2)) / digit.sum(dtype=np.float64))


def extent(digit: Grey, threshold: int = 64) -> tuple[int, int]:
    rows, columns = np.nonzero(digit > threshold)
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def apart(digit: Grey, other: Grey) -> float:
    """The mean difference of two digits, put on top of each other as well as whole pixels allow."""
    moved = [np.roll(other, (y, x), (0, 1)).astype(int) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return min(float(np.abs(digit - shifted).mean()) for shifted in moved)
