"""A training whose steps TensorFlow runs as one graph, for recipes that count seconds.

`fit` adds up to a second an epoch to what the arithmetic takes, and Keras's Adam a fifth of the
arithmetic of a small network.
"""

from typing import Any

import numpy as np
import tensorflow as tf

from inkdigit.learning.backend import keras
from inkdigit.learning.classifiers.loop import VALIDATION_BATCH, Batches, ClassifierLoop
from inkdigit.learning.training import EpochLoop

_FIGURES = ("loss", "accuracy")


class FusedAdam(keras.optimizers.Adam):  # type: ignore[misc]
    """Adam (Kingma and Ba 2015) as the one kernel a variable that TensorFlow has for it."""

    def apply(self, gradients: Any, variables: Any = None) -> None:
        """Move all variables a step."""
        step = tf.cast(self.iterations + 1, tf.float32)
        self._powers = tf.pow(self.beta_1, step), tf.pow(self.beta_2, step)
        super().apply(gradients, variables)

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Move a variable and its two moments."""
        index = self._get_variable_index(variable)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=self._powers[0],
            beta2_power=self._powers[1],
            lr=learning_rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=gradient,
        )


class CompiledLoop(EpochLoop, ClassifierLoop):
    """A digit network learning from whole batches, without what `fit` does around a step.

    The digits that are left over after the last whole batch of an epoch's order wait for another.
    """

    @property
    def steps(self) -> int:
        """The whole batches of an epoch."""
        return max(1, len(self._fitted[0]) // self.settings.batch_size)

    def _optimizer(self, steps: int | None) -> Any:
        usual = super()._optimizer(steps)
        is_adam = self.recipe.optimizer == "adam"
        return FusedAdam.from_config(usual.get_config()) if is_adam else usual

    def _validate(self) -> tuple[float, float]:
        size = VALIDATION_BATCH
        loss, accuracy = self.model.evaluate(*self._validation, batch_size=size, verbose=0)
        return loss, accuracy

    def _fit_epoch(self) -> dict[str, float]:
        batches = Batches(self)
        means = np.zeros(len(_FIGURES))
        for step in range(self.steps):
            means += (np.array(self._step(*batches[step]), float) - means) / (step + 1)
            figures = dict(zip(_FIGURES, means.tolist(), strict=True))
            self._told.on_train_batch_end(step, figures)
        return figures

    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def _step(self, images: Any, labels: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            answers = self.model(images, training=True)
            loss = self.model.loss(labels, answers)
        variables = self.model.trainable_variables
        self.model.optimizer.apply(tape.gradient(loss, variables), variables)
        return loss, tf.reduce_mean(keras.metrics.categorical_accuracy(labels, answers))
