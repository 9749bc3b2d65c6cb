"""The way from MNIST to a model file once, on all of it."""

from pathlib import Path

import numpy as np
import pytest

from inkdigit.learning.api import start_training
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.settings import TrainingSettings
from inkdigit.reading import DigitModel

pytestmark = pytest.mark.mnist


@pytest.mark.slow
def test_one_epoch_of_modern_reads_98_in_100_and_knows_when_it_does_not(
    mnist: Dataset, tmp_path: Path
) -> None:
    run = start_training(TrainingSettings(network="modern", epochs=1), mnist).run(tmp_path / "run")
    assert run.metrics["test_accuracy"] >= 0.98
    assert run.metrics["test_loss"] < 0.07
    assert run.metrics["train_digits"] + run.metrics["validation_digits"] == 60_000

    model = DigitModel.load(run.folder / "model.onnx")
    probabilities = model.predict_proba(mnist.test.images)
    right = probabilities.argmax(axis=1) == mnist.test.labels
    assert right.mean() == pytest.approx(run.metrics["test_accuracy"], abs=2e-4)
    accepted = probabilities.max(axis=1) >= model.info.reject_threshold
    # Promised on the validation part: one wrong in a thousand. Other digits may be a little worse.
    assert np.mean(~right[accepted]) < 0.004
    assert accepted.mean() > 0.75
