"""A trained network by path, whichever form it was kept in."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from inkdigit.errors import DataError, ImageError, ModelError, RunError
from inkdigit.files import as_path
from inkdigit.learning.datasets.digits import as_labels
from inkdigit.learning.models.run import KERAS_MODEL, KERAS_SUFFIXES, ONNX_MODEL, Run
from inkdigit.reading.alphabet import DIGITS, SINGLE_ALPHABET
from inkdigit.reading.calibration import Floats, temperature_scale
from inkdigit.reading.model_file import DigitModel
from inkdigit.reading.preprocessing.digit import SIZE

SUFFIXES = (*KERAS_SUFFIXES, ".onnx")
Images = npt.NDArray[np.generic]
Probabilities = Callable[[Images], Floats]
# The maps of so many digits take some megabytes.
_BATCH = 1000


@dataclass(frozen=True, eq=False, repr=False)
class DigitClassifier:
    """A trained digit network, with the methods of a scikit-learn classifier.

    Images are `uint8 (n, 28, 28)` or flat `(n, 784)`, ink 255 on paper 0, or float in 0..1.
    `temperature` calibrates the probabilities: it is 1 where none is known, as of a `.keras` file
    outside its run. `trained_on` names the data set and `run` is the run it belongs to, where they
    are known.

    >>> from inkdigit import learning
    >>> digits = learning.load_dataset("sample").test
    >>> model = learning.DigitClassifier.load()
    >>> model.predict(digits.images[:5])
    array([0, 0, 0, 0, 0])
    >>> model.predict_proba(digits.images[:5]).shape
    (5, 11)
    >>> model.score(digits.images, digits.labels) > 0.99
    True
    """

    path: Path
    classes_: npt.NDArray[np.int64]
    network: Probabilities
    temperature: float = 1.0
    trained_on: str | None = None
    run: Run | None = None

    @classmethod
    def load(cls, source: "str | Path | Run | None" = None) -> Self:
        """Load a run, its folder, a `.keras`, an `.h5` or an `.onnx`; by default the model inside.

        Raises `ModelError` or `RunError` where it can't be loaded.
        """
        if source is None:
            from inkdigit.reading.reader import SINGLE_MODEL

            source = SINGLE_MODEL
        # ONNX Runtime is there in a blink; Keras takes seconds to import.
        path, run = locate(source, ONNX_MODEL, KERAS_MODEL)
        if path.suffix not in SUFFIXES:
            raise ModelError(f"{path} is no model: expected a run folder, {', '.join(SUFFIXES)}")
        return (cls._from_onnx if path.suffix == ".onnx" else cls._from_keras)(path, run)

    @classmethod
    def _from_onnx(cls, path: Path, run: Run | None) -> Self:
        model = DigitModel.load(path)
        info = model.info
        if info.classes not in (DIGITS, SINGLE_ALPHABET):
            raise ModelError(f"{path} reads {info.classes!r}: expected a model of {DIGITS!r}")
        network = partial(_by_batches, model.probabilities)
        trained_on = run.data if run else info.trained_on
        return cls(path, np.arange(len(info.classes)), network, info.temperature, trained_on, run)

    @classmethod
    def _from_keras(cls, path: Path, run: Run | None) -> Self:
        from inkdigit.learning.models.keras_files import load_digit_model, predict

        model = load_digit_model(path)
        classes, network = np.arange(model.output_shape[1]), partial(predict, model)
        known = run.metrics["calibration"] if run and run.finished else {"temperature": 1.0}
        return cls(path, classes, network, known["temperature"], run.data if run else None, run)

    def __repr__(self) -> str:
        return f"DigitClassifier({str(self.path)!r})"

    def probabilities(self, images: Images) -> Floats:
        """Return what the network says, uncalibrated, `float32 (n, classes)`."""
        images = np.asarray(images)
        if images.ndim == 2 and images.shape[1] == SIZE * SIZE:
            images = images.reshape(-1, SIZE, SIZE)
        if images.shape[1:] != (SIZE, SIZE):
            raise ImageError(
                f"expected images of shape (n, {SIZE}, {SIZE}) or (n, {SIZE * SIZE}), "
                f"received {images.shape}"
            )
        return self.network(images)

    def predict_proba(self, images: Images) -> Floats:
        """Return calibrated probabilities `float32 (n, classes)`, in the order of `classes_`."""
        return temperature_scale(self.probabilities(images), self.temperature)

    def predict(self, images: Images) -> npt.NDArray[np.int64]:
        """Return the likeliest class of each image, `int64 (n,)`: a digit, or 10 for none."""
        return np.asarray(self.classes_[self.probabilities(images).argmax(axis=1)])

    def score(self, images: Images, labels: npt.ArrayLike) -> float:
        """Return the share of images whose likeliest class is their label: the accuracy.

        Raises `DataError` for labels that are no digits, or not as many.
        """
        found, expected = self.predict(images), as_labels(labels, len(self.classes_))
        if len(found) != len(expected):
            raise DataError(f"{len(expected)} labels do not match {len(found)} images")
        return float(np.mean(found == expected))


def load_teacher(path: str | Path) -> Probabilities:
    """Load a model to learn from; `ModelError` if it tells other classes apart than digits."""
    teacher = DigitClassifier.load(path)
    if (classes := len(teacher.classes_)) != len(DIGITS):
        raise ModelError(f"{path} tells {classes} classes apart: a teacher tells {len(DIGITS)}")
    return teacher.probabilities


def initial_weights(path: str | Path, network: Any) -> list[npt.NDArray[np.float32]]:
    """Return the weights that a Keras model begins with, from a trained one of the same layers.

    `path` is a run folder, a `.keras` or an `.h5`. Raises `ModelError` where it can't be loaded or
    has other layers than `network`.
    """
    from inkdigit.learning.models.keras_files import load_keras_model

    path, _ = locate(path, KERAS_MODEL)
    trained = load_keras_model(path, ((network.input_shape, network.output_shape),))
    weights: list[npt.NDArray[np.float32]] = trained.get_weights()
    if [array.shape for array in weights] != [array.shape for array in network.get_weights()]:
        raise ModelError(f"{path} has other layers than {network.name}: name a run of that network")
    return weights


def _by_batches(probabilities: Probabilities, images: Images) -> Floats:
    cuts = range(_BATCH, len(images), _BATCH)
    return np.concatenate([probabilities(some) for some in np.split(images, cuts)])


def locate(source: "str | Path | Run", *names: str) -> tuple[Path, Run | None]:
    """Return the file of a model, and the run that it belongs to, if any.

    Of a run it is the first of the named files that is there; `RunError` where none is yet.
    """
    path = as_path(source.folder if isinstance(source, Run) else source, "a model")
    if not path.is_dir():
        with suppress(RunError):
            return path, Run.open(path.parent)
        return path, None
    run = Run.open(path)
    for file in (path / name for name in names):
        if file.exists():
            return file, run
    raise RunError(
        f"{path} is unfinished and holds no model yet: run  inkdigit train --resume {path}"
    )


def already_seen(trained_on: str | None, data: str, split: str) -> str | None:
    """Return a sentence where a model has seen the digits it is judged on, else `None`."""
    if trained_on:  # what reads in use learns from drawings as well
        trained_on, _, _ = trained_on.partition(" and drawn handwriting")
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
