"""Training the network that reads one digit, on MNIST, drawn digits and what is no digit."""

from collections import deque

import numpy as np
import numpy.typing as npt

from inkdigit.learning.backend import keras
from inkdigit.learning.datasets import Digits
from inkdigit.learning.evaluation.metrics import cross_entropy
from inkdigit.learning.models.keras_files import predict
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.synthesis.pixels import Ink, warped, with_gamma
from inkdigit.learning.synthesis.stream import Line, SampleStream
from inkdigit.learning.training import EpochLoop
from inkdigit.reading.alphabet import SINGLE_ALPHABET
from inkdigit.reading.model_file import to_pixels
from inkdigit.reading.preprocessing.digit import SIZE

Integers = npt.NDArray[np.int64]


class DigitReaderLoop(EpochLoop):
    """A digit network learning from MNIST and from what is drawn for it.

    Each epoch sees both slightly moved, and of what is drawn some for the first time.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        digits: Digits,
        drawn: SampleStream[Line],
        validation: list[Line],
    ) -> None:
        super().__init__(settings)
        amounts = self.recipe.drawn
        self._digits, self._drawn = digits, drawn
        self._blocks: deque[tuple[Ink, Integers]] = deque(maxlen=amounts.epoch_blocks)
        self._validation = to_digits(validation)
        keras.utils.set_random_seed(settings.seed)
        self._build(
            settings.epochs * self.steps,
            keras.losses.CategoricalCrossentropy(label_smoothing=self.recipe.smoothing),
        )

    @property
    def steps(self) -> int:
        """The batches of an epoch."""
        amounts = self.recipe.drawn
        seen = self.recipe.repeats * len(self._digits) + amounts.epoch_blocks * amounts.block
        return int(seen // self.settings.batch_size)

    def _fit_epoch(self) -> dict[str, float]:
        epoch, size = len(self.history), self.settings.batch_size
        rng = np.random.default_rng([self.settings.seed, epoch])
        losses = []
        every_image, every_label = self._seen_in(epoch)
        order = rng.permutation(len(every_image))
        for first in range(0, len(order) - size + 1, size):
            some = order[first : first + size]
            images = np.stack([moved(image, rng) for image in every_image[some]])
            targets = np.eye(len(SINGLE_ALPHABET), dtype=np.float32)[every_label[some]]
            losses.append(self.model.train_on_batch(to_pixels(images), targets))
            self._tell(losses)
        return {"loss": float(np.mean(losses))}

    def _validate(self) -> tuple[float, float]:
        images, labels = self._validation
        answers = predict(self.model, images)
        return cross_entropy(answers, labels), float((answers.argmax(axis=1) == labels).mean())

    def _seen_in(self, epoch: int) -> tuple[Ink, Integers]:
        """Return the images and labels of an epoch: MNIST, and the blocks that are drawn for it."""
        amounts = self.recipe.drawn
        first = epoch * amounts.fresh_blocks
        end = first + amounts.epoch_blocks
        missing = max(first, end - amounts.fresh_blocks) if self._blocks else first
        self._blocks.extend(map(to_digits, self._drawn.blocks(missing, end, amounts.block)))
        images, labels = zip(*self._blocks, strict=True)
        return (
            np.concatenate([*[self._digits.images] * self.recipe.repeats, *images]),
            np.concatenate([*[self._digits.labels] * self.recipe.repeats, *labels]),
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
