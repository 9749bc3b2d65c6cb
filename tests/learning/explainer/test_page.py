"""The page in a real browser, opened from a disk."""

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsing import NEEDS_CHROMIUM, Open, visiting
from drawing import drawn
from playwright.sync_api import Browser, Page, expect
from strokes import strokes_of

from inkdigit.learning import build_network
from inkdigit.learning.backend import keras, layers
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.explainer import attribution
from inkdigit.learning.explainer.api import explain
from inkdigit.learning.explainer.network import Network
from inkdigit.learning.models.run import Run
from inkdigit.reading.model_file import to_pixels
from inkdigit.reading.preprocessing.digit import normalise

pytestmark = NEEDS_CHROMIUM

# The largest difference of what the page computes from what Keras does, over the layers.
COMPARE = """([described, pictures, expected]) => {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const floats = (text) => new Float32Array(bytes(text).buffer);
  const all = floats(pictures), known = expected.map(floats);
  const network = new inkdigit.Network(described);
  const most = known.map(() => 0);
  for (let digit = 0; digit * 784 < all.length; digit++) {
    const values = all.subarray(784 * digit, 784 * (digit + 1));
    network.run({ shape: [28, 28, 1], values }).forEach(({ values: found }, layer) => {
      const from = digit * found.length;
      for (let at = 0; at < found.length; at++) {
        most[layer] = Math.max(most[layer], Math.abs(found[at] - known[layer][from + at]));
      }
    });
  }
  return most;
}"""
EXPLAIN = """([values]) => {
  const [network] = inkdigit.networks, all = Object.entries(inkdigit.explanations);
  const digit = { shape: [28, 28, 1], values: Float32Array.from(values) };
  const maps = network.run(digit), last = maps.at(-1).values;
  const explain = ({ of }) => [...of(network, maps, digit, last.indexOf(Math.max(...last)))];
  return Object.fromEntries(all.map(([name, how]) => [name, explain(how)]));
}"""


@pytest.fixture
def visit(browser: Browser) -> Iterator[Open]:
    """Opens a page from the disk; afterwards it has asked nobody and complained of nothing."""
    with visiting(browser) as open_page:

        def visit(page: Path, **how: Any) -> Page:
            return open_page(f"file://{page.parent}", f"/{page.name}", **how)

        yield visit


@pytest.fixture(scope="module")
def hundred(small: Dataset) -> Dataset:
    """A hundred digits to look at."""
    return Dataset("sample", small.train, small.test.at(np.arange(100) * 3))


@pytest.fixture(scope="module")
def page_of_run(trained: Run, hundred: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return explain(trained, tmp_path_factory.mktemp("explained") / "page.html", hundred)


def with_statistics(model: Any) -> Any:
    """Let normalisation have measured something."""
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights([rng.uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    return model


def mixed() -> Any:
    """Every layer and activation that our own networks do not have."""
    digit = keras.Input((28, 28, 1))
    x = layers.Rescaling(2.0, offset=-1.0)(digit)
    x = layers.Conv2D(8, 3, strides=(2, 1), padding="same", activation="silu")(x)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", activation="elu")(x)
    x = layers.Conv2D(16, 3, groups=4, padding="same", activation="leaky_relu")(x)
    y = layers.AveragePooling2D(3, strides=2, padding="same")(x)
    z = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    x = layers.Average()([layers.Add()([y, z]), layers.Activation("softplus")(y)])
    x = layers.BatchNormalization(scale=False)(layers.ELU(0.7)(layers.LeakyReLU(0.1)(x)))
    x = keras.Sequential([layers.GlobalMaxPooling2D(keepdims=True), layers.Reshape((4, 4))])(x)
    x = layers.Dense(5, activation="sigmoid")(layers.Dropout(0.5)(x))
    return keras.Model(digit, layers.Softmax()(layers.Dense(10)(layers.Flatten()(x))))


def encoded(values: Any) -> str:
    return base64.b64encode(np.ascontiguousarray(values, np.float32).tobytes()).decode()


@pytest.mark.parametrize(
    "name", ["lenet5", "classic", "modern", "fast", "small-8k", "best", "mixed"]
)
def test_every_number_is_that_of_keras(
    visit: Open, page_of_run: Path, hundred: Dataset, name: str
) -> None:
    network = Network.of(with_statistics(mixed() if name == "mixed" else build_network(name)))
    pictures = to_pixels(hundred.test.images)
    outputs = network.outputs(pictures)
    known = network.to_dict(), encoded(pictures), list(map(encoded, outputs))
    found = visit(page_of_run).evaluate(COMPARE, known)
    assert len(found) == len(network.steps)
    assert max(found) < 1e-4
    # What is expected is no constant.
    assert all(np.ptp(values) > 1e-3 for values in outputs)


def test_explanations_are_those_that_were_tested(
    visit: Open, page_of_run: Path, trained: Run, hundred: Dataset
) -> None:
    page = visit(page_of_run)
    pictures = to_pixels(hundred.test.images[::40])
    model = keras.models.load_model(trained.folder / "model.keras")
    chosen = model.predict(pictures, verbose=0).argmax(axis=1)
    for number, picture in enumerate(pictures):
        found = page.evaluate(EXPLAIN, [picture.ravel().tolist()])
        assert found.keys() == attribution.EXPLANATIONS.keys()
        for name, how in attribution.EXPLANATIONS.items():
            some = slice(number, number + 1)
            known = how(model, pictures[some], chosen[some]).ravel()
            np.testing.assert_allclose(found[name], known, atol=1e-3 * np.abs(known).max())


def draw(page: Page, digit: str) -> None:
    box = page.locator("#pad").bounding_box()
    assert box
    for stroke in strokes_of(digit, box["x"] + 90, box["y"] + 60, 190):
        page.mouse.move(*stroke[0])
        page.mouse.down()
        for point in stroke[1:]:
            page.mouse.move(*point)
        page.mouse.up()
