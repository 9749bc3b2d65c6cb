from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from inkdigit.errors import ModelError
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.models.keras_files import predict
from inkdigit.learning.models.run import Run
from inkdigit.learning.models.trainable import trainable_networks
from inkdigit.learning.readers.train import quantisation_lines
from inkdigit.reading.model_file import DigitModel, LineModel, to_pixels
from inkdigit.reading.reader import LINE_MODEL, SINGLE_MODEL


def test_the_networks_of_a_model_file_read_as_it_does_and_as_if_they_had_learnt_here() -> None:
    """What Keras computes from the weights, beside ONNX Runtime; and batch by batch."""
    lines = list(quantisation_lines())
    model = LineModel.load(LINE_MODEL)
    networks = trainable_networks(LINE_MODEL, lines)
    assert [*networks] == ["first", "fallback"]
    for name, network in networks.items():
        said = model.others.get(name, model.frames)
        agree = []
        for line in lines[:20]:
            found = softmax(np.asarray(network.predict_on_batch(to_pixels(line[None]))), axis=-1)
            wanted = said(line[None])
            agree.append((found.argmax(axis=-1) == wanted.argmax(axis=-1)).mean())
        assert np.mean(agree) > 0.99
        # With the statistics of a batch in place of those that were measured, as in training.
        widest = max(line.shape[1] for line in lines)
        batch = np.stack([np.pad(line, ((0, 0), (0, widest - line.shape[1]))) for line in lines])
        as_measured, as_trained = (
            np.asarray(network(to_pixels(batch), training=training)).argmax(axis=-1)
            for training in (False, True)
        )
        assert (as_measured == as_trained).mean() > 0.93


def test_the_network_of_single_digits_reads_as_its_model_file_does(sample: Dataset) -> None:
    images = sample.test.images[::10]
    network = trainable_networks(SINGLE_MODEL, images)["first"]
    said = predict(network, images)
    assert np.abs(said - DigitModel.load(SINGLE_MODEL).probabilities(images)).max() < 1e-4
    trained = np.asarray(network(to_pixels(images), training=True))
    assert (trained.argmax(axis=1) == said.argmax(axis=1)).mean() > 0.97


def test_another_model_is_refused(trained: Run, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="other layers than the network single of today"):
        trainable_networks(trained.folder / "model.onnx", [np.zeros((28, 28), np.uint8)])
    with pytest.raises(ModelError, match="cannot be read"):
        trainable_networks(tmp_path / "none.onnx", [])
