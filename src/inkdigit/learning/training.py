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
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from copy import deepcopy
from dataclasses import asdict
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from inkdigit.errors import MissingExtraError, ModelError, RunError
from inkdigit.files import write_atomically
from inkdigit.learning.backend import keras, versions
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.models.export import describe, write_model_file
from inkdigit.learning.models.keras_files import save_keras_model
from inkdigit.learning.models.load import already_seen, data_of, initial_weights
from inkdigit.learning.models.run import KERAS_MODEL, ONNX_MODEL, History, Run, holds_run, open_run
from inkdigit.learning.networks import build_network, count_macs
from inkdigit.learning.recipes import PLAIN, Recipe
from inkdigit.learning.settings import TrainingSettings
from inkdigit.reading.calibration import Calibration


class Progress(keras.callbacks.Callback):  # type: ignore[misc]
    """A bar an epoch with loss and accuracy where stderr is a terminal."""

    def __init__(self, epochs: int) -> None:
        super().__init__()
        self._epochs = epochs

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Start the epoch's bar."""
        self._bar = tqdm(
            total=self.params["steps"],
            desc=f"epoch {epoch + 1}/{self._epochs}",
            unit="batch",
            leave=False,
            disable=None,  # where stderr is no terminal
        )

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:  # noqa: ARG002
        """Move the bar on."""
        self._bar.set_postfix(
            loss=f"{logs['loss']:.4f}", accuracy=f"{logs['accuracy']:.4f}", refresh=False
        )
        self._bar.update()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Take the bar away; the finished epoch's line follows it."""
        self._bar.close()


def epoch_line(row: dict[str, float], epochs: int) -> str:
    """Return the one line that a finished epoch leaves."""
    fitted = f"  accuracy {row['accuracy']:.4f}" if "accuracy" in row else ""
    return (
        f"epoch {row['epoch']:.0f}/{epochs}  "
        f"loss {row['loss']:.4f}{fitted}  "
        f"validation loss {row['validation_loss']:.4f}  accuracy {row['validation_accuracy']:.4f}  "
        f"{row['seconds']:.1f} s"
    )


class Loop(ABC):
    """A network on its way, epoch by epoch, whose state can be kept and taken up again.

    A subclass builds `model` with `_build` and runs.
    """

    model: Any

    def __init__(self, settings: TrainingSettings) -> None:
        self.settings = settings
        self.recipe = settings.as_recipe()
        self.history: History = []
        self.callbacks: Sequence[Any] = ()
        # Whether training has ended before its last epoch, and the weights that are kept if so.
        self.stopped = False
        self._best: list[npt.NDArray[Any]] = []

    def _build(self, steps: int | None, loss: Any, metrics: list[str] | None = None) -> None:
        """Build and compile the network, with its optimizer's variables, for so many steps.

        Without steps the learning rate is constant.
        """
        self.model = self._network(self.recipe.precision)
        self.model.compile(self._optimizer(steps), loss, metrics=metrics)
        self.model.optimizer.build(self.model.trainable_variables)

    def _network(self, precision: str) -> Any:
        return build_network(self.settings.network, precision)

    def _optimizer(self, steps: int | None) -> Any:
        return make_optimizer(self.recipe, steps)

    @abstractmethod
    def run(self, after_epoch: "AfterEpoch" = lambda _: None) -> None:
        """Train the epochs that are left, and call `after_epoch` after each."""

    @property
    def result(self) -> Any:
        """The network with all it has learnt, to compute in `float32`."""
        network = self.model
        if self.recipe.precision != "float32":
            network = self._network("float32")
            network.set_weights(self.model.get_weights())
        if self._best:
            network.set_weights(self._best)
        return network

    @property
    def seconds(self) -> float:
        """Seconds spent fitting so far, compilation counted, validation not."""
        return sum(row["seconds"] for row in self.history)

    def finish_epoch(
        self, fitted: dict[str, float], validated: tuple[float, float], seconds: float
    ) -> None:
        """Add an epoch to the history, and stop where there have been too many without gain."""
        loss, accuracy = validated
        row = {"epoch": len(self.history) + 1, **fitted}
        row |= {"validation_loss": loss, "validation_accuracy": accuracy, "seconds": seconds}
        self.history.append(row)
        if self.settings.patience:
            best = min(self.history, key=lambda row: row["validation_loss"])
            if best is row:
                self._best = self.model.get_weights()
            self.stopped |= row["epoch"] - best["epoch"] >= self.settings.patience

    def save(self, path: Path) -> None:
        """Write the whole state to one file, so that it is there whole or not at all."""
        values = [np.asarray(variable) for variable in self._variables()]
        more = {f"best_{number}": weights for number, weights in enumerate(self._best)}
        more["history"] = np.array(json.dumps(self.history))
        more["stopped"] = np.array(self.stopped)
        write_atomically(path, lambda file: np.savez(file, *values, allow_pickle=False, **more))

    def load(self, path: Path) -> None:
        """Go back to a saved state; `RunError` if it is broken or of other settings."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as state:
                history = json.loads(str(state["history"]))
                stopped = bool(state.get("stopped", False))
                values, best = (
                    [state[f"{name}_{i}"] for i in range(sum(n.startswith(name) for n in state))]
                    for name in ("arr", "best")
                )
            for variable, value in zip(self._variables(), values, strict=True):
                variable.assign(value)
        except Exception:  # noqa: BLE001  (whatever a damaged archive makes of it)
            raise RunError(f"{path} is no usable training state: train anew") from None
        self.history, self.stopped, self._best = history, stopped, best

    def _variables(self) -> list[Any]:
        # The random state of dropout is among the model's variables.
        return [*self.model.variables, *self.model.optimizer.variables]


AfterEpoch = Callable[[Loop], None]


class EpochLoop(Loop):
    """A loop that fits and validates epoch by epoch itself, without Keras's `fit`."""

    @abstractmethod
    def _fit_epoch(self) -> dict[str, float]:
        """Fit an epoch, and return its loss and what else is known of it."""

    @abstractmethod
    def _validate(self) -> tuple[float, float]:
        """Return loss and accuracy on what is not fitted."""

    def run(self, after_epoch: AfterEpoch = lambda _: None) -> None:
        """Train the epochs that are left, and call `after_epoch` after each."""
        while len(self.history) < self.settings.epochs and not self.stopped:
            start = time.perf_counter()
            fitted = self._fit_epoch()
            seconds = time.perf_counter() - start
            self.finish_epoch(fitted, self._validate(), seconds)
            after_epoch(self)


def make_optimizer(recipe: Recipe, steps: int | None) -> Any:
    """Return the optimizer of a recipe for so many steps; without, at a constant learning rate."""
    if not isinstance(recipe.optimizer, str):
        return keras.optimizers.deserialize(deepcopy(recipe.optimizer))  # it changes it
    usual = keras.optimizers.get(recipe.optimizer)
    how: dict[str, Any] = {"weight_decay": recipe.weight_decay, "clipnorm": recipe.clip_norm}
    if "beta_1" in usual.get_config():
        how["beta_1"], how["beta_2"] = recipe.betas
    peak = float(recipe.learning_rate or usual.learning_rate)
    rate = learning_rate(recipe, peak, steps) if steps else peak
    return type(usual)(rate, **{name: value for name, value in how.items() if value is not None})


def learning_rate(recipe: Recipe, peak: float, steps: int) -> Any:
    """Return the schedule over all steps: up in a straight line, down along a cosine to zero."""
    rise = min(round(recipe.warm_up * steps), recipe.warm_up_steps or steps)
    if not rise:
        return keras.optimizers.schedules.CosineDecay(peak, max(1, steps))
    return keras.optimizers.schedules.CosineDecay(
        0.0, max(1, steps - rise), warmup_target=peak, warmup_steps=rise
    )


class Training(ABC):
    """The training of a network on a data set: its loop, and how what it learnt is measured."""

    # The files that keep the network for Keras.
    files: tuple[str, ...] = (KERAS_MODEL,)

    def __init__(self, settings: TrainingSettings, dataset: Dataset) -> None:
        self.settings, self.dataset = settings, dataset
        self.recipe = settings.as_recipe()
        self.fitted, self.validation = dataset.fit_and_validation()

    def check(self, *, begun: bool) -> None:
        """Raise where what the settings name is missing; `begun` trainings do without a start."""
        if self.settings.init_from and not begun:
            self.initial_weights(self.network())

    def initial_weights(self, network: Any) -> list[npt.NDArray[np.float32]]:
        """Return the weights that a network begins with, of the trained one the settings name."""
        return initial_weights(self.settings.init_from, network)

    def network(self) -> Any:
        """Return the network, untrained."""
        return build_network(self.settings.network)

    def keep_network(self, run: Run) -> None:  # noqa: B027  (most kinds need not)
        """Keep in a new run what its network is built from, where the settings do not say it."""

    def notes(self) -> list[str]:
        """Return what whoever starts this training should know."""
        start = self.settings.init_from
        seen = already_seen(data_of(start), self.dataset.name, "test") if start else None
        return [seen] if seen else []

    @abstractmethod
    def loop(self) -> AbstractContextManager[Loop]:
        """Return the loop, to be used within a `with` block."""

    def compile(self, model: Any) -> None:  # noqa: B027  (readers are trained in no other way)
        """Give a trained network an optimizer to be trained further with, in plain Keras."""

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

    def run(
        self,
        folder: Path,
        tell: Callable[[str], object] | None = None,
        *,
        resume: bool = False,
        after_epoch: AfterEpoch = lambda _: None,
    ) -> Run:
        """Train into a run folder, measure the network, and keep everything.

        With `resume`, a run of the same settings and digits that lies there goes on from its last
        finished epoch, and a finished one is returned as it is. `tell` is told how it goes. A start
        that fails leaves nothing in the folder.
        """
        settings, begun, say = self.settings, holds_run(folder), tell or (lambda _: None)
        self.check(begun=resume and begun)
        run = open_run(settings, self.dataset, folder, resume=resume)
        if run.finished:
            return run
        by = "" if settings.recipe in (PLAIN, settings.network) else f" by recipe {settings.recipe}"
        title = f"training {settings.network}{by} (seed {settings.seed}) into {folder}"
        for note in [title, *self.notes()] if tell else []:
            say(note)
        self.keep_network(run)

        def keep(loop: Loop) -> None:
            loop.save(run.checkpoint)
            say(epoch_line(loop.history[-1], settings.epochs))
            after_epoch(loop)

        with _undone(run, say, unless=begun):
            with self.loop() as loop:
                if run.checkpoint.exists():
                    loop.load(run.checkpoint)
                elif settings.init_from:
                    loop.model.set_weights(self.initial_weights(loop.model))
                if tell:
                    loop.callbacks = [*loop.callbacks, Progress(settings.epochs)]
                loop.run(keep)
            if not isfinite(loss := loop.history[-1]["validation_loss"]):
                raise RunError(
                    f"the training diverged: the loss is {loss}. Begin anew with a lower learning "
                    f"rate in another folder, or delete {folder}"
                )
            finish(run, loop, self)
        return run


def figures_of(part: str, loss: float, accuracy: float, digits: int) -> dict[str, Any]:
    """Return what the metrics say of a part of the digits."""
    return {f"{part}_accuracy": accuracy, f"{part}_loss": loss, f"{part}_digits": digits}


@contextlib.contextmanager
def _undone(run: Run, say: Callable[[str], object], *, unless: bool) -> Iterator[None]:
    """Take a run away that failed before its first epoch, so that another can have its folder.

    After Ctrl-C, say what was kept.
    """
    try:
        yield
    except KeyboardInterrupt:
        how_on = f"inkdigit train --resume {run.folder}"
        if run.settings.callbacks:
            how_on = f'learning.resume("{run.folder}", callbacks=…) and the same callbacks'
        say(f"\nevery finished epoch is kept; go on with  {how_on}")
        raise
    except Exception:
        if not unless and not run.checkpoint.exists():
            for path in run.folder.iterdir():
                path.unlink()
        raise


def finish(run: Run, loop: Loop, training: Training) -> None:
    """Keep what was learnt: network, history, metrics, model file, calibration and report."""
    model = loop.result
    training.compile(model)
    for name in training.files:
        write_atomically(run.folder / name, partial(save_keras_model, model))
    run.write_history(loop.history)
    metrics = {
        "parameters": model.count_params(),
        "macs": count_macs(model),
        **asdict(run.settings),
        "epochs": len(loop.history),
        "seconds": loop.seconds,
        "data": run.data,
        **training.measure(model, loop.history),
        "calibration": asdict(Calibration()),
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
