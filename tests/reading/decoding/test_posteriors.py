import numpy as np
import pytest
from every_path import SYMBOLS, all_paths, all_texts, collapsed, drawn, peaky

from inkdigit.errors import ModelError
from inkdigit.reading.alphabet import DIGITS, LINE_ALPHABET
from inkdigit.reading.decoding.lattice import log_probability
from inkdigit.reading.decoding.posteriors import Posteriors


def test_symbols_that_are_not_wanted_count_as_blank() -> None:
    rng = np.random.default_rng(3)
    output = drawn(rng, 1, 5, "01.?", LINE_ALPHABET)
    whole = all_texts(output[0], LINE_ALPHABET)
    merged: dict[str, float] = {}
    for text, probability in whole.items():
        digits = "".join(symbol for symbol in text if symbol in DIGITS)
        merged[digits] = merged.get(digits, 0) + probability
    lines = Posteriors.of(np.repeat(output, len(merged), axis=0)).restricted_to()
    assert np.exp(log_probability(lines, list(merged))) == pytest.approx(list(merged.values()))


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_what_are_no_probabilities(value: float) -> None:
    output = peaky(np.random.default_rng(0), 2)
    output[1, 3, 4] = value
    with pytest.raises(ModelError, match="no probabilities"):
        Posteriors.of(output)
    with pytest.raises(ModelError, match=r"received \(2, 40, 16\)"):
        Posteriors.of(output[..., 1:])


def test_what_is_restricted_is_made_once_and_sums_to_one() -> None:
    lines = Posteriors.of(peaky(np.random.default_rng(1), 3))
    assert lines.restricted_to(LINE_ALPHABET) is lines
    digits = lines.restricted_to()
    assert digits is lines.restricted_to(DIGITS)
    assert (digits.symbols, digits.probabilities.shape) == (DIGITS, (3, 40, 11))
    assert digits.probabilities.sum(axis=2) == pytest.approx(np.ones((3, 40)))
    assert (digits.probabilities[..., :10] == lines.probabilities[..., :10]).all()
    assert (digits.probabilities[..., 10] >= lines.probabilities[..., -1]).all()
    # In any order of the symbols, and from what was restricted already.
    turned = lines.restricted_to(".97")
    assert (turned.probabilities[..., 1] == lines.probabilities[..., 9]).all()
    seven = turned.restricted_to("7").probabilities
    assert seven == pytest.approx(lines.restricted_to("7").probabilities)


def test_frames_are_scaled_to_sum_to_one() -> None:
    classes = len(LINE_ALPHABET) + 1
    output = np.full((2, 5, classes), 0.5, np.float32)
    lines = Posteriors.of(output)
    assert lines.probabilities == pytest.approx(np.full((2, 5, classes), 1 / classes))
    assert (output == 0.5).all()


def test_texts_are_labels() -> None:
    lines = Posteriors(np.ones((3, 4, 12)) / 12, SYMBOLS)
    texts = ["12.5", "", "007"]
    labels = lines.labels(texts)
    assert labels.tolist() == [[1, 2, 10, 5], [-1] * 4, [0, 0, 7, -1]]
    for wrong in (["1", "2"], ["1", "2", "3", "4"], ["1", "2", "x"]):
        with pytest.raises(ValueError, match="expected 3 texts"):
            lines.labels(wrong)


def test_the_greedy_text_is_that_of_the_likeliest_path() -> None:
    rng = np.random.default_rng(2)
    lines = Posteriors(drawn(rng, 20, 5, "01", SYMBOLS), SYMBOLS)
    for frames, text in zip(lines.probabilities, lines.greedy, strict=True):
        best = max(all_paths(frames), key=lambda found: found[1])
        assert text == collapsed(best[0], SYMBOLS)


def test_some_of_the_lines() -> None:
    lines = Posteriors.of(peaky(np.random.default_rng(3), 5))
    assert (lines[1:3].probabilities == lines.probabilities[1:3]).all()
    assert len(lines[:0]) == 0
    assert (lines[np.array([4, 0, 4])].probabilities == lines.probabilities[[4, 0, 4]]).all()
