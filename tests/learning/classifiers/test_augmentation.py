import numpy as np
import pytest

from inkdigit.learning.classifiers import augmentation
from inkdigit.learning.classifiers.augmentation import AUGMENTATIONS, shifted, warped


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


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """`warped` changes nothing, but what a test sets."""
    for name in ("TURN", "ZOOM", "SHEAR", "SHIFT", "STRAY"):
        monkeypatch.setattr(augmentation, name, 0)
    return monkeypatch


@pytest.mark.usefixtures("still")
def test_warped_by_nothing_is_what_it_was() -> None:
    images = rng().integers(0, 256, (1200, 28, 28)).astype(np.uint8)
    assert np.array_equal(warped(images, rng()), images)


def test_what_is_warped_within_bounds_stays_about_where_and_as_much_as_it_was() -> None:
    images = np.zeros((500, 28, 28), np.uint8)
    images[:, 10:18, 12:16] = 255
    changed = warped(images, rng())
    assert len(np.unique(changed, axis=0)) == 500
    middles = np.array([middle(image) for image in changed])
    assert np.abs(middles - 13.5).max() < augmentation.SHIFT + 4 * augmentation.STRAY
    assert middles.mean(axis=0) == pytest.approx([13.5, 13.5], abs=0.3)
    assert 0.9 < changed.sum() / images.sum() < 1.1


@pytest.mark.parametrize("name", ["TURN", "ZOOM", "SHEAR", "SHIFT"])
def test_each_of_its_ways_goes_as_far_as_is_said(still: pytest.MonkeyPatch, name: str) -> None:
    """Told by the moments of two bars."""
    still.setattr(augmentation, name, most := {"TURN": 15, "SHIFT": 2}.get(name, 0.2))
    upright = np.zeros((300, 28, 28), np.uint8)
    upright[:, 7:21, 13:15] = 255
    lying = upright.transpose(0, 2, 1)
    told = {
        "TURN": lambda up, _: np.degrees(np.arctan(slant(up))),
        "SHEAR": lambda up, _: slant(up),
        "ZOOM": lambda up, _: np.log(spread(up, 0) / spread(upright[0], 0)),
        "SHIFT": lambda _, flat: middle(flat)[0] - 13.5,
    }[name]
    bars = zip(warped(upright, rng()), warped(lying, rng()), strict=True)
    values = np.array([told(*pair) for pair in bars])
    assert [values.min(), values.max()] == pytest.approx([-most, most], rel=0.15)


def middle(image: np.ndarray) -> np.ndarray:
    """The centre of mass, down and across."""
    return np.argwhere(image >= 0).T @ image.ravel() / image.sum()


def moments(image: np.ndarray) -> np.ndarray:
    return np.cov(np.argwhere(image >= 0).T, aweights=image.ravel().astype(float))


def slant(image: np.ndarray) -> float:
    """How far an upright bar's middle goes across a pixel down."""
    return float(moments(image)[0, 1] / moments(image)[0, 0])


def spread(image: np.ndarray, axis: int) -> float:
    return float(np.sqrt(moments(image)[axis, axis]))


def test_what_lies_between_the_points_of_the_grid_follows_in_straight_lines() -> None:
    grid = augmentation._grid(augmentation.POINTS)
    assert np.allclose(grid @ augmentation._between(), augmentation._grid(augmentation.PIXELS))
    assert np.allclose(augmentation._between().sum(axis=0), 1)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)
