"""A training from settings to a finished run: what digits and drawn handwriting have in common.

`Loop` is a network on its way, epoch by epoch, with a state that survives a kill. `Training` is
what is needed around it; the two kinds are in `classifiers` and `readers`.
"""

import contextlib
import json
import os
import platform
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inkdigit.errors import MissingExtraError, ModelError, RunError
from inkdigit.files import write_atomically
from inkdigit.learning.backend import keras, versions
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.evaluation.metrics import Calibration
from inkdigit.learning.models.export import describe, write_model_file
from inkdigit.learning.models.load import already_seen, data_of, initial_weights
from inkdigit.learning.models.run import KERAS_MODEL, ONNX_MODEL, History, Run, holds_run, open_run
from inkdigit.learning.networks import build_network, count_macs
from inkdigit.learning.recipes import Recipe, find_recipe
from inkdigit.learning.settings import TrainingSettings

# What a model file says before its network is calibrated: nothing is sure enough.
_UNCALIBRATED = asdict(Calibration(1.0, 1.0, 0.0, 0.0, 0))


class Loop(ABC):
    """A network on its way, epoch by epoch, whose state can be kept and taken up again.

    A subclass builds `model` with `_build`, fits an epoch and validates.
    """

    model: Any

    def __init__(self, settings: TrainingSettings) -> None:
        self.settings = settings
        self.recipe = find_recipe(settings.recipe)
        self.history: History = []
        self.callbacks: Sequence[Any] = ()

    def _build(self, steps: int, loss: Any, metrics: list[str] | None = None) -> None:
        """Build and compile the network, with its optimizer's variables, for so many steps."""
        self.model = build_network(self.settings.network, self.recipe.precision)
        optimizer = self._optimizer(learning_rate(self.recipe, steps))
        self.model.compile(optimizer, loss, metrics=metrics)
        self.model.optimizer.build(self.model.trainable_variables)

    def _optimizer(self, schedule: Any) -> Any:
        recipe = self.recipe
        return keras.optimizers.Adam(
            schedule, *recipe.betas, weight_decay=recipe.weight_decay, clipnorm=recipe.clip_norm
        )

    @abstractmethod
    def _fit_epoch(self) -> dict[str, float]:
        """Fit an epoch, and return its loss and what else is known of it."""

    @abstractmethod
    def _validate(self) -> tuple[float, float]:
        """Return loss and accuracy on what is not fitted."""

    @property
    def result(self) -> Any:
        """The network with all it has learnt, to compute in `float32`."""
        if self.recipe.precision == "float32":
            return self.model
        network = build_network(self.settings.network)
        network.set_weights(self.model.get_weights())
        return network

    @property
    def seconds(self) -> float:
        """Seconds spent fitting so far, compilation counted, validation not."""
        return sum(row["seconds"] for row in self.history)

    def run(self, after_epoch: Callable[["Loop"], None] = lambda _: None) -> None:
        """Train the epochs that are left, and call `after_epoch` after each."""
        for epoch in range(len(self.history) + 1, self.settings.epochs + 1):
            start = time.perf_counter()
            fitted = self._fit_epoch()
            seconds = time.perf_counter() - start
            loss, accuracy = self._validate()
            validated = {"validation_loss": loss, "validation_accuracy": accuracy}
            self.history.append({"epoch": epoch, **fitted, **validated, "seconds": seconds})
            after_epoch(self)

    def save(self, path: Path) -> None:
        """Write the whole state to one file, so that it is there whole or not at all."""
        values = [np.asarray(variable) for variable in self._variables()]
        history = json.dumps(self.history)
        write_atomically(path, lambda temporary: np.savez(temporary, *values, history=history))

    def load(self, path: Path) -> None:
        """Go back to a saved state; `RunError` if it is broken or of other settings."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as state:
                history = json.loads(str(state["history"]))
                values = [state[f"arr_{i}"] for i in range(len(state.files) - 1)]
            for variable, value in zip(self._variables(), values, strict=True):
                variable.assign(value)
        except Exception as error:  # noqa: BLE001  (whatever a damaged archive makes of it)
            raise RunError(f"{path} is no usable training state ({error}): train anew") from None
        self.history = history

    def _variables(self) -> list[Any]:
        # The random state of dropout is among the model's variables.
        return [*self.model.variables, *self.model.optimizer.variables]


def learning_rate(recipe: Recipe, steps: int) -> Any:
    """Return the schedule over all steps: up in a straight line, down along a cosine to zero."""
    rise = min(round(recipe.warm_up * steps), recipe.warm_up_steps or steps)
    if not rise:
        return keras.optimizers.schedules.CosineDecay(recipe.learning_rate, max(1, steps))
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - rise), warmup_target=recipe.learning_rate, warmup_steps=rise
    )


class Training(ABC):
    """The training of a network on a data set: its loop, and how what it learnt is measured."""

    # The files that keep the network for Keras.
    files: tuple[str, ...] = (KERAS_MODEL,)

    def __init__(self, settings: TrainingSettings, dataset: Dataset) -> None:
        self.settings, self.dataset = settings, dataset
        self.recipe = find_recipe(settings.recipe)
        self.fitted, self.validation = dataset.fit_and_validation()

    def check(self, *, begun: bool) -> None:
        """Raise where what the settings name is missing; `begun` trainings do without a start."""
        if self.settings.init_from and not begun:
            initial_weights(self.settings.init_from, build_network(self.settings.network))

    def notes(self) -> list[str]:
        """Return what whoever starts this training should know."""
        start = self.settings.init_from
        seen = already_seen(data_of(start), self.dataset.name, "test") if start else None
        return [seen] if seen else []

    @abstractmethod
    def loop(self) -> AbstractContextManager[Loop]:
        """Return the loop, to be used within a `with` block."""

    @abstractmethod
    def measure(self, model: Any, history: History) -> dict[str, Any]:
        """Return the metrics of a trained network that are not the same for every kind."""

    @abstractmethod
    def calibrate(self, model: Any, path: Path) -> dict[str, float]:
        """Return the calibration, of the model file at `path` where it could be written."""

    def quantisation_pictures(self) -> Iterable[npt.NDArray[np.uint8]] | None:
        """Return what the network in eight bits is measured on; `None`: it stays in `float32`."""
        return None

    def report(self, run: Run) -> None:  # noqa: B027  (most kinds have none)
        """Write pictures and a page, of kinds that have them."""


def figures_of(part: str, loss: float, accuracy: float, digits: int) -> dict[str, Any]:
    """Return what the metrics say of a part of the digits."""
    return {f"{part}_accuracy": accuracy, f"{part}_loss": loss, f"{part}_digits": digits}


def run_training(
    training: Training,
    folder: str | Path,
    *,
    resume: bool = False,
    callbacks: Sequence[Any] = (),
    after_epoch: Callable[[Loop], None] = lambda _: None,
) -> Run:
    """Train into a run folder, measure the network, and keep everything.

    With `resume`, a run of the same settings and digits that lies there goes on from its last
    finished epoch, and a finished one is returned as it is. `callbacks` are Keras's.
    """
    training.check(begun=resume and holds_run(folder))
    run = open_run(training.settings, training.dataset, folder, resume=resume)
    if run.finished:
        return run

    def keep(loop: Loop) -> None:
        loop.save(run.checkpoint)
        after_epoch(loop)

    with training.loop() as loop:
        if run.checkpoint.exists():
            loop.load(run.checkpoint)
        elif start := training.settings.init_from:
            loop.model.set_weights(initial_weights(start, loop.model))
        loop.callbacks = callbacks
        loop.run(keep)
    finish(run, loop, training)
    return run


def finish(run: Run, loop: Loop, training: Training) -> None:
    """Keep what was learnt: network, history, metrics, model file, calibration and report."""
    model = loop.result
    for name in training.files:
        write_atomically(run.folder / name, model.save)
    run.write_history(loop.history)
    metrics = {
        "parameters": model.count_params(),
        "macs": count_macs(model),
        **asdict(run.settings),
        "seconds": loop.seconds,
        "data": run.data,
        **training.measure(model, loop.history),
        "calibration": _UNCALIBRATED,
        "versions": versions(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }
    run.write_metrics(metrics)
    path = run.folder / ONNX_MODEL
    # A machine that trains may not be able to write ONNX; `inkdigit export` completes it elsewhere.
    with contextlib.suppress(MissingExtraError, ModelError):
        write_model_file(model, run.info(), path, training.quantisation_pictures())
    # What is calibrated is what will read, and that may be in eight bits.
    run.write_metrics({**metrics, "calibration": training.calibrate(model, path)})
    if path.exists():
        describe(path, run.info())
    training.report(run)
    run.checkpoint.unlink(missing_ok=True)
