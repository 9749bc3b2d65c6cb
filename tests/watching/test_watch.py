"""Trainings that are watched, paused and changed, without the page."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from threading import Timer
from typing import Any

import numpy as np
import pytest

from inkdigit import learning
from inkdigit.errors import RunError, SettingError
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.explainer.film import FRAME, read_snapshots
from inkdigit.learning.models.keras_files import load_keras_model
from inkdigit.learning.models.run import KERAS_MODEL, SNAPSHOTS, Run
from inkdigit.watching.watch import Watch

HOW: dict[str, Any] = {"network": "lenet5", "epochs": 3, "batch_size": 64}


class Acting(Watch):
    """A watch on which somebody does something once, at a step of an epoch."""

    def __init__(self, epoch: int, act: Callable[["Acting"], object]) -> None:
        super().__init__(lambda _: None)
        self._when, self._act, self.rates = epoch, act, dict[int, list[float]]()
        self.clients = 1

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        epoch = len(self.loop.history) + 1
        rate = float(np.asarray(self.loop.model.optimizer.learning_rate))
        self.rates.setdefault(epoch, []).append(rate)
        if epoch == self._when:
            self._when = 0
            self._act(self)
        super().on_train_batch_end(batch, logs)


def weights(run: Run) -> list[np.ndarray]:
    return load_keras_model(run.folder / KERAS_MODEL).get_weights()


def alike(one: Run, other: Run) -> bool:
    return all(np.array_equal(*pair) for pair in zip(weights(one), weights(other), strict=True))


@pytest.mark.slow
def test_who_looks_on_changes_nothing(small: Dataset, tmp_path: Path) -> None:
    """With dropout and in half precision, where a step is one graph."""
    for recipe, network in (("plain", "classic"), ("fast", "fast")):
        how: dict[str, Any] = {"recipe": recipe, "network": network, "epochs": 2, "batch_size": 64}
        alone = learning.train(small, **how, out=tmp_path / f"alone-{recipe}")
        watch = Acting(0, lambda _: None)
        seen = learning.train(small, **how, out=tmp_path / f"seen-{recipe}", watch=watch)
        assert alike(alone, seen)
        assert [row["loss"] for row in seen.history] == pytest.approx(
            [row["loss"] for row in alone.history], rel=1e-4
        )
        assert seen.changes == []
        assert watch.told["runs"][0]["rows"][1]["epoch"] == 2


def changed(small: Dataset, folder: Path, **more: Any) -> tuple[Run, Acting]:
    """Train three epochs, for the last two of which another rate and batch size were asked for."""
    watch = Acting(1, lambda watch: watch.change(learning_rate=0.004, batch_size=100))
    return learning.train(small, **HOW, out=folder, watch=watch, **more), watch


def test_what_is_changed_holds_from_the_next_epoch_on_and_is_noted(
    small: Dataset, tmp_path: Path
) -> None:
    run, watch = changed(small, tmp_path / "run")
    digits = run.metrics["train_digits"]
    assert [len(rates) for rates in watch.rates.values()] == [
        -(-digits // n) for n in (64, 100, 100)
    ]
    # The cosine as it was, four times as high: at a third of the way, three quarters of its peak.
    assert watch.rates[1][0] == pytest.approx(0.001, rel=0.05)
    assert watch.rates[2][0] == pytest.approx(0.004 * 0.75, rel=0.2)
    assert watch.rates[3][-1] == pytest.approx(0, abs=1e-6)
    noted = [{"epoch": 2, "learning_rate": 0.004, "batch_size": 100}]
    assert run.changes == run.metrics["changed_by_hand"] == noted
    assert run.settings.batch_size == 64
    assert "changed by hand, so not to be had again: from epoch 2 on learning rate 0.004" in str(
        run
    )
    page = " ".join((run.folder / "report.html").read_text("utf-8").split())
    assert "from epoch 2 on learning rate 0.004, batch size 100." in page


def test_a_changed_run_that_was_killed_ends_where_it_would_have(
    small: Dataset, tmp_path: Path
) -> None:
    whole, _ = changed(small, tmp_path / "whole")

    def kill(line: str) -> None:
        if line.startswith("epoch 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        changed(small, tmp_path / "killed", tell=kill)
    resumed = learning.resume(tmp_path / "killed", small, snapshots=True)
    assert alike(resumed, whole)
    ours, theirs = (read_snapshots(run.folder / SNAPSHOTS) for run in (resumed, whole))
    assert ours["epochs"].tolist() == [0, 1, 2, 3]
    assert all(np.array_equal(ours[name], theirs[name], equal_nan=True) for name in FRAME)


def test_a_pause_is_waited_for_and_not_counted(small: Dataset, tmp_path: Path) -> None:
    def pause(watch: Acting) -> None:
        watch.pause(paused=True)
        Timer(1, watch.pause, kwargs={"paused": True, "steps": 2}).start()
        Timer(3, watch.pause, kwargs={"paused": False}).start()

    watch, start = Acting(2, pause), time.perf_counter()
    run = learning.train(small, **HOW, out=tmp_path / "run", watch=watch)
    elapsed = time.perf_counter() - start
    assert elapsed - run.metrics["seconds"] > 2.5
    assert watch.told["state"] == {"paused": False, "asked": {}}


def test_what_makes_no_sense_is_refused(small: Dataset, tmp_path: Path) -> None:
    watch = Watch(lambda _: None)
    with pytest.raises(RunError, match="nothing is learning now"):
        watch.change(batch_size=3)
    with pytest.raises(RunError, match="nothing has been trained yet"):
        watch.ask("fewer digits", 100)

    def ask(watch: Acting) -> None:
        with pytest.raises(SettingError, match="the batch size"):
            watch.change(batch_size=0)
        with pytest.raises(SettingError, match="as they are already"):
            watch.ask("no augmentation", 0)
        with pytest.raises(SettingError, match="share of wrong labels"):
            watch.ask("wrong labels", 101)

    run = learning.train(small, **HOW, out=tmp_path / "run", watch=Acting(1, ask))
    assert run.changes == []
    (run.folder / "changes.json").write_text("{", "utf-8")
    with pytest.raises(RunError, match=r"changes\.json is damaged"):
        str(run)


def test_an_experiment_is_of_the_first_run_and_its_digits(small: Dataset, tmp_path: Path) -> None:
    other = Dataset("other", small.train.divided(0.5)[1], small.test)
    watch = Watch(lambda _: None)
    how = HOW | {"epochs": 1}
    first = learning.train(small, **how, out=tmp_path / "first", watch=watch)
    learning.train(other, **how, out=tmp_path / "second", watch=watch)
    watch.ask("wrong labels", 50)

    def tell(line: str) -> None:
        if "test accuracy" in line:
            raise KeyboardInterrupt  # as Ctrl-C does while it waits

    watch._tell = tell
    watch.experiments()
    run = Run.open(tmp_path / "first-50-percent-wrong-labels")
    assert run.digest == first.digest
    assert run.metrics["train_digits"] == first.metrics["train_digits"]


@pytest.mark.slow
def test_experiments_are_runs_beside_with_one_thing_changed(small: Dataset, tmp_path: Path) -> None:
    def ask(watch: Acting) -> None:
        watch.ask("fewer digits", 100)
        watch.ask("wrong labels", 50)
        watch.ask("no augmentation", 0)

    said: list[str] = []
    watch = Acting(1, ask)
    how = HOW | {"epochs": 1, "augmentation": "shift"}
    run = learning.train(small, **how, out=tmp_path / "run", watch=watch)

    def tell(line: str) -> None:
        said.append(line)
        if sum("test accuracy" in line for line in said) == 3:
            raise KeyboardInterrupt  # as Ctrl-C does while it waits

    watch._tell = tell
    watch.experiments()
    few, wrong, plain = (Run.open(tmp_path / f"run-{name}") for name in (
        "100-digits", "50-percent-wrong-labels", "no-augmentation"
    ))  # fmt: skip
    assert (few.settings.digits, few.metrics["train_digits"]) == (100, 100)
    assert wrong.settings.wrong_labels == 0.5
    assert plain.settings.augmentation == "none"
    assert few.digest == wrong.digest == run.digest
    assert "given a wrong label on purpose" in (wrong.folder / "report.html").read_text("utf-8")
    assert watch.told["runs"][0]["name"] == "run"
    assert json.dumps(watch.told)
