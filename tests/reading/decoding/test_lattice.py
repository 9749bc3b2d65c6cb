import numpy as np
import pytest
from every_path import CASES, SYMBOLS, all_texts, drawn

from inkdigit.reading.alphabet import DIGITS
from inkdigit.reading.decoding.lattice import log_probability
from inkdigit.reading.decoding.posteriors import Posteriors


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
