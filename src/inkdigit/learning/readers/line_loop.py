"""Training the line network on synthetic handwriting with CTC (Graves et al. 2006)."""

from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from inkdigit.learning.backend import keras
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.synthesis.pixels import Ink
from inkdigit.learning.synthesis.stream import Line, SampleStream, batches, vary
from inkdigit.learning.training import EpochLoop
from inkdigit.reading.alphabet import LINE_ALPHABET, only_digits
from inkdigit.reading.calibration import Floats
from inkdigit.reading.decoding.posteriors import Posteriors
from inkdigit.reading.model_file import COLUMNS_PER_FRAME, WIDTH_MULTIPLE, to_pixels
from inkdigit.reading.tta import pad

# Beside the likeliest class of a frame.
_LEAST_LOG_ODDS = -60.0
_BLANK = len(LINE_ALPHABET)

Integers = npt.NDArray[np.int32]


class LineLoop(EpochLoop):
    """A line network learning from lines that are drawn as it goes."""

    def __init__(
        self, settings: TrainingSettings, lines: SampleStream[Line], validation: list[Line]
    ) -> None:
        super().__init__(settings)
        self._lines, self._validation = lines, validation
        keras.utils.set_random_seed(settings.seed)
        self._build(settings.epochs * self.steps, ctc_loss)

    @property
    def steps(self) -> int:
        """The batches of an epoch, at most: its first block comes alone, and lines need room."""
        drawn, size = self.recipe.drawn, self.settings.batch_size
        once, again = (-(-drawn.block * times // size) for times in (1, self.recipe.repeats))
        return once + (drawn.epoch_blocks - 1) * again

    def _fit_epoch(self) -> dict[str, float]:
        drawn, epoch = self.recipe.drawn, len(self.history)
        rng = np.random.default_rng([self.settings.seed, epoch])
        losses = []
        first = epoch * drawn.fresh_blocks
        before: list[Line] = []
        for block in self._lines.blocks(first, first + drawn.epoch_blocks, drawn.block):
            lines = [line for line in block + before if has_room(*line)]
            for batch in batches(lines, self.settings.batch_size, rng):
                losses.append(self.model.train_on_batch(*to_arrays(batch)))
                self._tell(losses)
            more = range(self.recipe.repeats - 1)
            before = [(vary(pixels, rng), text) for pixels, text in block for _ in more]
        return {"loss": float(np.mean(losses))}

    def _validate(self) -> tuple[float, float]:
        return evaluate(self.model, self._validation)


def has_room(pixels: Ink, text: str) -> bool:
    """Return whether a line has frames for its text, one a character and between two alike."""
    needed = len(text) + sum(a == b for a, b in pairwise(text))
    return needed <= int(pixels.shape[1]) // COLUMNS_PER_FRAME


def to_arrays(batch: list[Line]) -> tuple[Floats, Integers]:
    """Return what `train_on_batch` takes: lines `(n, 32, width, 1)`, and labels with lengths.

    A row of labels holds the length of the text, the number of frames, and the text's classes.
    """
    images = pad([pixels for pixels, _ in batch], WIDTH_MULTIPLE)
    frames = images.shape[2] // COLUMNS_PER_FRAME
    labels = np.zeros((len(batch), 2 + max(1, *(len(text) for _, text in batch))), np.int32)
    for row, (_, text) in zip(labels, batch, strict=True):
        row[:2] = len(text), frames
        row[2 : 2 + len(text)] = [LINE_ALPHABET.index(character) for character in text]
    return to_pixels(images), labels


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
        images, labels = to_arrays(batch)
        log_odds = np.asarray(model.predict_on_batch(images))
        # Of what is less likely nothing is left in float32, and the loss of a line is infinite.
        log_odds = np.maximum(log_odds, log_odds.max(axis=-1, keepdims=True) + _LEAST_LOG_ODDS)
        losses.append(float(ctc_loss(labels, log_odds)) * len(batch))
        found = zip(greedy(log_odds), batch, strict=True)
        right += sum(only_digits(read) == only_digits(text) for read, (_, text) in found)
    return sum(losses) / len(lines), right / len(lines)


def greedy(log_odds: Floats) -> list[str]:
    """Return the text of the likeliest path of each line, marks and other ink among it."""
    return Posteriors.of(softmax(log_odds, axis=-1)).greedy
