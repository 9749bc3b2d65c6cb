import math

import numpy as np
import pytest
from scipy.special import softmax

from inkdigit.reading.calibration import PlattScaling, log_odds, temperature_scale


@pytest.mark.parametrize("temperature", [0.05, 0.5, 1.0, 1.7, 20.0])
def test_temperature_is_the_softmax_of_the_scaled_logarithm(temperature: float) -> None:
    probabilities = np.random.default_rng(2).dirichlet(np.ones(10), 100).astype(np.float32)
    expected = softmax(np.log(probabilities.astype(float)) / temperature, axis=1)
    found = temperature_scale(probabilities, temperature)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_temperature_bears_certainty() -> None:
    sure = np.eye(10, dtype=np.float32)
    for temperature in (0.05, 1.0, 5.0):
        found = temperature_scale(sure, temperature)
        np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
        assert (found.argmax(axis=1) == np.arange(10)).all()


def test_temperature_one_changes_nothing_and_a_higher_one_is_less_sure() -> None:
    probabilities = np.array([[0.7, 0.2, 0.1]], np.float32)
    assert temperature_scale(probabilities, 1.0) == pytest.approx(probabilities)
    sureness = [temperature_scale(probabilities, t).max() for t in (0.5, 1.0, 2.0, 100.0)]
    assert sureness == sorted(sureness, reverse=True)
    assert sureness[-1] == pytest.approx(1 / 3, abs=0.01)


def confidence(probability: float, scaling: PlattScaling) -> float:
    return float(scaling.confidence(np.array([probability]))[0])


@pytest.mark.parametrize("p", [1e-9, 0.1, 0.5, 0.9, 0.999])
def test_platt_is_a_logistic_curve_over_the_log_odds(p: float) -> None:
    odds = math.sqrt(p / (1 - p)) / math.e
    scaling = PlattScaling(slope=0.5, intercept=-1.0)
    assert confidence(p, scaling) == pytest.approx(odds / (1 + odds), rel=1e-6)
    assert confidence(p, PlattScaling()) == pytest.approx(p)


def test_certainty_stays_within_reason() -> None:
    scaling = PlattScaling(slope=0.5, intercept=-1.0)
    assert 0 < confidence(0.0, scaling) < confidence(1.0, scaling) < 1
    # Far beyond what numbers hold, without a warning.
    assert 0 <= confidence(0.5, PlattScaling(intercept=-5000.0)) < 1e-300
    assert confidence(0.5, PlattScaling(intercept=5000.0)) == 1


def test_an_array_is_scaled_as_each_number_of_it() -> None:
    scaling = PlattScaling(slope=1.3, intercept=0.4)
    values = np.linspace(0, 1, 11)
    found = scaling.confidence(values)
    assert found.shape == (11,)
    assert found.tolist() == [confidence(value, scaling) for value in values]
    assert (np.diff(found) > 0).all()
    assert scaling.confidence(np.zeros((0,))).shape == (0,)


def test_log_odds_are_finite() -> None:
    assert log_odds(0.5) == 0
    assert log_odds(0.75) == pytest.approx(math.log(3))
    assert np.isfinite(log_odds(np.array([0.0, 1.0, 1e-300]))).all()


@pytest.mark.parametrize("p", [1e-6, 0.1, 0.5, 0.9, 0.999])
def test_a_confidence_leads_back_to_its_probability(p: float) -> None:
    scaling = PlattScaling(slope=1.3, intercept=0.4)
    back = scaling.probability(scaling.confidence(np.array([p])))
    assert back.tolist() == pytest.approx([p])


def test_a_flat_curve_leads_back_without_a_warning() -> None:
    flat = PlattScaling(slope=0.0, intercept=0.0)
    assert flat.confidence(np.array([0.1, 0.9])).tolist() == [0.5, 0.5]
    assert flat.probability(np.array([0.4, 0.5, 0.6])).tolist() == [0.0, 0.5, 1.0]
