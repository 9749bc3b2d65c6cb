"""A run: one training and everything it leaves, in a folder.

While it trains, the folder holds `run.json` (what is trained on what) and `checkpoint.npz` (the
state after the last epoch). When it is done the checkpoint is gone and there are `model.keras`,
`mnist_cnn_model.h5`, `model.onnx`, `history.csv`, `metrics.json`, pictures and `report.html`.
"""

import csv
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import inkdigit
from inkdigit.errors import RunError
from inkdigit.learning.datasets.digits import Dataset
from inkdigit.learning.files import make_folder, write_text
from inkdigit.learning.settings import TrainingSettings
from inkdigit.reading.model_file import ModelInfo

DESCRIPTION = "run.json"
CHECKPOINT = "checkpoint.npz"
METRICS = "metrics.json"
HISTORY = "history.csv"
KERAS_MODEL = "model.keras"
H5_MODEL = "mnist_cnn_model.h5"
ONNX_MODEL = "model.onnx"

# One row an epoch: epoch, loss, accuracy, validation_loss, validation_accuracy, seconds.
History = list[dict[str, float]]


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
            raise RunError(
                f"{folder} already holds a run: go on with it (--resume {folder}), or "
                "choose another folder (--out)"
            )
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

    @property
    def history(self) -> History:
        """The history of a finished run, one row an epoch."""
        with (self.folder / HISTORY).open(encoding="utf-8", newline="") as file:
            return [
                {name: float(value) for name, value in row.items()} for row in csv.DictReader(file)
            ]

    def info(self) -> ModelInfo:
        """Return what the model file says of itself."""
        metrics = self.metrics
        # A folder of one's own goes by its last name: model files are handed on, paths are not.
        own = self.data.startswith("folder:")
        data = f"folder:{Path(self.data.removeprefix('folder:')).name}" if own else self.data
        return ModelInfo(
            network=self.settings.network,
            trained_on=data,
            trained_digits=metrics["train_digits"],
            accuracy=metrics["test_accuracy"],
            accuracy_on=f"{data}, test half, {metrics['test_digits']:,} digits",
            inkdigit_version=inkdigit.__version__,
            **metrics["calibration"],
        )

    def check_same(self, settings: TrainingSettings, dataset: Dataset) -> None:
        """Raise `RunError` unless the run was started with these settings on these digits."""
        if self.settings != settings:
            listed = ", ".join(f"{name} {value}" for name, value in asdict(self.settings).items())
            raise RunError(
                f"{self.folder} was started with other settings ({listed}): choose another folder"
            )
        if self.digest != dataset.train.digest():
            raise RunError(
                f"{self.folder} was started on other digits ({self.data}): choose another folder"
            )
