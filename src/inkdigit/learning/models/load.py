"""A trained network by path, whichever form it was kept in."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inkdigit.errors import ModelError, RunError
from inkdigit.learning.models.run import KERAS_MODEL, ONNX_MODEL, Run
from inkdigit.reading.alphabet import DIGITS, SINGLE_ALPHABET
from inkdigit.reading.model_file import DigitModel, Floats
from inkdigit.reading.preprocessing.digit import SIZE

SUFFIXES = (".keras", ".h5", ".onnx")
Probabilities = Callable[[npt.NDArray[np.uint8]], Floats]
# The maps of so many digits take some megabytes.
_BATCH = 1000


@dataclass(frozen=True)
class TrainedModel:
    """A trained network.

    `probabilities` turns images `uint8 (n, 28, 28)` into raw probabilities `float32 (n, classes)`;
    `trained_on` names the data set and `run` is the run it belongs to, where they are known.
    """

    path: Path
    probabilities: Probabilities
    trained_on: str | None
    run: Run | None


def load_model(path: str | Path) -> TrainedModel:
    """Load a run folder, a `.keras`, an `.h5` or an `.onnx`; `ModelError` where it can't be."""
    path = Path(path)
    if path.is_dir():
        # ONNX Runtime is there in a blink; Keras takes seconds to import.
        path = _model_of_run(path, [ONNX_MODEL, KERAS_MODEL])
    if path.suffix not in SUFFIXES:
        raise ModelError(f"{path} is no model: expected a run folder, {', '.join(SUFFIXES)}")
    run = _run_of(path)
    named = run.data if run else None
    if path.suffix == ".onnx":
        model = DigitModel.load(path)
        if model.info.classes not in (DIGITS, SINGLE_ALPHABET):
            raise ModelError(f"{path} reads {model.info.classes!r}: expected a model of {DIGITS!r}")
        named = named or model.info.trained_on
        return TrainedModel(path, partial(_by_batches, model.probabilities), named, run)
    from inkdigit.learning.models.keras_files import load_keras_model, predict

    network = load_keras_model(path)
    return TrainedModel(path, lambda images: predict(network, images), named, run)


def load_teacher(path: str | Path) -> Probabilities:
    """Load a model to learn from; `ModelError` if it tells other classes apart than digits."""
    answers = load_model(path).probabilities
    classes = answers(np.zeros((1, SIZE, SIZE), np.uint8)).shape[1]
    if classes != len(DIGITS):
        raise ModelError(f"{path} tells {classes} classes apart: a teacher tells {len(DIGITS)}")
    return answers


def initial_weights(path: str | Path, network: Any) -> list[npt.NDArray[np.float32]]:
    """Return the weights that a Keras model begins with, from a trained one of the same layers.

    `path` is a run folder, a `.keras` or an `.h5`. Raises `ModelError` where it can't be loaded or
    has other layers than `network`.
    """
    from inkdigit.learning.models.keras_files import load_keras_model

    path = Path(path)
    if path.is_dir():
        path = _model_of_run(path, [KERAS_MODEL])
    trained = load_keras_model(path, ((network.input_shape, network.output_shape),))
    weights: list[npt.NDArray[np.float32]] = trained.get_weights()
    if [array.shape for array in weights] != [array.shape for array in network.get_weights()]:
        raise ModelError(f"{path} has other layers than {network.name}: it is no start for that")
    return weights


def _by_batches(probabilities: Probabilities, images: npt.NDArray[np.uint8]) -> Floats:
    cuts = range(_BATCH, len(images), _BATCH)
    return np.concatenate([probabilities(some) for some in np.split(images, cuts)])


def data_of(path: str | Path) -> str | None:
    """Return the name of the data set that the model of a run learnt from, if it is known."""
    path = Path(path)
    run = Run.open(path) if path.is_dir() else _run_of(path)
    return run.data if run else None


def _model_of_run(folder: Path, names: Sequence[str]) -> Path:
    run = Run.open(folder)
    found = next((run.folder / name for name in names if (run.folder / name).exists()), None)
    if found is None:
        raise RunError(
            f"{folder} is unfinished and holds no model yet: run  inkdigit train --resume {folder}"
        )
    return found


def _run_of(path: Path) -> Run | None:
    try:
        return Run.open(path.parent)
    except RunError:
        return None


def already_seen(trained_on: str | None, data: str, split: str) -> str | None:
    """Return a sentence where a model has seen the digits it is judged on, else `None`."""
    if trained_on == "mnist" and data == "sample":
        return (
            "the sample is part of MNIST's training half, which this model was trained on: its "
            "figures here say nothing about unseen digits"
        )
    if trained_on == "sample" and data == "mnist" and split in {"train", "validation", "all"}:
        return "this model was trained on the sample, which is part of these digits"
    if trained_on == data and split in {"train", "all"}:
        return f"this model was trained on these digits ({data}, {split})"
    return None
