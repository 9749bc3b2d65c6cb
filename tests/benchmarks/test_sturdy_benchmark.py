"""The benchmark of what networks bear, and the corruptions that it puts digits under."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pandas as pd
import pytest

from inkdigit.learning.datasets import Dataset
from inkdigit.learning.models.run import Run

MODULES = ("corruptions", "sturdy", "tables")
NAMES = (
    "shot noise", "impulse noise", "glass blur", "motion blur", "shear", "scale", "rotate",
    "brightness", "translate", "stripe", "fog", "spatter", "dotted line", "zigzag", "canny edges",
)  # fmt: skip


@pytest.fixture(scope="module")
def scripts(script: Callable[[str], ModuleType]) -> dict[str, ModuleType]:
    return {name: script(name) for name in MODULES}


@pytest.fixture
def corruptions(scripts: dict[str, ModuleType]) -> ModuleType:
    return scripts["corruptions"]


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def bars() -> np.ndarray:
    """A hundred upright bars in the middle."""
    images = np.zeros((100, 28, 28), np.uint8)
    images[:, 6:22, 13:15] = 255
    return images


def test_there_are_the_fifteen(corruptions: ModuleType) -> None:
    assert tuple(corruptions.CORRUPTIONS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_corruption_changes_digits_and_nothing_else(
    corruptions: ModuleType, small: Dataset, name: str
) -> None:
    images = small.test.images
    before = images.copy()
    once, again = (corruptions.CORRUPTIONS[name](images, rng()) for _ in range(2))
    assert (once.shape, once.dtype) == (images.shape, np.uint8)
    assert np.array_equal(once, again)
    assert np.array_equal(images, before)
    assert all((one != image).any() for one, image in zip(once, images, strict=True))


def test_noise_is_as_strong_as_is_said(corruptions: ModuleType) -> None:
    grey = np.full((200, 28, 28), 102, np.uint8)
    # A Poisson variate's variance is its mean: two of five particles here.
    shot = corruptions.shot_noise(grey, rng(), photons=5) / 255 * 5
    assert np.minimum(shot, 5).mean() == pytest.approx(2, abs=0.05)
    changed = corruptions.impulse_noise(grey, rng(), share=0.2)
    assert np.mean(changed == 0) == pytest.approx(0.1, abs=0.005)
    assert np.mean(changed == 255) == pytest.approx(0.1, abs=0.005)


def test_blur_keeps_the_ink(corruptions: ModuleType, bars: np.ndarray) -> None:
    for blur in (corruptions.glass_blur, corruptions.motion_blur):
        assert blur(bars, rng()).mean() == pytest.approx(bars.mean(), rel=0.02)
        assert blur(bars, rng()).max(axis=(1, 2)).mean() < 255


def test_moved_is_what_opencv_calls_a_rotation(corruptions: ModuleType, small: Dataset) -> None:
    images = small.test.images[:20]
    turn = cv2.getRotationMatrix2D((13.5, 13.5), 30, 0.8)
    expected = [cv2.warpAffine(image, turn, (28, 28)) for image in images]
    angle = np.deg2rad(30)
    matrix = 0.8 * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    assert np.array_equal(corruptions.moved(images, matrix), np.array(expected))


def test_translated_goes_so_far(corruptions: ModuleType, bars: np.ndarray) -> None:
    there = corruptions.translate(bars, rng(), pixels=3)
    places = np.argwhere(np.ones((28, 28)))
    middles = np.array([image.ravel() @ places / image.sum() for image in there])
    assert np.hypot(*(middles - 13.5).T) == pytest.approx(3, abs=0.1)


def test_fog_closes_on_itself_and_varies(corruptions: ModuleType) -> None:
    maps = corruptions.plasma(50, rng())
    assert (maps.min(), maps.max()) == (0, 1)
    steps = np.abs(np.diff(maps, axis=2)).mean()
    assert np.abs(maps[:, :, 0] - maps[:, :, -1]).mean() < 2 * steps
    assert steps < maps.std() / 2


def test_each_network_seed_and_test_has_a_row_and_a_place_in_the_picture(
    scripts: dict[str, ModuleType], small: Dataset, trained: Run, tmp_path: Path
) -> None:
    sturdy = scripts["sturdy"]
    path = tmp_path / "three.png"
    cv2.imwrite(str(path), 255 - np.pad(small.test.images[small.test.labels == 3][0], 20))
    # Whatever is read there, it is one of ten.
    hands = {"own-hands": [sturdy.Picture(path, str(digit)) for digit in range(10)]}
    table = pd.DataFrame(sturdy.rows([("lenet5", 0, trained)], small.test, hands))
    assert not table.duplicated(["network", "seed", "test", "level"]).any()
    assert table["accuracy"].between(0, 1).all()
    assert table["calibration_error"].between(0, 1).all()
    first = table.set_index("test")["accuracy"]
    assert first["clean"] == pytest.approx(trained.metrics["test_accuracy"])
    assert first["own-hands"] == pytest.approx(0.1)

    overview = sturdy.overview(table)["lenet5"]
    assert overview["clean"] == pytest.approx(100 * first["clean"], abs=0.01)
    assert overview["corrupted"] == pytest.approx(100 * first[list(NAMES)].mean(), abs=0.01)
    shown = [axes.get_title() for axes in sturdy.drawn(table, small.test.images[:6]).axes]
    assert {"turned, degrees", "moved, pixels", "zoomed, times as large"} <= set(shown)


def test_the_table_holds_means_over_seeds_of_the_mean_over_corruptions(
    scripts: dict[str, ModuleType], tmp_path: Path
) -> None:
    rows = [
        {"network": "fast", "seed": seed, "kind": kind, "test": test, "level": 0,
         "accuracy": accuracy + 0.02 * seed, "calibration_error": 0.01}
        for seed in (0, 1)
        for kind, test, accuracy in (
            ("clean", "clean", 0.95), ("corruption", "fog", 0.3), ("corruption", "stripe", 0.5),
            ("curve", "turned", 0.1), ("hands", "usps", 0.9),
        )
    ]  # fmt: skip
    pd.DataFrame(rows).to_csv(tmp_path / "sturdy.csv", index=False)
    table = scripts["tables"].sturdy_table(tmp_path / "sturdy.csv")
    shown = dict(line.strip("| ").split(" | ") for line in table.splitlines()[2:])
    assert shown["MNIST's test half"] == "96.00 ± 1.41 %"
    assert shown["the same corrupted, mean of fifteen"] == "41.00 ± 1.41 %"
    assert shown["USPS, 16×16"] == "91.00 ± 1.41 %"
    assert shown["calibration error on MNIST's test half"] == "1.00 ± 0.00 %"
    assert scripts["tables"].sturdy_table(tmp_path / "none.csv") == ""
