"""A line network learns from a pile, and keeps what it knew.

Drawn lines are learned beside those of the pile (replay, Robins 1995), and the weights are the mean
of those before and after (Wortsman et al. 2022): without either, other hands are forgotten.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from inkdigit.learning.backend import keras
from inkdigit.learning.networks import build_network
from inkdigit.learning.readers.line_loop import ctc_loss, has_room, to_arrays
from inkdigit.learning.readers.train import Weights, frames
from inkdigit.learning.recipes import BFLOAT16, Recipe
from inkdigit.learning.synthesis.stream import Line, batches, vary
from inkdigit.learning.training import learning_rate, make_optimizer
from inkdigit.reading.alphabet import DIGITS, LINE_ALPHABET

_NEVER = -60.0
# A line with its text, and whether that is its digits alone.
Labelled = tuple[Line, bool]
# A fit sees about so many lines of the pile, but each at least so often.
_LINES_SEEN, _LEAST_EPOCHS = 12_000, 8
# Of the classes of a line network, the blank last.
_IS_DIGIT = np.array([symbol in DIGITS for symbol in LINE_ALPHABET] + [False])
_IS_BLANK = np.arange(len(LINE_ALPHABET) + 1) == len(LINE_ALPHABET)


@dataclass(frozen=True, kw_only=True)
class AdaptConfig:
    """How a network is adapted.

    Each epoch sees the pile, varied, and `replay` drawn lines for each of its own, of `drawn`.
    `kept` is the share of the old weights in the mean of old and new. What is read with a
    confidence of at least `sure` is learned as if it were a label, in `rounds` rounds. The pile is
    cut into `folds`, each of which is read by networks that learned from the others.
    """

    epochs: int = 60
    learning_rate: float = 2e-4
    batch_size: int = 64
    replay: float = 1.0
    kept: float = 0.5
    sure: float = 0.7
    rounds: int = 2
    folds: int = 3
    drawn: int = 1500

    @classmethod
    def for_pile(cls, size: int) -> Self:
        """Return how a pile of a size is learned from: more of them take fewer epochs."""
        return cls(epochs=max(_LEAST_EPOCHS, min(cls.epochs, _LINES_SEEN // size)))


class Learner:
    """A line network that learns from one pile after the other, and reads, with any weights.

    It is compiled once: that takes longer than to learn from a hundred lines.
    """

    def __init__(self, config: AdaptConfig, replay: Sequence[Line]) -> None:
        """Learn beside `replay`, drawn lines with texts as they are written."""
        self._config, self._replay = config, replay
        self._reading = build_network("line")
        self._learning = build_network("line", BFLOAT16)
        # A pile is too small to measure statistics on: they would lag behind the weights.
        for layer in self._learning.layers:
            layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
        self._recipe = Recipe(warm_up=0.1, weight_decay=1e-3, clip_norm=5.0)
        self._learning.compile(make_optimizer(self._recipe, None), _loss)
        self._optimizer = self._learning.optimizer
        self._optimizer.build(self._learning.trainable_variables)
        # What draws dropout is among a model's variables, and none of its weights.
        self._state = [*self._learning.variables, *self._optimizer.variables]
        self._fresh = [np.asarray(variable) for variable in self._state]

    def fit(self, old: Weights, lines: Sequence[Labelled], seed: int | Sequence[int]) -> Weights:
        """Return weights that have learned from lines with their texts.

        Of texts that are digits alone, marks count as blank.
        """
        config, rng = self._config, np.random.default_rng(seed)
        for variable, value in zip(self._state, self._fresh, strict=True):
            variable.assign(value)
        self._learning.set_weights(old)
        step = 0
        drawn = round(config.replay * len(lines))
        steps = config.epochs * -(-(len(lines) + drawn) // config.batch_size)
        rate = learning_rate(self._recipe, config.learning_rate, steps)
        for _ in range(config.epochs):
            chosen = rng.choice(len(self._replay), drawn, replace=drawn > len(self._replay))
            shown = [*lines, *((self._replay[number], False) for number in chosen.tolist())]
            varied = [((vary(pixels, rng), text), alone) for (pixels, text), alone in shown]
            roomy = [one for one in varied if has_room(*one[0])]
            for images, labels in _batches(roomy, config.batch_size, rng):
                self._optimizer.learning_rate = float(rate(step))
                self._learning.train_on_batch(images, labels)
                step += 1
        new = self._learning.get_weights()
        return [config.kept * a + (1 - config.kept) * b for a, b in zip(old, new, strict=True)]

    def frames(self, weights: Weights, lines: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return what the network says of line images with these weights, as `tta.Network` does."""
        self._reading.set_weights(weights)
        return frames(self._reading, lines)

    def network(self, weights: Weights) -> Any:
        """Return the network with these weights, until the next are asked for."""
        self._reading.set_weights(weights)
        return self._reading


def _batches(
    lines: list[Labelled], size: int, rng: np.random.Generator
) -> Iterator[tuple[Any, Any]]:
    """Yield line images, and labels behind a column that says whether they are digits alone."""
    alone = {id(line): flag for line, flag in lines}
    for batch in batches([line for line, _ in lines], size, rng):
        images, labels = to_arrays(batch)
        flags = np.array([[alone[id(line)]] for line in batch], np.int32)
        yield images, np.concatenate([flags, labels], axis=1)


@keras.saving.register_keras_serializable("inkdigit")  # type: ignore[untyped-decorator]
def _loss(labels: Any, log_odds: Any) -> Any:
    """Return the CTC loss of labels behind a column that says which are of digits alone."""
    ops = keras.ops
    # Marks and other ink count as blank, where the label names none.
    blank = ops.logsumexp(ops.where(_IS_DIGIT, _NEVER, log_odds), axis=-1, keepdims=True)
    folded = ops.where(_IS_DIGIT, log_odds, ops.where(_IS_BLANK, blank, _NEVER))
    alone = ops.cast(labels[:, 0], "bool")[:, None, None]
    return ctc_loss(labels[:, 1:], ops.where(alone, folded, log_odds))
