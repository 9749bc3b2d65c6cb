import time
from typing import cast

import numpy as np

from inkdigit.reading import DigitModel
from inkdigit.reading.reader import SINGLE_MODEL
from inkdigit.reading.timing import digits_per_second, seconds_of

DIGITS = np.zeros((1, 28, 28), np.uint8)


class Slow:
    """Takes at least a millisecond for each digit, and counts what it is shown."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def predict_proba(self, images: np.ndarray) -> None:
        self.batches.append(len(images))
        time.sleep(0.001 * len(images))


def test_a_call_takes_no_less_than_it_takes() -> None:
    assert seconds_of(lambda: time.sleep(0.01), 5) >= 0.01


def test_digits_a_second_are_of_a_digit_whatever_the_batch() -> None:
    models = [Slow(), Slow()]
    speeds = digits_per_second(
        cast("list[DigitModel]", models), DIGITS, (1, 20), rounds=2, enough=100
    )
    for model, (one, many) in zip(models, speeds, strict=True):
        assert 0 < one <= 1000
        assert 0 < many <= 1000
        assert model.batches == ([1] * 100 + [20] * 5) * 2


def test_a_model_is_timed() -> None:
    (speeds,) = digits_per_second([DigitModel.load(SINGLE_MODEL)], DIGITS, (1, 8), 1, enough=8)
    assert all(speed > 0 for speed in speeds)
