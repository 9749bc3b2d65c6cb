"""Training a classifier on labelled digits: what a run of it measures and keeps."""

from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from inkdigit.learning.backend import keras
from inkdigit.learning.classifiers.loop import ClassifierLoop
from inkdigit.learning.datasets import Digits
from inkdigit.learning.evaluation.metrics import Evaluation, calibrate
from inkdigit.learning.evaluation.report import write_run_report
from inkdigit.learning.models.keras_files import predict
from inkdigit.learning.models.load import load_teacher
from inkdigit.learning.models.run import H5_MODEL, KERAS_MODEL, History, Run
from inkdigit.learning.recipes import PLAIN, find_recipe
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.training import Training, figures_of

# A recipe's learning rate rises high: it needs so many steps to come to anything.
_FEW_STEPS = 100


class ClassifierTraining(Training):
    """The training of a classifier on labelled digits.

    To be reproducible it seeds Python's, numpy's and Keras's global generators and, for the rest of
    the process, makes TensorFlow deterministic.
    """

    files = (KERAS_MODEL, H5_MODEL)
    _evaluations: dict[str, Evaluation]

    def check(self, *, begun: bool) -> None:
        """Raise where the teacher, or what the training begins with, is none."""
        if self.settings.teacher and not begun:
            load_teacher(self.settings.teacher)
        super().check(begun=begun)

    def notes(self) -> list[str]:
        """Return what whoever starts this training should know."""
        digits, settings = len(self.dataset.train), self.settings
        steps = max(1, digits // settings.batch_size)
        notes = super().notes()
        if settings.recipe != PLAIN and steps * settings.epochs < _FEW_STEPS:
            notes.append(
                f"{digits:,} digits are too few for {settings.recipe}, which counts on MNIST's "
                f"60,000: give it --epochs {-(-_FEW_STEPS // steps)} or more"
            )
        return notes

    def loop(self) -> nullcontext[ClassifierLoop]:
        """Return the loop that the recipe asks for."""
        return nullcontext(make_loop(self.settings, self.fitted, self.validation))

    def measure(self, model: Any, history: History) -> dict[str, Any]:  # noqa: ARG002
        """Return loss, accuracy and number of the digits that were fitted, and of the others."""
        parts = {"train": self.fitted, "validation": self.validation, "test": self.dataset.test}
        self._evaluations = {
            name: Evaluation(digits.labels, predict(model, digits.images))
            for name, digits in parts.items()
        }
        figures: dict[str, Any] = {}
        for name, found in self._evaluations.items():
            figures |= figures_of(name, found.loss, found.accuracy, len(found.labels))
        return figures

    def calibrate(self, model: Any, path: Path) -> dict[str, float]:  # noqa: ARG002
        """Return the calibration on the validation digits."""
        return asdict(calibrate(self._evaluations["validation"]))

    def report(self, run: Run) -> None:
        """Write the pictures and the page."""
        test, evaluation = self.dataset.test, self._evaluations["test"]
        write_run_report(run.folder, run.metrics, run.history, test, evaluation)


def make_loop(settings: TrainingSettings, fitted: Digits, validation: Digits) -> ClassifierLoop:
    """Return the loop that the recipe of the settings asks for, where this backend has it."""
    if find_recipe(settings.recipe).compiled and keras.backend.backend() == "tensorflow":
        from inkdigit.learning.classifiers.compiled_loop import CompiledLoop

        return CompiledLoop(settings, fitted, validation)
    return ClassifierLoop(settings, fitted, validation)
