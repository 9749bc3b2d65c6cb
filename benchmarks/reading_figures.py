"""What readings are worth: figures from the texts, the confidences and the truth."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score

BINS = 15

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def wilson(right: int, total: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927)."""
    interval = binomtest(right, total).proportion_ci(0.95, method="wilson")
    return float(interval.low), float(interval.high)


def edits(read: str, text: str) -> int:
    """Return how many characters must be put in, taken out or replaced (Levenshtein 1966)."""
    row = list(range(len(text) + 1))
    for i, character in enumerate(read, 1):
        before, row[0] = row[0], i
        for j, wanted in enumerate(text, 1):
            change = before + (character != wanted)
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, change)
    return row[-1]


def character_error(read: Sequence[str], texts: Sequence[str]) -> float:
    """Return the edits of all texts together, as a share of their characters."""
    return sum(map(edits, read, texts)) / sum(map(len, texts))


def told_apart(digits: Sequence[float], others: Sequence[float]) -> float:
    """Return the area under the ROC curve: how often a digit is surer than what is none."""
    truth = [True] * len(digits) + [False] * len(others)
    return float(roc_auc_score(truth, [*digits, *others]))


def risk(confidences: Sequence[float], right: Sequence[bool]) -> Floats:
    """Return the share that is wrong among the surest 1, 2, … n readings.

    Readings that are equally sure are taken or left together: each counts as the last of them.
    """
    confidence, wrong = np.asarray(confidences), ~np.asarray(right, np.bool_)
    order = np.argsort(-confidence, kind="stable")
    errors = np.cumsum(wrong[order]) / np.arange(1, len(order) + 1)
    last = np.searchsorted(-confidence[order], -confidence[order], side="right") - 1
    return np.asarray(errors[last], np.float64)


def risk_at(errors: Floats, coverage: float) -> float:
    """Return the share that is wrong when this share of all readings is taken, the surest."""
    return float(errors[max(1, int(np.ceil(coverage * len(errors) - 1e-9))) - 1])


def coverage_at(errors: Floats, risk: float) -> float:
    """Return the largest share of all readings of which no more than `risk` are wrong."""
    passing = np.flatnonzero(errors <= risk)
    return (int(passing[-1]) + 1) / len(errors) if len(passing) else 0.0


def calibration_error(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """Return the expected calibration error over 15 bins of equal width (Guo et al. 2017)."""
    confidence, truth = np.asarray(confidences), np.asarray(right, np.bool_)
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = [_gap(confidence[bins == b], truth[bins == b]) for b in np.unique(bins)]
    return sum(gaps) / len(truth)


def _gap(confidence: Floats, right: Mask) -> float:
    return abs(float(confidence.sum()) - int(right.sum()))
