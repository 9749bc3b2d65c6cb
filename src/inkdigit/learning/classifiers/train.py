"""From settings and digits to a run folder with everything in it."""

import contextlib
import json
import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from inkdigit.errors import MissingExtraError, ModelError
from inkdigit.files import write_atomically, write_text
from inkdigit.learning.backend import keras, versions
from inkdigit.learning.checkpoints import Loop, run_loop
from inkdigit.learning.classifiers.loop import ClassifierLoop
from inkdigit.learning.datasets import Dataset, Digits
from inkdigit.learning.evaluation.metrics import Evaluation, calibrate
from inkdigit.learning.evaluation.report import write_run_report
from inkdigit.learning.models.export import write_model_file
from inkdigit.learning.models.keras_files import (
    predict,
)
from inkdigit.learning.models.load import initial_weights, load_teacher
from inkdigit.learning.models.run import (
    DESCRIPTION,
    H5_MODEL,
    HISTORY,
    KERAS_MODEL,
    METRICS,
    ONNX_MODEL,
    Run,
    open_run,
    write_history,
)
from inkdigit.learning.networks import build_network, check_network, count_macs
from inkdigit.learning.recipes import find_recipe
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
        initial_weights(settings.start, build_network(settings.network))


def make_loop(settings: TrainingSettings, fitted: Digits, validation: Digits) -> ClassifierLoop:
    """Return the loop that the recipe of the settings asks for, where this backend has it."""
    if find_recipe(settings.recipe).compiled and keras.backend.backend() == "tensorflow":
        from inkdigit.learning.classifiers.compiled_loop import CompiledLoop

        return CompiledLoop(settings, fitted, validation)
    return ClassifierLoop(settings, fitted, validation)


def _finish(
    run: Run, loop: ClassifierLoop, dataset: Dataset, fitted: Digits, validation: Digits
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


def _metrics(run: Run, loop: ClassifierLoop, evaluations: dict[str, Evaluation]) -> dict[str, Any]:
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
