"""Training a digit network by a recipe: the loop, and the state that survives a kill.

What every recipe has is the tutorials' own: pixels in 0..1, one-hot labels, Adam, categorical
cross-entropy.
"""

import time
from typing import Any

import numpy as np
import numpy.typing as npt

from inkdigit.learning.backend import keras, make_reproducible
from inkdigit.learning.checkpoints import Loop, with_weights_of
from inkdigit.learning.classifiers.augmentation import AUGMENTATIONS
from inkdigit.learning.datasets import Digits
from inkdigit.learning.datasets.digits import to_one_hot, to_pixels
from inkdigit.learning.models.load import load_teacher
from inkdigit.learning.networks import build_network
from inkdigit.learning.recipes import Recipe, find_recipe
from inkdigit.learning.settings import TrainingSettings

Floats = npt.NDArray[np.float32]


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
        self.recipe = find_recipe(settings.recipe)
        self._fitted = fitted.images, to_one_hot(fitted.labels)
        self._validation = to_pixels(validation.images), to_one_hot(validation.labels)
        self._teacher = load_teacher(settings.teacher) if settings.teacher else None
        make_reproducible(settings.seed)
        self.model = build_network(settings.network, self.recipe.precision)
        steps = settings.epochs * self._batches(len(fitted))
        # A teacher's answers are as smooth as they should be.
        smoothing = 0.0 if self._teacher else self.recipe.smoothing
        self.model.compile(
            self._optimizer(learning_rate(self.recipe, steps)),
            keras.losses.CategoricalCrossentropy(label_smoothing=smoothing),
            metrics=["accuracy"],
        )
        self.model.optimizer.build(self.model.trainable_variables)

    @property
    def result(self) -> Any:
        """The network with all it has learnt, to compute in `float32`."""
        if self.recipe.precision == "float32":
            return self.model
        return with_weights_of(self.model, build_network(self.settings.network))

    def _batches(self, digits: int) -> int:
        return -(-digits // self.settings.batch_size)

    def _optimizer(self, schedule: Any) -> Any:
        return keras.optimizers.Adam(schedule, *self.recipe.betas)

    def _train_epoch(self, callbacks: list[Any]) -> dict[str, float]:
        epoch = len(self.history)
        start = time.perf_counter()
        loss, accuracy = self._fit(*self._shuffled(epoch), callbacks)
        seconds = time.perf_counter() - start
        validation = self.model.evaluate(
            *self._validation, batch_size=1000, verbose=0, return_dict=True
        )
        return {
            "epoch": epoch + 1,
            "loss": loss,
            "accuracy": accuracy,
            "validation_loss": validation["loss"],
            "validation_accuracy": validation["accuracy"],
            "seconds": seconds,
        }

    def _shuffled(self, epoch: int) -> tuple[npt.NDArray[np.uint8], Floats]:
        images, labels = self._fitted
        rng = np.random.default_rng([self.settings.seed, epoch])
        order = rng.permutation(len(images))
        changed = AUGMENTATIONS[self.recipe.augmentation](images[order], rng)
        return changed, self._teacher(changed) if self._teacher else labels[order]

    def _fit(
        self, images: npt.NDArray[np.uint8], labels: Floats, callbacks: list[Any]
    ) -> tuple[float, float]:
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
            callbacks=callbacks,
        )
        return fit.history["loss"][0], fit.history["accuracy"][0]


def learning_rate(recipe: Recipe, steps: int) -> Any:
    """Return the schedule over all steps: up in a straight line, down along a cosine to zero."""
    if not (rise := round(recipe.warm_up * steps)):
        return keras.optimizers.schedules.CosineDecay(recipe.learning_rate, steps)
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - rise), warmup_target=recipe.learning_rate, warmup_steps=rise
    )
