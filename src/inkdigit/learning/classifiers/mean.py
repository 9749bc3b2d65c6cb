"""One model of several runs, whose answer is the mean of theirs (Hansen and Salamon 1990)."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from inkdigit.errors import RunError, SettingError
from inkdigit.files import as_path, write_atomically
from inkdigit.learning.backend import keras
from inkdigit.learning.datasets import Dataset, load_dataset
from inkdigit.learning.datasets.digits import public_name
from inkdigit.learning.evaluation.metrics import Evaluation, calibrate
from inkdigit.learning.models.export import digits_to_quantise_by, write_model_file
from inkdigit.learning.models.keras_files import load_keras_model, predict
from inkdigit.learning.models.run import KERAS_MODEL, Run
from inkdigit.learning.recipes import DRAWN
from inkdigit.reading.model_file import ModelInfo

SUFFIXES = (".keras", ".onnx")


def export_mean(
    runs: Sequence[Run | str | Path],
    out: str | Path,
    *,
    eight_bits: bool = False,
    data: Dataset | str | None = None,
) -> Path:
    """Write one model, `.keras` or `.onnx`, whose answer is the mean of those of several runs.

    The runs must have learnt from the same digits: those of `data`, by default as the first run
    names them. What an `.onnx` says of its accuracy and calibration is of their validation part.

    Raises `SettingError` for another kind of file or of network, and `RunError` where a run is
    unfinished or learnt from other digits.

    >>> from inkdigit import learning
    >>> run = learning.train("sample", network="lenet5", epochs=1, out="runs/example", resume=True)
    >>> learning.export_mean([run, run], "mean.keras").name
    'mean.keras'
    """
    path, opened = as_path(out, "out"), [Run.open(run) for run in runs]
    if path.suffix not in SUFFIXES:
        raise SettingError(f"{path} is no kind of model file: end it in {' or '.join(SUFFIXES)}")
    if eight_bits and path.suffix != ".onnx":
        raise SettingError("only an .onnx file holds eight bits: leave out eight_bits")
    model = mean_model(opened)
    if path.suffix == ".keras":
        write_atomically(path, model.save)
    else:
        dataset = load_dataset(data or opened[0].data)
        pictures = digits_to_quantise_by() if eight_bits else None
        write_model_file(model, _described(model, opened, dataset), path, pictures)
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
    network = f"mean of {len(runs)} runs"
    return replace(runs[0].info(), network=network, **measured(model, dataset))


def measured(model: Any, dataset: Dataset) -> dict[str, Any]:
    """Return how a network does on the validation digits, as `ModelInfo` has it."""
    _, validation = dataset.fit_and_validation()
    answers = Evaluation(validation.labels, predict(model, validation.images))
    on = f"{public_name(dataset.name)}, validation part, {len(validation):,} digits"
    return {"accuracy": answers.accuracy, "accuracy_on": on, **asdict(calibrate(answers))}
