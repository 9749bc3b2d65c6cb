"""What explanations of an answer are worth: pixels that they name are removed, and it is measured.

An explanation gives each pixel of a digit a value, the higher the more it speaks for the answer.
The deletion test (Petsiuk, Das and Saenko 2018) removes the tenth of all pixels with the highest
values and looks how far the answer's probability falls, beside as many pixels of the ink chosen at
random, and as many of the whole picture. The page draws the same explanations.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from inkdigit.learning.backend import gradients, keras

Model = Any  # a keras.Model; Keras carries no types
Pictures = npt.NDArray[np.float32]
Values = npt.NDArray[np.float32]

# The digits that are tested, and the share of a digit's pixels that is removed.
TESTED = 1000
REMOVED = 0.1
# The side of the square that occlusion covers; squares lie side by side, so there are 49.
WINDOW = 4
# Probabilities are at least this, so that their logarithms are numbers.
_LEAST = 1e-30


def log_odds(probabilities: Any, chosen: npt.NDArray[np.int64]) -> Any:
    """Return log p / (1 - p) of the chosen classes `(n,)`, also where p is nearly 1."""
    ops = keras.ops
    own = ops.one_hot(chosen, probabilities.shape[1])
    answer, others = (ops.sum(probabilities * share, 1) for share in (own, 1 - own))
    return ops.log(ops.maximum(answer, _LEAST)) - ops.log(ops.maximum(others, _LEAST))


def gradient_times_ink(model: Model, pictures: Pictures, chosen: npt.NDArray[np.int64]) -> Values:
    """Return how far the log-odds would fall without each pixel, to first order."""
    return np.asarray(_gradient(model, pictures, chosen) * pictures, np.float32)


def saliency(model: Model, pictures: Pictures, chosen: npt.NDArray[np.int64]) -> Values:
    """Return how much each pixel would change the log-odds, up or down (Simonyan et al. 2014)."""
    return np.abs(_gradient(model, pictures, chosen))


def occlusion(model: Model, pictures: Pictures, chosen: npt.NDArray[np.int64]) -> Values:
    """Return how far the log-odds fall where a square is covered (Zeiler and Fergus 2014).

    Each pixel gets what its square takes away, in the measure of its ink.
    """
    before = np.asarray(log_odds(_probabilities(model, pictures), chosen))
    falls = np.zeros_like(pictures)
    for top in range(0, pictures.shape[1], WINDOW):
        for left in range(0, pictures.shape[2], WINDOW):
            square = np.s_[:, top : top + WINDOW, left : left + WINDOW]
            covered = pictures.copy()
            covered[square] = 0
            after = np.asarray(log_odds(_probabilities(model, covered), chosen))
            falls[square] = (before - after)[:, None, None, None]
    return falls * pictures


Explanation = Callable[[Model, Pictures, npt.NDArray[np.int64]], Values]
EXPLANATIONS: dict[str, Explanation] = {
    "gradient": gradient_times_ink,
    "occlusion": occlusion,
    "saliency": saliency,
}


def deletion_test(model: Model, pictures: Pictures) -> dict[str, Any]:
    """Return how far the answer's probability falls, a mean over pictures `(n, 28, 28, 1)`.

    `random` is for random pixels, `ink` for random ones of the ink, and `explanations` has a figure
    for each of `EXPLANATIONS`.
    """
    probabilities = _probabilities(model, pictures)
    chosen = probabilities.argmax(axis=1)
    rng = np.random.default_rng(0)
    noise = rng.random(pictures.shape, np.float32)

    def fall(values: Values) -> float:
        left = pictures.reshape(len(pictures), -1).copy()
        count = round(REMOVED * left.shape[1])
        named = np.argsort(-values.reshape(left.shape), axis=1, kind="stable")[:, :count]
        np.put_along_axis(left, named, 0, axis=1)
        after = _probabilities(model, left.reshape(pictures.shape))
        return float((probabilities - after)[np.arange(len(chosen)), chosen].mean())

    return {
        "digits": len(pictures),
        "random": fall(noise),
        "ink": fall(noise * (pictures > 0)),
        "explanations": {
            name: fall(explain(model, pictures, chosen)) for name, explain in EXPLANATIONS.items()
        },
    }


def _gradient(model: Model, pictures: Pictures, chosen: npt.NDArray[np.int64]) -> Values:
    return gradients(lambda digits: log_odds(model(digits), chosen), pictures)


def _probabilities(model: Model, pictures: Pictures) -> Values:
    return np.asarray(model.predict_on_batch(pictures), np.float32)
