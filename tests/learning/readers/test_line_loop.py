import itertools
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from inkdigit.learning.backend import keras
from inkdigit.learning.networks.line import line
from inkdigit.learning.readers.line_loop import LineLoop, ctc_loss, greedy, has_room, to_arrays
from inkdigit.learning.recipes import RECIPES, SynthesisConfig
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.synthesis.stream import SampleStream
from inkdigit.reading.alphabet import LINE_ALPHABET

BLANK = len(LINE_ALPHABET)
TEXTS = ["", "7", "11", "12", "0.5", "?-", "999", "40="]

ON_JAX = """
import sys
import numpy as np
from inkdigit.learning.readers.line_loop import ctc_loss
given = np.load(sys.argv[1])
print(*(float(ctc_loss(l[None], o[None])) for l, o in zip(given["labels"], given["odds"])))
"""


def some_log_odds(number: int, frames: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.normal(0, 2, (number, frames, BLANK + 1)).astype(np.float32)


def labels_of(texts: list[str], frames: int) -> np.ndarray:
    strips = [(np.zeros((32, 2 * frames), np.uint8), text) for text in texts]
    pixels, labels = to_arrays(strips)
    assert pixels.shape[:3] == (len(texts), 32, 2 * frames)
    return labels


def collapsed(path: tuple[int, ...]) -> str:
    new = [c for c, _ in itertools.groupby(path)]
    return "".join(LINE_ALPHABET[c] for c in new if c != BLANK)


def test_the_loss_is_the_probability_of_all_paths_of_a_text() -> None:
    """By enumeration: every path of three frames, and the text that it says."""
    (log_odds,) = some_log_odds(1, 3)
    odds = np.exp(log_odds.astype(np.float64))
    frames = odds / odds.sum(axis=1, keepdims=True)
    probability: dict[str, float] = {}
    for path in itertools.product(range(BLANK + 1), repeat=3):
        text = collapsed(path)
        probability[text] = probability.get(text, 0) + np.prod(frames[range(3), path])
    assert sum(probability.values()) == pytest.approx(1)
    for text in ("", "7", "11", "12", "121", "?"):
        labels = np.array([[len(text), 3, *map(LINE_ALPHABET.index, text), 0]], np.int32)
        loss = float(ctc_loss(labels, log_odds[None]))
        assert loss == pytest.approx(-np.log(probability[text]), rel=1e-4), text


def test_the_loss_is_that_of_keras() -> None:
    """By another route: Keras's own, which takes dense labels."""
    log_odds, labels = some_log_odds(len(TEXTS), 8), labels_of(TEXTS, 8)
    expected = keras.ops.ctc_loss(
        labels[:, 2:], log_odds, labels[:, 0], labels[:, 1], mask_index=BLANK
    )
    assert float(ctc_loss(labels, log_odds)) == pytest.approx(float(np.mean(expected)), rel=1e-4)


@pytest.mark.slow
def test_the_loss_on_jax_is_the_same(tmp_path: Path) -> None:
    log_odds, labels = some_log_odds(len(TEXTS), 8), labels_of(TEXTS, 8)
    np.savez(tmp_path / "given.npz", labels=labels, odds=log_odds)
    done = subprocess.run(
        [sys.executable, "-c", ON_JAX, str(tmp_path / "given.npz")],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    losses = [float(ctc_loss(labels[i : i + 1], log_odds[i : i + 1])) for i in range(len(TEXTS))]
    assert [float(loss) for loss in done.stdout.split()] == pytest.approx(losses, rel=1e-3)


def test_a_strip_has_room_where_a_path_says_its_text() -> None:
    for frames in (1, 2, 3):
        paths = itertools.product((1, 2, BLANK), repeat=frames)
        said = {collapsed(path) for path in paths}
        for text in ("", "1", "2", "11", "12", "111", "112", "121"):
            strip = np.zeros((32, 2 * frames), np.uint8)
            assert has_room(strip, text) == (text in said), (frames, text)


def test_greedy_reads_the_likeliest_path() -> None:
    log_odds = some_log_odds(5, 9)
    assert greedy(log_odds) == [collapsed(tuple(path)) for path in log_odds.argmax(axis=2)]


def test_the_learning_rate_rises_and_falls_to_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    def schedule(epochs: int) -> Any:
        loop = LineLoop(
            TrainingSettings(network="line", epochs=epochs), cast("SampleStream", None), []
        )
        return loop.model.optimizer._learning_rate, loop.steps

    peak = RECIPES["line"].learning_rate
    rate, steps = schedule(18)
    # Each block is learnt from three times, the last of an epoch once.
    assert steps == 14 * 16 + 13 * 2 * 16
    steps *= 18
    assert float(rate(0)) == 0
    assert float(rate(500)) == pytest.approx(peak)
    assert float(rate(steps)) == pytest.approx(0, abs=1e-9)
    tiny = SynthesisConfig(block=4, epoch_blocks=1, fresh_blocks=1)
    monkeypatch.setitem(RECIPES, "line", replace(RECIPES["line"], synthesis=tiny))
    for epochs in (1, 3):
        rate, _ = schedule(epochs)
        rates = [float(rate(step)) for step in range(epochs + 1)]
        assert max(rates) <= peak * 1.001
        assert np.isfinite(rates).all()


def test_the_network_gives_a_frame_for_every_two_columns() -> None:
    model = line()
    for width in (16, 36, 100):
        frames = model(np.zeros((2, 32, width, 1), np.float32))
        assert frames.shape == (2, width // 2, BLANK + 1)
