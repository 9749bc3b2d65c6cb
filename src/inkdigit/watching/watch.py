"""What the page is told of a training, and what it can ask of it, as a callback of the training."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from queue import Queue
from threading import Condition
from typing import Any, Literal

import numpy as np

from inkdigit.errors import InkdigitError, RunError, SettingError
from inkdigit.learning.api import free_folder, kept_network, start_training
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.explainer.facts import class_names
from inkdigit.learning.explainer.film import about_digits, packed
from inkdigit.learning.models.run import Run
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.snapshots import Snapshots, filters_of

# A run, and the digits that it learned from.
_Trained = tuple[Run, Dataset]
Experiment = Literal["fewer digits", "wrong labels", "no augmentation"]

# Seconds from one picture of the network to the next, at least, and the share of the time that
# pictures may take where the machine is slow. So many points of the curve are kept: of a long
# training every second, every fourth.
_PERIOD, _SHARE = 0.12, 0.08
_POINTS = 2000


_EXPERIMENTS: dict[Experiment, Callable[[float], tuple[str, dict[str, Any]]]] = {
    "fewer digits": lambda count: (f"{count:.0f}-digits", {"digits": round(count)}),
    "wrong labels": lambda cent: (f"{cent:g}-percent-wrong-labels", {"wrong_labels": cent / 100}),
    "no augmentation": lambda _: ("no-augmentation", {"augmentation": "none"}),
}


class Watch(Snapshots):
    """A training that people look at: `told` is what there is to see, by parts that are replaced.

    It keeps snapshots too. The network learns in the thread of whoever trains, where it also waits
    while it is paused; what is asked for comes from another.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        super().__init__()
        self._tell = tell
        self.told: dict[str, Any] = {"runs": [], "waiting": []}
        self.curve: list[tuple[float, float | None, float | None]] = []
        self.clients = 0
        self._first: _Trained | None = None
        self._waiting: Queue[tuple[_Trained, str, TrainingSettings]] = Queue()
        self._gate = Condition()
        self._paused, self._steps = False, 0
        self._show_state()

    def on_train_begin(self, logs: Any = None) -> None:
        """Say what is trained; after a change by hand, go on."""
        super().on_train_begin(logs)
        self._first = self._first or (self.run, self.training.dataset)
        self._due, self._seen, self._mark = 0.0, 0, np.zeros(2)
        if not self.loop.history or not self.told["runs"]:
            self.curve = []
        settings, loop = self.training.settings, self.loop
        rate = settings.learning_rate or float(np.asarray(self.model.optimizer.learning_rate))
        self.told["run"] = {
            "name": self.run.folder.name,
            "network": settings.network,
            "digits": len(self.training.fitted),
            "epochs": settings.epochs,
            "steps": loop.steps,
            "batch_size": settings.batch_size,
            "learning_rate": rate if loop.has_schedule else None,
            "augmentation": settings.augmentation,
            "classes": class_names(self.model),
            "missing": self.camera.missing,
            **about_digits(self.camera.ten, self.camera.many.labels),
        }
        self._show()
        self._note("learning")

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        """Tell of a step, not too often, and wait while the training is paused."""
        if self._paused:
            self._show_step(batch, logs)
            self._wait()
        elif (start := time.monotonic()) >= self._due:
            self._show_step(batch, logs)
            self._due = start + max(_PERIOD, (time.monotonic() - start) / _SHARE)

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # noqa: ARG002
        """Tell of the epochs that are behind."""
        self._note("learning")

    def on_train_end(self, logs: Any = None) -> None:  # noqa: ARG002
        """Tell of the last epoch."""
        self._note("learning")

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Show what the epoch has changed."""
        super().on_epoch_end(epoch, logs)
        self._seen, self._mark = 0, np.zeros(2)
        self._show()

    def change(self, **asked: Any) -> None:
        """Let the next epoch have other settings; errors are those of the settings."""
        if not (self.told["runs"] and self.told["runs"][-1]["state"] == "learning"):
            raise RunError("nothing is learning now: start an experiment")
        if "learning_rate" in asked and not self.loop.has_schedule:
            raise SettingError(
                "the learning rate is set by the optimizer or a callback of this run"
            )
        replace(self.training.settings, **asked)
        self.loop.asked = self.loop.asked | asked
        self._show_state()

    def pause(self, *, paused: bool, steps: int = 0) -> None:
        """Hold the training after this step, let it go, or let it do so many steps."""
        with self._gate:
            self._paused, self._steps = paused, steps
            self._gate.notify_all()
        self._show_state()

    def ask(self, kind: Experiment, amount: float) -> None:
        """Put an experiment behind those that wait: the first training, with one thing changed."""
        first = self._first
        if first is None:
            raise RunError("nothing has been trained yet")
        settings = first[0].settings
        if kind == "no augmentation" and settings.augmentation == "none":
            raise SettingError("this network learns from the digits as they are already")
        name, changed = _EXPERIMENTS[kind](amount)
        self._waiting.put((first, name, replace(settings, callbacks=(), **changed)))
        self.told["waiting"] = [*self.told["waiting"], name]

    def experiments(self) -> None:
        """Train what the page asks for, one after another, until Ctrl-C."""
        with suppress(KeyboardInterrupt):
            self.finished()
            while True:
                asked = self._waiting.get()
                self.told["waiting"] = self.told["waiting"][1:]
                self._experiment(*asked)

    def finished(self) -> None:
        """Say what the run that has just ended is worth."""
        if self.told["runs"] and self.run.finished:
            self._note("done", tested=self.run.metrics["test_accuracy"])

    def _experiment(self, first: _Trained, name: str, settings: TrainingSettings) -> None:
        run, dataset = first
        folder = free_folder(run.folder.with_name(f"{run.folder.name}-{name}"))
        try:
            training = start_training(settings, dataset, kept_network(run))
            self._tell(str(training.run(folder, self._tell, onlookers=[self])))
            self.finished()
        except InkdigitError as error:
            self._tell(str(error))
            self.told["problem"] = f"{name}: {error}"

    def _note(self, state: str, **more: Any) -> None:
        """Replace what is told of the run that is under way."""
        name = self.run.folder.name
        rows = [{key: finite(one) for key, one in row.items()} for row in self.loop.history]
        one = {"name": name, "state": state, "rows": rows, "changes": self.run.changes, **more}
        self.told["runs"] = [*(each for each in self.told["runs"] if each["name"] != name), one]
        self._show_state()

    def _show_state(self) -> None:
        asked = self.loop.asked if self._first else {}
        self.told["state"] = {"paused": self._paused, "asked": asked}

    def _show(self) -> None:
        """Tell of the last frame."""
        frame = self.frames[-1]
        self.told["frame"] = {
            name: packed(frame[name]) for name in ("filters", "answers", "points")
        }

    def _show_step(self, batch: int, logs: dict[str, float]) -> None:
        """Tell of a step, of the loss since the last one told, and of the network as it is now."""
        epoch = len(self.loop.history)
        steps, figures = batch + 1, np.array([logs["loss"], logs.get("accuracy", np.nan)])
        # Callbacks are told means over the epoch so far.
        since = (steps * figures - self._seen * self._mark) / max(steps - self._seen, 1)
        self._seen, self._mark = steps, figures
        at = epoch + steps / self.loop.steps
        loss, accuracy = map(finite, since)
        self.curve.append((round(at, 4), loss, accuracy))
        if len(self.curve) > _POINTS:
            self.curve = self.curve[::2]
        rate = float(np.asarray(self.model.optimizer.learning_rate))
        step: dict[str, Any] = {"epoch": epoch + 1, "step": steps, "loss": loss, "rate": rate}
        if self.clients:
            model = self.model
            seen = {"filters": filters_of(model), "answers": self.camera.answers(model)}
            step |= {name: packed(values) for name, values in seen.items()}
        self.told["step"] = step

    def _wait(self) -> None:
        start = time.monotonic()
        with self._gate:
            self._gate.wait_for(lambda: self._steps or not self._paused)
            self._steps = max(self._steps - 1, 0)
        self.loop.waited += time.monotonic() - start


def finite(value: float) -> float | None:
    """Return a figure as JSON has it, without noise; `None` for what is no number."""
    return round(float(value), 5) if np.isfinite(value) else None
