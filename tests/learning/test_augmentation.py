import numpy as np
import pytest

from inkdigit.learning.augmentation import AUGMENTATIONS, shifted


@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_an_augmentation_keeps_shape_and_type_and_draws_from_the_generator_alone(name: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, (7, 28, 28)).astype(np.uint8)
    before = images.copy()
    once, again = (AUGMENTATIONS[name](images, np.random.default_rng(3)) for _ in range(2))
    assert (once.shape, once.dtype) == (images.shape, np.uint8)
    assert np.array_equal(once, again)
    assert np.array_equal(images, before)


def test_shifted_moves_by_each_of_nine_steps() -> None:
    images = np.zeros((500, 28, 28), np.uint8)
    images[:, 10, 20] = 255
    found = {tuple(map(int, np.argwhere(image)[0])) for image in shifted(images, rng())}
    assert found == {(10 + down, 20 + across) for down in (-1, 0, 1) for across in (-1, 0, 1)}


def test_what_is_shifted_out_is_gone_and_paper_comes_in() -> None:
    full = np.full((500, 28, 28), 255, np.uint8)
    sums = {int(image.sum()) // 255 for image in shifted(full, rng())}
    assert sums == {28 * 28, 28 * 27, 27 * 27}


def rng() -> np.random.Generator:
    return np.random.default_rng(0)
