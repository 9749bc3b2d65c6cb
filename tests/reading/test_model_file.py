import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from scipy.special import softmax

from inkdigit.errors import ImageError, ModelError
from inkdigit.reading import DigitModel, ModelInfo
from inkdigit.reading.model_file import FORMAT, PREFIX, load_model_file
from inkdigit.reading.reader import SINGLE_MODEL

INFO = ModelInfo(
    network="flat",
    trained_on="sample",
    trained_digits=3600,
    accuracy=0.9,
    accuracy_on="sample test",
    temperature=1.7,
    reject_threshold=0.8,
    reject_error=0.001,
    reject_accepted=0.95,
    reject_measured_on=400,
    inkdigit_version="0.1.0",
)
WEIGHTS = np.random.default_rng(0).normal(0, 0.1, (784, 10)).astype(np.float32)
IMAGES = np.random.default_rng(1).integers(0, 256, (32, 28, 28), np.uint8)


def graph(
    *,
    into: tuple[int | str, ...] = ("n", 28, 28, 1),
    out: tuple[int | str, ...] = ("n", 10),
    kind: int = TensorProto.FLOAT,
    weights: TensorProto | None = None,
    properties: dict[str, str] | None = None,
) -> onnx.ModelProto:
    """Flatten, multiply, softmax."""
    weights = weights or numpy_helper.from_array(
        WEIGHTS.astype(helper.tensor_dtype_to_np_dtype(kind)), "w"
    )
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["y"], axis=1),
    ]
    inputs = [helper.make_tensor_value_info("x", kind, into)]
    outputs = [helper.make_tensor_value_info("y", kind, out)]
    model = helper.make_model(
        helper.make_graph(nodes, "g", inputs, outputs, [weights]),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=8,
    )
    helper.set_model_props(model, INFO.to_properties() if properties is None else properties)
    return model


def saved(path: Path, **options: Any) -> Path:
    path.write_bytes(graph(**options).SerializeToString())
    return path


def altered(**values: object) -> dict[str, str]:
    return INFO.to_properties() | {
        PREFIX + name: json.dumps(value) for name, value in values.items()
    }


@pytest.fixture
def model(tmp_path: Path) -> DigitModel:
    return DigitModel.load(saved(tmp_path / "model.onnx"))


def by_hand(pixels: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.asarray(softmax(pixels.reshape(len(pixels), -1) @ WEIGHTS.astype(float), axis=1))


# What the file says


def test_info_comes_back_from_properties_and_from_a_file(model: DigitModel) -> None:
    assert ModelInfo.from_properties(INFO.to_properties(), "it") == INFO
    assert model.info == INFO


def test_every_field_is_a_property() -> None:
    properties = INFO.to_properties()
    assert set(properties) == {PREFIX + field.name for field in fields(ModelInfo)}
    assert json.loads(properties["inkdigit.format"]) == FORMAT


def test_properties_of_others_do_no_harm() -> None:
    assert ModelInfo.from_properties({**INFO.to_properties(), "author": "x"}, "it") == INFO


def test_a_whole_number_is_a_number() -> None:
    assert ModelInfo.from_properties(altered(accuracy=1), "it") == replace(INFO, accuracy=1.0)


@pytest.mark.parametrize(
    ("properties", "said"),
    [
        ({}, "without Inkdigit's metadata"),
        ({"author": "x"}, "without Inkdigit's metadata"),
        (altered(format=2), "model format 2, and this Inkdigit reads format 1"),
        ({"inkdigit.format": "2"}, "model format 2"),
        ({"inkdigit.format": "1"}, "broken metadata .*inkdigit.temperature"),
        (altered() | {"inkdigit.classes": "{"}, "broken metadata"),
        (altered() | {"inkdigit.format": "["}, "broken metadata"),
        (altered() | {"inkdigit.network": "[" * 100_000}, "broken metadata"),
        (altered(temperature="hot"), "broken metadata .*temperature"),
        (altered(temperature=0), "broken metadata .*temperature"),
        (altered(temperature=-1.5), "broken metadata .*temperature"),
        (altered(temperature=float("nan")), "broken metadata .*temperature"),
        (altered(temperature=10**400), "broken metadata"),
        (altered(classes=10), "broken metadata .*classes"),
        (altered(input_height=28.0), "broken metadata .*input_height"),
        (altered(network=None), "broken metadata .*network"),
        (altered(classes="01"), "no alphabet of Inkdigit"),
        (altered(reject_threshold=float("nan")), "broken metadata .*reject_threshold"),
        (altered(confidence_slope=-1.0), "broken metadata .*confidence_slope"),
        (altered(input_width=32), "no digit model"),
        (altered(reads="letters"), "reads 'letters'"),
    ],
)
def test_odd_metadata_is_refused(properties: dict[str, str], said: str, tmp_path: Path) -> None:
    path = saved(tmp_path / "odd.onnx", properties=properties)
    with pytest.raises(ModelError, match=said) as caught:
        DigitModel.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


# What the file is


def test_missing_and_foreign_files(tmp_path: Path) -> None:
    (tmp_path / "garbage").write_bytes(bytes(range(256)) * 9)
    (tmp_path / "empty").touch()
    content = graph().SerializeToString()
    (tmp_path / "half").write_bytes(content[: len(content) // 2])
    for name, said in [
        ("gone", "cannot be read: No such file"),
        (".", "is a folder without model.onnx: of a run, `inkdigit export"),
        ("garbage", "not a working ONNX model"),
        ("empty", "not a working ONNX model"),
        ("half", "not a working ONNX model"),
    ]:
        with pytest.raises(ModelError, match=said) as caught:
            DigitModel.load(tmp_path / name)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"into": ("n", 1, 28, 28)},
        {"into": ("n", 784)},
        {"into": (1, 28, 28, 1), "out": (1, 10)},
        {"kind": TensorProto.DOUBLE},
    ],
)
def test_graphs_of_another_shape_or_type_are_refused(
    options: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(ModelError, match="no digit model"):
        DigitModel.load(saved(tmp_path / "other.onnx", **options))


@pytest.mark.parametrize("location", ["weights.bin", "./weights.bin", "../weights.bin", "/{}"])
def test_weights_in_another_file_are_refused(
    location: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    for place in (folder, tmp_path):
        WEIGHTS.tofile(place / "weights.bin")
    monkeypatch.chdir(folder)
    weights = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=WEIGHTS.shape)
    weights.data_location = TensorProto.EXTERNAL
    entry = weights.external_data.add()
    entry.key, entry.value = "location", location.format(folder / "weights.bin").replace("//", "/")
    with pytest.raises(ModelError, match="not a working ONNX model"):
        DigitModel.load(saved(folder / "leaky.onnx", weights=weights))


# What it answers


def test_probabilities_are_those_worked_out_by_hand(model: DigitModel) -> None:
    found = model.probabilities(IMAGES)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, by_hand(IMAGES / 255), atol=1e-5)
    assert (model.predict(IMAGES) == by_hand(IMAGES / 255).argmax(axis=1)).all()


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_floats_are_read_as_bytes_are(model: DigitModel, kind: type[np.floating]) -> None:
    found = model.probabilities((IMAGES / 255).astype(kind))
    np.testing.assert_allclose(found, model.probabilities(IMAGES), atol=2e-3)


def test_calibrated_probabilities(model: DigitModel) -> None:
    expected = softmax(np.log(by_hand(IMAGES / 255)) / INFO.temperature, axis=1)
    found = model.predict_proba(IMAGES)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert (found.argmax(axis=1) == model.predict(IMAGES)).all()


def test_no_images_give_no_answers(model: DigitModel) -> None:
    none = np.zeros((0, 28, 28), np.uint8)
    assert model.probabilities(none).shape == model.predict_proba(none).shape == (0, 10)
    assert model.predict(none).shape == (0,)
    assert model.predict(none).dtype == np.int64


@pytest.mark.parametrize("shape", [(28, 28), (2, 28, 28, 1), (2, 784), (2, 28, 27), ()])
def test_images_of_another_shape(model: DigitModel, shape: tuple[int, ...]) -> None:
    with pytest.raises(ImageError, match=r"expected images of shape \(n, 28, 28\), received"):
        model.predict(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("bad", [255.0, -0.5, np.nan, np.inf])
def test_floats_outside_the_range(model: DigitModel, bad: float) -> None:
    images = np.zeros((2, 28, 28))
    images[1, 3, 4] = bad
    with pytest.raises(ImageError, match=r"expected images as uint8, or float in 0\.\.1"):
        model.predict(images)


def test_integers_are_not_taken_for_floats(model: DigitModel) -> None:
    with pytest.raises(ImageError, match="received int64"):
        model.predict(IMAGES.astype(np.int64))


def test_eight_threads_get_the_same_answers(model: DigitModel) -> None:
    alone = model.predict_proba(IMAGES)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: model.predict_proba(IMAGES), range(64)))
    assert all((answer == alone).all() for answer in answers)


def test_reading_imports_no_training_library(tmp_path: Path) -> None:
    path = saved(tmp_path / "model.onnx")
    code = (
        "import sys, numpy; from inkdigit.reading import DigitModel;"
        f"DigitModel.load({str(path)!r}).predict(numpy.zeros((1, 28, 28), 'uint8'));"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"keras", "tensorflow", "jax", "sklearn", "scipy", "pandas", "matplotlib", "onnx"}
    assert not heavy & set(run.stdout.split())
    assert run.stderr == ""


@pytest.mark.parametrize("name", ["x.keras", "x.h5", "x.tflite", "x.pt", "x.pb"])
def test_of_a_model_of_another_kind_it_is_said_what_writes_ours(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"anything")
    said = rf"{name} is not a working ONNX model: reading takes a model\.onnx, as `inkdigit train`"
    with pytest.raises(ModelError, match=said):
        load_model_file(tmp_path / name)


def test_a_folder_is_a_runs_or_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        ModelError, match=r"is a folder without model\.onnx: of a run, `inkdigit exp"
    ):
        load_model_file(tmp_path)
    (tmp_path / "model.onnx").write_bytes(SINGLE_MODEL.read_bytes())
    assert load_model_file(tmp_path).info.reads == "digit"
