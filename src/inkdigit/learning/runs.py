"""A run: one training and everything it leaves, in a folder.

While it trains, the folder holds `run.json` (what is trained on what) and `checkpoint.npz` (the
state after the last epoch). When it is done the checkpoint is gone and there are `model.keras`,
`mnist_cnn_model.h5`, `model.onnx`, `history.csv`, `metrics.json`, pictures and `report.html`.
"""

import contextlib
import csv
import json
import os
import platform
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import inkdigit
from inkdigit.errors import MissingExtraError, RunError
from inkdigit.learning.backend import keras
from inkdigit.learning.datasets import Dataset, Digits
from inkdigit.learning.evaluation import Evaluation, calibrate
from inkdigit.learning.export import write_model_file
from inkdigit.learning.files import make_folder, write_atomically, write_text
from inkdigit.learning.networks import count_macs
from inkdigit.learning.report import write_run_report
from inkdigit.learning.saved_models import load_keras_model, predict
from inkdigit.learning.training import History, Training, TrainingSettings
from inkdigit.reading.model_file import ModelInfo

DESCRIPTION = "run.json"
CHECKPOINT = "checkpoint.npz"
METRICS = "metrics.json"
HISTORY = "history.csv"
KERAS_MODEL = "model.keras"
H5_MODEL = "mnist_cnn_model.h5"
ONNX_MODEL = "model.onnx"


@dataclass(frozen=True)
class Run:
    """A run folder: what was trained (`settings`) on which digits (`data`, and their SHA-256)."""

    folder: Path
    settings: TrainingSettings
    data: str
    digest: str

    @classmethod
    def open(cls, folder: str | Path) -> "Run":
        """Open an existing run; `RunError` where there is none."""
        try:
            described = json.loads(Path(folder, DESCRIPTION).read_text(encoding="utf-8"))
            settings = TrainingSettings(**described["settings"])
            return cls(Path(folder), settings, described["data"], described["digest"])
        except (OSError, ValueError, KeyError, TypeError):
            raise RunError(f"{folder} is no run folder: it has no readable {DESCRIPTION}") from None

    @classmethod
    def create(cls, folder: str | Path, settings: TrainingSettings, dataset: Dataset) -> "Run":
        """Start a run in a new or empty folder; `RunError` where something lies already."""
        run = cls(Path(folder), settings, dataset.name, dataset.train.digest())
        if (run.folder / DESCRIPTION).exists():
            raise RunError(f"{folder} already holds a run: go on with it (--resume {folder}), or "
                           "choose another folder (--out)")
        if run.folder.exists() and (not run.folder.is_dir() or any(run.folder.iterdir())):
            raise RunError(f"{folder} is not empty and not a run: choose another folder (--out)")
        make_folder(run.folder)
        described = {"settings": asdict(settings), "data": run.data, "digest": run.digest}
        write_text(run.folder / DESCRIPTION, json.dumps(described, indent=2) + "\n")
        return run

    @property
    def checkpoint(self) -> Path:
        """Where the state lies while the run is under way."""
        return self.folder / CHECKPOINT

    @property
    def finished(self) -> bool:
        """Whether everything a run leaves is there."""
        return (self.folder / METRICS).exists() and not self.checkpoint.exists()

    @property
    def metrics(self) -> dict[str, Any]:
        """What was measured; `RunError` while the run is unfinished."""
        try:
            content: dict[str, Any] = json.loads((self.folder / METRICS).read_text("utf-8"))
        except (OSError, ValueError):
            raise RunError(f"{self.folder} is unfinished: go on with it (--resume)") from None
        return content

    def info(self) -> ModelInfo:
        """Return what the model file says of itself."""
        metrics = self.metrics
        return ModelInfo(
            network=self.settings.network,
            trained_on=f"{self.data}, {metrics['train_digits']:,} digits",
            accuracy=metrics["test_accuracy"],
            accuracy_on=f"{self.data}, test half, {metrics['test_digits']:,} digits",
            inkdigit_version=inkdigit.__version__,
            **metrics["calibration"],
        )


def train(
    settings: TrainingSettings,
    dataset: Dataset,
    folder: str | Path,
    *,
    resume: bool = False,
    callbacks: Sequence[Any] = (),
    after_epoch: Callable[[Training], None] = lambda _: None,
) -> Run:
    """Train a network into a run folder, evaluate it on the test half, and keep everything.

    With `resume`, a run of the same settings and digits that lies there goes on from its last
    finished epoch, and a finished one is returned as it is. `callbacks` are Keras's.
    """
    if resume and Path(folder, DESCRIPTION).exists():
        run = Run.open(folder)
        _check_same(run, settings, dataset)
    else:
        run = Run.create(folder, settings, dataset)
    if run.finished:
        return run
    fitted, validation = dataset.fit_and_validation()
    training = Training(settings, fitted, validation)
    if run.checkpoint.exists():
        training.load(run.checkpoint)

    def keep(training: Training) -> None:
        training.save(run.checkpoint)
        after_epoch(training)

    training.run(keep, callbacks)
    _finish(run, training, dataset, fitted, validation)
    return run


def _check_same(run: Run, settings: TrainingSettings, dataset: Dataset) -> None:
    if run.settings != settings:
        raise RunError(f"{run.folder} was started with other settings ({_listed(run.settings)}): "
                       "choose another folder")
    if run.digest != dataset.train.digest():
        raise RunError(f"{run.folder} was started on other digits ({run.data}): choose another folder")


def _listed(settings: TrainingSettings) -> str:
    return ", ".join(f"{name} {value}" for name, value in asdict(settings).items())


def _finish(
    run: Run, training: Training, dataset: Dataset, fitted: Digits, validation: Digits
) -> None:
    model = training.model
    write_atomically(run.folder / KERAS_MODEL, model.save)
    write_atomically(run.folder / H5_MODEL, model.save)
    write_atomically(run.folder / HISTORY, lambda path: _write_history(path, training.history))
    parts = {"train": fitted, "validation": validation, "test": dataset.test}
    evaluations = {
        name: Evaluation(digits.labels, predict(model, digits.images))
        for name, digits in parts.items()
    }
    metrics = _metrics(run, training, evaluations)
    write_text(run.folder / METRICS, json.dumps(metrics, indent=2) + "\n")
    # A machine that trains may not be able to write ONNX; `inkdigit export` completes it elsewhere.
    with contextlib.suppress(MissingExtraError):
        write_model_file(model, run.info(), run.folder / ONNX_MODEL)
    write_run_report(run.folder, metrics, training.history, dataset.test, evaluations["test"])
    run.checkpoint.unlink(missing_ok=True)


def export(run: Run, path: Path | None = None) -> Path:
    """Write the model file of a finished run, into the run unless `path` says where; return where."""
    target = path or run.folder / ONNX_MODEL
    info = run.info()
    write_model_file(load_keras_model(run.folder / KERAS_MODEL), info, target)
    return target


def read_history(run: Run) -> History:
    """Return the history of a finished run, one row an epoch."""
    with (run.folder / HISTORY).open(encoding="utf-8", newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def _write_history(path: Path, history: History) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, history[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)


def _metrics(run: Run, training: Training, evaluations: dict[str, Evaluation]) -> dict[str, Any]:
    figures: dict[str, Any] = {}
    for name, evaluation in evaluations.items():
        figures[f"{name}_accuracy"] = evaluation.accuracy
        figures[f"{name}_loss"] = evaluation.loss
    sizes = {f"{name}_digits": len(part.labels) for name, part in evaluations.items()}
    return {
        **figures,
        "parameters": training.model.count_params(),
        "macs": count_macs(training.model),
        **asdict(run.settings),
        "seconds": training.seconds,
        "data": run.data,
        **sizes,
        "calibration": asdict(calibrate(evaluations["validation"])),
        "versions": _versions(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }


def _versions() -> dict[str, str]:
    backend = keras.backend.backend()
    return {
        "inkdigit": inkdigit.__version__,
        "python": platform.python_version(),
        "keras": keras.__version__,
        backend: sys.modules[backend].__version__,
        "numpy": np.__version__,
    }
