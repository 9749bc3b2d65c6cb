"""A digit network learning from labelled digits by a recipe.

What every recipe has is the tutorials' own: pixels in 0..1, one-hot labels, Adam, categorical
cross-entropy.
"""

import numpy as np
import numpy.typing as npt

from inkdigit.learning.backend import keras, make_reproducible
from inkdigit.learning.classifiers.augmentation import AUGMENTATIONS
from inkdigit.learning.datasets import Digits
from inkdigit.learning.datasets.digits import to_one_hot
from inkdigit.learning.models.load import load_teacher
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.training import Loop
from inkdigit.reading.calibration import Floats
from inkdigit.reading.model_file import to_pixels


class ClassifierLoop(Loop):
    """A digit network learning from a data set by the recipe of its settings.

    With a teacher it learns, digit by digit as they are shown, what that answers (distillation,
    Hinton et al. 2015; at a temperature of one); the history's `accuracy` is then how often it
    agrees, and labels are for validation and tests only.

    What an epoch does depends on nothing but the settings, the digits and the state so far, so a
    training that was stopped and went on ends where an undisturbed one would have.
    """

    def __init__(self, settings: TrainingSettings, fitted: Digits, validation: Digits) -> None:
        super().__init__(settings)
        self._fitted = fitted.images, to_one_hot(fitted.labels)
        self._validation = to_pixels(validation.images), to_one_hot(validation.labels)
        self._teacher = load_teacher(settings.teacher) if settings.teacher else None
        # A teacher's answers are as smooth as they should be.
        smoothing = 0.0 if self._teacher else self.recipe.smoothing
        make_reproducible(settings.seed)
        self._build(
            settings.epochs * self._batches(len(fitted)),
            keras.losses.CategoricalCrossentropy(label_smoothing=smoothing),
            metrics=["accuracy"],
        )

    def _batches(self, digits: int) -> int:
        return -(-digits // self.settings.batch_size)

    def _fit_epoch(self) -> dict[str, float]:
        loss, accuracy = self._fit(*self._shuffled(len(self.history)))
        return {"loss": loss, "accuracy": accuracy}

    def _validate(self) -> tuple[float, float]:
        loss, accuracy = self.model.evaluate(*self._validation, batch_size=1000, verbose=0)
        return loss, accuracy

    def _shuffled(self, epoch: int) -> tuple[npt.NDArray[np.uint8], Floats]:
        images, labels = self._fitted
        rng = np.random.default_rng([self.settings.seed, epoch])
        order = rng.permutation(len(images))
        changed = AUGMENTATIONS[self.recipe.augmentation](images[order], rng)
        return changed, self._teacher(changed) if self._teacher else labels[order]

    def _fit(self, images: npt.NDArray[np.uint8], labels: Floats) -> tuple[float, float]:
        """Train an epoch on digits in their order, and return its loss and accuracy."""
        epoch = len(self.history)
        fit = self.model.fit(
            to_pixels(images),
            labels,
            batch_size=self.settings.batch_size,
            initial_epoch=epoch,
            epochs=epoch + 1,
            shuffle=False,
            verbose=0,
            callbacks=list(self.callbacks),
        )
        return fit.history["loss"][0], fit.history["accuracy"][0]
