from collections import Counter
from pathlib import Path

import numpy as np

from inkdigit.learning.datasets import Digits
from inkdigit.learning.synthesis.stream import Generator
from inkdigit.reading.alphabet import NOT_A_DIGIT, SINGLE_ALPHABET


def test_single_digits_and_what_is_none(digits: Digits, fonts: Path) -> None:
    draw = Generator(digits, fonts, single=True).begin()
    drawn = [draw([0, i]) for i in range(400)]
    counts = Counter(label for _, label in drawn)
    assert set(counts) == set(SINGLE_ALPHABET)
    assert 0.18 < counts[NOT_A_DIGIT] / 400 < 0.35
    for pixels, label in drawn:
        assert (pixels.shape, pixels.dtype) == ((28, 28), np.uint8)
        assert pixels.any() or label == NOT_A_DIGIT
    again, _ = draw([0, 7])
    assert np.array_equal(again, drawn[7][0])
    assert len({pixels.tobytes() for pixels, _ in drawn if pixels.any()}) > 370
