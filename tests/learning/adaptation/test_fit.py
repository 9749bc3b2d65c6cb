import numpy as np
import pytest

from inkdigit.learning.adaptation.fit import AdaptConfig, Learner, _loss
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.models.trainable import trainable_networks
from inkdigit.learning.readers.line_loop import evaluate
from inkdigit.learning.readers.train import quantisation_lines
from inkdigit.learning.synthesis.stream import Generator
from inkdigit.reading.alphabet import DIGITS, LINE_ALPHABET
from inkdigit.reading.decoding.lattice import log_probability
from inkdigit.reading.decoding.posteriors import Posteriors
from inkdigit.reading.reader import LINE_MODEL


def test_marks_count_as_blank_where_labels_are_digits_alone() -> None:
    """By another route: the lattice that reading sums a text's paths with."""
    rng = np.random.default_rng(0)
    odds = rng.normal(0, 2, (2, 12, len(LINE_ALPHABET) + 1)).astype(np.float32)
    shares = np.exp(odds) / np.exp(odds).sum(axis=-1, keepdims=True)
    text = "203"
    classes = [LINE_ALPHABET.index(character) for character in text]
    for alone, symbols in ((1, DIGITS), (0, LINE_ALPHABET)):
        labels = np.array([[alone, 3, 12, *classes]] * 2, np.int32)
        lines = Posteriors.of(shares).restricted_to(symbols)
        wanted = -log_probability(lines, [text] * 2).mean()
        assert float(_loss(labels, odds)) == pytest.approx(wanted, rel=1e-4)


def test_a_pile_is_learned_from_and_other_hands_are_not_forgotten(sample: Dataset) -> None:
    draw = Generator(sample.train, None).begin()
    lines = [draw([1, number]) for number in range(24)]
    config = AdaptConfig(epochs=12, kept=0.0, drawn=24)
    learner = Learner(config, [draw([2, number]) for number in range(24)])
    old = trainable_networks(LINE_MODEL, quantisation_lines())[0].get_weights()
    new = learner.fit(old, [(line, False) for line in lines], 0)
    again = learner.fit(old, [(line, False) for line in lines], 0)
    half = Learner(AdaptConfig(epochs=12, kept=0.5, drawn=24), learner._replay)
    mean = half.fit(old, [(line, False) for line in lines], 0)
    moved, halfway = (distance(old, weights) for weights in (new, mean))
    assert distance(new, again) < 0.3 * moved
    assert halfway == pytest.approx(moved / 2, rel=0.2)

    def loss(weights: list[np.ndarray]) -> float:
        return evaluate(learner.network(weights), lines)[0]

    assert loss(new) < loss(old)


def distance(first: list[np.ndarray], second: list[np.ndarray]) -> float:
    return float(np.sqrt(sum(((a - b) ** 2).sum() for a, b in zip(first, second, strict=True))))


@pytest.mark.parametrize(("size", "epochs"), [(20, 60), (400, 30), (1000, 12), (100_000, 8)])
def test_a_large_pile_is_seen_less_often(size: int, epochs: int) -> None:
    assert AdaptConfig.for_pile(size).epochs == epochs
