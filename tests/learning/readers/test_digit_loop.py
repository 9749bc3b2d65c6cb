from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import numpy as np
import pytest

from inkdigit.learning.datasets import Dataset
from inkdigit.learning.readers.digit_loop import DigitReaderLoop, moved, to_digits
from inkdigit.learning.recipes import RECIPES, SynthesisConfig
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.synthesis.stream import Line, SampleStream


def test_digits_are_moved_a_little_and_stay_what_they_are() -> None:
    image = np.zeros((28, 28), np.uint8)
    image[4:24, 12:16] = 255
    ours = [moved(image, np.random.default_rng(seed)) for seed in range(200)]
    assert np.array_equal(ours[3], moved(image, np.random.default_rng(3)))
    assert {(found.shape, found.dtype) for found in ours} == {((28, 28), np.dtype(np.uint8))}
    assert len({found.tobytes() for found in ours}) == 200
    mean = np.mean(ours, axis=0)
    rows, columns = (mean.sum(axis=axis) @ np.arange(28) / mean.sum() for axis in (1, 0))
    assert abs(rows - 13.5) < 0.5
    assert abs(columns - 13.5) < 0.5


def test_what_is_no_digit_is_the_eleventh_class() -> None:
    images, labels = to_digits([(np.zeros((28, 28), np.uint8), text) for text in "07?9"])
    assert images.shape == (4, 28, 28)
    assert labels.tolist() == [0, 7, 10, 9]


def test_an_epoch_sees_some_digits_for_the_first_time_and_forgets_the_oldest(
    small: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(
        RECIPES["single"], synthesis=SynthesisConfig(block=2, epoch_blocks=3, fresh_blocks=1)
    )
    monkeypatch.setitem(RECIPES, "single", recipe)

    class Numbered:
        """A supply whose every block is of one grey, that of its number."""

        def blocks(self, first: int, last: int, size: int) -> Iterator[list[Line]]:
            for block in range(first, last):
                asked.append(block)
                yield [(np.full((28, 28), block, np.uint8), "7")] * size

    def loop() -> DigitReaderLoop:
        settings = TrainingSettings(network="single", epochs=4, batch_size=2)
        supply = cast("SampleStream", Numbered())
        return DigitReaderLoop(settings, small.train, supply, [(images[0], "7")])

    asked: list[int] = []
    images, _ = small.train.images, small.train.labels
    first = loop()
    mnist = 3 * len(small.train)
    seen = [first._seen_in(epoch)[0][mnist:, 0, 0].tolist() for epoch in (0, 1)]
    assert seen == [[0, 0, 1, 1, 2, 2], [1, 1, 2, 2, 3, 3]]
    assert asked == [0, 1, 2, 3]
    # What goes on after a kill sees what it would have seen.
    assert np.array_equal(loop()._seen_in(2)[0], first._seen_in(2)[0])
