import numpy as np
import pytest
from scipy.special import softmax
from sklearn.metrics import accuracy_score, log_loss

from inkdigit.errors import DataError, ModelError
from inkdigit.learning.evaluation.metrics import (
    REJECT_ALL,
    TARGET_ERROR,
    Calibration,
    Evaluation,
    calibrate,
    threshold_at_error,
)
from inkdigit.reading.model_file import temperature_scale


def random_evaluation(n: int = 4000, sharpness: float = 3.0, seed: int = 0) -> Evaluation:
    """Labels drawn from the probabilities themselves: perfectly calibrated by construction."""
    rng = np.random.default_rng(seed)
    probabilities = softmax(sharpness * rng.normal(size=(n, 10)), axis=1).astype(np.float32)
    labels = np.array([rng.choice(10, p=row / row.sum()) for row in probabilities.astype(float)])
    return Evaluation(labels, probabilities)


def by_hand() -> Evaluation:
    """Four digits: 0 right, 1 right, 1 read as 7, 7 read as 1."""
    probabilities = np.full((4, 10), 0.01, np.float32)
    for row, (column, value) in enumerate([(0, 0.91), (1, 0.91), (7, 0.91), (1, 0.91)]):
        probabilities[row, column] = value
    probabilities[3, 7], probabilities[3, 1] = 0.3, 0.62
    return Evaluation(np.array([0, 1, 1, 7]), probabilities)


def test_figures_of_four_digits_by_hand() -> None:
    evaluation = by_hand()
    assert evaluation.accuracy == 0.5
    assert evaluation.loss == pytest.approx(-np.log([0.91, 0.91, 0.01, 0.3]).mean(), rel=1e-6)
    assert evaluation.most_confused() == [
        {"digit": 1, "read_as": 7, "times": 1},
        {"digit": 7, "read_as": 1, "times": 1},
    ]
    assert evaluation.mistakes().tolist() == [2, 3]  # 0.91 sure, then 0.62
    one, five = evaluation.per_class()[1], evaluation.per_class()[5]
    assert (one["precision"], one["recall"], one["support"]) == (0.5, 0.5, 2)
    assert (five["precision"], five["recall"], five["f1"], five["support"]) == (0, 0, 0, 0)


def test_accuracy_and_loss_agree_with_scikit_learn() -> None:
    evaluation = random_evaluation()
    assert evaluation.accuracy == pytest.approx(
        accuracy_score(evaluation.labels, evaluation.predictions)
    )
    rows = evaluation.probabilities.astype(float)
    rows /= rows.sum(axis=1, keepdims=True)
    expected = log_loss(evaluation.labels, rows, labels=range(10))
    assert evaluation.loss == pytest.approx(expected, rel=1e-4)


def test_accuracy_interval_is_wilsons() -> None:
    evaluation = by_hand()
    z, n, p = 1.959964, 4, 0.5
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert evaluation.accuracy_interval == pytest.approx((centre - half, centre + half), rel=1e-5)


def test_confusion_counts_every_digit_once() -> None:
    evaluation = random_evaluation()
    confusion = evaluation.confusion
    assert confusion.sum() == len(evaluation.labels)
    assert confusion[3, 5] == ((evaluation.labels == 3) & (evaluation.predictions == 5)).sum()


def test_a_calibrated_network_has_no_calibration_error_and_an_overconfident_one_has() -> None:
    calibrated = random_evaluation(8000)
    overconfident = Evaluation(calibrated.labels, temperature_scale(calibrated.probabilities, 0.4))
    assert calibrated.calibration_error < 0.02
    assert overconfident.calibration_error > 0.1
    assert sum(b["share"] for b in calibrated.reliability()) == pytest.approx(1)


def test_calibration_finds_the_temperature_that_was_taken_away() -> None:
    calibrated = random_evaluation(8000)
    overconfident = Evaluation(calibrated.labels, temperature_scale(calibrated.probabilities, 0.4))
    assert calibrate(overconfident).temperature == pytest.approx(2.5, rel=0.05)
    assert calibrate(calibrated).temperature == pytest.approx(1.0, rel=0.05)


def test_the_reject_threshold_keeps_what_it_promises() -> None:
    evaluation = random_evaluation(8000, sharpness=8)
    calibration = calibrate(evaluation)
    confidences = temperature_scale(evaluation.probabilities, calibration.temperature).max(axis=1)
    accepted = confidences >= calibration.reject_threshold
    assert accepted.mean() == pytest.approx(calibration.reject_accepted)
    assert (~evaluation.right[accepted]).mean() == pytest.approx(calibration.reject_error)
    assert 0 < calibration.reject_error <= 0.001
    # One digit more would have broken the promise, or none is left.
    lower = np.sort(confidences)[::-1][accepted.sum() : accepted.sum() + 1]
    assert (~evaluation.right[confidences >= lower]).mean() > 0.001


def test_a_network_that_is_sure_and_always_wrong_gets_everything_rejected() -> None:
    probabilities = np.full((50, 10), 0.001, np.float32)
    probabilities[:, 0] = 0.991
    calibration = calibrate(Evaluation(np.ones(50, np.int64), probabilities))
    assert calibration.reject_accepted == 0
    assert calibration.reject_threshold > 1  # no confidence reaches it
    assert isinstance(calibration, Calibration)


def test_no_digits_is_an_error() -> None:
    with pytest.raises(DataError, match="no digits"):
        Evaluation(np.zeros(0, np.int64), np.zeros((0, 10), np.float32))


def test_class_numbers_are_no_probabilities() -> None:
    labels = np.arange(10)
    with pytest.raises(DataError, match=r"probabilities are floats \(n, classes\), received int64"):
        Evaluation(labels, labels)  # type: ignore[arg-type]
    with pytest.raises(DataError, match="10 labels do not match 9 probabilities"):
        Evaluation(labels, np.eye(10, dtype=np.float32)[:9])


def test_labels_may_be_one_hot() -> None:
    right = by_hand()
    given = Evaluation(np.eye(10, dtype=np.int64)[right.labels], right.probabilities)
    assert given.to_dict() == right.to_dict()


def test_to_dict_holds_plain_types_only() -> None:
    import json

    described = by_hand().to_dict()
    assert json.loads(json.dumps(described)) == described


@pytest.mark.parametrize("value", [np.nan, 3.0, -0.5])
def test_what_are_no_probabilities_is_an_error(value: float) -> None:
    probabilities = by_hand().probabilities.copy()
    probabilities[1, 2] = value
    with pytest.raises(ModelError, match="must be a softmax"):
        Evaluation(by_hand().labels, probabilities)


def test_the_threshold_counts_all_that_are_as_sure() -> None:
    """By trying every threshold: ties are accepted together or not at all."""
    rng = np.random.default_rng(0)
    for _ in range(30):
        confidences = rng.integers(1, 6, 3000) / 5
        right = (
            rng.random(3000)
            > np.array([0, 0.1, 0.01, 0.002, 0.001, 0.0005])[(confidences * 5).round().astype(int)]
        )
        passing = [
            t for t in np.unique(confidences) if (~right[confidences >= t]).mean() <= TARGET_ERROR
        ]
        threshold, error, accepted, measured = threshold_at_error(confidences, right)
        assert measured == 3000
        if passing:
            assert threshold == min(passing)
            assert error == pytest.approx((~right[confidences >= threshold]).mean())
            assert accepted == pytest.approx((confidences >= threshold).mean())
        else:
            assert (threshold, error, accepted) == (REJECT_ALL, 0, 0)


def test_each_writer_is_judged_by_his_digits() -> None:
    """Beside shares and Wilson's formula by hand."""
    labels = np.array([1, 7, 7, 3, 3, 8])
    writers = np.array(["ben", "anna", "ben", "anna", "ben", "cem"])
    read = np.eye(10, dtype=np.float32)[[1, 7, 1, 3, 8, 8]]
    evaluation = Evaluation(labels, read, writers=writers)
    found = evaluation.by_writer()
    assert next(iter(found)) == "ben"  # who is misread most comes first
    assert [one.accuracy for one in found.values()] == [pytest.approx(1 / 3), 1, 1]
    assert found["ben"].most_confused() == [
        {"digit": 3, "read_as": 8, "times": 1},
        {"digit": 7, "read_as": 1, "times": 1},
    ]
    z, n, p = 1.959964, 3, 1 / 3
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    interval = pytest.approx((middle - half, middle + half), abs=1e-6)
    assert found["ben"].accuracy_interval == interval
    with pytest.raises(DataError, match="it is not known who wrote these digits"):
        Evaluation(labels, read).by_writer()
