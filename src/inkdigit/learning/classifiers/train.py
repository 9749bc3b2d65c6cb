"""Training a classifier on labelled digits: what a run of it measures and keeps."""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

from inkdigit.files import write_atomically
from inkdigit.learning.backend import keras, make_reproducible
from inkdigit.learning.classifiers.loop import ClassifierLoop, sets_learning_rate
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.evaluation.metrics import Evaluation, calibrate
from inkdigit.learning.evaluation.report import write_run_report
from inkdigit.learning.models.export import check_exportable
from inkdigit.learning.models.keras_files import is_plain, predict
from inkdigit.learning.models.load import load_teacher
from inkdigit.learning.models.run import H5_MODEL, KERAS_MODEL, OWN_NETWORK, History, Run
from inkdigit.learning.networks.own import OwnNetwork
from inkdigit.learning.recipes import PLAIN
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.training import Training, figures_of, make_optimizer

# A recipe's learning rate rises high: it needs so many steps to come to anything.
_FEW_STEPS = 100


class ClassifierTraining(Training):
    """The training of a classifier on labelled digits.

    To be reproducible it seeds Python's, numpy's and Keras's global generators and, for the rest of
    the process, makes TensorFlow deterministic.
    """

    files = (KERAS_MODEL, H5_MODEL)
    _evaluations: dict[str, Evaluation]

    def __init__(
        self,
        settings: TrainingSettings,
        dataset: Dataset,
        own: OwnNetwork | None = None,
        callbacks: Sequence[Any] = (),
    ) -> None:
        super().__init__(settings, dataset)
        self._own, self._callbacks = own, callbacks

    def check(self, *, begun: bool) -> None:
        """Raise where the teacher, or what the training begins with, is none.

        And where a network of one's own is none, or could not be written as a model file.
        """
        if self.settings.teacher and not begun:
            load_teacher(self.settings.teacher)
        if self._own and not begun:
            check_exportable(self.network())
        super().check(begun=begun)

    def network(self) -> Any:
        """Return the network, untrained; one of the user's own as it is."""
        return self._own.build() if self._own else super().network()

    def keep_network(self, run: Run) -> None:
        """Keep a network that only a running program has."""
        path = run.folder / OWN_NETWORK
        if self._own and not self.settings.network_file and not path.exists():
            make_reproducible(self.settings.seed)  # as the loop is about to build it
            write_atomically(path, self.network().save)

    def compile(self, model: Any) -> None:
        """Compile a trained network for more: at a tenth of the recipe's learning rate."""
        optimizer = make_optimizer(self.recipe, None)
        if isinstance(self.recipe.optimizer, str):
            optimizer.learning_rate = float(optimizer.learning_rate) / 10
        model.compile(optimizer, keras.losses.CategoricalCrossentropy(), metrics=["accuracy"])
        optimizer.build(model.trainable_variables)

    def notes(self) -> list[str]:
        """Return what whoever starts this training should know."""
        settings = self.settings
        digits = settings.digits or len(self.dataset.train)
        steps = max(1, digits // settings.batch_size)
        notes = super().notes()
        if settings.recipe != PLAIN and steps * settings.epochs < _FEW_STEPS:
            notes.append(
                f"{digits:,} digits are too few for {settings.recipe}, which counts on MNIST's "
                f"60,000: give it {-(-_FEW_STEPS // steps)} epochs or more"
            )
        if settings.network_file:
            notes.append(f"{settings.network_file.rpartition(':')[0]} is run, to build the network")
        if self._own and not is_plain(self.network()):
            notes.append(
                f"{self._own.name} has layers of its own: model.onnx is read everywhere, its Keras "
                "files by Keras with custom_objects alone"
            )
            if not settings.network_file:
                notes.append("after a stop, go on with train, the same network and resume=True")
        if self._own and getattr(self._own.given, "compiled", False):
            notes.append(
                f"{self._own.name} is compiled anew, with categorical cross-entropy as its loss"
            )
        setting = [type(one).__name__ for one in self._callbacks if sets_learning_rate(one)]
        if setting:
            notes.append(f"{setting[0]} sets the learning rate: the recipe's schedule is left out")
        if self.recipe.compiled and self._callbacks:
            notes.append("with callbacks Keras's own fit is used, which takes longer")
        return notes

    def loop(self) -> nullcontext[ClassifierLoop]:
        """Return the loop that the recipe asks for, where this backend has it.

        A network of the user's own, whose losses may be of any kind, and callbacks take Keras's
        `fit`.
        """
        plain = self._own or self._callbacks or keras.backend.backend() != "tensorflow"
        what = self.settings, self.fitted, self.validation
        if self.recipe.compiled and not plain:
            from inkdigit.learning.classifiers.compiled_loop import CompiledLoop

            return nullcontext(CompiledLoop(*what))
        return nullcontext(ClassifierLoop(*what, self._own, self._callbacks))

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
