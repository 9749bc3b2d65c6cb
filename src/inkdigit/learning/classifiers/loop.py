"""A digit network learning from labelled digits by a recipe.

What every recipe has is the tutorials' own: pixels in 0..1, one-hot labels, Adam, categorical
cross-entropy.
"""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from inkdigit.learning.backend import keras, make_reproducible
from inkdigit.learning.classifiers.augmentation import AUGMENTATIONS
from inkdigit.learning.datasets import Digits
from inkdigit.learning.datasets.digits import to_one_hot
from inkdigit.learning.models.load import load_teacher
from inkdigit.learning.networks.own import OwnNetwork
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.training import AfterEpoch, Loop
from inkdigit.reading.calibration import Floats
from inkdigit.reading.model_file import to_pixels

VALIDATION_BATCH = 1000
_SET_LEARNING_RATE = keras.callbacks.LearningRateScheduler, keras.callbacks.ReduceLROnPlateau


def sets_learning_rate(callback: Any) -> bool:
    """Return whether a callback sets the learning rate, which can follow no schedule beside."""
    return isinstance(callback, _SET_LEARNING_RATE)


class ClassifierLoop(Loop):
    """A digit network learning from a data set by the recipe of its settings.

    With a teacher it learns, digit by digit as they are shown, what that answers (distillation,
    Hinton et al. 2015; at a temperature of one); the history's `accuracy` is then how often it
    agrees, and labels are for validation and tests only.

    What an epoch does depends on nothing but the settings, the digits and the state so far, so a
    training that was stopped and went on ends where an undisturbed one would have.
    """

    def __init__(
        self,
        settings: TrainingSettings,
        fitted: Digits,
        validation: Digits,
        network: OwnNetwork | None = None,
        callbacks: Sequence[Any] = (),
    ) -> None:
        super().__init__(settings)
        self._own, self.callbacks = network, callbacks
        if network:
            self.recipe = replace(self.recipe, precision="float32")
        self._fitted = fitted.images, to_one_hot(fitted.labels)
        self._validation = to_pixels(validation.images), to_one_hot(validation.labels)
        self._teacher = load_teacher(settings.teacher) if settings.teacher else None
        # A teacher's answers are as smooth as they should be.
        smoothing = 0.0 if self._teacher else self.recipe.smoothing
        make_reproducible(settings.seed)
        # What sets the learning rate itself needs one that can be set.
        constant = any(map(sets_learning_rate, callbacks))
        self._build(
            None if constant else settings.epochs * self.steps,
            keras.losses.CategoricalCrossentropy(label_smoothing=smoothing),
            metrics=["accuracy"],
        )

    def _network(self, precision: str) -> Any:
        return self._own.build() if self._own else super()._network(precision)

    def run(self, after_epoch: AfterEpoch = lambda _: None) -> None:
        """Train the epochs that are left in one `fit`, as callbacks expect it."""
        if self.done:
            return
        batches = Batches(self)
        self.model.fit(
            batches,
            initial_epoch=len(self.history),
            epochs=self.settings.epochs,
            validation_data=self._validation,
            validation_batch_size=VALIDATION_BATCH,
            shuffle=False,
            verbose=0,
            callbacks=[*self.callbacks, _Keeper(self, batches, after_epoch)],
        )

    @property
    def steps(self) -> int:
        """The batches of an epoch."""
        return -(-len(self._fitted[0]) // self.settings.batch_size)

    def shuffled(self, epoch: int) -> tuple[npt.NDArray[np.uint8], Floats]:
        """Return the digits of an epoch in its order, as they are shown, and what they are."""
        images, labels = self._fitted
        rng = np.random.default_rng([self.settings.seed, epoch])
        order = rng.permutation(len(images))
        changed = AUGMENTATIONS[self.recipe.augmentation](images[order], rng)
        return changed, self._teacher(changed) if self._teacher else labels[order]


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """The batches of one epoch after the other."""

    def __init__(self, loop: ClassifierLoop) -> None:
        super().__init__()
        self._loop, self._epoch = loop, -1
        self.begin(len(loop.history))

    def begin(self, epoch: int) -> None:
        """Put the digits in the order of this epoch."""
        if epoch != self._epoch:
            self._epoch, self._digits = epoch, self._loop.shuffled(epoch)

    def __len__(self) -> int:
        return self._loop.steps

    def __getitem__(self, number: int) -> tuple[Floats, Floats]:
        size = self._loop.settings.batch_size
        some = slice(number * size, (number + 1) * size)
        images, labels = self._digits
        return to_pixels(images[some]), labels[some]


class _Keeper(keras.callbacks.Callback):  # type: ignore[misc]
    """Comes after all other callbacks: keeps what an epoch gave, and says when to stop."""

    def __init__(self, loop: ClassifierLoop, batches: Batches, then: AfterEpoch) -> None:
        super().__init__()
        self._loop, self._batches, self._then = loop, batches, then

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Begin an epoch."""
        self._batches.begin(epoch)
        self._start = time.perf_counter()

    def on_test_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """Take the time: what follows is validation."""
        self._seconds = time.perf_counter() - self._start

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:  # noqa: ARG002
        """Keep an epoch, and stop where another callback, or patience, says so."""
        fitted = {name: logs[name] for name in ("loss", "accuracy")}
        validated = logs["val_loss"], logs["val_accuracy"]
        self._loop.stopped = self.model.stop_training
        self._loop.finish_epoch(fitted, validated, self._seconds)
        self.model.stop_training = self._loop.stopped or bool(self._loop.change)
        self._then(self._loop)
