from pathlib import Path

import numpy as np
import pytest
from loops import Killed, weights

from inkdigit.errors import ModelError, OutputError, RunError
from inkdigit.learning.classifiers.loop import ClassifierLoop
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.datasets.digits import to_one_hot
from inkdigit.learning.models.load import DigitClassifier
from inkdigit.learning.models.run import Run
from inkdigit.learning.settings import TrainingSettings
from inkdigit.reading.model_file import to_pixels

SETTINGS = TrainingSettings(network="modern", epochs=3, batch_size=100)


def new_loop(dataset: Dataset, settings: TrainingSettings = SETTINGS) -> ClassifierLoop:
    return ClassifierLoop(settings, *dataset.fit_and_validation())


def same(one: ClassifierLoop, other: ClassifierLoop) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(weights(one), weights(other), strict=True))


@pytest.fixture(scope="module")
def undisturbed(small: Dataset) -> ClassifierLoop:
    loop = new_loop(small)
    loop.run()
    return loop


def test_pixels_lie_in_zero_to_one() -> None:
    images = np.arange(2 * 784, dtype=np.uint32).astype(np.uint8).reshape(2, 28, 28)
    pixels = to_pixels(images)
    assert pixels.shape == (2, 28, 28, 1)
    assert pixels.dtype == np.float32
    assert (pixels.min(), pixels.max()) == (0, 1)


def test_one_hot_is_the_identity_by_label() -> None:
    assert np.array_equal(to_one_hot(np.array([3, 0])), np.eye(10)[[3, 0]])


def test_same_seed_gives_the_same_weights(small: Dataset, undisturbed: ClassifierLoop) -> None:
    again = new_loop(small)
    again.run()
    assert same(undisturbed, again)


def test_another_seed_gives_other_weights(small: Dataset, undisturbed: ClassifierLoop) -> None:
    other = new_loop(small, TrainingSettings(network="modern", epochs=3, batch_size=100, seed=1))
    other.run()
    assert not same(undisturbed, other)


def test_a_training_that_was_stopped_ends_where_the_undisturbed_one_does(
    small: Dataset, undisturbed: ClassifierLoop, tmp_path: Path
) -> None:
    state = tmp_path / "checkpoint.npz"

    def stop_after_one(loop: ClassifierLoop) -> None:
        loop.save(state)
        raise Killed

    with pytest.raises(Killed):
        new_loop(small).run(stop_after_one)
    resumed = new_loop(small)
    resumed.load(state)
    assert len(resumed.history) == 1
    resumed.run()
    # `modern` has dropout and batch normalisation: their state has to survive too.
    assert same(undisturbed, resumed)
    strip = [{k: v for k, v in row.items() if k != "seconds"} for row in resumed.history]
    whole = [{k: v for k, v in row.items() if k != "seconds"} for row in undisturbed.history]
    assert strip == whole


def test_history_and_learning_rate(undisturbed: ClassifierLoop) -> None:
    assert [row["epoch"] for row in undisturbed.history] == [1, 2, 3]
    assert undisturbed.history[-1]["loss"] < undisturbed.history[0]["loss"]
    assert all(row["seconds"] > 0 for row in undisturbed.history)
    assert float(undisturbed.model.optimizer.learning_rate) == pytest.approx(0, abs=1e-9)


def test_a_damaged_state_is_a_clear_error(small: Dataset, tmp_path: Path) -> None:
    state = tmp_path / "checkpoint.npz"
    state.write_bytes(b"PK\x03\x04 nothing of the kind")
    with pytest.raises(RunError, match="no usable training state"):
        new_loop(small).load(state)


def test_the_state_of_another_network_is_a_clear_error(
    small: Dataset, undisturbed: ClassifierLoop, tmp_path: Path
) -> None:
    undisturbed.save(tmp_path / "checkpoint.npz")
    with pytest.raises(RunError, match="no usable training state"):
        new_loop(small, TrainingSettings(network="lenet5")).load(tmp_path / "checkpoint.npz")


def test_a_state_that_cannot_be_written_is_a_clear_error(
    undisturbed: ClassifierLoop, tmp_path: Path
) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        undisturbed.save(tmp_path / "gone" / "checkpoint.npz")


def test_with_a_teacher_its_answers_are_learnt_and_the_labels_are_not(
    small: Dataset, trained: Run
) -> None:
    settings = TrainingSettings(epochs=3, batch_size=50, teacher=str(trained.folder))
    fitted, validation = small.fit_and_validation()
    blind = type(fitted)(fitted.images, np.zeros_like(fitted.labels))
    loop = ClassifierLoop(settings, blind, validation)
    loop.run()
    teacher = DigitClassifier.load(trained.folder).probabilities(validation.images).argmax(axis=1)
    learnt = np.asarray(loop.model(to_pixels(validation.images))).argmax(axis=1)
    assert len(np.unique(teacher)) > 5
    assert np.mean(learnt == teacher) > 0.7


def test_a_teacher_that_is_not_there_is_a_clear_error(small: Dataset) -> None:
    with pytest.raises(ModelError, match="nowhere"):
        new_loop(small, TrainingSettings(teacher="nowhere.keras"))
