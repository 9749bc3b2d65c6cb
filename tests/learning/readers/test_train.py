from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from inkdigit.errors import DataError, ModelError, SettingError
from inkdigit.learning.api import start_training
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.evaluation.metrics import Evaluation, calibrate
from inkdigit.learning.readers.train import (
    TARGET_ERROR,
    ReaderTraining,
    calibrate_lines,
    quantisation_lines,
)
from inkdigit.learning.settings import TrainingSettings
from inkdigit.reading.model_file import LineModel, ModelInfo, to_pixels
from inkdigit.reading.reader import LINE_MODEL


def readings(number: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities that are too sure of themselves: right as often as half their log-odds say."""
    rng = np.random.default_rng(0)
    odds = rng.normal(3, 4, number)
    return expit(odds), rng.random(number) < expit(0.5 * odds - 0.7)


def test_calibration_is_the_likeliest_line_through_the_log_odds() -> None:
    """By another route: the likelihood itself, minimised."""
    probabilities, right = readings()
    found = calibrate_lines(probabilities, right)

    def loss(line: np.ndarray) -> float:
        odds = np.log(probabilities / (1 - probabilities))
        signed = np.where(right, 1, -1) * (line[0] * odds + line[1])
        return float(np.logaddexp(0, -signed).mean())

    slope, intercept = minimize(loss, [1.0, 0.0]).x
    assert found["confidence_slope"] == pytest.approx(slope, rel=1e-3)
    assert found["confidence_intercept"] == pytest.approx(intercept, abs=1e-3)
    assert slope == pytest.approx(0.5, abs=0.05)
    assert intercept == pytest.approx(-0.7, abs=0.15)


def test_the_threshold_holds_for_what_the_reader_says() -> None:
    probabilities, right = readings()
    found = calibrate_lines(probabilities, right)
    info = ModelInfo(
        network="line", trained_on="", trained_digits=0, accuracy=0.0, accuracy_on="",
        inkdigit_version="", **found,
    )  # fmt: skip
    said = info.platt.confidence(np.asarray(probabilities, np.float64))
    accepted = said >= info.reject_threshold - 1e-12
    assert accepted.mean() == pytest.approx(info.reject_accepted)
    assert 1 - right[accepted].mean() == pytest.approx(info.reject_error)
    assert info.reject_error <= TARGET_ERROR
    assert 0 < info.reject_accepted < 1
    assert info.reject_measured_on == len(right)


def test_what_cannot_be_told_apart_is_left_as_it_is() -> None:
    probabilities, _ = readings(50)
    for right in (np.ones(50, bool), np.zeros(50, bool)):
        found = calibrate_lines(probabilities, right)
        assert (found["confidence_slope"], found["confidence_intercept"]) == (1, 0)
        assert found["reject_accepted"] == right.mean()


def test_where_the_surer_are_oftener_wrong_nothing_is_surer_than_another() -> None:
    probabilities, right = readings(400)
    found = calibrate_lines(probabilities, ~right)
    assert found["confidence_slope"] == 0
    assert expit(found["confidence_intercept"]) == pytest.approx((~right).mean())
    assert found["reject_accepted"] == 0


def test_eleven_classes_are_evaluated_and_calibrated() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 11, 500)
    odds = rng.normal(0, 1, (500, 11))
    odds[np.arange(500), labels] += 3
    probabilities = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    evaluation = Evaluation(labels, probabilities.astype(np.float32))
    assert evaluation.confusion.shape == (11, 11)
    assert evaluation.confusion.sum() == 500
    assert evaluation.confusion.trace() == round(evaluation.accuracy * 500)
    assert [row["digit"] for row in evaluation.per_class()] == list(range(10))
    # The log-odds of unit normals three apart are three times these.
    assert calibrate(evaluation).temperature == pytest.approx(1 / 3, abs=0.05)


def test_networks_and_batches_that_make_no_sense(small: Dataset, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="classic does not learn from drawn handwriting"):
        ReaderTraining(TrainingSettings(), small)
    large = TrainingSettings(network="line", batch_size=1025)
    with pytest.raises(SettingError, match="at most that, received 1,025"):
        start_training(large, small).run(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("network", ["line", "single"])
def test_numbers_need_all_ten_digits(network: str, small: Dataset, tmp_path: Path) -> None:
    no_seven = Dataset(
        "no seven", small.train.at(np.flatnonzero(small.train.labels != 7)), small.test
    )
    with pytest.raises(DataError, match=r"numbers of all ten digits: no seven lacks 7 in a half$"):
        start_training(TrainingSettings(network=network), no_seven).run(tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_a_line_network_begins_with_the_first_of_a_model_file(small: Dataset) -> None:
    settings = TrainingSettings(network="line", init_from=str(LINE_MODEL))
    training = ReaderTraining(settings, small)
    training.check(begun=False)
    network = training.network()
    network.set_weights(training.initial_weights(network))
    line = next(quantisation_lines())[None]
    said, wanted = np.asarray(network(to_pixels(line))), LineModel.load(LINE_MODEL).frames(line)
    assert (said.argmax(axis=-1) == wanted.argmax(axis=-1)).mean() > 0.95
    single = TrainingSettings(network="single", init_from=str(LINE_MODEL))
    with pytest.raises(ModelError, match="of no known kind"):
        ReaderTraining(single, small).check(begun=False)


def test_lines_to_quantise_by_are_as_a_reader_shows_them() -> None:
    line = next(quantisation_lines())
    assert line.dtype == np.uint8
    assert line.shape[0] == 32
    assert line.shape[1] % 8 == 0
    assert 0 <= line.min() < 25
    assert 230 < line.max() <= 255
