import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import onnx
import pytest
from loops import Killed

from inkdigit.errors import OutputError, RunError, SettingError
from inkdigit.learning.api import export, start_training
from inkdigit.learning.backend import keras
from inkdigit.learning.classifiers.loop import ClassifierLoop
from inkdigit.learning.datasets import Dataset, load_dataset
from inkdigit.learning.models.keras_files import load_keras_model, predict
from inkdigit.learning.models.run import H5_MODEL, KERAS_MODEL, ONNX_MODEL, Run
from inkdigit.learning.networks import NETWORKS
from inkdigit.learning.recipes import RECIPES
from inkdigit.learning.settings import TrainingSettings
from inkdigit.reading import DigitModel

METRICS = {
    "train_accuracy", "train_loss", "validation_accuracy", "test_accuracy", "test_loss",
    "parameters", "macs", "epochs", "seconds", "seed", "network", "data", "versions",
}  # fmt: skip


@pytest.fixture(scope="module", params=list(NETWORKS))
def each_run(
    request: pytest.FixtureRequest, small: Dataset, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    folder = tmp_path_factory.mktemp("runs") / request.param
    return start_training(
        TrainingSettings(network=request.param, epochs=3, batch_size=32), small
    ).run(folder)


@pytest.mark.slow
def test_keras_h5_and_onnx_give_the_same_probabilities(each_run: Run, small: Dataset) -> None:
    keras_model = load_keras_model(each_run.folder / KERAS_MODEL)
    h5_model = load_keras_model(each_run.folder / H5_MODEL)
    onnx_model = DigitModel.load(each_run.folder / ONNX_MODEL)
    images = small.test.images
    expected = predict(keras_model, images)
    assert np.abs(predict(h5_model, images) - expected).max() < 1e-4
    assert np.abs(onnx_model.probabilities(images) - expected).max() < 1e-4
    assert expected.max() > 0.2  # it has learned something to compare


@pytest.mark.slow
def test_the_model_file_is_valid_onnx_and_describes_itself(each_run: Run) -> None:
    onnx.checker.check_model(onnx.load(each_run.folder / ONNX_MODEL), full_check=True)
    info = DigitModel.load(each_run.folder / ONNX_MODEL).info
    metrics = each_run.metrics
    assert (info.network, info.trained_on) == (each_run.settings.network, "sample")
    assert info.trained_digits == metrics["train_digits"]
    assert info.accuracy == metrics["test_accuracy"]
    assert info.temperature == metrics["calibration"]["temperature"]
    assert "test half" in info.accuracy_on


def test_a_run_holds_everything(trained: Run) -> None:
    names = {path.name for path in trained.folder.iterdir()}
    assert names >= {
        "model.keras", "mnist_cnn_model.h5", "model.onnx", "history.csv", "metrics.json",
        "run.json", "report.html", "confusion_matrix.png", "training_curves.png", "predictions.png",
        "mistakes.png", "reliability.png",
    }  # fmt: skip
    assert "checkpoint.npz" not in names
    assert not [name for name in names if name.startswith(".")]
    assert trained.finished


def test_metrics_and_history(trained: Run, small: Dataset) -> None:
    metrics = json.loads((trained.folder / "metrics.json").read_text())
    assert set(metrics) >= METRICS
    fitted, _ = small.fit_and_validation()
    assert (metrics["train_digits"], metrics["test_digits"]) == (len(fitted), len(small.test))
    rows = list(csv.DictReader((trained.folder / "history.csv").read_text().splitlines()))
    assert len(rows) == trained.settings.epochs == len(trained.history)
    assert sum(float(row["seconds"]) for row in rows) == pytest.approx(metrics["seconds"])


def test_metrics_are_those_of_the_saved_weights(trained: Run, small: Dataset) -> None:
    """By another route: Keras's own evaluation of the file on disk."""
    model = keras.saving.load_model(trained.folder / KERAS_MODEL)
    fitted, _ = small.fit_and_validation()
    for name, digits in (("train", fitted), ("test", small.test)):
        loss, accuracy = model.evaluate(
            digits.images[..., None] / 255.0, np.eye(10)[digits.labels], verbose=0
        )
        assert trained.metrics[f"{name}_accuracy"] == pytest.approx(accuracy, abs=1e-6)
        assert trained.metrics[f"{name}_loss"] == pytest.approx(loss, rel=1e-4)


def test_a_run_that_was_killed_goes_on(small: Dataset, tmp_path: Path, trained: Run) -> None:
    def kill(_: ClassifierLoop) -> None:
        raise Killed

    with pytest.raises(Killed):
        start_training(trained.settings, small).run(tmp_path / "run", after_epoch=kill)
    assert not Run.open(tmp_path / "run").finished
    resumed = start_training(trained.settings, small).run(tmp_path / "run", resume=True)
    ours, theirs = (load_keras_model(run.folder / KERAS_MODEL) for run in (resumed, trained))
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert np.array_equal(a, b)


def test_a_finished_run_is_returned_as_it_is(small: Dataset, trained: Run) -> None:
    before = (trained.folder / KERAS_MODEL).stat().st_mtime_ns
    assert start_training(trained.settings, small).run(trained.folder, resume=True) == trained
    assert (trained.folder / KERAS_MODEL).stat().st_mtime_ns == before


def test_nothing_that_was_there_is_lost(small: Dataset, trained: Run, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(RunError, match="not empty and not a run"):
        start_training(TrainingSettings(epochs=1), small).run(tmp_path)
    with pytest.raises(RunError, match="already holds a run"):
        start_training(trained.settings, small).run(trained.folder)
    with pytest.raises(RunError, match="not empty and not a run"):
        start_training(TrainingSettings(epochs=1), small).run(tmp_path / "thesis.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_run_of_other_settings_or_digits_is_not_gone_on_with(
    small: Dataset, trained: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RunError, match="other settings"):
        start_training(TrainingSettings(network="lenet5", epochs=9), small).run(
            trained.folder, resume=True
        )
    other = Dataset("sample", small.test, small.test)
    with pytest.raises(RunError, match="other digits"):
        start_training(trained.settings, other).run(trained.folder, resume=True)
    said = RECIPES[trained.settings.recipe]
    monkeypatch.setitem(RECIPES, trained.settings.recipe, replace(said, learning_rate=0.5))
    with pytest.raises(RunError, match="the recipe plain said otherwise"):
        start_training(trained.settings, small).run(trained.folder, resume=True)


def test_bad_settings_make_no_folder(small: Dataset, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="choose from"):
        start_training(TrainingSettings(network="nothing"), small).run(tmp_path / "run")
    with pytest.raises(OutputError, match="cannot be made"):
        start_training(TrainingSettings(network="lenet5"), small).run(Path("/proc/inkdigit/run"))
    assert list(tmp_path.iterdir()) == []


def test_export_writes_the_model_file_of_a_run_again(trained: Run, tmp_path: Path) -> None:
    copy = Run.open(shutil.copytree(trained.folder, tmp_path / "run"))
    (copy.folder / ONNX_MODEL).unlink()
    assert export(copy) == copy.folder / ONNX_MODEL
    assert DigitModel.load(copy.folder / ONNX_MODEL).info == copy.info()
    assert export(copy, tmp_path / "mine.onnx").exists()


@pytest.mark.slow
def test_export_in_eight_bits_reads_the_same_digits(each_run: Run, tmp_path: Path) -> None:
    path = export(each_run, tmp_path / "bytes.onnx", eight_bits=True)
    # A byte a parameter, but for the last layer's four, and the graph, whose names grow with the
    # networks that were built before.
    assert path.stat().st_size < 1.2 * each_run.metrics["parameters"] + 22_000
    images = load_dataset("sample").test.images
    fine = DigitModel.load(each_run.folder / ONNX_MODEL).probabilities(images)
    coarse = DigitModel.load(path).probabilities(images)
    assert np.corrcoef(fine.ravel(), coarse.ravel())[0, 1] > 0.99


def test_the_h5_holds_weights_and_description(trained: Run) -> None:
    with h5py.File(trained.folder / H5_MODEL) as file:
        assert {"model_config", "keras_version"} <= set(file.attrs)
        assert "model_weights" in file
