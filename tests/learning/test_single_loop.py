import numpy as np

from inkdigit.learning.single_loop import moved, to_digits


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
