import re

import numpy as np
import pytest
from every_path import CASES, SYMBOLS, all_texts, drawn

from inkdigit.reading.decoding.masses import masses_ahead
from inkdigit.reading.decoding.posteriors import Posteriors
from inkdigit.reading.patterns import Automaton, Pattern

PATTERNS = [r"(\d|\.)*", r"[01]{2}", r"0*(1|22)+", r"\d\.\d", r"\d{0,3}", r"\d{9}", "0+|1"]


def automaton_of(pattern: str) -> Automaton:
    return Pattern.parse(pattern).automaton.over(SYMBOLS)


@pytest.mark.parametrize(("seed", "frames"), CASES)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_masses_ahead_are_sums_over_all_that_fits(pattern: str, seed: int, frames: int) -> None:
    lines = Posteriors(drawn(np.random.default_rng(seed), 2, frames, "01.", SYMBOLS), SYMBOLS)
    automaton = automaton_of(pattern)
    ahead, total = masses_ahead(lines, automaton)
    assert ahead.shape == (frames, len(automaton.transitions), len(SYMBOLS), 2)
    for line, found in zip(lines.probabilities, total, strict=True):
        texts = all_texts(line, SYMBOLS)
        fitting = [p for text, p in texts.items() if re.fullmatch(pattern, text)]
        assert found == pytest.approx(sum(fitting))


@pytest.mark.parametrize(("seed", "frames"), [case for case in CASES if case[1] > 1])
@pytest.mark.parametrize("pattern", PATTERNS)
def test_masses_ahead_of_the_first_frame_are_by_the_first_character(
    pattern: str, seed: int, frames: int
) -> None:
    lines = Posteriors(drawn(np.random.default_rng(seed), 1, frames, "01.", SYMBOLS), SYMBOLS)
    ahead, _ = masses_ahead(lines, automaton_of(pattern))
    blanks = np.cumprod([1, *lines.probabilities[0, :, -1]])
    for label, symbol in enumerate(SYMBOLS):
        texts = all_texts(lines.probabilities[0], SYMBOLS)
        expected = sum(
            p for text, p in texts.items() if text[:1] == symbol and re.fullmatch(pattern, text)
        )
        # Blanks, then the first character as a new one.
        found = sum(blanks[t] * ahead[t, 0, label, 0] for t in range(frames))
        assert found == pytest.approx(expected)
