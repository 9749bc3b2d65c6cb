"""Training the network that reads one digit, on MNIST, drawn digits and what is no digit."""

import time
from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt

from inkdigit.learning.backend import BFLOAT16, computing_in, keras
from inkdigit.learning.checkpoints import Loop, with_weights_of
from inkdigit.learning.datasets import Digits
from inkdigit.learning.datasets.digits import to_pixels
from inkdigit.learning.networks.single import single
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.synthesis.pixels import Ink, warped, with_gamma
from inkdigit.learning.synthesis.stream import FULL_SIZE, Line, SampleStream, SynthesisConfig
from inkdigit.reading.alphabet import SINGLE_ALPHABET
from inkdigit.reading.preprocessing.digit import SIZE

LEARNING_RATE = 2e-3
# Without it fewer drawn pictures are in doubt, and more real letters are read as digits, surely.
SMOOTHING = 0.05
# What is drawn is of invented hands and MNIST of real ones: an epoch sees that so many times.
TIMES = 3

Integers = npt.NDArray[np.int64]


class DigitReaderLoop(Loop):
    """A digit network learning from MNIST and from what is drawn for it.

    Each epoch sees both slightly moved, and of what is drawn some for the first time.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        digits: Digits,
        supply: SampleStream,
        validation: list[Line],
        amounts: SynthesisConfig = FULL_SIZE,
    ) -> None:
        super().__init__(settings)
        self._digits, self._supply, self._amounts = digits, supply, amounts
        self._blocks: deque[tuple[Ink, Integers]] = deque(maxlen=amounts.single_blocks)
        self._validation = to_digits(validation)
        keras.utils.set_random_seed(settings.seed)
        with computing_in(BFLOAT16):
            self.model = single()
        seen = TIMES * len(digits) + amounts.single_blocks * amounts.block
        steps = settings.epochs * (seen // settings.batch_size)
        schedule = keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps)
        optimizer = keras.optimizers.AdamW(schedule, weight_decay=1e-3)
        self.model.compile(
            optimizer, keras.losses.CategoricalCrossentropy(label_smoothing=SMOOTHING)
        )
        self.model.optimizer.build(self.model.trainable_variables)

    @property
    def result(self) -> Any:
        """The network with all it has learnt, to compute in `float32`."""
        return with_weights_of(self.model, single())

    def _train_epoch(self, callbacks: list[Any]) -> dict[str, float]:  # noqa: ARG002
        epoch, size = len(self.history), self.settings.batch_size
        rng = np.random.default_rng([self.settings.seed, epoch])
        start, losses = time.perf_counter(), []
        every_image, every_label = self._seen_in(epoch)
        order = rng.permutation(len(every_image))
        for first in range(0, len(order) - size + 1, size):
            some = order[first : first + size]
            images = np.stack([moved(image, rng) for image in every_image[some]])
            targets = np.eye(len(SINGLE_ALPHABET), dtype=np.float32)[every_label[some]]
            losses.append(self.model.train_on_batch(to_pixels(images), targets))
        seconds = time.perf_counter() - start
        images, labels = self._validation
        answers = self.model.predict(to_pixels(images), batch_size=1000, verbose=0)
        likelihood = answers[np.arange(len(labels)), labels]
        return {
            "epoch": epoch + 1,
            "loss": float(np.mean(losses)),
            "validation_loss": float(-np.log(np.maximum(likelihood, 1e-7)).mean()),
            "validation_accuracy": float((answers.argmax(axis=1) == labels).mean()),
            "seconds": seconds,
        }

    def _seen_in(self, epoch: int) -> tuple[Ink, Integers]:
        """Return the images and labels of an epoch: MNIST, and the blocks that are drawn for it."""
        amounts = self._amounts
        first = epoch * amounts.fresh_blocks
        end = first + amounts.single_blocks
        missing = max(first, end - amounts.fresh_blocks) if self._blocks else first
        self._blocks.extend(map(to_digits, self._supply.blocks(missing, end, amounts.block)))
        images, labels = zip(*self._blocks, strict=True)
        return (
            np.concatenate([*[self._digits.images] * TIMES, *images]),
            np.concatenate([*[self._digits.labels] * TIMES, *labels]),
        )


def to_digits(drawn: list[Line]) -> tuple[Ink, Integers]:
    """Return images `uint8 (n, 28, 28)` and classes `(n,)`, 10 for what is no digit."""
    images = np.stack([pixels for pixels, _ in drawn])
    return images, np.array([SINGLE_ALPHABET.index(text) for _, text in drawn])


def moved(image: Ink, rng: np.random.Generator) -> Ink:
    """Return a digit somewhat turned, sheared, scaled, shifted, thinner or thicker."""
    angle, shear = rng.normal(0, 0.12), rng.normal(0, 0.12)
    across, down = np.exp(rng.normal(0, 0.1, 2))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = turn @ np.array([[across, shear], [0.0, down]])
    centre = np.full(2, SIZE / 2)
    shift = centre - matrix @ centre + rng.normal(0, 1.0, 2)
    out = warped(image, np.column_stack([matrix, shift]), SIZE, SIZE)
    return with_gamma(out, np.exp(rng.normal(0, 0.4)))
