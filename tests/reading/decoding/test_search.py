"""The likeliest texts against every path through every frame."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from every_path import (
    CASES,
    SYMBOLS,
    all_texts,
    drawn,
    peaky,
)

from inkdigit.errors import SettingError
from inkdigit.reading.alphabet import DIGITS, LINE_ALPHABET
from inkdigit.reading.decoding import (
    Decoded,
    Posteriors,
    decode,
    likeliest,
    locate,
)
from inkdigit.reading.patterns import Pattern

LANGUAGES = [None, r"[01]{2}", r"0*(1|22)+", r"\d\.\d", r"\d{0,3}", r"\d{9}", "0+|1"]


@pytest.mark.parametrize(("seed", "frames"), CASES)
@pytest.mark.parametrize("text", LANGUAGES)
def test_the_likeliest_texts_and_their_sum(text: str | None, seed: int, frames: int) -> None:
    pattern = Pattern.parse(text) if text is not None else None
    lines = Posteriors(drawn(np.random.default_rng(seed), 3, frames, "01.", SYMBOLS), SYMBOLS)
    for line, found in zip(lines.probabilities, likeliest(lines, 6, pattern), strict=True):
        fitting = {
            text: probability
            for text, probability in all_texts(line, SYMBOLS).items()
            if pattern is None or pattern.fits(text)
        }
        best = sorted(fitting.values(), reverse=True)[:6]
        assert [one.probability for one in found] == pytest.approx(best, rel=1e-9)
        assert [fitting[one.text] for one in found] == pytest.approx(best, rel=1e-9)
        assert len({one.text for one in found}) == len(found)
        for one in found:
            assert one.exact
            assert one.total == pytest.approx(sum(fitting.values()), rel=1e-9)
            assert one.confidence == pytest.approx(one.probability / one.total)


@pytest.mark.parametrize("text", LANGUAGES)
def test_one_text_is_the_first_of_many(text: str | None) -> None:
    pattern = Pattern.parse(text) if text is not None else None
    lines = Posteriors(drawn(np.random.default_rng(9), 50, 7, "0123.", SYMBOLS), SYMBOLS)
    many = likeliest(lines, 3, pattern, max_prefixes=10_000)
    for one, more in zip(decode(lines, pattern), many, strict=True):
        assert (one is None) == (not more)
        if one is not None:
            assert one.exact
            assert one.probability == pytest.approx(more[0].probability)


def test_a_batch_is_read_as_each_line_alone() -> None:
    rng = np.random.default_rng(4)
    output, lengths = peaky(rng, 20), rng.integers(1, 41, 20).tolist()
    for text in (None, r"\d{5}", r"\d+(\.\d\d)?"):
        pattern = Pattern.parse(text) if text is not None else None
        symbols = pattern.symbols if pattern is not None else DIGITS
        lines = Posteriors.of(output, lengths).restricted_to(symbols)
        together = decode(lines, pattern)
        texts = [one.text if one else "" for one in together]
        places = locate(lines, texts)
        for i, length in enumerate(lengths):
            alone = Posteriors.of(output[i : i + 1, :length]).restricted_to(symbols)
            (one,) = decode(alone, pattern)
            assert (one is None) == (together[i] is None)
            if one is not None:
                assert one.text == texts[i]
                assert one.probability == pytest.approx(together[i].probability)
            (place,) = locate(alone, [texts[i]])
            assert place.first == pytest.approx(places[i].first)
            assert place.probabilities == pytest.approx(places[i].probabilities)


def test_large_batches_are_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = Posteriors.of(peaky(np.random.default_rng(5), 7)).restricted_to()
    whole, places = decode(lines), locate(lines, ["12345"] * 7)
    monkeypatch.setattr("inkdigit.reading.decoding.search._BATCH_SIZE", 3000)
    monkeypatch.setattr("inkdigit.reading.decoding.characters._BLOCK_SIZE", 3000)
    assert [one.text for one in decode(lines) if one] == [one.text for one in whole if one]
    for one, other in zip(places, locate(lines, ["12345"] * 7), strict=True):
        assert one.probabilities == pytest.approx(other.probabilities)


def test_work_is_bounded_and_what_is_not_proven_is_marked() -> None:
    rng = np.random.default_rng(6)
    flat = Posteriors(rng.dirichlet(np.full(11, 5.0), (4, 60)), DIGITS)
    for text in (None, r"\d{9}", r"0\d{9}1*"):
        pattern = Pattern.parse(text) if text is not None else None
        for one in decode(flat, pattern):
            assert one is not None
            assert not one.exact
            assert 0 < one.probability < one.total
            assert pattern is None or pattern.fits(one.text)


def test_a_line_beyond_all_measure_still_gives_a_text() -> None:
    rng = np.random.default_rng(7)
    noise = Posteriors(rng.dirichlet(np.full(11, 5.0), (1, 1500)), DIGITS)
    (one,) = decode(noise)
    assert one is not None
    assert not one.exact
    (found,) = locate(noise, [one.text])
    assert np.isfinite([*found.first, *found.last]).all()


def test_what_cannot_be_read_so() -> None:
    lines = Posteriors.of(peaky(np.random.default_rng(8), 2, frames=12)).restricted_to()
    assert decode(lines, Pattern.parse(r"\d{13}")) == [None, None]
    assert decode(lines, Pattern.parse("(1{2}){4}")) == [None, None]
    with pytest.raises(SettingError, match="only 0123456789 can be read"):
        decode(lines, Pattern.parse(r"\d\.\d"))


def test_a_pattern_too_large_for_a_line() -> None:
    frames = np.full((1, 30_000, 11), 1 / 11)
    with pytest.raises(SettingError, match="400 states, too many for a line this long"):
        decode(Posteriors(frames, DIGITS), Pattern.parse(r"(\d{100}){3}\d{99}"))


@pytest.mark.parametrize("shape", [(0, 5), (3, 0), (0, 0)])
def test_no_lines_or_no_frames(shape: tuple[int, int]) -> None:
    lines = Posteriors.of(np.zeros((*shape, len(LINE_ALPHABET) + 1), np.float32)).restricted_to()
    nothing = Decoded("", 1.0, 1.0, exact=True)
    assert decode(lines) == [nothing] * shape[0]
    assert decode(lines, Pattern.parse(r"\d*")) == [nothing] * shape[0]
    assert decode(lines, Pattern.parse(r"\d+")) == [None] * shape[0]
    assert len(locate(lines, [""] * shape[0])) == shape[0]


def test_threads_give_what_one_gives() -> None:
    pattern = Pattern.parse(r"\d{4,6}")
    lines = Posteriors.of(peaky(np.random.default_rng(9), 4)).restricted_to()
    alone = decode(lines, pattern)
    with ThreadPoolExecutor(8) as pool:
        assert all(
            found == alone for found in pool.map(lambda _: decode(lines, pattern), range(64))
        )
