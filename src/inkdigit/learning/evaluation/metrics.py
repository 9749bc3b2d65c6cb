"""How well a network reads labelled digits, and how well it knows when it does not."""

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar
from scipy.stats import binomtest
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from inkdigit.errors import DataError, ModelError
from inkdigit.learning.datasets.digits import CLASSES, Texts, as_array, as_labels
from inkdigit.reading.calibration import Calibration, Floats, temperature_scale

BINS = 15
TARGET_ERROR = 0.001
REJECT_ALL = 2.0
# Keras clips probabilities here before it takes their logarithm.
EPSILON = 1e-7
SUM_TOLERANCE = 1e-3

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Evaluation:
    """Labels `int64 (n,)` held against a network's raw probabilities `float32 (n, classes)`.

    The classes are the ten digits and, of some networks, what is no digit. Labels may be one-hot.
    `warning` says why the figures tell little, where the network has learnt from these digits.
    `writers` are those of the digits, where they are known. Raises `DataError` for arrays that do
    not match, `ModelError` for no probabilities.

    >>> evaluation = Evaluation(np.array([0, 1]), np.eye(10, dtype=np.float32)[[0, 7]])
    >>> evaluation
    Evaluation(accuracy 0.5000 on 2 digits)
    >>> evaluation.most_confused()
    [{'digit': 1, 'read_as': 7, 'times': 1}]
    """

    labels: Labels
    probabilities: Floats
    warning: str | None = None
    writers: Texts = ()

    def __repr__(self) -> str:
        return f"Evaluation(accuracy {self.accuracy:.4f} on {len(self.labels):,} digits)"

    def __post_init__(self) -> None:
        given = as_array(self.probabilities, "probabilities")
        if given.ndim != 2 or given.dtype.kind != "f":
            what = f"{given.dtype} of shape {given.shape}"
            raise DataError(f"probabilities are floats (n, classes), received {what}")
        labels = as_labels(self.labels, given.shape[1])
        if len(given) != len(labels):
            raise DataError(f"{len(labels)} labels do not match {len(given)} probabilities")
        if not len(labels):
            raise DataError("there are no digits to evaluate on")
        object.__setattr__(self, "probabilities", given)
        object.__setattr__(self, "labels", labels)
        # NaN fails every comparison, so it is caught as well.
        if not (given.min() >= 0 and np.abs(given.sum(axis=1) - 1).max() < SUM_TOLERANCE):
            raise ModelError(
                "the network does not give probabilities that add up to 1: its last layer must "
                "be a softmax, and its weights numbers"
            )

    @functools.cached_property
    def predictions(self) -> Labels:
        """The likeliest class of each digit, `(n,)`."""
        return np.asarray(self.probabilities.argmax(axis=1))

    @functools.cached_property
    def confidences(self) -> Floats:
        """The probability of each digit's likeliest class, `(n,)`."""
        return np.asarray(self.probabilities.max(axis=1))

    @functools.cached_property
    def right(self) -> npt.NDArray[np.bool_]:
        """Which digits were read right, `(n,)`."""
        return np.asarray(self.predictions == self.labels)

    @property
    def accuracy(self) -> float:
        """The share read right."""
        return float(self.right.mean())

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy (Wilson 1927)."""
        return wilson(int(self.right.sum()), len(self.right))

    @property
    def loss(self) -> float:
        """Mean categorical cross-entropy, in nats."""
        return cross_entropy(self.probabilities, self.labels)

    @property
    def calibration_error(self) -> float:
        """Expected calibration error over 15 bins of equal width (Guo et al. 2017)."""
        off = (b["share"] * abs(b["accuracy"] - b["confidence"]) for b in self.reliability())
        return float(sum(off))

    def reliability(self) -> list[dict[str, float]]:
        """Return the bins of confidence that hold any digit, from unsure to sure.

        Of each its mean confidence, its accuracy with the 95 % interval from `low` to `high`, and
        its share of all digits.
        """
        bins = np.minimum((self.confidences * BINS).astype(int), BINS - 1)
        found = []
        for inside in (bins == b for b in np.unique(bins)):
            within = Evaluation(self.labels[inside], self.probabilities[inside])
            low, high = within.accuracy_interval
            figures = {"confidence": float(within.confidences.mean()), "accuracy": within.accuracy}
            found.append(figures | {"low": low, "high": high, "share": float(inside.mean())})
        return found

    @functools.cached_property
    def confusion(self) -> npt.NDArray[np.int64]:
        """How often a class (row) was read as another (column), `(classes, classes)`."""
        classes = np.arange(self.probabilities.shape[1])
        return np.asarray(confusion_matrix(self.labels, self.predictions, labels=classes), np.int64)

    def per_class(self) -> list[dict[str, float]]:
        """Return precision, recall, F1 and support of each digit; 0 where nothing is read as it."""
        columns = precision_recall_fscore_support(
            self.labels, self.predictions, labels=np.arange(CLASSES), zero_division=0
        )
        names = ("precision", "recall", "f1", "support")
        rows = np.transpose(columns).tolist()
        return [{"digit": i, **dict(zip(names, row, strict=True))} for i, row in enumerate(rows)]

    def most_confused(self, count: int = 5) -> list[dict[str, int]]:
        """Return the commonest mistakes: which digit was read as which, and how often."""
        wrong = self.confusion.copy()
        np.fill_diagonal(wrong, 0)
        order = np.argsort(-wrong, axis=None, kind="stable")[:count]
        places = np.unravel_index(order, wrong.shape)
        found = np.stack([*places, wrong[places]], axis=1).tolist()
        return [{"digit": i, "read_as": j, "times": times} for i, j, times in found if times]

    def mistakes(self) -> npt.NDArray[np.int64]:
        """Return the indices of digits read wrong, the surest mistake first."""
        wrong = np.flatnonzero(~self.right)
        return wrong[np.argsort(-self.confidences[wrong], kind="stable")]

    def by_writer(self) -> dict[str, "Evaluation"]:
        """Return the evaluation of each writer's digits, the worst first; `DataError` without.

        >>> digits = np.array([1, 7, 7]), np.eye(10, dtype=np.float32)[[1, 7, 1]]
        >>> Evaluation(*digits, writers=np.array(["anna", "anna", "ben"])).by_writer()["anna"]
        Evaluation(accuracy 1.0000 on 2 digits)
        """
        if not any(self.writers):
            raise DataError("it is not known who wrote these digits: see docs/data.md")
        of = {}
        for writer in np.unique(self.writers):
            mine = np.asarray(self.writers) == writer
            of[str(writer)] = Evaluation(self.labels[mine], self.probabilities[mine])
        return dict(sorted(of.items(), key=lambda one: one[1].accuracy))

    def to_dict(self) -> dict[str, Any]:
        """Return every figure as plain types, as `inkdigit evaluate --format json` prints them."""
        low, high = self.accuracy_interval
        return {
            "digits": len(self.labels),
            "accuracy": self.accuracy,
            "accuracy_low": low,
            "accuracy_high": high,
            "loss": self.loss,
            "calibration_error": self.calibration_error,
            "mistakes": int((~self.right).sum()),
            "most_confused": self.most_confused(),
            "per_class": self.per_class(),
            "confusion": self.confusion.tolist(),
        }


def wilson(count: int, of: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927)."""
    interval = binomtest(count, of).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def cross_entropy(probabilities: Floats, labels: Labels) -> float:
    """Return the mean negative log-probability of the true classes, in nats."""
    true = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return float(-np.log(true.clip(EPSILON, 1 - EPSILON)).mean())


def calibrate(validation: Evaluation, target_error: float = TARGET_ERROR) -> Calibration:
    """Fit temperature and reject threshold on digits that were not fitted.

    The temperature has the least cross-entropy (Guo et al. 2017). The threshold is the least
    confidence at which at most a share `target_error` of the digits above it was wrong.
    """
    temperature = _fit_temperature(validation)
    # A digit is read whatever the chance that it is none, and taken if that chance is small.
    digits = temperature_scale(validation.probabilities, temperature)[:, :CLASSES]
    right = digits.argmax(axis=1) == validation.labels
    return Calibration(temperature, *threshold_at_error(digits.max(axis=1), right, target_error))


def threshold_at_error(
    confidences: npt.NDArray[np.floating],
    right: npt.NDArray[np.bool_],
    target_error: float = TARGET_ERROR,
) -> tuple[float, float, float, int]:
    """Return the least confidence at which at most a share `target_error` of those above was wrong.

    With it come the share that was wrong, the share that lay above, and how many there were.
    """
    order = np.argsort(-confidences, kind="stable")
    errors = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
    # What is as sure as the threshold lies above it, all of it.
    last_of_alike = np.diff(confidences[order], append=-np.inf) != 0
    passing = np.flatnonzero((errors <= target_error) & last_of_alike)
    if not len(passing):
        # No confidence reaches it: nothing was trustworthy, so nothing is accepted.
        return REJECT_ALL, 0.0, 0.0, len(order)
    last = int(passing[-1])
    return float(confidences[order[last]]), float(errors[last]), (last + 1) / len(order), len(order)


def _fit_temperature(validation: Evaluation) -> float:
    def loss(log_temperature: float) -> float:
        scaled = temperature_scale(validation.probabilities, float(np.exp(log_temperature)))
        return cross_entropy(scaled, validation.labels)

    return float(np.exp(minimize_scalar(loss, bounds=(-2.0, 2.0), method="bounded").x))
