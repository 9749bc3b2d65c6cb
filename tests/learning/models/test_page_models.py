"""The page network as a model file: its weights in eight bits, and back in Keras."""

from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from inkdigit.learning.models.export import write_model_file
from inkdigit.learning.models.trainable import trainable_networks
from inkdigit.learning.networks import build_network
from inkdigit.learning.readers.page_training import PageTraining, quantisation_pages
from inkdigit.reading.model_file import FIRST, ModelInfo, PageModel, to_pixels
from inkdigit.reading.reader import PAGE_MODEL

PAGE = next(quantisation_pages())


def test_what_keras_says_the_file_says_too(tmp_path: Path) -> None:
    network, path = build_network("page"), tmp_path / "page.onnx"
    write_model_file(network, ModelInfo(network="page", **PageTraining.of_model), path)
    assert path.stat().st_size < 500_000  # of 391,334 weights
    expected = softmax(np.asarray(network.predict_on_batch(to_pixels(PAGE[None])))[0], axis=-1)
    np.testing.assert_allclose(PageModel.load(path).places(PAGE), expected, atol=0.03)


def test_the_shipped_network_can_be_trained_further() -> None:
    network = trainable_networks(PAGE_MODEL, [PAGE])[FIRST]
    said = softmax(np.asarray(network.predict_on_batch(to_pixels(PAGE[None])))[0], axis=-1)
    known = PageModel.load(PAGE_MODEL).places(PAGE)
    np.testing.assert_allclose(said, known, atol=0.02)
    assert PageModel.load(PAGE_MODEL).info.reads == "page"
    assert known.sum(axis=-1) == pytest.approx(1, abs=1e-4)
