import re
from itertools import product

import numpy as np
import pytest
from every_path import CASES, SYMBOLS, all_texts, drawn

from inkdigit.errors import SettingError
from inkdigit.reading.alphabet import DIGITS, LINE_ALPHABET
from inkdigit.reading.decoding.language import Language, masses_ahead
from inkdigit.reading.decoding.posteriors import Posteriors
from inkdigit.reading.patterns import Pattern

PATTERNS = [r"(\d|\.)*", r"[01]{2}", r"0*(1|22)+", r"\d\.\d", r"\d{0,3}", r"\d{9}", "0+|1"]


def language_of(pattern: str, symbols: str = SYMBOLS) -> Language:
    return Language.of(Pattern.parse(pattern), symbols)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_following_a_text_tells_whether_it_fits(pattern: str) -> None:
    language = language_of(pattern)
    texts = ["".join(text) for n in range(4) for text in product("012.", repeat=n)]
    labels = Posteriors(np.ones((len(texts), 1, 12)) / 12, SYMBOLS).labels(texts)
    states = language.states(labels)
    for text, row in zip(texts, states, strict=True):
        expected = re.fullmatch(pattern, text) is not None
        assert language.accepting[row[len(text)]] == expected, text
        assert (row[len(text) + 1 :] == len(language.targets) - 1).all()


def test_the_last_state_is_a_dead_end() -> None:
    for pattern in PATTERNS:
        language = language_of(pattern)
        assert (language.targets[-1] == len(language.targets) - 1).all()
        assert not language.accepting[-1]


def test_what_a_pattern_writes_must_be_decoded() -> None:
    with pytest.raises(SettingError, match=r"writes 0123456789\., but only 0123456789 can be read"):
        language_of(r"\d\.\d", DIGITS)
    # What it does not write leads nowhere.
    language = language_of(r"\d+", LINE_ALPHABET)
    assert (language.targets[:, 10:] == len(language.targets) - 1).all()


@pytest.mark.parametrize(("seed", "frames"), CASES)
@pytest.mark.parametrize("pattern", PATTERNS)
def test_masses_ahead_are_sums_over_all_that_fits(pattern: str, seed: int, frames: int) -> None:
    lines = Posteriors(drawn(np.random.default_rng(seed), 2, frames, "01.", SYMBOLS), SYMBOLS)
    language = language_of(pattern)
    ahead, total = masses_ahead(lines, language)
    assert ahead.shape == (frames, len(language.targets), len(SYMBOLS), 2)
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
    ahead, _ = masses_ahead(lines, language_of(pattern))
    blanks = np.cumprod([1, *lines.probabilities[0, :, -1]])
    for label, symbol in enumerate(SYMBOLS):
        texts = all_texts(lines.probabilities[0], SYMBOLS)
        expected = sum(
            p for text, p in texts.items() if text[:1] == symbol and re.fullmatch(pattern, text)
        )
        # Blanks, then the first character as a new one.
        found = sum(blanks[t] * ahead[t, 0, label, 0] for t in range(frames))
        assert found == pytest.approx(expected)
