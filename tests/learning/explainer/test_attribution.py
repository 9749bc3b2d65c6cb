"""A network that is known by heart: its answers are a logistic function of a weighted sum."""

import numpy as np
import pytest

from inkdigit.learning.backend import keras, layers
from inkdigit.learning.explainer.attribution import (
    EXPLANATIONS,
    deletion_test,
    gradient_times_ink,
    log_odds,
    occlusion,
)

RNG = np.random.default_rng(0)
WEIGHTS = RNG.normal(size=(784, 1)).astype(np.float32)
PICTURES = RNG.random((6, 28, 28, 1), np.float32) * (RNG.random((6, 28, 28, 1)) > 0.7)


@pytest.fixture(scope="module")
def linear() -> keras.Model:
    """Two classes, whose log-odds are the weighted sum of the pixels and its negative."""
    dense = layers.Dense(2, activation="softmax")
    model = keras.Sequential([keras.Input((28, 28, 1)), layers.Flatten(), dense])
    dense.set_weights([np.hstack([WEIGHTS, np.zeros_like(WEIGHTS)]), np.zeros(2)])
    return model


def chosen_by(model: keras.Model) -> np.ndarray:
    return model.predict(PICTURES, verbose=0).argmax(axis=1)


def test_log_odds_are_those_of_the_sums_also_where_the_answer_is_sure(linear: keras.Model) -> None:
    sums = (PICTURES.reshape(6, -1) @ WEIGHTS).ravel()
    found = log_odds(linear(PICTURES), np.zeros(6, np.int64))
    np.testing.assert_allclose(found, sums, rtol=1e-3)
    assert np.abs(sums).max() > 5
    sure = keras.ops.softmax(np.array([[40.0, 0.0, 0.0]], np.float32))
    assert float(log_odds(sure, np.array([0]))[0]) == pytest.approx(40 - np.log(2), rel=1e-5)


def test_the_gradient_of_a_linear_network_is_its_weights(linear: keras.Model) -> None:
    chosen = chosen_by(linear)
    found = gradient_times_ink(linear, PICTURES, chosen)
    sign = np.where(chosen == 0, 1, -1)[:, None, None, None]
    wanted = sign * WEIGHTS.reshape(1, 28, 28, 1) * PICTURES
    np.testing.assert_allclose(found, wanted, atol=1e-4)


def test_occlusion_takes_away_what_a_square_adds(linear: keras.Model) -> None:
    chosen = chosen_by(linear)
    found = occlusion(linear, PICTURES, chosen)
    added = gradient_times_ink(linear, PICTURES, chosen)
    squares = added.reshape(6, 7, 4, 7, 4).sum(axis=(2, 4)).repeat(4, 1).repeat(4, 2)
    np.testing.assert_allclose(found[..., 0], squares * PICTURES[..., 0], atol=1e-2)


def test_the_deletion_test_tells_good_explanations_from_random_pixels(linear: keras.Model) -> None:
    found = deletion_test(linear, PICTURES)
    assert found["digits"] == 6
    assert found["explanations"].keys() == EXPLANATIONS.keys()
    # Of a linear network nothing takes away more than the pixels that add most.
    best = found["explanations"]["gradient"]
    assert best > 0.5
    assert best >= max(found["explanations"].values())
    assert best > 3 * max(found["ink"], found["random"])
