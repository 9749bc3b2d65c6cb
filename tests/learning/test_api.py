"""The face of learning, as a program uses it."""

import subprocess
import sys
from pathlib import Path

import pytest

from inkdigit import learning
from inkdigit.errors import DataError, ModelError, RunError, SettingError
from inkdigit.learning.api import start_training
from inkdigit.learning.backend import keras
from inkdigit.learning.classifiers.train import ClassifierTraining
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.readers.train import ReaderTraining
from inkdigit.reading import DigitModel


def test_importing_the_face_loads_nothing_heavy() -> None:
    heavy = ["keras", "numpy", "sklearn", "onnxruntime"]
    check = f"import sys, inkdigit.learning; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_training_a_classifier_loads_no_synthesis() -> None:
    check = (
        "import sys, inkdigit.learning.classifiers.train\n"
        "print([m for m in sys.modules if m.startswith('inkdigit.learning.synthesis')])"
    )
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_every_name_is_there_and_no_other() -> None:
    assert dir(learning) == learning.__all__
    for name in learning.__all__:
        assert getattr(learning, name).__doc__, name
    with pytest.raises(AttributeError, match="no attribute 'fit'"):
        _ = learning.fit  # type: ignore[attr-defined]


@pytest.mark.slow
def test_a_network_is_trained_told_about_and_kept(
    small: learning.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told: list[str] = []
    run = learning.train(small, network="lenet5", epochs=2, batch_size=50, seed=3, tell=told.append)
    assert run.folder == Path("runs/lenet5")
    assert run.finished
    assert run.settings == learning.TrainingSettings(
        network="lenet5", epochs=2, batch_size=50, seed=3
    )
    assert [line.split()[0] for line in told] == ["training", "epoch", "epoch"]
    assert told[0] == "training lenet5 (seed 3) into runs/lenet5"

    assert learning.resume("runs/lenet5", tell=told.append) == run
    assert told[-1] == "runs/lenet5 is finished already"
    another = learning.train(small, network="lenet5", epochs=1)
    assert another.folder == Path("runs/lenet5-2")
    again = {"network": "lenet5", "epochs": 2, "batch_size": 50, "seed": 3, "out": run.folder}
    assert learning.train(small, **again, resume=True) == run
    with pytest.raises(RunError, match="already holds a run"):
        learning.train(small, **again)


def test_a_recipe_is_what_it_says(small: learning.Dataset, tmp_path: Path) -> None:
    told: list[str] = []
    run = learning.train(small, "fast", out=tmp_path / "run", tell=told.append)
    assert (run.settings.network, run.settings.epochs, run.settings.batch_size) == ("fast", 1, 512)
    assert told[0].startswith("training fast (seed 0)")
    assert "too few for fast" in told[1]


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"network": "modren"}, SettingError),
        ({"network": "line", "fonts": "nowhere"}, DataError),
        ({"network": "lenet5", "teacher": "nowhere.onnx"}, ModelError),
        ({"network": "lenet5", "init_from": "nowhere.keras"}, ModelError),
    ],
)
def test_a_start_that_fails_leaves_no_folder_and_says_nothing(
    given: dict[str, str], error: type[Exception], small: learning.Dataset, tmp_path: Path
) -> None:
    told: list[str] = []
    with pytest.raises(error):
        learning.train(small, out=tmp_path / "run", tell=told.append, **given)  # type: ignore[arg-type]
    assert (told, list(tmp_path.iterdir())) == ([], [])


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        (learning.TrainingSettings(recipe="line"), ReaderTraining),
        (learning.TrainingSettings(network="single"), ReaderTraining),
        (learning.TrainingSettings(recipe="best"), ClassifierTraining),
    ],
)
def test_settings_decide_what_kind_of_training_it_is(
    small: learning.Dataset, settings: learning.TrainingSettings, kind: type
) -> None:
    assert type(start_training(settings, small)) is kind


@pytest.mark.slow
def test_runs_are_compared_as_they_are_and_networks_are_trained(
    trained: learning.Run, small: learning.Dataset, tmp_path: Path
) -> None:
    comparison = learning.compare([trained, "modern"], small, epochs=1, out=tmp_path)
    assert list(comparison.networks["network"]) == ["lenet5", "modern"]
    accuracy = comparison.networks["test_accuracy_mean"][0]
    assert accuracy == pytest.approx(trained.metrics["test_accuracy"])
    assert {path.name for path in tmp_path.iterdir()} == {
        ".comparison", "modern-seed0", "comparison.csv", "runs.csv", "differences.csv",
        "comparison.html", "accuracy_against_cost.png",
    }  # fmt: skip
    with pytest.raises(SettingError, match="the epochs must be between"):
        learning.compare(["modern"], small, epochs=0, out=tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_model_file_is_exported(trained: learning.Run, tmp_path: Path) -> None:
    path = learning.export(trained.folder, tmp_path / "mine.onnx")
    assert DigitModel.load(path).info == trained.info()
    assert DigitModel.load(trained.folder).info == trained.info()
    with pytest.raises(SettingError, match="leave out eight_bits"):
        learning.export(trained, path, eight_bits=True, fallback=trained)
    with pytest.raises(SettingError, match="say where it goes"):
        learning.export(trained, fallback=trained)


def test_a_start_that_fails_leaves_nothing_and_says_nothing_before(
    small: Dataset, tmp_path: Path
) -> None:
    said: list[str] = []
    how = {"out": tmp_path / "run", "tell": said.append}
    with pytest.raises(ModelError, match="is not there"):
        learning.train(small, network="lenet5", init_from="gone.keras", **how)
    assert not said
    assert not (tmp_path / "run").exists()

    class Broken(keras.callbacks.Callback):
        def on_train_begin(self, logs: object = None) -> None:
            raise RuntimeError(f"before any epoch {logs}")

    with pytest.raises(RuntimeError, match="before any epoch"):
        learning.train(small, network="lenet5", callbacks=[Broken()], **how)
    run = learning.train(small, network="lenet5", epochs=1, **how)
    assert run.finished
