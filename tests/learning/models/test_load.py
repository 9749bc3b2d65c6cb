import json
import shutil
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import accuracy_score

from inkdigit.errors import ImageError, ModelError, RunError
from inkdigit.learning import api
from inkdigit.learning.backend import keras
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.models.load import DigitClassifier, already_seen, initial_weights, locate
from inkdigit.learning.models.run import Run
from inkdigit.learning.networks import build_network
from inkdigit.learning.networks.line import line
from inkdigit.reading import Reader
from inkdigit.reading.model_file import load_model_file, temperature_scale, to_pixels


@pytest.mark.parametrize("name", [".", "model.keras", "mnist_cnn_model.h5", "model.onnx"])
def test_every_form_of_a_model_reads_alike(trained: Run, small: Dataset, name: str) -> None:
    model = DigitClassifier.load(trained.folder / name)
    read = model.probabilities(small.test.images).argmax(axis=1)
    assert (read == small.test.labels).mean() == pytest.approx(trained.metrics["test_accuracy"])
    assert model.trained_on == "sample"


def test_a_run_that_cannot_have_onnx_is_read_through_keras(trained: Run, tmp_path: Path) -> None:
    copy = shutil.copytree(trained.folder, tmp_path / "run")
    (copy / "model.onnx").unlink()
    assert DigitClassifier.load(copy).path.name == "model.keras"
    (copy / "model.keras").unlink()
    with pytest.raises(RunError, match=r"unfinished .* --resume"):
        DigitClassifier.load(copy)


def test_a_bare_keras_file_does_not_know_its_data(trained: Run, tmp_path: Path) -> None:
    path = Path(shutil.copy(trained.folder / "model.keras", tmp_path))
    assert DigitClassifier.load(path).trained_on is None


def test_weights_to_start_with_are_those_of_the_trained(trained: Run, small: Dataset) -> None:
    network = build_network(trained.settings.network)
    images = to_pixels(small.test.images)
    before = np.asarray(network(images))
    for path in (trained.folder, trained.folder / "mnist_cnn_model.h5"):
        network.set_weights(initial_weights(path, network))
        after = DigitClassifier.load(path).probabilities(small.test.images)
        assert np.allclose(np.asarray(network(images)), after, atol=1e-4)
        assert not np.allclose(before, after, atol=1e-2)
        _, run = locate(path, "model.keras")
        assert run is not None
        assert run.data == "sample"


def test_there_is_no_start_from_other_layers_or_from_none(trained: Run, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="has other layers than small-8k: name a run"):
        initial_weights(trained.folder, build_network("small-8k"))
    with pytest.raises(ModelError, match=r"expected a network from .*32, None, 1"):
        initial_weights(trained.folder, line())
    with pytest.raises(ModelError, match=r"of no known kind: expected \.keras or \.h5"):
        initial_weights(trained.folder / "model.onnx", build_network("small-8k"))
    copy = shutil.copytree(trained.folder, tmp_path / "run")
    (copy / "model.keras").unlink()
    with pytest.raises(RunError, match="unfinished"):
        initial_weights(copy, build_network(trained.settings.network))


def test_what_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    with pytest.raises(ModelError, match=r"is no model: expected a run folder, \.keras"):
        DigitClassifier.load(tmp_path / "notes.txt")
    with pytest.raises(RunError, match="is no run folder"):
        DigitClassifier.load(tmp_path)
    with pytest.raises(ModelError, match="cannot be read"):
        DigitClassifier.load(tmp_path / "missing.onnx")


@pytest.mark.parametrize("name", [".", "model.keras"])
def test_a_classifier_has_the_methods_of_scikit_learns(
    trained: Run, small: Dataset, name: str
) -> None:
    model = DigitClassifier.load(trained.folder / name)
    images, labels = small.test.images, small.test.labels
    assert model.classes_.tolist() == list(range(10))
    assert model.score(images, labels) == pytest.approx(trained.metrics["test_accuracy"])
    assert model.score(images, labels) == accuracy_score(labels, model.predict(images))
    probabilities = model.predict_proba(images)
    expected = temperature_scale(
        model.probabilities(images), trained.metrics["calibration"]["temperature"]
    )
    assert np.allclose(probabilities, expected, atol=1e-6)
    assert not np.allclose(probabilities, model.probabilities(images), atol=1e-3)
    for alike in (images.reshape(len(images), 784), images / 255):
        assert np.allclose(model.predict_proba(alike), probabilities, atol=1e-5)
    assert np.array_equal(model.predict(images), model.classes_[probabilities.argmax(axis=1)])


@pytest.mark.parametrize("shape", [(3, 27, 28), (3, 783), (28,)])
def test_images_of_another_shape_are_refused(trained: Run, shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match=r"expected images of shape \(n, 28, 28\) or \(n, 784\)"):
        DigitClassifier.load(trained.folder / "model.keras").predict(np.zeros(shape, np.uint8))


def test_a_run_and_the_model_inside_are_loaded(trained: Run) -> None:
    assert DigitClassifier.load(trained).path == trained.folder / "model.onnx"
    assert DigitClassifier.load().classes_.tolist() == list(range(11))


def test_images_go_in_as_bytes(trained: Run) -> None:
    blank = np.zeros((2, 28, 28), np.uint8)
    assert DigitClassifier.load(trained.folder).probabilities(blank).shape == (2, 10)


@pytest.mark.parametrize(
    ("trained_on", "data", "split", "seen"),
    [
        ("mnist", "sample", "test", True),
        ("mnist and drawn handwriting with 71 fonts", "sample", "test", True),
        ("mnist", "mnist", "test", False),
        ("mnist", "mnist", "train", True),
        ("sample", "sample", "test", False),
        ("sample", "sample", "all", True),
        ("sample", "mnist", "test", False),
        ("sample", "mnist", "train", True),
        (None, "sample", "test", False),
        ("folder:/a", "folder:/b", "train", False),
    ],
)
def test_digits_that_a_model_has_seen_are_told(
    trained_on: str | None, data: str, split: str, seen: bool
) -> None:
    assert (already_seen(trained_on, data, split) is not None) == seen


def theirs(last: str | None = "softmax", shape: tuple[int, ...] = (28, 28)) -> Any:
    x = [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(10, last)]
    return keras.Sequential(x)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("last", ["softmax", None])
@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 1), (784,)])
def test_other_peoples_models_are_as_ours_are(
    suffix: str, last: str | None, shape: tuple[int, ...], tmp_path: Path
) -> None:
    model, path = theirs(last, shape), tmp_path / f"theirs{suffix}"
    model.save(path)
    images = np.random.default_rng(0).random((5, 28, 28), np.float32)
    answers = np.asarray(model(images.reshape(5, *shape)))
    expected = answers if last else softmax(answers, axis=1)
    found = DigitClassifier.load(path).probabilities(images)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_weights_alone_and_keras_2_are_told(tmp_path: Path) -> None:
    model = theirs()
    for name in ("a.weights.h5", "b.h5"):
        model.save_weights(tmp_path / "a.weights.h5")
        (tmp_path / name).write_bytes((tmp_path / "a.weights.h5").read_bytes())
        with pytest.raises(ModelError, match="holds weights only: save the whole model"):
            DigitClassifier.load(tmp_path / name)
    model.save(tmp_path / "old.h5")
    pixels = np.zeros((2, 28, 28), np.uint8)
    found = DigitClassifier.load(tmp_path / "old.h5").probabilities(pixels)
    np.testing.assert_allclose(found, model.predict(pixels / 255.0, verbose=0), atol=1e-6)
    with h5py.File(tmp_path / "old.h5", "a") as file:
        file.attrs["keras_version"] = "2.11.0"
        described = json.loads(file.attrs["model_config"])
        described["config"]["layers"][-1]["config"]["kernel_initializer"]["config"] = {"a": 1}
        file.attrs["model_config"] = json.dumps(described)
    with pytest.raises(ModelError, match=r"written by Keras 2\.11\.0, and Keras 3 cannot open it"):
        DigitClassifier.load(tmp_path / "old.h5")


def test_a_file_of_keras_is_exported_and_calibrated(small: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "theirs.keras"
    theirs(None).save(path)
    written = api.export(path, data=small)
    assert written == tmp_path / "theirs.onnx"
    info = load_model_file(written).info
    assert (info.network, info.trained_on, info.classes) == ("theirs", "unknown", "0123456789")
    assert info.reject_measured_on == len(small.fit_and_validation()[1])
    ours, exported = (DigitClassifier.load(one) for one in (path, written))
    np.testing.assert_allclose(
        ours.probabilities(small.test.images), exported.probabilities(small.test.images), atol=1e-5
    )
    picture = 255 - small.test.images[0]
    reader = Reader.load(written)  # it reads one digit, whether that is said or not
    assert reader.read(picture).text == reader.read(picture, single=True).text
