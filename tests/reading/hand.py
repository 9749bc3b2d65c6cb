"""Pictures of numbers as a clear hand writes them, from digits of the sample."""

from io import BytesIO

import numpy as np
import numpy.typing as npt
from PIL import Image

from inkdigit.learning.datasets import Dataset

Grey = npt.NDArray[np.uint8]

HEIGHT = 56
GAP = 4


class Hand:
    """Writes texts with the digits of the sample's test half."""

    def __init__(self, sample: Dataset) -> None:
        labels = sample.test.labels
        self._digits = {str(n): sample.test.images[labels == n] for n in range(10)}

    def digit(self, value: str, number: int = 0) -> Grey:
        """One digit of MNIST, enlarged, without the empty paper beside it."""
        digit = self._digits[value][number]
        columns = np.flatnonzero((digit > 60).any(axis=0))
        digit = digit[:, columns[0] : columns[-1] + 1]
        size = digit.shape[1] * HEIGHT // 28, HEIGHT
        return np.asarray(Image.fromarray(digit).resize(size, Image.Resampling.BICUBIC))

    def write(self, text: str, first: int = 0, margin: int = 20) -> Grey:
        """Dark digits and dots on light paper, side by side."""
        page, _ = self.placed(text, first, margin)
        return page

    def placed(
        self, text: str, first: int = 0, margin: int = 20
    ) -> tuple[Grey, list[tuple[int, int, int, int]]]:
        """As `write`, and the box of the ink of each character."""
        parts = [dot() if c == "." else self.digit(c, first + i) for i, c in enumerate(text)]
        gap = np.zeros((HEIGHT, GAP), np.uint8)
        boxes, x = [], margin
        for part in parts:
            rows, columns = np.nonzero(part > 100)
            place = x + int(columns.min()), margin + int(rows.min())
            boxes.append((*place, int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1))
            x += part.shape[1] + GAP
        line = np.hstack([piece for part in parts for piece in (part, gap)])
        return 240 - (np.pad(line, margin) * 0.8).astype(np.uint8), boxes


def dot() -> Grey:
    """A dot on the baseline."""
    mark = np.zeros((HEIGHT, 12), np.uint8)
    mark[-14:-8, 3:9] = 255
    return mark


def encoded(page: Grey, kind: str = "PNG", **options: object) -> bytes:
    stream = BytesIO()
    Image.fromarray(page).save(stream, kind, **options)
    return stream.getvalue()


def overlap(found: tuple[int, int, int, int], true: tuple[int, int, int, int]) -> float:
    """What is common to two boxes, as a share of what either covers."""
    sides = [
        max(0, min(found[i] + found[i + 2], true[i] + true[i + 2]) - max(found[i], true[i]))
        for i in (0, 1)
    ]
    common = sides[0] * sides[1]
    return common / (found[2] * found[3] + true[2] * true[3] - common)
