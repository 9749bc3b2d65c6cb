import numpy as np

from inkdigit.learning import Evaluation
from inkdigit.learning.explainer.facts import MISTAKES_SHOWN, TEST_SHOWN, chosen_digits


def reading(labels: np.ndarray, wrong: np.ndarray) -> Evaluation:
    answers = np.where(wrong, (labels + 1) % 10, labels)
    return Evaluation(labels, 0.9 * np.eye(10, dtype=np.float32)[answers] + np.float32(0.01))


def test_mistakes_have_their_share_of_the_digits_at_random_and_more_come_behind() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 10, 2000)
    wrong = rng.random((2, 2000)) < 0.25
    evaluations = [reading(labels, one) for one in wrong]
    for shown in (evaluations[:1], evaluations):
        sample, more = chosen_digits(shown, 2000)
        assert len(sample) == TEST_SHOWN
        assert 0.18 < wrong[0][sample].mean() < 0.32
        assert not set(sample) & set(more)
        assert len(more) == len(set(more)) <= MISTAKES_SHOWN
        assert wrong[: len(shown), more].any(axis=0).all()


def test_all_mistakes_of_few_digits_are_shown() -> None:
    labels = np.arange(400) % 10
    wrong = np.arange(400) % 4 == 0
    sample, more = chosen_digits([reading(labels, wrong)], 400)
    assert set(np.flatnonzero(wrong)) == {*sample[wrong[sample]], *more}
    sample, more = chosen_digits([], 100)
    assert sample.tolist() == list(range(100))
    assert not len(more)
