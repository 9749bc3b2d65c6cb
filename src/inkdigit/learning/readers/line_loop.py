"""Training the line network on synthetic handwriting with CTC (Graves et al. 2006)."""

import time
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from inkdigit.learning.backend import BFLOAT16, computing_in, keras
from inkdigit.learning.checkpoints import Loop, with_weights_of
from inkdigit.learning.networks.line import COLUMNS_PER_FRAME, WIDTH_STEP, line
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.synthesis.pixels import Ink
from inkdigit.learning.synthesis.stream import (
    FULL_SIZE,
    Line,
    SampleStream,
    SynthesisConfig,
    batches,
    pad,
    vary,
)
from inkdigit.reading.alphabet import DIGITS, LINE_ALPHABET

LEARNING_RATE = 2e-3
WARM_UP = 500
_BLANK = len(LINE_ALPHABET)

Floats = npt.NDArray[np.float32]
Integers = npt.NDArray[np.int32]


class LineLoop(Loop):
    """A line network learning from lines that are drawn as it goes."""

    def __init__(
        self,
        settings: TrainingSettings,
        lines: SampleStream,
        validation: list[Line],
        amounts: SynthesisConfig = FULL_SIZE,
    ) -> None:
        super().__init__(settings)
        self._lines, self._validation, self._amounts = lines, validation, amounts
        keras.utils.set_random_seed(settings.seed)
        with computing_in(BFLOAT16):
            self.model = line()
        optimizer = keras.optimizers.AdamW(
            learning_rate(settings, amounts), weight_decay=1e-3, clipnorm=5.0
        )
        self.model.compile(optimizer, ctc_loss)
        self.model.optimizer.build(self.model.trainable_variables)

    @property
    def result(self) -> Any:
        """The network with all it has learnt, to compute in `float32`."""
        return with_weights_of(self.model, line())

    def _train_epoch(self, callbacks: list[Any]) -> dict[str, float]:  # noqa: ARG002
        epoch = len(self.history)
        rng = np.random.default_rng([self.settings.seed, epoch])
        start, losses = time.perf_counter(), []
        first, blocks = epoch * self._amounts.epoch_blocks, self._amounts.epoch_blocks
        before: list[Line] = []
        for block in self._lines.blocks(first, first + blocks, self._amounts.block):
            # Drawing a line takes longer than learning from it, so each is used twice.
            lines = [line for line in block + before if has_room(*line)]
            for batch in batches(lines, self.settings.batch_size, rng):
                losses.append(self.model.train_on_batch(*to_arrays(batch)))
            before = [(vary(pixels, rng), text) for pixels, text in block]
        seconds = time.perf_counter() - start
        loss, accuracy = evaluate(self.model, self._validation)
        return {
            "epoch": epoch + 1,
            "loss": float(np.mean(losses)),
            "validation_loss": loss,
            "validation_accuracy": accuracy,
            "seconds": seconds,
        }


def learning_rate(settings: TrainingSettings, amounts: SynthesisConfig = FULL_SIZE) -> Any:
    """Return the schedule: a short rise, then a cosine that is at zero after the last step."""
    once, twice = (-(-lines // settings.batch_size) for lines in (amounts.block, 2 * amounts.block))
    steps = settings.epochs * (once + (amounts.epoch_blocks - 1) * twice)
    warm_up = max(1, min(WARM_UP, steps // 4))
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - warm_up), warmup_target=LEARNING_RATE, warmup_steps=warm_up
    )


def has_room(pixels: Ink, text: str) -> bool:
    """Return whether a strip has frames for its text, one a character and between two alike."""
    needed = len(text) + sum(a == b for a, b in pairwise(text))
    return needed <= int(pixels.shape[1]) // COLUMNS_PER_FRAME


def to_arrays(batch: list[Line]) -> tuple[Floats, Integers]:
    """Return what `train_on_batch` takes: strips `(n, 32, width, 1)`, and labels with lengths.

    A row of labels holds the length of the text, the number of frames, and the text's classes.
    """
    strips = pad([pixels for pixels, _ in batch], WIDTH_STEP)
    frames = strips.shape[2] // COLUMNS_PER_FRAME
    labels = np.zeros((len(batch), 2 + max(1, *(len(text) for _, text in batch))), np.int32)
    for row, (_, text) in zip(labels, batch, strict=True):
        row[:2] = len(text), frames
        row[2 : 2 + len(text)] = [LINE_ALPHABET.index(character) for character in text]
    return strips[..., None].astype(np.float32) / np.float32(255), labels


@keras.saving.register_keras_serializable("inkdigit")  # type: ignore[untyped-decorator]
def ctc_loss(labels: Any, log_odds: Any) -> Any:
    """Return the mean negative log-likelihood of labels as `to_arrays` makes them."""
    ops = keras.ops
    labels = ops.cast(labels, "int32")
    lengths, frames, classes = labels[:, 0], labels[:, 1], labels[:, 2:]
    if keras.backend.backend() == "tensorflow":
        return ops.mean(_tensorflow_loss(lengths, frames, classes, log_odds))
    return ops.mean(ops.ctc_loss(classes, log_odds, lengths, frames, mask_index=_BLANK))


def _tensorflow_loss(lengths: Any, frames: Any, classes: Any, log_odds: Any) -> Any:
    # Keras's own takes dense labels here, which is twice as slow and fixes the widths. This one
    # takes no empty text, whose only path is blank all along.
    import tensorflow

    within = tensorflow.sequence_mask(tensorflow.maximum(lengths, 1), tensorflow.shape(classes)[1])
    places = tensorflow.where(within)
    sparse = tensorflow.SparseTensor(
        places,
        tensorflow.gather_nd(classes, places),
        tensorflow.cast(tensorflow.shape(classes), "int64"),
    )
    written = tensorflow.nn.ctc_loss(
        sparse, log_odds, None, frames, logits_time_major=False, blank_index=_BLANK
    )
    empty = -tensorflow.reduce_sum(tensorflow.nn.log_softmax(log_odds)[..., _BLANK], axis=1)
    return tensorflow.where(lengths > 0, written, empty)


def evaluate(model: Any, lines: list[Line], batch_size: int = 64) -> tuple[float, float]:
    """Return the mean loss, and the share of lines whose digits are all read right."""
    losses, right = [], 0
    for batch in batches(lines, batch_size):
        strips, labels = to_arrays(batch)
        log_odds = model.predict_on_batch(strips)
        losses.append(float(ctc_loss(labels, log_odds)) * len(batch))
        found = greedy(np.asarray(log_odds))
        right += sum(_digits(a) == _digits(b) for a, (_, b) in zip(found, batch, strict=True))
    return sum(losses) / len(lines), right / len(lines)


def greedy(log_odds: Floats) -> list[str]:
    """Return the text of the likeliest path of each strip."""
    best = log_odds.argmax(axis=-1)
    changed = np.diff(best, axis=1, prepend=_BLANK) != 0
    return [
        "".join(LINE_ALPHABET[c] for c in path[new & (path != _BLANK)])
        for path, new in zip(best, changed, strict=True)
    ]


def _digits(text: str) -> str:
    return "".join(character for character in text if character in DIGITS)
