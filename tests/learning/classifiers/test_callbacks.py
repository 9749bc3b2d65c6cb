"""Keras's callbacks beside a plain `fit` on the same digits: what they do is the same.

All digits of an epoch are one batch, whose order does not matter.
"""

import csv
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from loops import make_loop

from inkdigit.learning.api import start_training
from inkdigit.learning.backend import keras
from inkdigit.learning.classifiers.compiled_loop import CompiledLoop
from inkdigit.learning.classifiers.loop import ClassifierLoop
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.datasets.digits import to_one_hot
from inkdigit.learning.networks import build_network
from inkdigit.learning.settings import TrainingSettings
from inkdigit.reading.model_file import to_pixels

# To trace a graph for each takes longer than all else; of it TensorFlow's data sets are left out.
pytestmark = pytest.mark.filterwarnings("ignore:Even though the:UserWarning")
EPOCHS = 3
callbacks = keras.callbacks
Observe = Callable[[], Any]
# Makes a callback in a folder, and what looks at what it did.
Make = Callable[[Path], tuple[Any, Observe]]


@pytest.fixture(autouse=True)
def _eagerly() -> Iterator[None]:
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="module")
def few(small: Dataset) -> Dataset:
    return Dataset("sample", small.train.divided(0.25)[1], small.test)


def early_stopping(_: Path) -> tuple[Any, Observe]:
    # No epoch gains so much: it ends after the second.
    stop = callbacks.EarlyStopping(min_delta=100, patience=1, restore_best_weights=True)
    return stop, lambda: (stop.stopped_epoch, stop.best_epoch)


def reduce_on_plateau(_: Path) -> tuple[Any, Observe]:
    reduce = callbacks.ReduceLROnPlateau(min_delta=100, patience=1, factor=0.5)
    return reduce, lambda: float(reduce.model.optimizer.learning_rate)


def scheduler(_: Path) -> tuple[Any, Observe]:
    seen = []
    one = callbacks.LearningRateScheduler(
        lambda epoch, rate: seen.append(rate) or 1e-3 / (1 + epoch)
    )
    return one, lambda: seen


def csv_logger(folder: Path) -> tuple[Any, Observe]:
    path = folder / "log.csv"
    return callbacks.CSVLogger(path), lambda: [
        {name: float(value) for name, value in row.items()}
        for row in csv.DictReader(path.read_text().splitlines())
    ]


def checkpoint(folder: Path) -> tuple[Any, Observe]:
    one = callbacks.ModelCheckpoint(
        folder / "{epoch}-{val_loss:.2f}.weights.h5", save_weights_only=True
    )
    return one, lambda: sorted(path.name for path in folder.iterdir())


def backup(folder: Path) -> tuple[Any, Observe]:
    one = callbacks.BackupAndRestore(folder / "backup", delete_checkpoint=False)
    return one, lambda: sorted(path.name for path in (folder / "backup").iterdir())


def tensor_board(folder: Path) -> tuple[Any, Observe]:
    one = callbacks.TensorBoard(folder)
    return one, lambda: sorted(path.parent.name for path in folder.rglob("events.out.tfevents.*"))


def terminate_on_nan(_: Path) -> tuple[Any, Observe]:
    return callbacks.TerminateOnNaN(), lambda: None


def history(_: Path) -> tuple[Any, Observe]:
    one = callbacks.History()
    return one, lambda: one.history


def lambda_callback(_: Path) -> tuple[Any, Observe]:
    events: list[str] = []
    names = (
        "on_epoch_begin", "on_epoch_end", "on_train_begin", "on_train_end",
        "on_train_batch_begin", "on_train_batch_end",
    )  # fmt: skip
    told = {name: (lambda *_, name=name, **__: events.append(name)) for name in names}
    return callbacks.LambdaCallback(**told), lambda: events


def progress_bar(_: Path) -> tuple[Any, Observe]:
    one = callbacks.ProgbarLogger()
    return one, lambda: (one.target, one.seen, one.epochs)


def swap_averaged_weights(_: Path) -> tuple[Any, Observe]:
    return callbacks.SwapEMAWeights(swap_on_epoch=True), lambda: None


CALLBACKS: list[Make] = [
    early_stopping, reduce_on_plateau, scheduler, csv_logger, checkpoint, backup, tensor_board,
    terminate_on_nan, history, lambda_callback, progress_bar, swap_averaged_weights,
]  # fmt: skip


def optimizer(make: Make | None) -> Any:
    # After the first step nothing is a number, and weights are averaged, where a callback needs it.
    rate = float("nan") if make is terminate_on_nan else 1e-3
    return keras.optimizers.Adam(rate, use_ema=make is swap_averaged_weights)


def plain(dataset: Dataset, optimizer: Any, callback: Any) -> tuple[int, list[np.ndarray]]:
    """Fit as Keras documents it; return the epochs and the weights."""
    fitted, validation = dataset.fit_and_validation()
    keras.utils.set_random_seed(0)
    model = build_network("lenet5")
    model.compile(optimizer, keras.losses.CategoricalCrossentropy(), metrics=["accuracy"])
    history = model.fit(
        to_pixels(fitted.images),
        to_one_hot(fitted.labels),
        batch_size=len(fitted),
        epochs=EPOCHS,
        validation_data=(to_pixels(validation.images), to_one_hot(validation.labels)),
        verbose=0,
        callbacks=[callback],
    )
    return len(history.epoch), model.get_weights()


def ours(dataset: Dataset, optimizer: Any, callback: Any) -> tuple[int, list[np.ndarray]]:
    fitted, _ = dataset.fit_and_validation()
    settings = TrainingSettings(
        network="lenet5",
        epochs=EPOCHS,
        batch_size=len(fitted),
        optimizer=keras.optimizers.serialize(optimizer),
    )
    loop = make_loop(settings, dataset, [callback])
    loop.run()
    return len(loop.history), loop.model.get_weights()


def near(found: Any, expected: Any) -> bool:
    """Compare nested values, floats about."""
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(
            near(found[k], expected[k]) for k in expected
        )
    if isinstance(expected, list | tuple):
        return len(found) == len(expected) and all(map(near, found, expected))
    if isinstance(expected, float):
        return found == pytest.approx(expected, rel=1e-3, nan_ok=True)
    return bool(found == expected)


@pytest.mark.parametrize("make", CALLBACKS, ids=lambda make: make.__name__)
def test_a_callback_does_what_it_does_in_a_plain_fit(
    make: Make, few: Dataset, tmp_path: Path
) -> None:
    found = []
    for name, train in (("plain", plain), ("ours", ours)):
        (tmp_path / name).mkdir()
        callback, observe = make(tmp_path / name)
        epochs, weights = train(few, optimizer(make), callback)
        found.append((epochs, observe(), weights))
    (epochs, seen, weights), (our_epochs, ours_seen, our_weights) = found
    assert our_epochs == epochs
    assert near(ours_seen, seen), (ours_seen, seen)
    if make in {early_stopping, terminate_on_nan}:
        assert our_epochs < EPOCHS
    if make is terminate_on_nan:
        return  # its weights are beyond comparison
    for one, other in zip(our_weights, weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-2, atol=1e-4)


@pytest.fixture
def monitored() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server that keeps what is posted to it."""
    posted: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            posted.append(json.loads(self.rfile.read(length)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", posted
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_remote_monitor_is_told_the_same(
    few: Dataset, monitored: tuple[str, list[dict[str, Any]]]
) -> None:
    root, posted = monitored
    for train in (plain, ours):
        train(few, optimizer(None), callbacks.RemoteMonitor(root, send_as_json=True))
    assert len(posted) == 2 * EPOCHS
    assert near(posted[EPOCHS:], posted[:EPOCHS])


def test_a_recipe_of_one_graph_an_epoch_takes_fit_where_there_are_callbacks(few: Dataset) -> None:
    settings = TrainingSettings(recipe="fast", batch_size=100)
    assert isinstance(make_loop(settings, few), CompiledLoop)
    called = callbacks.History()
    loop = make_loop(settings, few, [called])
    assert type(loop) is ClassifierLoop
    loop.run()
    assert called.epoch == [0]
    notes = start_training(settings, few, callbacks=[called]).notes()
    assert any("takes longer" in note for note in notes)


def test_what_sets_the_learning_rate_takes_the_schedules_place(few: Dataset) -> None:
    rates: list[float] = []
    setter = callbacks.LearningRateScheduler(lambda _, rate: rates.append(rate) or rate / 2)
    settings = TrainingSettings(network="lenet5", epochs=3, learning_rate=0.004)
    make_loop(settings, few, [setter]).run()
    assert rates == pytest.approx([0.004, 0.002, 0.001])
    notes = start_training(settings, few, callbacks=[setter]).notes()
    assert any("LearningRateScheduler sets the learning rate" in note for note in notes)


def test_patience_ends_a_training_and_keeps_the_best_weights(
    small: Dataset, tmp_path: Path
) -> None:
    # At so high a rate the loss goes up again after a few epochs.
    settings = TrainingSettings(
        network="lenet5", epochs=30, optimizer="sgd", learning_rate=0.6, patience=2
    )
    run = start_training(settings, small).run(tmp_path / "run")
    losses = [row["validation_loss"] for row in run.history]
    best = int(np.argmin(losses))
    assert len(losses) == best + 3 < 30
    assert run.metrics["validation_loss"] == pytest.approx(losses[best], rel=1e-3)


def test_a_training_that_was_stopped_keeps_its_patience(small: Dataset, tmp_path: Path) -> None:
    settings = TrainingSettings(
        network="lenet5", epochs=30, optimizer="sgd", learning_rate=0.6, patience=2
    )
    whole = make_loop(settings, small)
    whole.run()
    state = tmp_path / "checkpoint.npz"
    for _ in range(30):  # each epoch in a training of its own

        class Killed(Exception):
            pass

        def stop(loop: Any) -> None:
            loop.save(state)
            raise Killed

        part = make_loop(settings, small)
        if state.exists():
            part.load(state)
        try:
            part.run(stop)
        except Killed:
            continue
        break
    assert len(part.history) == len(whole.history)
    for one, other in zip(part.result.get_weights(), whole.result.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
