"""A training whose epochs TensorFlow runs as one graph each, for recipes that count seconds.

`fit` adds up to a second an epoch to what the arithmetic takes, and Keras's Adam a fifth of the
arithmetic of a small network.
"""

from typing import Any

import tensorflow as tf

from inkdigit.learning.backend import keras
from inkdigit.learning.classifiers.loop import VALIDATION_BATCH, ClassifierLoop
from inkdigit.learning.training import EpochLoop


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
    """A digit network learning from whole batches, an epoch in one call.

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
        images, labels = self.shuffled(len(self.history))
        used = min(len(images), self.steps * self.settings.batch_size)
        loss, accuracy = self._epoch(
            images[:used].reshape(self.steps, -1, *images.shape[1:], 1),
            labels[:used].reshape(self.steps, -1, labels.shape[1]),
        )
        return {"loss": float(loss), "accuracy": float(accuracy)}

    # AutoGraph would turn a plain loop into this, and take longer about it than all other tracing.
    @tf.function(autograph=False)  # type: ignore[untyped-decorator]
    def _epoch(self, images: Any, labels: Any) -> tuple[Any, Any]:
        steps = images.shape[0]

        def step(number: Any, loss: Any, accuracy: Any) -> tuple[Any, Any, Any]:
            step_loss, step_accuracy = self._step(images[number], labels[number])
            return number + 1, loss + step_loss, accuracy + step_accuracy

        sums = tf.while_loop(lambda number, *_: number < steps, step, (0, 0.0, 0.0))
        return sums[1] / steps, sums[2] / steps

    def _step(self, images: Any, labels: Any) -> tuple[Any, Any]:
        with tf.GradientTape() as tape:
            answers = self.model(tf.cast(images, tf.float32) / 255, training=True)
            loss = self.model.loss(labels, answers)
        variables = self.model.trainable_variables
        self.model.optimizer.apply(tape.gradient(loss, variables), variables)
        return loss, tf.reduce_mean(keras.metrics.categorical_accuracy(labels, answers))
