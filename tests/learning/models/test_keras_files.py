import json
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from inkdigit.errors import ModelError
from inkdigit.learning.backend import keras
from inkdigit.learning.models.keras_files import load_digit_model, load_keras_model, predict
from inkdigit.learning.networks import build_network

layers = keras.layers


def digit_network(*extra: Any) -> Any:
    return keras.Sequential(
        [keras.Input((28, 28, 1)), *extra, layers.Flatten(), layers.Dense(10, activation="softmax")]
    )


def saved(model: Any, path: Path) -> Path:
    model.save(path)
    return path


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_saved_network_comes_back_as_it_was(tmp_path: Path, suffix: str) -> None:
    model = build_network("modern")
    model.compile("adam", "categorical_crossentropy")
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)
    back = load_keras_model(saved(model, tmp_path / f"m{suffix}"))
    assert np.array_equal(predict(back, images), predict(model, images))


def test_plain_operations_between_layers_come_back_as_they_were(tmp_path: Path) -> None:
    ops, image = keras.ops, keras.Input((28, 28, 1))
    x = layers.Dense(8)(layers.Flatten()(image))
    x = ops.relu(x) * 2 - ops.tanh(x) / (1 + ops.square(x))
    model = keras.Model(image, layers.Dense(10, activation="softmax")(x - ops.mean(x)))
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)
    back = load_keras_model(saved(model, tmp_path / "m.keras"))
    assert np.array_equal(predict(back, images), predict(model, images))


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_lambda_is_refused_and_never_run(tmp_path: Path, suffix: str) -> None:
    witness = tmp_path / "ran"
    # The code of a Lambda is kept in the file, and runs when the network is rebuilt.
    model = digit_network(layers.Lambda(lambda x, w=str(witness): (open(w, "a").close(), x)[1]))
    path = saved(model, tmp_path / f"m{suffix}")
    witness.unlink(missing_ok=True)
    with pytest.raises(ModelError, match="asks for 'Lambda'"):
        load_keras_model(path)
    assert not witness.exists()


def replace_config(path: Path, change: Any) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["config.json"] = json.dumps(change(json.loads(parts["config.json"]))).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def test_a_description_that_calls_a_function_is_refused(tmp_path: Path) -> None:
    """As CVE-2025-1550 did it: an innocent-looking entry that names a module and a function."""
    path = saved(digit_network(), tmp_path / "m.keras")
    witness = tmp_path / "ran"

    def attack(config: Any) -> Any:
        config["config"]["layers"][1] = {
            "module": "os",
            "class_name": "system",
            "config": f"touch {witness}",
            "registered_name": "system",
        }
        return config

    replace_config(path, attack)
    with pytest.raises(ModelError, match="asks for 'system'"):
        load_keras_model(path)
    assert not witness.exists()


@pytest.mark.parametrize(
    "entry",
    [
        {"module": "os", "class_name": "Dense", "config": {}},
        {"module": "keras.layers", "class_name": "Dense", "registered_name": "evil>Dense"},
        {"module": "keras.layers", "class_name": ["Dense"], "config": {}},
        {"class_name": "TFOpLambda", "config": {}},
    ],
)
def test_a_plain_name_from_elsewhere_is_refused(tmp_path: Path, entry: dict[str, Any]) -> None:
    path = saved(digit_network(), tmp_path / "m.keras")

    def attack(config: Any) -> Any:
        config["config"]["layers"].append(entry)
        return config

    replace_config(path, attack)
    with pytest.raises(ModelError, match="asks for"):
        load_keras_model(path)


def test_a_pickle_called_keras_is_never_unpickled(tmp_path: Path) -> None:
    witness = tmp_path / "ran"

    class Evil:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {witness}",)

    for name in ("m.keras", "m.h5"):
        (tmp_path / name).write_bytes(pickle.dumps(Evil()))
        with pytest.raises(ModelError, match="damaged or no Keras model"):
            load_keras_model(tmp_path / name)
    assert not witness.exists()


def test_an_h5_that_links_to_another_file_is_refused(tmp_path: Path) -> None:
    path = saved(digit_network(), tmp_path / "m.h5")
    with h5py.File(path, "a") as file:
        file["model_weights/secret"] = h5py.ExternalLink("/etc/hostname", "/")
    with pytest.raises(ModelError, match="takes model_weights/secret from elsewhere"):
        load_keras_model(path)


def test_the_weights_inside_a_keras_file_must_not_link_elsewhere_either(tmp_path: Path) -> None:
    path = saved(digit_network(), tmp_path / "m.keras")
    weights = tmp_path / "weights.h5"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    weights.write_bytes(parts["model.weights.h5"])
    with h5py.File(weights, "a") as file:
        file["secret"] = h5py.ExternalLink("/etc/hostname", "/")
    parts["model.weights.h5"] = weights.read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(ModelError, match="takes secret from elsewhere"):
        load_keras_model(path)


def test_an_h5_that_keeps_its_numbers_elsewhere_is_refused(tmp_path: Path) -> None:
    path = saved(digit_network(), tmp_path / "m.h5")
    with h5py.File(path, "a") as file:
        file.create_dataset(
            "model_weights/secret", (4,), "u1", external=[(str(path), 0, h5py.h5f.UNLIMITED)]
        )
    with pytest.raises(ModelError, match="takes model_weights/secret from elsewhere"):
        load_keras_model(path)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_truncated_and_empty_files(tmp_path: Path, suffix: str) -> None:
    path = saved(digit_network(), tmp_path / f"m{suffix}")
    content = path.read_bytes()
    for length in (0, 10, len(content) // 2, len(content) - 30):
        path.write_bytes(content[:length])
        with pytest.raises(ModelError, match=r"m\.(keras|h5) is damaged or no Keras model"):
            load_keras_model(path)


def test_a_network_of_another_shape(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((32, 32, 3)), layers.Flatten(), layers.Dense(7)])
    with pytest.raises(ModelError, match=r"reads \(None, 32, 32, 3\) and gives \(None, 7\)"):
        load_keras_model(saved(model, tmp_path / "m.keras"))


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("shape", [(28, 28), (784,)])
def test_a_model_that_others_saved_reads_as_it_did(
    tmp_path: Path, suffix: str, shape: tuple[int, ...]
) -> None:
    dense = layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input(shape), layers.Flatten(), dense])
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)
    expected = model.predict(images.reshape(5, *shape) / np.float32(255), verbose=0)
    found = load_digit_model(saved(model, tmp_path / f"m{suffix}"))
    assert np.allclose(predict(found, images), expected, atol=1e-6)


def as_keras_2(path: Path) -> Path:
    """Describe a network of an `.h5` as Keras 2 did."""
    with h5py.File(path, "a") as file:
        config = json.loads(file.attrs["model_config"])
        for layer in config["config"]["layers"]:
            layer.pop("module", None)
            layer["config"]["dtype"] = "float32"
            if "batch_shape" in layer["config"]:
                layer["config"]["batch_input_shape"] = layer["config"].pop("batch_shape")
        file.attrs["model_config"] = json.dumps(config)
        file.attrs["keras_version"] = "2.15.0"
    return path


def test_an_h5_of_keras_2_is_loaded_without_a_word(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    model = digit_network()
    images = np.random.default_rng(0).integers(0, 256, (5, 28, 28), np.uint8)
    expected = predict(model, images)
    path = as_keras_2(saved(model, tmp_path / "m.h5"))
    capfd.readouterr()
    assert np.array_equal(predict(load_digit_model(path), images), expected)
    assert capfd.readouterr() == ("", "")


def test_a_file_of_keras_2_that_keras_3_cannot_open_is_named_so(tmp_path: Path) -> None:
    path = saved(digit_network(), tmp_path / "m.keras")

    def older(config: Any) -> Any:
        config["config"]["layers"][1]["config"]["of_keras_2"] = True
        return config

    replace_config(path, older)
    with pytest.raises(ModelError, match="is damaged or no Keras model"):
        load_digit_model(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["metadata.json"] = b'{"keras_version": "2.15.0"}'
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    with pytest.raises(ModelError, match=r"written by Keras 2\.15\.0, and Keras 3 cannot open it"):
        load_digit_model(path)


def test_weights_alone_are_no_model(tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    digit_network().save_weights(path)
    with pytest.raises(ModelError, match="holds weights only: save the whole model"):
        load_digit_model(path)


def test_missing_and_foreign_files(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is not there"):
        load_keras_model(tmp_path / "no.keras")
    (tmp_path / "m.txt").write_text("hello")
    with pytest.raises(ModelError, match="of no known kind"):
        load_keras_model(tmp_path / "m.txt")
