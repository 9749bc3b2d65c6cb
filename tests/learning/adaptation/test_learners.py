from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from inkdigit.learning.adaptation.learners import (
    AdaptConfig,
    DigitLearner,
    Example,
    LineLearner,
    _loss,
)
from inkdigit.learning.models.keras_files import predict
from inkdigit.learning.readers.line_loop import evaluate
from inkdigit.learning.readers.train import frames
from inkdigit.reading.alphabet import DIGITS, LINE_ALPHABET, NOT_A_DIGIT
from inkdigit.reading.decoding.lattice import log_probability
from inkdigit.reading.decoding.posteriors import Posteriors
from inkdigit.reading.model_file import DigitModel, LineModel
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.reader import LINE_MODEL, SINGLE_MODEL, Reader
from inkdigit.reading.tta import PADDED_TO, pad


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


@pytest.mark.slow
def test_a_pile_is_learned_from() -> None:
    config = AdaptConfig(epochs=12, drawn=24, learning_rate=2e-4)
    learner = LineLearner(LineModel.load(LINE_MODEL), config)
    lines = [learner.draw([1, number]) for number in range(24)]
    examples = [Example(*line) for line in lines]
    old = learner.start["first"]
    new, again = learner.fit(old, examples, 0), learner.fit(old, examples, 0)
    assert distance(new, again) < 0.3 * distance(old, new)

    def loss(weights: list[np.ndarray]) -> float:
        return evaluate(learner.network(weights), lines)[0]

    assert loss(new) < loss(old)


@pytest.mark.slow
def test_a_line_model_file_keeps_all_that_was_learned_and_can_learn_on(tmp_path: Path) -> None:
    config = AdaptConfig(epochs=2, drawn=30)
    learner = LineLearner(LineModel.load(LINE_MODEL), config)
    examples = [Example(*learner.draw([1, number])) for number in range(24)]
    learned = {name: learner.fit(old, examples, 0) for name, old in learner.learning.items()}
    path = tmp_path / "ours.onnx"
    learner.write(learned | learner.witnesses, learner.model.info, path)
    written = LineModel.load(path)
    assert [*written.others] == ["fallback", "witness_first", "witness_fallback"]
    again = LineLearner(written, config)
    assert [*again.learning] == ["first", "fallback"]
    line = pad([examples[0].pixels], PADDED_TO)
    for name, weights in learned.items():
        said = written.others.get(name, written.frames)(line)
        # Eight bits would round off much of what was learned.
        np.testing.assert_allclose(said, frames(learner.network(weights), line), atol=1e-4)
        np.testing.assert_allclose(said, frames(again.network(again.start[name]), line), atol=1e-4)


def test_digits_are_learned_from_and_read_as_a_reader_does(tmp_path: Path) -> None:
    learner = DigitLearner(DigitModel.load(SINGLE_MODEL), AdaptConfig(epochs=3, drawn=60))
    drawn = [learner.draw([1, number]) for number in range(80)]
    digits = [Example(*one) for one in drawn if one[1] != NOT_A_DIGIT]
    images = [one.pixels for one in digits]
    start = learner.start["first"]
    before = learner.read({"first": start}, images, ReadOptions())
    # What Keras reads with these weights is what the shipped model file reads.
    model = Reader.load(SINGLE_MODEL)
    found = model.read_batch([255 - image for image in images])
    pairs = zip(before, found, strict=True)
    assert sum(ours.text == theirs.text for ours, theirs in pairs) >= 0.9 * len(images)
    new = learner.fit(start, digits, 0)
    assert len(new) == len(start)
    after = learner.read({"first": new}, images, ReadOptions())
    right = sum(one.text == digit.text for one, digit in zip(after, digits, strict=True))
    assert right >= sum(one.text == digit.text for one, digit in zip(before, digits, strict=True))
    evens = learner.read({"first": new}, images, ReadOptions(pattern="[02468]"))
    assert {one.text for one in evens} <= set("02468")
    known = learner.calibration(after, [digit.text for digit in digits])
    info = replace(learner.model.info, **known)
    assert (learner.confidences(after, info) <= 1).all()
    learner.write({"first": new}, info, tmp_path / "ours.onnx")
    written = DigitModel.load(tmp_path / "ours.onnx")
    assert written.info.temperature == known["temperature"]
    said = written.probabilities(np.stack(images))
    ours = predict(learner.network(new), np.stack(images))
    np.testing.assert_allclose(said, ours, atol=1e-4)


def distance(first: list[np.ndarray], second: list[np.ndarray]) -> float:
    return float(np.sqrt(sum(((a - b) ** 2).sum() for a, b in zip(first, second, strict=True))))


@pytest.mark.parametrize(("size", "epochs"), [(20, 80), (400, 30), (1000, 12), (100_000, 8)])
def test_a_large_pile_is_seen_less_often(size: int, epochs: int) -> None:
    assert AdaptConfig.for_pile(size).epochs == epochs
