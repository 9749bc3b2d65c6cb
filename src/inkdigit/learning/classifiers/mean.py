"""One model of several runs, whose answer is the mean of theirs (Hansen and Salamon 1990)."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from inkdigit.errors import RunError, SettingError
from inkdigit.files import write_atomically
from inkdigit.learning.backend import keras
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.evaluation.metrics import Evaluation, calibrate
from inkdigit.learning.models.export import Pictures, write_model_file
from inkdigit.learning.models.keras_files import load_keras_model, predict
from inkdigit.learning.models.run import KERAS_MODEL, Run
from inkdigit.learning.recipes import DRAWN
from inkdigit.reading.model_file import ModelInfo

SUFFIXES = (".keras", ".onnx")


def export_mean(
    runs: Sequence[Run], load: Callable[[], Dataset], path: Path, pictures: Pictures | None = None
) -> Path:
    """Write the mean of several runs as one `.keras` or `.onnx` file, and return where it is.

    `load` returns what the runs were trained on; it is asked for an `.onnx` only, whose accuracy
    and calibration are measured on the validation part. An `.onnx` is in eight bits if that is
    measured on `pictures`. Raises `SettingError` for another kind of file or of network, and
    `RunError` where a run is unfinished or learnt from other digits.
    """
    if path.suffix not in SUFFIXES:
        raise SettingError(f"{path} is no kind of model file: end it in {' or '.join(SUFFIXES)}")
    if pictures is not None and path.suffix != ".onnx":
        raise SettingError("only an .onnx file holds eight bits: leave out --eight-bits")
    model = mean_model(runs)
    if path.suffix == ".onnx":
        write_model_file(model, _described(model, runs, load()), path, pictures)
    else:
        write_atomically(path, model.save)
    return path


def mean_model(runs: Sequence[Run]) -> Any:
    """Return a Keras model whose probabilities are the mean of those of the runs' networks."""
    _check(runs)
    digit = keras.Input((28, 28, 1))
    answers = []
    for number, run in enumerate(runs):
        member = load_keras_model(run.folder / KERAS_MODEL)
        member.name = f"member-{number}"
        answers.append(member(digit))
    return keras.Model(digit, keras.layers.Average()(answers), name="mean")


def _check(runs: Sequence[Run]) -> None:
    if len(runs) < 2:
        raise SettingError("a mean is of several runs: name at least two")
    for run in runs:
        if run.settings.network in DRAWN:
            raise SettingError(f"{run.folder} is of {run.settings.network}: no mean is made of it")
        if not run.finished:
            raise RunError(f"{run.folder} is unfinished: run  inkdigit train --resume {run.folder}")
        if run.digest != runs[0].digest:
            raise RunError(f"{run.folder} was trained on other digits than {runs[0].folder}")


def _described(model: Any, runs: Sequence[Run], dataset: Dataset) -> ModelInfo:
    if dataset.digest() != runs[0].digest:
        raise RunError(f"{runs[0].folder} was trained on other digits than {dataset.name} has now")
    _, validation = dataset.fit_and_validation()
    answers = Evaluation(validation.labels, predict(model, validation.images))
    info = runs[0].info()
    return replace(
        info,
        network=f"mean of {len(runs)} runs",
        accuracy=answers.accuracy,
        accuracy_on=f"{info.trained_on}, validation part, {len(validation):,} digits",
        **asdict(calibrate(answers)),
    )
