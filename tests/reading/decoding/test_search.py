"""The likeliest texts against every path through every frame."""

import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from every_path import CASES, SYMBOLS, all_texts, drawn, peaky

from inkdigit.errors import SettingError
from inkdigit.reading.alphabet import DIGITS, LINE_ALPHABET
from inkdigit.reading.decoding.characters import locate
from inkdigit.reading.decoding.lattice import log_probability
from inkdigit.reading.decoding.posteriors import Posteriors
from inkdigit.reading.decoding.search import likeliest, masses_ahead
from inkdigit.reading.patterns import Pattern

ANYTHING = Pattern.parse(r"\d*")
LANGUAGES = [r"(\d|\.)*", r"[01]{2}", r"0*(1|22)+", r"\d\.\d", r"\d{0,3}", r"\d{9}", "0+|1"]


def first_of_each(lines: Posteriors, pattern: Pattern = ANYTHING) -> list[str | None]:
    """The likeliest text of each line, or nothing where none fits."""
    found, _ = likeliest(lines, 1, pattern)
    return [texts[0] if texts else None for texts in found]


@pytest.mark.parametrize(("seed", "frames"), CASES)
@pytest.mark.parametrize("text", LANGUAGES)
def test_the_likeliest_texts_and_their_sum(text: str, seed: int, frames: int) -> None:
    pattern = Pattern.parse(text)
    lines = Posteriors(drawn(np.random.default_rng(seed), 3, frames, "01.", SYMBOLS), SYMBOLS)
    for line, found, total in zip(lines.probabilities, *likeliest(lines, 6, pattern), strict=True):
        fitting = {
            text: probability
            for text, probability in all_texts(line, SYMBOLS).items()
            if pattern.fits(text)
        }
        best = sorted(fitting.values(), reverse=True)[:6]
        assert [fitting[text] for text in found] == pytest.approx(best, rel=1e-9)
        assert len(set(found)) == len(found)
        assert total == pytest.approx(sum(fitting.values()), rel=1e-9)


@pytest.mark.parametrize("text", LANGUAGES)
def test_one_text_is_the_first_of_many(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("inkdigit.reading.decoding.search.MAX_PREFIXES", 10_000)
    pattern = Pattern.parse(text)
    lines = Posteriors(drawn(np.random.default_rng(9), 50, 7, "0123.", SYMBOLS), SYMBOLS)
    many, _ = likeliest(lines, 3, pattern)
    ones = first_of_each(lines, pattern)
    assert [one is None for one in ones] == [not more for more in many]
    found = log_probability(lines, [one or "" for one in ones])
    best = log_probability(lines, [more[0] if more else "" for more in many])
    assert found == pytest.approx(best)


def test_a_batch_is_read_as_each_line_alone() -> None:
    rng = np.random.default_rng(4)
    output, lengths = peaky(rng, 20), rng.integers(1, 41, 20).tolist()
    for i, length in enumerate(lengths):
        output[i, length:] = np.eye(len(LINE_ALPHABET) + 1)[-1]
    for text in (r"\d*", r"\d{5}", r"\d+(\.\d\d)?"):
        pattern = Pattern.parse(text)
        lines = Posteriors.of(output).restricted_to(pattern.symbols)
        together = first_of_each(lines, pattern)
        texts = [one or "" for one in together]
        places, found = locate(lines, texts), log_probability(lines, texts)
        for i, length in enumerate(lengths):
            alone = Posteriors.of(output[i : i + 1, :length]).restricted_to(pattern.symbols)
            assert first_of_each(alone, pattern) == together[i : i + 1]
            assert log_probability(alone, texts[i : i + 1]) == pytest.approx(found[i])
            (place,) = locate(alone, [texts[i]])
            assert place.first == pytest.approx(places[i].first)
            assert place.probabilities == pytest.approx(places[i].probabilities)


def test_large_batches_are_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = Posteriors.of(peaky(np.random.default_rng(5), 7)).restricted_to()
    whole, places = first_of_each(lines), locate(lines, ["12345"] * 7)
    monkeypatch.setattr("inkdigit.reading.decoding.search._BATCH_SIZE", 3000)
    monkeypatch.setattr("inkdigit.reading.decoding.characters._BLOCK_SIZE", 3000)
    assert first_of_each(lines) == whole
    for one, other in zip(places, locate(lines, ["12345"] * 7), strict=True):
        assert one.probabilities == pytest.approx(other.probabilities)


def test_beyond_the_bound_the_likeliest_path_is_tried_as_well() -> None:
    # 40 fairly clear digits: too many beginnings are about as likely.
    rng = np.random.default_rng(0)
    frames = rng.dirichlet(np.full(11, 0.3), (1, 80)) * 0.4
    frames[:, ::2, -1] += 0.6
    frames[0, np.arange(1, 80, 2), rng.integers(0, 10, 40)] += 0.6
    line = Posteriors(frames, DIGITS)
    found, _ = likeliest(line, 1, ANYTHING)
    assert line.greedy[0] in found[0]
    assert 30 < len(line.greedy[0]) < 60


def test_work_is_bounded_and_a_text_is_found_all_the_same() -> None:
    rng = np.random.default_rng(6)
    flat = Posteriors(rng.dirichlet(np.full(11, 5.0), (4, 60)), DIGITS)
    for text in (r"\d*", r"\d{9}", r"0\d{9}1*"):
        pattern = Pattern.parse(text)
        found, totals = likeliest(flat, 1, pattern)
        for texts in found:
            assert texts
            assert all(pattern.fits(one) for one in texts)
        shares = np.exp(log_probability(flat, [texts[0] for texts in found])) / totals
        assert (shares > 0).all()
        assert (shares < 1).all()


def test_a_line_beyond_all_measure_still_gives_a_text() -> None:
    rng = np.random.default_rng(7)
    noise = Posteriors(rng.dirichlet(np.full(11, 5.0), (1, 1500)), DIGITS)
    (one,) = first_of_each(noise)
    assert one is not None
    (found,) = locate(noise, [one])
    assert np.isfinite([*found.first, *found.last]).all()


def test_what_cannot_be_read_so() -> None:
    lines = Posteriors.of(peaky(np.random.default_rng(8), 2, frames=12)).restricted_to()
    assert first_of_each(lines, Pattern.parse(r"\d{13}")) == [None, None]
    assert first_of_each(lines, Pattern.parse("(1{2}){4}")) == [None, None]


def test_a_pattern_too_large_for_a_line() -> None:
    frames = np.full((1, 30_000, 11), 1 / 11)
    with pytest.raises(SettingError, match="400 states, too many for a line this long"):
        likeliest(Posteriors(frames, DIGITS), 1, Pattern.parse(r"(\d{100}){3}\d{99}"))


@pytest.mark.parametrize("shape", [(0, 5), (3, 0), (0, 0)])
def test_no_lines_or_no_frames(shape: tuple[int, int]) -> None:
    lines = Posteriors.of(np.zeros((*shape, len(LINE_ALPHABET) + 1), np.float32)).restricted_to()
    assert likeliest(lines, 1, ANYTHING) == ([[""]] * shape[0], [1.0] * shape[0])
    assert likeliest(lines, 1, Pattern.parse(r"\d+")) == ([[]] * shape[0], [0.0] * shape[0])
    assert len(locate(lines, [""] * shape[0])) == shape[0]


def test_threads_give_what_one_gives() -> None:
    pattern = Pattern.parse(r"\d{4,6}")
    lines = Posteriors.of(peaky(np.random.default_rng(9), 4)).restricted_to()
    alone = likeliest(lines, 1, pattern)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: likeliest(lines, 1, pattern), range(64)):
            assert found == alone


@pytest.mark.parametrize(("seed", "frames"), CASES)
@pytest.mark.parametrize("pattern", LANGUAGES)
def test_masses_ahead_are_sums_over_all_that_fits(pattern: str, seed: int, frames: int) -> None:
    lines = Posteriors(drawn(np.random.default_rng(seed), 2, frames, "01.", SYMBOLS), SYMBOLS)
    automaton = Pattern.parse(pattern).automaton.over(SYMBOLS)
    ahead, total = masses_ahead(lines, automaton)
    assert ahead.shape == (frames, len(automaton.transitions), len(SYMBOLS), 2)
    for line, found in zip(lines.probabilities, total, strict=True):
        texts = all_texts(line, SYMBOLS)
        fitting = [p for text, p in texts.items() if re.fullmatch(pattern, text)]
        assert found == pytest.approx(sum(fitting))


@pytest.mark.parametrize(("seed", "frames"), [case for case in CASES if case[1] > 1])
@pytest.mark.parametrize("pattern", LANGUAGES)
def test_masses_ahead_of_the_first_frame_are_by_the_first_character(
    pattern: str, seed: int, frames: int
) -> None:
    lines = Posteriors(drawn(np.random.default_rng(seed), 1, frames, "01.", SYMBOLS), SYMBOLS)
    ahead, _ = masses_ahead(lines, Pattern.parse(pattern).automaton.over(SYMBOLS))
    blanks = np.cumprod([1, *lines.probabilities[0, :, -1]])
    for label, symbol in enumerate(SYMBOLS):
        texts = all_texts(lines.probabilities[0], SYMBOLS)
        expected = sum(
            p for text, p in texts.items() if text[:1] == symbol and re.fullmatch(pattern, text)
        )
        # Blanks, then the first character as a new one.
        found = sum(blanks[t] * ahead[t, 0, label, 0] for t in range(frames))
        assert found == pytest.approx(expected)
