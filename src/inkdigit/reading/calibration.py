"""From what a network says to how often it is right: the formulas, for both halves."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
# Beyond these, log-odds are infinite for numbers of 64 bits.
_LEAST, _MOST = 1e-12, 1 - 1e-9


def temperature_scale(probabilities: Floats, temperature: float) -> Floats:
    """Return `softmax(log p / temperature)` of each row `(n, classes)` (Guo et al. 2017).

    >>> temperature_scale(np.array([[0.8, 0.2]], np.float32), 1.0).round(3).tolist()
    [[0.800000011920929, 0.20000000298023224]]
    """
    powers = (probabilities / probabilities.max(axis=1, keepdims=True)) ** (1 / temperature)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)


@dataclass(frozen=True)
class Calibration:
    """What a validation part says of a network's confidence; at first, that nothing is sure enough.

    `temperature` divides the log-probabilities of a digit to calibrate them (Guo et al. 2017). What
    has a calibrated probability below `reject_threshold` should not be taken unseen: on the
    `reject_measured_on` validation digits or lines, `reject_accepted` of them lay above it, and of
    those the share `reject_error` was wrong.
    """

    temperature: float = 1.0
    reject_threshold: float = 1.0
    reject_error: float = 0.0
    reject_accepted: float = 0.0
    reject_measured_on: int = 0


@dataclass(frozen=True)
class PlattScaling:
    """A logistic curve over the log-odds of a probability (Platt 1999).

    >>> PlattScaling(slope=1.0, intercept=0.0).confidence(np.array([0.5, 0.75])).tolist()
    [0.5, 0.75]
    """

    slope: float = 1.0
    intercept: float = 0.0

    def confidence(self, probability: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return how often texts of these probabilities are right."""
        return _logistic(self.slope * log_odds(probability) + self.intercept)

    def probability(self, confidence: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the probabilities of texts that are right so often: the curve's inverse.

        Where the curve is flat, that is certainty of what it does not reach.
        """
        return _logistic((log_odds(confidence) - self.intercept) / max(self.slope, _LEAST))


def _logistic(odds: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-odds)))


def log_odds(probability: float | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return `log(p / (1 - p))`, kept finite."""
    p = np.clip(np.asarray(probability, np.float64), _LEAST, _MOST)
    return np.asarray(np.log(p / (1 - p)))
