"""A network on its way, epoch by epoch, and the state of it that survives a kill."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from inkdigit.errors import RunError
from inkdigit.files import write_atomically
from inkdigit.learning.models.load import initial_weights
from inkdigit.learning.models.run import History, Run
from inkdigit.learning.settings import TrainingSettings


def with_weights_of(trained: Any, network: Any) -> Any:
    """Return the network with the weights of a trained one of the same layers."""
    network.set_weights(trained.get_weights())
    return network


class Loop:
    """A network on its way, epoch by epoch, whose state can be kept and taken up again.

    A subclass builds `model`, compiled and with its optimizer's variables there, and trains an
    epoch.
    """

    model: Any

    def __init__(self, settings: TrainingSettings) -> None:
        self.settings = settings
        self.history: History = []

    @property
    def finished(self) -> bool:
        """Whether every epoch has been trained."""
        return len(self.history) >= self.settings.epochs

    @property
    def result(self) -> Any:
        """The network with all it has learnt, for use."""
        return self.model

    @property
    def seconds(self) -> float:
        """Seconds spent fitting so far, compilation counted, validation not."""
        return sum(row["seconds"] for row in self.history)

    def run(
        self,
        after_epoch: Callable[["Loop"], None] = lambda _: None,
        callbacks: Sequence[Any] = (),
    ) -> None:
        """Train the epochs that are left, with Keras's `callbacks`, and `after_epoch` each."""
        while not self.finished:
            self.history.append(self._train_epoch(list(callbacks)))
            after_epoch(self)

    def _train_epoch(self, callbacks: list[Any]) -> dict[str, float]:
        raise NotImplementedError

    def start(self) -> None:
        """Begin with the weights of another training, if the settings name one."""
        if self.settings.start:
            self.model.set_weights(initial_weights(self.settings.start, self.model))

    def save(self, path: Path) -> None:
        """Write the whole state to one file, so that it is there whole or not at all."""
        columns = {
            f"history_{name}": np.array([row[name] for row in self.history])
            for name in self.history[0]
        }
        values = {f"v{i}": np.asarray(v) for i, v in enumerate(self._variables())}
        state: dict[str, Any] = {**columns, **values}
        write_atomically(path, lambda temporary: np.savez(temporary, **state))

    def load(self, path: Path) -> None:
        """Go back to a saved state; `RunError` if it is broken or of other settings."""
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as state:
                names = [n for n in state.files if n.startswith("history_")]
                columns = {name.removeprefix("history_"): state[name].tolist() for name in names}
                values = [state[f"v{i}"] for i in range(len(state.files) - len(names))]
            for variable, value in zip(self._variables(), values, strict=True):
                variable.assign(value)
        except Exception as error:  # noqa: BLE001  (whatever a damaged archive makes of it)
            raise RunError(f"{path} is no usable training state ({error}): train anew") from None
        self.history = [
            dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
        ]

    def _variables(self) -> list[Any]:
        # The random state of dropout is among the model's variables.
        return [*self.model.variables, *self.model.optimizer.variables]


def run_loop(
    loop: Loop, run: Run, after_epoch: Callable[[Loop], None], callbacks: Sequence[Any] = ()
) -> None:
    """Train the epochs that are left from a run's last state on, and keep the state after each."""
    if run.checkpoint.exists():
        loop.load(run.checkpoint)
    else:
        loop.start()

    def keep(loop: Loop) -> None:
        loop.save(run.checkpoint)
        after_epoch(loop)

    loop.run(keep, callbacks)
