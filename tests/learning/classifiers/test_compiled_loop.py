from pathlib import Path

import numpy as np
import pytest
from loops import Killed, make_loop, weights

from inkdigit.learning.backend import keras, quicker_of
from inkdigit.learning.classifiers.compiled_loop import CompiledLoop, FusedAdam
from inkdigit.learning.classifiers.loop import ClassifierLoop
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.recipes import BFLOAT16
from inkdigit.learning.settings import TrainingSettings

SETTINGS = TrainingSettings(recipe="fast", epochs=3, batch_size=50)


def new_loop(dataset: Dataset, settings: TrainingSettings = SETTINGS) -> ClassifierLoop:
    return make_loop(settings, dataset)


@pytest.fixture(scope="module")
def undisturbed(small: Dataset) -> ClassifierLoop:
    loop = new_loop(small)
    loop.run()
    return loop


def test_it_learns(undisturbed: ClassifierLoop) -> None:
    assert isinstance(undisturbed, CompiledLoop)
    rows = undisturbed.history
    assert [row["epoch"] for row in rows] == [1, 2, 3]
    assert rows[-1]["loss"] < rows[0]["loss"]
    assert 0.5 < rows[-1]["accuracy"] <= 1
    assert rows[-1]["validation_accuracy"] > 0.5
    assert float(undisturbed.model.optimizer.learning_rate) == pytest.approx(0, abs=1e-9)


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
    resumed.run()
    for ours, theirs in zip(weights(resumed), weights(undisturbed), strict=True):
        assert np.array_equal(ours, theirs)


def test_the_result_computes_in_float32_with_the_same_weights(undisturbed: ClassifierLoop) -> None:
    result = undisturbed.result
    assert {layer.compute_dtype for layer in result.layers} == {"float32"}
    quicker = keras.DTypePolicy(quicker_of(BFLOAT16)).compute_dtype
    assert {layer.compute_dtype for layer in undisturbed.model.layers} == {quicker, "float32"}
    for ours, theirs in zip(result.get_weights(), weights(undisturbed), strict=True):
        assert np.array_equal(ours, theirs)


def test_fewer_digits_than_a_batch_are_one_batch(small: Dataset) -> None:
    loop = new_loop(small, TrainingSettings(recipe="fast", batch_size=5000))
    loop.run()
    assert int(loop.model.optimizer.iterations) == 1


def test_fused_adam_does_what_adam_does() -> None:
    starts = [np.array([1.0, -2.0], np.float32), np.array([[0.5]], np.float32)]
    ours, theirs = ([keras.Variable(start) for start in starts] for _ in range(2))
    optimizers = [kind(0.1, 0.7, 0.9) for kind in (FusedAdam, keras.optimizers.Adam)]
    for step in range(5):
        gradients = [np.full_like(start, 0.3 * step - 0.5) for start in starts]
        for optimizer, variables in zip(optimizers, (ours, theirs), strict=True):
            optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients], variables)
    for one, other, start in zip(ours, theirs, starts, strict=True):
        assert np.allclose(one, other, atol=1e-5)
        assert np.abs(np.asarray(one) - start).min() > 1e-2
