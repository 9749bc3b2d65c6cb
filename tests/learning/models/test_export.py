import itertools
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest

from inkdigit.learning.models.export import describe, write_model_file
from inkdigit.learning.networks.line import line
from inkdigit.learning.readers.train import quantisation_lines
from inkdigit.reading.alphabet import LINE_ALPHABET
from inkdigit.reading.model_file import LineModel, ModelInfo, to_pixels

INFO = ModelInfo(
    network="line", trained_on="", trained_digits=0, accuracy=0.0, accuracy_on="",
    temperature=1.0, reject_threshold=1.0, reject_error=0.0, reject_accepted=0.0,
    reject_measured_on=0, inkdigit_version="", reads="line", classes=LINE_ALPHABET,
    input_height=32, input_width=0,
)  # fmt: skip


@pytest.fixture(scope="module")
def model() -> object:
    """An untrained network."""
    return line()


@pytest.fixture(scope="module")
def written(model: object, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("quantised") / "line.onnx"
    write_model_file(model, INFO, path, quantisation_lines())
    return path


def test_weights_are_bytes_and_say_what_those_of_the_network_say(model, written: Path) -> None:
    """The same lines through Keras in float32 and through ONNX Runtime in eight bits."""
    kinds = [node.op_type for node in onnx.load(str(written)).graph.node]
    assert "QuantizeLinear" in kinds
    assert written.stat().st_size < model.count_params() * 2
    for image in itertools.islice(quantisation_lines(), 8):
        odds = np.asarray(model.predict_on_batch(to_pixels(image[None])), np.float64)
        odds = np.exp(odds - odds.max(axis=-1, keepdims=True))
        wanted = odds / odds.sum(axis=-1, keepdims=True)
        found = LineModel.load(written).frames(image[None])
        assert found.shape == wanted.shape
        # An untrained network says nearly the same of everything: its differences must be kept.
        assert np.abs(found - wanted).max() < 0.1 * np.ptp(wanted)
        assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.99


def test_what_it_says_of_itself_can_be_replaced(written: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copy(written, tmp_path / "copy.onnx"))
    info = ModelInfo(**{**INFO.__dict__, "reject_threshold": 0.75})
    describe(copy, info)
    assert LineModel.load(copy).info == info
    strip = np.zeros((1, 32, 64), np.uint8)
    assert np.array_equal(LineModel.load(copy).frames(strip), LineModel.load(written).frames(strip))
