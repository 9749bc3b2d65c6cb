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
from dataclasses import asdict, replace
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from inkdigit.errors import MissingExtraError, ModelError, RunError
from inkdigit.files import write_atomically
from inkdigit.learning.backend import keras, quicker_of, versions
from inkdigit.learning.datasets import Dataset, Digits
from inkdigit.learning.datasets.digits import CLASSES
from inkdigit.learning.models.export import describe, write_model_file
from inkdigit.learning.models.keras_files import save_keras_model
from inkdigit.learning.models.load import already_seen, initial_weights, locate
from inkdigit.learning.models.run import KERAS_MODEL, ONNX_MODEL, History, Run, described, holds_run
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
        figures = {name: f"{value:.4f}" for name, value in logs.items()}
        self._bar.set_postfix(figures, refresh=False)
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

    A subclass builds `model` with `_build` and runs. Settings that are `asked` for from outside
    meanwhile are the `change` after an epoch, and end the loop, so that another goes on with them.
    What it `waited` for others is not counted as training, in seconds.
    """

    model: Any

    def __init__(self, settings: TrainingSettings) -> None:
        self.settings = settings
        self.asked: dict[str, Any] = {}
        self.change: dict[str, Any] = {}
        self.waited = 0.0
        recipe = settings.as_recipe()
        self.recipe = replace(recipe, precision=quicker_of(recipe.precision))
        self.history: History = []
        self.callbacks: Sequence[Any] = ()
        # Whether training has ended before its last epoch, and the weights that are kept if so.
        self.stopped = False
        self._best: list[npt.NDArray[Any]] = []

    def _build(self, steps: int | None, loss: Any, metrics: list[str] | None = None) -> None:
        """Build and compile the network, with its optimizer's variables, for so many steps.

        Without steps the learning rate is constant.
        """
        self.model, self._all_steps = self._network(self.recipe.precision), steps
        self.model.compile(self._optimizer(steps), loss, metrics=metrics)
        self.model.optimizer.build(self.model.trainable_variables)

    def _network(self, precision: str) -> Any:
        return build_network(self.settings.network, precision)

    def _optimizer(self, steps: int | None) -> Any:
        return make_optimizer(self.recipe, steps)

    @property
    @abstractmethod
    def steps(self) -> int:
        """The batches of an epoch."""

    @abstractmethod
    def run(self, after_epoch: "AfterEpoch" = lambda _: None) -> None:
        """Train the epochs that are left, and call `after_epoch` after each."""

    @property
    def done(self) -> bool:
        """Whether there is no epoch left."""
        return self.stopped or len(self.history) >= self.settings.epochs

    @property
    def has_schedule(self) -> bool:
        """Whether the learning rate is the recipe's, and no callback's or optimizer's own."""
        return self._all_steps is not None and isinstance(self.recipe.optimizer, str)

    def keep_pace(self) -> None:
        """Go on with the schedule where the history ends, whatever the batch size was."""
        if self._all_steps is not None:
            share = len(self.history) / self.settings.epochs
            self.model.optimizer.iterations.assign(round(share * self._all_steps))

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
        seconds, self.waited = seconds - self.waited, 0.0
        row = {"epoch": len(self.history) + 1, **fitted}
        row |= {"validation_loss": loss, "validation_accuracy": accuracy, "seconds": seconds}
        self.history.append(row)
        if self.settings.patience:
            best = min(self.history, key=lambda row: row["validation_loss"])
            if best is row:
                self._best = self.model.get_weights()
            self.stopped |= row["epoch"] - best["epoch"] >= self.settings.patience
        if not self.done:
            self.change, self.asked = self.asked, {}

    def save(self, path: Path) -> None:
        """Write the whole state to one file, so that it is there whole or not at all."""
        arrays = [*map(np.asarray, self._variables()), *self._best]
        more = {"history": np.array(json.dumps(self.history)), "stopped": np.array(self.stopped)}
        write_atomically(path, lambda file: np.savez(file, *arrays, allow_pickle=False, **more))

    def load(self, path: Path) -> None:
        """Go back to a saved state; `RunError` if it is broken or of other settings."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as state:
                history, stopped = json.loads(str(state["history"])), bool(state["stopped"])
                arrays = [state[f"arr_{number}"] for number in range(len(state) - 2)]
            variables = self._variables()
            best = arrays[len(variables) :]
            for variable, value in zip(variables, arrays[: len(variables)], strict=True):
                variable.assign(value)
        except Exception:  # noqa: BLE001  (whatever a damaged archive makes of it)
            raise RunError(f"{path} is no usable training state: train anew") from None
        self.history, self.stopped, self._best = history, stopped, best

    def _variables(self) -> list[Any]:
        # The random state of dropout is among the model's variables.
        return [*self.model.variables, *self.model.optimizer.variables]


AfterEpoch = Callable[[Loop], None]


class Onlooker(keras.callbacks.Callback):  # type: ignore[misc]
    """A callback that knows the training it looks on at, and changes no weights."""

    training: "Training"
    run: Run
    loop: Loop


class EpochLoop(Loop):
    """A loop that fits and validates epoch by epoch itself, without Keras's `fit`.

    Its callbacks are told what `fit` tells.
    """

    @abstractmethod
    def _fit_epoch(self) -> dict[str, float]:
        """Fit an epoch, and return its loss and what else is known of it."""

    @abstractmethod
    def _validate(self) -> tuple[float, float]:
        """Return loss and accuracy on what is not fitted."""

    def run(self, after_epoch: AfterEpoch = lambda _: None) -> None:
        """Train the epochs that are left, and call `after_epoch` after each."""
        how = {"epochs": self.settings.epochs, "steps": self.steps}
        self._told = keras.callbacks.CallbackList(self.callbacks, model=self.model, **how)
        self._told.on_train_begin()
        while not (self.done or self.change):
            epoch = len(self.history)
            self._told.on_epoch_begin(epoch)
            start = time.perf_counter()
            fitted = self._fit_epoch()
            seconds = time.perf_counter() - start
            loss, accuracy = self._validate()
            self._told.on_epoch_end(epoch, {**fitted, "val_loss": loss, "val_accuracy": accuracy})
            self.finish_epoch(fitted, (loss, accuracy), seconds)
            after_epoch(self)
        self._told.on_train_end()

    def _tell(self, losses: Sequence[float]) -> None:
        """Tell the callbacks of the last of an epoch's steps so far, by their losses."""
        self._told.on_train_batch_end(len(losses) - 1, {"loss": float(np.mean(losses))})


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
        fitted, self.validation = dataset.fit_and_validation()
        self.fitted = as_to_learn(fitted, settings)

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
        if not self.settings.init_from:
            return []
        _, run = locate(self.settings.init_from, KERAS_MODEL)
        seen = already_seen(run.data if run else None, self.dataset.name, "test")
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
        onlookers: Sequence[Onlooker] = (),
    ) -> Run:
        """Train into a run folder, measure the network, and keep everything.

        With `resume`, a run of the same settings and digits that lies there goes on from its last
        finished epoch, and a finished one is returned as it is. `tell` is told how it goes. A start
        that fails leaves nothing in the folder.
        """
        settings, begun, say = self.settings, holds_run(folder), tell or (lambda _: None)
        self.check(begun=resume and begun)
        run = Run.start(folder, settings, self.dataset, resume=resume)
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
            if loop.change:
                run.add_change(len(loop.history) + 1, loop.change)
                say(f"from now on: {described(loop.change)}")
            after_epoch(loop)

        with _undone(run, say, unless=begun):
            more = [Progress(settings.epochs)] if tell else []
            loop = self._learn(run, keep, onlookers, more)
            if not isfinite(loss := loop.history[-1]["validation_loss"]):
                raise RunError(
                    f"the training diverged: the loss is {loss}. Begin anew with a lower learning "
                    f"rate in another folder, or delete {folder}"
                )
            finish(run, loop, self)
        return run

    def _learn(
        self, run: Run, keep: AfterEpoch, onlookers: Sequence[Onlooker], callbacks: Sequence[Any]
    ) -> Loop:
        """Train to the end from the state that there is; a change by hand takes a new loop."""
        while True:
            self.settings = run.changed_settings
            with self.loop() as loop:
                if run.checkpoint.exists():
                    loop.load(run.checkpoint)
                elif self.settings.init_from:
                    loop.model.set_weights(self.initial_weights(loop.model))
                if run.changes:
                    loop.keep_pace()
                for one in onlookers:
                    one.training, one.run, one.loop = self, run, loop
                loop.callbacks = [*loop.callbacks, *onlookers, *callbacks]
                loop.run(keep)
            if not loop.change:
                return loop


def as_to_learn(digits: Digits, settings: TrainingSettings) -> Digits:
    """Return as many of the digits as the settings say, and with as many wrong labels."""
    if settings.digits and settings.digits < len(digits):
        _, digits = digits.divided(settings.digits / len(digits))
    rng = np.random.default_rng([settings.seed, len(digits)])
    wrong = rng.permutation(len(digits))[: round(settings.wrong_labels * len(digits))]
    labels = digits.labels.copy()
    labels[wrong] = (labels[wrong] + rng.integers(1, CLASSES, len(wrong))) % CLASSES
    return replace(digits, labels=labels)


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
        "changed_by_hand": run.changes,
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
