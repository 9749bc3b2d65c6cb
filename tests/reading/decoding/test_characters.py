import numpy as np
import pytest
from every_path import CASES, SYMBOLS, Floats, all_paths, all_texts, collapsed, drawn, peaky

from inkdigit.reading.decoding.characters import locate
from inkdigit.reading.decoding.posteriors import Posteriors
from inkdigit.reading.patterns import Pattern


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
    for path, probability in all_paths(lines.probabilities[0]):
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


def test_texts_that_cannot_be_and_texts_of_nothing() -> None:
    lines = Posteriors.of(peaky(np.random.default_rng(8), 2, frames=12)).restricted_to()
    with pytest.raises(ValueError, match="expected 2 texts"):
        locate(lines, ["12.50", ""])
    impossible, empty = locate(lines, ["1" * 20, ""])
    assert not impossible.probabilities.any()
    assert empty.probabilities.shape == (0, 10)
    assert empty.first.shape == empty.last.shape == (0,)
