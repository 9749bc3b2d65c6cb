"""Networks of all kinds opened into their layers, without the page."""

from typing import Any

import numpy as np
import pytest

from inkdigit.learning.backend import keras, layers
from inkdigit.learning.explainer.network import Network
from inkdigit.learning.networks.own import adapted


class Dense(layers.Dense):
    """A layer that is called as one of Keras's."""


def answers(values: Any) -> Any:
    return layers.Dense(10, "softmax")(layers.Flatten()(values))


def skipping(digit: Any) -> Any:
    first = layers.Conv2D(4, 3, padding="same", activation="relu")(digit)
    return answers(first + layers.Conv2D(4, 3, padding="same")(first))


def with_a_model_inside(digit: Any) -> Any:
    given = keras.Input((26, 26, 4))
    inside = keras.Model(given, [layers.Conv2D(4, 3, padding="same")(given), given])
    one, other = inside(layers.Conv2D(4, 3)(digit))
    return answers(layers.Add()([one, other]))


def own(build: Any, shape: tuple[int, ...] = (28, 28, 1)) -> Any:
    digit = keras.Input(shape)
    return adapted(keras.Model(digit, build(digit)), "own")


@pytest.mark.parametrize(
    ("build", "shape"),
    [
        (answers, (28, 28)),
        (layers.Dense(10), (784,)),
        (skipping, (28, 28, 1)),
        (with_a_model_inside, (28, 28, 1)),
    ],
)
def test_networks_of_ones_own_are_opened(build: Any, shape: tuple[int, ...]) -> None:
    model = own(build, shape)
    network = Network.of(model)
    assert not network.missing
    pictures = np.random.default_rng(0).random((4, 28, 28, 1), np.float32)
    opened = keras.Model(network.picture, network.steps[-1].output)
    wanted = model.predict_on_batch(pictures)
    np.testing.assert_allclose(opened.predict_on_batch(pictures), wanted, atol=1e-6)
    parts = [weights for layer in network.to_dict()["layers"] for weights in layer["weights"]]
    assert len(parts) == len(model.weights)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda digit: digit + 1.0, "with what is given to it, cannot be computed"),
        (
            lambda digit: layers.Add()([digit, layers.Conv2D(4, 3, padding="same")(digit)]),
            "with what is given to it, cannot be computed",
        ),
        (
            lambda digit: keras.ops.average(digit, axis=1),
            "an operation of the type Average, cannot",
        ),
        (Dense(4), "a layer of the type Dense, cannot"),
    ],
)
def test_what_only_looks_like_a_layer_that_is_computed_is_named(change: Any, words: str) -> None:
    network = Network.of(own(lambda digit: answers(change(digit))))
    assert words in network.missing
    network.to_dict()
