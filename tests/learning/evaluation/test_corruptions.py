import json
from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from inkdigit.cli import main
from inkdigit.learning.datasets import Dataset, load_dataset
from inkdigit.learning.evaluation import corruptions
from inkdigit.learning.evaluation.corruptions import CORRUPTIONS, affine
from inkdigit.learning.models.load import DigitClassifier
from inkdigit.learning.models.run import Run

NAMES = (
    "shot noise", "impulse noise", "glass blur", "motion blur", "shear", "scale", "rotate",
    "brightness", "translate", "stripe", "fog", "spatter", "dotted line", "zigzag", "canny edges",
)  # fmt: skip


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture
def bars() -> npt.NDArray[np.uint8]:
    """A hundred upright bars in the middle."""
    images = np.zeros((100, 28, 28), np.uint8)
    images[:, 6:22, 13:15] = 255
    return images


def test_there_are_the_fifteen() -> None:
    assert tuple(CORRUPTIONS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_corruption_changes_digits_and_nothing_else(small: Dataset, name: str) -> None:
    images = small.test.images
    before = images.copy()
    once, again = (CORRUPTIONS[name](images, rng()) for _ in range(2))
    assert (once.shape, once.dtype) == (images.shape, np.uint8)
    assert np.array_equal(once, again)
    assert np.array_equal(images, before)
    assert all((one != image).any() for one, image in zip(once, images, strict=True))


def test_noise_is_as_strong_as_is_said() -> None:
    grey = np.full((200, 28, 28), 102, np.uint8)
    # A Poisson variate's variance is its mean: two of five particles here.
    shot = corruptions.shot_noise(grey, rng(), photons=5) / 255 * 5
    assert np.minimum(shot, 5).mean() == pytest.approx(2, abs=0.05)
    changed = corruptions.impulse_noise(grey, rng(), share=0.2)
    assert np.mean(changed == 0) == pytest.approx(0.1, abs=0.005)
    assert np.mean(changed == 255) == pytest.approx(0.1, abs=0.005)


@pytest.mark.parametrize("blur", [corruptions.glass_blur, corruptions.motion_blur])
def test_blur_keeps_the_ink(blur: Callable[..., npt.NDArray[np.uint8]], bars) -> None:
    assert blur(bars, rng()).mean() == pytest.approx(bars.mean(), rel=0.02)
    assert blur(bars, rng()).max(axis=(1, 2)).mean() < 255


def test_an_affine_map_is_what_opencv_calls_a_rotation(small: Dataset) -> None:
    images = small.test.images[:20]
    turn = cv2.getRotationMatrix2D((13.5, 13.5), 30, 0.8)
    expected = [cv2.warpAffine(image, turn, (28, 28)) for image in images]
    angle = np.deg2rad(30)
    matrix = 0.8 * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    assert np.array_equal(affine(images, matrix), np.array(expected))


def test_translated_goes_so_far(bars: npt.NDArray[np.uint8]) -> None:
    there = corruptions.translate(bars, rng(), pixels=3)
    places = np.argwhere(np.ones((28, 28)))
    middles = np.array([image.ravel() @ places / image.sum() for image in there])
    assert np.hypot(*(middles - 13.5).T) == pytest.approx(3, abs=0.1)


def test_fog_closes_on_itself_and_varies() -> None:
    maps = corruptions.plasma(50, rng())
    assert (maps.min(), maps.max()) == (0, 1)
    steps = np.abs(np.diff(maps, axis=2)).mean()
    assert np.abs(maps[:, :, 0] - maps[:, :, -1]).mean() < 2 * steps
    assert steps < maps.std() / 2


def test_evaluate_measures_digits_under_each_corruption(
    trained: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["evaluate", str(trained.folder), "--data", "sample", "--corruptions"]
    assert main([*command, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert tuple(told["corruptions"]) == NAMES
    assert max(told["corruptions"].values()) < told["accuracy"]
    test = load_dataset("sample").test
    striped = DigitClassifier.load(trained.folder).probabilities(
        corruptions.stripe(test.images, rng())
    )
    accuracy = (striped.argmax(axis=1) == test.labels).mean()
    assert told["corruptions"]["stripe"] == pytest.approx(accuracy)

    assert main(command) == 0
    *_, mean = lines = capsys.readouterr().out.splitlines()
    assert lines[-17].split() == ["corruption", "accuracy"]
    assert ["stripe", f"{accuracy:.4f}"] in [line.split() for line in lines]
    expected = np.mean(list(told["corruptions"].values()))
    assert mean.split() == ["mean", f"{expected:.4f}"]
