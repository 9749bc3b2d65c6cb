"""Decoding against every path through every frame, on lines small enough to list them."""

from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import numpy.typing as npt
import pytest

from inkdigit.errors import ModelError, SettingError
from inkdigit.reading.alphabet import DIGITS, LINE_ALPHABET
from inkdigit.reading.decoding import (
    Decoded,
    Posteriors,
    decode,
    find_marks,
    likeliest,
    locate,
    log_probability,
)
from inkdigit.reading.patterns import Pattern

Floats = npt.NDArray[np.float64]
SYMBOLS = DIGITS + "."


def collapsed(path: tuple[int, ...], symbols: str) -> str:
    """The definition: repeats are one, then blanks go."""
    new = [c for i, c in enumerate(path) if i == 0 or path[i - 1] != c]
    return "".join(symbols[c] for c in new if c < len(symbols))


def all_paths(frames: Floats, symbols: str) -> list[tuple[tuple[int, ...], float]]:
    used = [np.flatnonzero(frame).tolist() for frame in frames]
    return [
        (path, float(np.prod([frames[t, c] for t, c in enumerate(path)])))
        for path in product(*used)
    ]


def all_texts(frames: Floats, symbols: str) -> dict[str, float]:
    texts: dict[str, float] = {}
    for path, probability in all_paths(frames, symbols):
        text = collapsed(path, symbols)
        texts[text] = texts.get(text, 0.0) + probability
    return texts


def drawn(rng: np.random.Generator, count: int, frames: int, used: str, symbols: str) -> Floats:
    """Lines on which only a few symbols and the blank are possible at all."""
    columns = [*map(symbols.index, used), len(symbols)]
    lines = np.zeros((count, frames, len(symbols) + 1))
    sharpness = rng.choice([0.2, 1, 3])
    lines[:, :, columns] = rng.dirichlet(np.full(len(columns), sharpness), (count, frames))
    return lines


def peaky(rng: np.random.Generator, count: int, frames: int = 40) -> npt.NDArray[np.float32]:
    """Lines as networks give them, over all classes: five digits and some doubt."""
    logits = rng.normal(0, 1, (count, frames, len(LINE_ALPHABET) + 1))
    logits[..., -1] += 12
    for line in logits:
        for t in rng.choice(np.arange(1, frames - 1, 2), 5, replace=False):
            line[t] = rng.normal(0, 1, len(line[t]))
            line[t, rng.integers(10, size=2)] = 10 + rng.normal(0, 1.5, 2)
    exponentials = np.exp(logits)
    shares = exponentials / exponentials.sum(axis=2, keepdims=True)
    return np.asarray(shares, np.float32)


CASES = [(seed, frames) for seed in range(8) for frames in (1, 2, 3, 4, 5)]
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


@pytest.mark.parametrize(("seed", "frames"), CASES)
def test_the_probability_of_a_text(seed: int, frames: int) -> None:
    rng = np.random.default_rng(seed)
    lines = Posteriors(drawn(rng, 1, frames, "01", SYMBOLS), SYMBOLS)
    texts = all_texts(lines.probabilities[0], SYMBOLS)
    batch = Posteriors(np.repeat(lines.probabilities, len(texts) + 2, axis=0), SYMBOLS)
    found = np.exp(log_probability(batch, [*texts, "7", "0" * 9]))
    assert found == pytest.approx([*texts.values(), 0, 0])


def test_texts_too_unlikely_for_a_float_keep_their_logarithm() -> None:
    frames = np.full((1, 600, 11), 0.001)
    frames[0, ::2] = 0.09
    frames[..., -1] = 0
    frames[..., -1] = 1 - frames.sum(axis=2)
    single = np.log(0.09) * 300 + np.log(0.99) * 300
    (found,) = log_probability(Posteriors(frames, DIGITS), ["01" * 150])
    assert single < found < single + 30


@pytest.mark.parametrize(("seed", "frames"), CASES)
@pytest.mark.parametrize("language", [None, r"[01]+", r"\d\d\.?"])
def test_what_else_a_character_might_be(language: str | None, seed: int, frames: int) -> None:
    pattern = Pattern.parse(language) if language is not None else None
    lines = Posteriors(drawn(np.random.default_rng(seed), 1, frames, "01.", SYMBOLS), SYMBOLS)
    texts = all_texts(lines.probabilities[0], SYMBOLS)
    for text in texts:
        if pattern is not None and not pattern.fits(text):
            continue
        (characters,) = locate(lines, [text], pattern)
        for i, row in enumerate(characters.probabilities):
            changed = [text[:i] + symbol + text[i + 1 :] for symbol in SYMBOLS]
            weights = [
                texts.get(other, 0) * (pattern is None or pattern.fits(other)) for other in changed
            ]
            assert row == pytest.approx(np.array(weights) / sum(weights), abs=1e-9)


@pytest.mark.parametrize(("seed", "frames"), CASES)
def test_where_a_character_begins_and_ends(seed: int, frames: int) -> None:
    lines = Posteriors(drawn(np.random.default_rng(seed), 1, frames, "01", SYMBOLS), SYMBOLS)
    sums: dict[str, Floats] = {}
    for path, probability in all_paths(lines.probabilities[0], SYMBOLS):
        text = collapsed(path, SYMBOLS)
        new = [t for t, c in enumerate(path) if c < 11 and (t == 0 or path[t - 1] != c)]
        last = [t for t, c in enumerate(path) if c < 11 and path[t + 1 : t + 2] != (c,)]
        values = np.array([np.ones(len(text)), new, last]) * probability
        sums[text] = sums.get(text, 0) + values
    texts = [text for text in sums if text]
    batch = Posteriors(np.repeat(lines.probabilities, len(texts), axis=0), SYMBOLS)
    for text, found in zip(texts, locate(batch, texts), strict=True):
        weight, first, last_frame = sums[text]
        assert found.first == pytest.approx(first / weight)
        assert found.last == pytest.approx(last_frame / weight)


def test_symbols_that_are_not_wanted_count_as_blank() -> None:
    rng = np.random.default_rng(3)
    output = drawn(rng, 1, 5, "01.?", LINE_ALPHABET)
    whole = all_texts(output[0], LINE_ALPHABET)
    merged: dict[str, float] = {}
    for text, probability in whole.items():
        digits = "".join(symbol for symbol in text if symbol in DIGITS)
        merged[digits] = merged.get(digits, 0) + probability
    lines = Posteriors.of(np.repeat(output, len(merged), axis=0))
    assert np.exp(log_probability(lines, list(merged))) == pytest.approx(list(merged.values()))


def test_a_batch_is_read_as_each_line_alone() -> None:
    rng = np.random.default_rng(4)
    output, lengths = peaky(rng, 20), rng.integers(1, 41, 20).tolist()
    for text in (None, r"\d{5}", r"\d+(\.\d\d)?"):
        pattern = Pattern.parse(text) if text is not None else None
        symbols = pattern.symbols if pattern is not None else DIGITS
        lines = Posteriors.of(output, lengths, symbols=symbols)
        together = decode(lines, pattern)
        texts = [one.text if one else "" for one in together]
        places = locate(lines, texts)
        for i, length in enumerate(lengths):
            alone = Posteriors.of(output[i : i + 1, :length], symbols=symbols)
            (one,) = decode(alone, pattern)
            assert (one is None) == (together[i] is None)
            if one is not None:
                assert one.text == texts[i]
                assert one.probability == pytest.approx(together[i].probability)
            (place,) = locate(alone, [texts[i]])
            assert place.first == pytest.approx(places[i].first)
            assert place.probabilities == pytest.approx(places[i].probabilities)


def test_large_batches_are_divided(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = Posteriors.of(peaky(np.random.default_rng(5), 7))
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
    lines = Posteriors.of(peaky(np.random.default_rng(8), 2, frames=12))
    assert decode(lines, Pattern.parse(r"\d{13}")) == [None, None]
    assert decode(lines, Pattern.parse("(1{2}){4}")) == [None, None]
    with pytest.raises(SettingError, match="only 0123456789 can be read"):
        decode(lines, Pattern.parse(r"\d\.\d"))
    with pytest.raises(ValueError, match="expected 2 texts"):
        locate(lines, ["12.50", ""])
    impossible = locate(lines, ["1" * 20, ""])
    assert not impossible[0].probabilities.any()
    assert impossible[1].probabilities.shape == (0, 10)


def test_a_pattern_too_large_for_a_line() -> None:
    frames = np.full((1, 30_000, 11), 1 / 11)
    with pytest.raises(SettingError, match="400 states, too many for a line this long"):
        decode(Posteriors(frames, DIGITS), Pattern.parse(r"(\d{100}){3}\d{99}"))


@pytest.mark.parametrize("shape", [(0, 5), (3, 0), (0, 0)])
def test_no_lines_or_no_frames(shape: tuple[int, int]) -> None:
    lines = Posteriors.of(np.zeros((*shape, len(LINE_ALPHABET) + 1), np.float32))
    nothing = Decoded("", 1.0, 1.0, exact=True)
    assert decode(lines) == [nothing] * shape[0]
    assert decode(lines, Pattern.parse(r"\d*")) == [nothing] * shape[0]
    assert decode(lines, Pattern.parse(r"\d+")) == [None] * shape[0]
    assert len(locate(lines, [""] * shape[0])) == shape[0]


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_what_are_no_probabilities(value: float) -> None:
    output = peaky(np.random.default_rng(0), 2)
    output[1, 3, 4] = value
    with pytest.raises(ModelError, match="no probabilities"):
        Posteriors.of(output)
    with pytest.raises(ModelError, match=r"received \(2, 40, 16\)"):
        Posteriors.of(output[..., 1:])


def line_of(*frames: dict[str, float]) -> Posteriors:
    """One line over all classes: the probabilities of each frame, the rest blank."""
    output = np.zeros((1, len(frames), len(LINE_ALPHABET) + 1))
    for row, frame in zip(output[0], frames, strict=True):
        for symbol, probability in frame.items():
            row[LINE_ALPHABET.index(symbol)] = probability
        row[-1] = 1 - row.sum()
    return Posteriors.of(output, symbols=LINE_ALPHABET)


def marks_of(line: Posteriors, text: str, written: str = DIGITS) -> list[tuple[str, int, int, int]]:
    digits = Posteriors.of(line.probabilities, symbols=written)
    (found,) = find_marks(line, locate(digits, [text]), written=written)
    return [(mark.value, mark.position, mark.first, mark.last) for mark in found]


def test_marks_stand_between_the_characters_of_the_text() -> None:
    line = line_of(
        *({"=": 0.9}, {"1": 0.9}, {"1": 0.8}, {"2": 0.9}, {".": 0.9}, {}, {"5": 0.7}),
        *({"0": 0.98, "6": 0.01}, {}, {"-": 0.6}, {"-": 0.9}, {"?": 0.9}),
    )
    expected = [("=", 0, 0, 0), (".", 2, 4, 4), ("-", 4, 9, 10), ("?", 4, 11, 11)]
    assert marks_of(line, "1250") == expected
    # The text need not be the greedy one.
    assert marks_of(line, "1256") == expected
    assert marks_of(line, "") == [(mark, 0, first, last) for mark, _, first, last in expected]
    assert marks_of(line, "12.50", written=DIGITS + ".") == [
        (mark, position + (position > 2), first, last)
        for mark, position, first, last in expected
        if mark != "."
    ]


def test_a_mark_between_two_frames_is_not_lost() -> None:
    line = line_of({"1": 0.9}, {".": 0.45}, {".": 0.45}, {"2": 0.9})
    (characters,) = locate(Posteriors.of(line.probabilities, symbols=DIGITS), ["12"])
    ((mark,),) = find_marks(line, [characters])
    assert (mark.value, mark.position, mark.first, mark.last) == (".", 1, 1, 2)
    assert mark.confidence == pytest.approx(1 - 0.55**2)
    assert find_marks(line, [characters], least=0.7) == [[]]


def test_nothing_is_seen_where_nothing_is() -> None:
    assert marks_of(line_of({"1": 0.9}, {}, {".": 0.3}, {"2": 0.9, ".": 0.1}), "12") == []


def test_threads_give_what_one_gives() -> None:
    pattern = Pattern.parse(r"\d{4,6}")
    lines = Posteriors.of(peaky(np.random.default_rng(9), 4))
    alone = decode(lines, pattern)
    with ThreadPoolExecutor(8) as pool:
        assert all(
            found == alone for found in pool.map(lambda _: decode(lines, pattern), range(64))
        )
