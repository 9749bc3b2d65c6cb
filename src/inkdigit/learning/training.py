"""From settings and digits to a run folder with everything in it."""

import contextlib
import csv
import json
import os
import platform
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

import inkdigit
from inkdigit.errors import MissingExtraError, ModelError
from inkdigit.files import leftovers, write_atomically, write_text
from inkdigit.learning.backend import keras
from inkdigit.learning.datasets import Dataset, Digits
from inkdigit.learning.evaluation import Evaluation, calibrate
from inkdigit.learning.export import write_model_file
from inkdigit.learning.keras_files import (
    DIGIT_SHAPES,
    LINE_SHAPES,
    load_keras_model,
    predict,
)
from inkdigit.learning.loop import Loop, TrainingLoop
from inkdigit.learning.models import load_teacher, starting_weights
from inkdigit.learning.networks import build_network, check_network, count_macs
from inkdigit.learning.recipes import find_recipe
from inkdigit.learning.report import write_run_report
from inkdigit.learning.runs import (
    DESCRIPTION,
    H5_MODEL,
    HISTORY,
    KERAS_MODEL,
    METRICS,
    ONNX_MODEL,
    History,
    Run,
)
from inkdigit.learning.settings import TrainingSettings


def train(
    settings: TrainingSettings,
    dataset: Dataset,
    folder: str | Path,
    *,
    resume: bool = False,
    callbacks: Sequence[Any] = (),
    after_epoch: Callable[[Loop], None] = lambda _: None,
) -> Run:
    """Train a network into a run folder, evaluate it on the test half, and keep everything.

    With `resume`, a run of the same settings and digits that lies there goes on from its last
    finished epoch, and a finished one is returned as it is. `callbacks` are Keras's. To be
    reproducible it seeds Python's, numpy's and Keras's global generators and, for the rest of the
    process, makes TensorFlow deterministic.
    """
    check_network(settings.network)
    if not (resume and Path(folder, DESCRIPTION).exists()):
        _check_models(settings)
    fitted, validation = dataset.fit_and_validation()
    run = open_run(settings, dataset, folder, resume=resume)
    if run.finished:
        return run
    loop = make_loop(settings, fitted, validation)
    run_loop(loop, run, after_epoch, callbacks)
    _finish(run, loop, dataset, fitted, validation)
    return run


def _check_models(settings: TrainingSettings) -> None:
    """Fail before there is a folder, where a teacher or a start is none."""
    if settings.teacher:
        load_teacher(settings.teacher)
    if settings.start:
        starting_weights(settings.start, build_network(settings.network))


def make_loop(settings: TrainingSettings, fitted: Digits, validation: Digits) -> TrainingLoop:
    """Return the loop that the recipe of the settings asks for, where this backend has it."""
    if find_recipe(settings.recipe).compiled and keras.backend.backend() == "tensorflow":
        from inkdigit.learning.compiled_loop import CompiledLoop

        return CompiledLoop(settings, fitted, validation)
    return TrainingLoop(settings, fitted, validation)


def open_run(
    settings: TrainingSettings, dataset: Dataset, folder: str | Path, *, resume: bool
) -> Run:
    """Start a run in a folder, or with `resume` take up the one of the same settings and digits."""
    if resume and Path(folder, DESCRIPTION).exists():
        run = Run.open(folder)
        run.check_same(settings, dataset)
    else:
        run = Run.create(folder, settings, dataset)
    for leftover in leftovers(run.folder):
        shutil.rmtree(leftover, ignore_errors=True)
    return run


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


def _finish(
    run: Run, loop: TrainingLoop, dataset: Dataset, fitted: Digits, validation: Digits
) -> None:
    model = loop.result
    write_atomically(run.folder / KERAS_MODEL, model.save)
    write_atomically(run.folder / H5_MODEL, model.save)
    write_atomically(run.folder / HISTORY, lambda path: write_history(path, loop.history))
    parts = {"train": fitted, "validation": validation, "test": dataset.test}
    evaluations = {
        name: Evaluation(digits.labels, predict(model, digits.images))
        for name, digits in parts.items()
    }
    metrics = _metrics(run, loop, evaluations)
    write_text(run.folder / METRICS, json.dumps(metrics, indent=2) + "\n")
    # A machine that trains may not be able to write ONNX; `inkdigit export` completes it elsewhere.
    with contextlib.suppress(MissingExtraError, ModelError):
        write_model_file(model, run.info(), run.folder / ONNX_MODEL)
    write_run_report(run.folder, metrics, loop.history, dataset.test, evaluations["test"])
    run.checkpoint.unlink(missing_ok=True)


def export(run: Run, path: Path | None = None, *, eight_bits: bool = False) -> Path:
    """Write the model file of a finished run, in the run or at `path`, and return where it is.

    In eight bits a digit network is faster by the batch; a line network always is in eight bits.
    """
    target = path or run.folder / ONNX_MODEL
    info = run.info()
    shapes = LINE_SHAPES if info.reads == "line" else DIGIT_SHAPES
    model = load_keras_model(run.folder / KERAS_MODEL, shapes)
    write_model_file(model, info, target, eight_bits=eight_bits)
    return target


def write_history(path: Path, history: History) -> None:
    """Write a history as a table, a row an epoch."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, history[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)


def _metrics(run: Run, loop: TrainingLoop, evaluations: dict[str, Evaluation]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name, evaluation in evaluations.items():
        figures[f"{name}_accuracy"] = evaluation.accuracy
        figures[f"{name}_loss"] = evaluation.loss
    sizes = {f"{name}_digits": len(part.labels) for name, part in evaluations.items()}
    return {
        **figures,
        "parameters": loop.model.count_params(),
        "macs": count_macs(loop.model),
        **asdict(run.settings),
        "seconds": loop.seconds,
        "data": run.data,
        **sizes,
        "calibration": asdict(calibrate(evaluations["validation"])),
        "versions": versions(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }


def versions() -> dict[str, str]:
    """Return the versions of what a training depends on."""
    backend = keras.backend.backend()
    return {
        "inkdigit": inkdigit.__version__,
        "python": platform.python_version(),
        "keras": keras.__version__,
        backend: sys.modules[backend].__version__,
        "numpy": np.__version__,
    }
