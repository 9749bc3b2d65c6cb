"""A run: one training and everything it leaves, in a folder.

While it trains, the folder holds `run.json` (what is trained on what) and `checkpoint.npz` (the
state after the last epoch). When it is done the checkpoint is gone and there are `model.keras`,
`mnist_cnn_model.h5`, `model.onnx`, `history.csv`, `metrics.json`, pictures and `report.html`.
`changes.json` is there where settings were changed by hand meanwhile, and `snapshots.npz`
where it was asked for.
"""

import csv
import json
import shutil
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from inkdigit.errors import InkdigitError, RunError
from inkdigit.files import as_path, is_taken, leftovers, make_folder, write_text
from inkdigit.learning.datasets.digits import Dataset, public_name
from inkdigit.learning.recipes import find_recipe
from inkdigit.learning.settings import TrainingSettings
from inkdigit.reading.model_file import MODEL_FILE, ModelInfo

DESCRIPTION = "run.json"
CHECKPOINT = "checkpoint.npz"
METRICS = "metrics.json"
HISTORY = "history.csv"
CHANGES = "changes.json"
SNAPSHOTS = "snapshots.npz"
# What other parts read from the metrics.
NEEDED = {
    "test_accuracy", "test_loss", "train_accuracy", "train_loss", "train_digits", "test_digits",
    "parameters", "macs", "seconds", "calibration",
}  # fmt: skip
KERAS_SUFFIXES = (".keras", ".h5")
KERAS_MODEL = "model.keras"
# What a network of the user's own was, untrained.
OWN_NETWORK = "network.keras"
H5_MODEL = "mnist_cnn_model.h5"
ONNX_MODEL = MODEL_FILE
REPORT = "report.html"

# One row an epoch: epoch, loss, accuracy, validation_loss, validation_accuracy, seconds.
History = list[dict[str, float]]


@dataclass(frozen=True)
class Run:
    """A run folder: what was trained (`settings`) on which digits (`data`, and their SHA-256).

    `recipe` is what the recipe of the settings said when the run was started.

    >>> from inkdigit import learning
    >>> run = learning.train("sample", network="lenet5", epochs=1, out="runs/example", resume=True)
    >>> learning.Run.open("runs/example") == run
    True
    >>> run.settings.recipe, len(run.history), run.metrics["parameters"]
    ('plain', 1, 61706)
    """

    folder: Path
    settings: TrainingSettings = field(repr=False)
    recipe: dict[str, Any] = field(repr=False)
    data: str
    digest: str = field(repr=False)

    @classmethod
    def open(cls, folder: "str | Path | Run") -> "Run":
        """Open an existing run (one that is open stays as it is); `RunError` where there is none.

        >>> Run.open("nowhere")
        Traceback (most recent call last):
        inkdigit.errors.RunError: nowhere is no run folder: it has no readable run.json
        """
        if isinstance(folder, Run):
            return folder
        path = as_path(folder, "a run")
        try:
            described = json.loads(Path(path, DESCRIPTION).read_text(encoding="utf-8"))
            settings = TrainingSettings(**described["settings"])
            texts = (settings.network, described["data"], described["digest"])
            if not all(isinstance(text, str) for text in texts):
                raise ValueError(texts)
            recipe = described.get("recipe", {})
            return cls(path, settings, recipe, described["data"], described["digest"])
        except (OSError, ValueError, KeyError, TypeError, InkdigitError):
            raise RunError(f"{folder} is no run folder: it has no readable {DESCRIPTION}") from None

    @classmethod
    def create(cls, folder: str | Path, settings: TrainingSettings, dataset: Dataset) -> "Run":
        """Start a run in a new or empty folder; `RunError` where something lies already."""
        recipe = _fields_of(settings.recipe)
        run = cls(Path(folder), settings, recipe, dataset.name, dataset.digest())
        if holds_run(folder):
            raise RunError(f"{folder} already holds a run: resume it, or choose another folder")
        if is_taken(run.folder):
            raise RunError(f"{folder} is not empty and not a run: choose another folder")
        make_folder(run.folder)
        described = asdict(run)
        del described["folder"]
        write_text(run.folder / DESCRIPTION, json.dumps(described, indent=2) + "\n")
        return run

    @classmethod
    def start(
        cls, folder: Path, settings: TrainingSettings, dataset: Dataset, *, resume: bool
    ) -> "Run":
        """Start a run in a folder, or with `resume` take up the same one that lies there."""
        if resume and holds_run(folder):
            run = cls.open(folder)
            run.check_same(settings, dataset)
        else:
            run = cls.create(folder, settings, dataset)
        for leftover in leftovers(run.folder):
            shutil.rmtree(leftover, ignore_errors=True)
        return run

    def __str__(self) -> str:
        """Say in two lines what the run is worth and where to look, or that it is unfinished."""
        if not self.finished:
            return f"{self.folder} is unfinished"
        metrics, model, report = self.metrics, self.folder / ONNX_MODEL, self.folder / REPORT
        what = f"digits of {self.data}" if report.exists() else "drawn pictures"
        changes = [f"from epoch {one['epoch']} on {described(one)}" for one in self.changes]
        lines = [
            f"{self.settings.network}: test accuracy {metrics['test_accuracy']:.4f}, loss "
            f"{metrics['test_loss']:.4f} on {metrics['test_digits']:,} {what} "
            f"({metrics['parameters']:,} parameters, trained in {metrics['seconds']:.0f} s)",
            f"report: {report}" if report.exists() else f"model: {model}",
        ]
        if changes:
            lines.append(f"changed by hand, so not to be had again: {'; '.join(changes)}")
        if not model.exists():
            lines.append(
                f"{model.name} could not be written here; where TensorFlow is installed, run  "
                f"inkdigit export {self.folder}"
            )
        return "\n".join(lines)

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
        """What was measured; `RunError` while the run is unfinished, or if they are damaged."""
        path = self.folder / METRICS
        if not path.exists():
            raise RunError(f"{self.folder} is unfinished: resume it")
        try:
            content = json.loads(path.read_text("utf-8"))
            missing = NEEDED - content.keys()
        except (OSError, ValueError, AttributeError):
            raise RunError(f"{path} is damaged: train anew into another folder") from None
        if missing:
            raise RunError(f"{path} lacks {', '.join(sorted(missing))}: train anew elsewhere")
        return dict(content)

    @property
    def changes(self) -> list[dict[str, Any]]:
        """What was changed by hand: from which `epoch` on which settings held."""
        path = self.folder / CHANGES
        try:
            return list(json.loads(path.read_text("utf-8"))) if path.exists() else []
        except (OSError, ValueError, TypeError):
            raise RunError(f"{path} is damaged: train anew into another folder") from None

    @property
    def changed_settings(self) -> TrainingSettings:
        """The settings with all that was changed by hand."""
        changed: dict[str, Any] = {}
        for change in self.changes:
            changed |= {name: value for name, value in change.items() if name != "epoch"}
        return replace(self.settings, **changed)

    def add_change(self, epoch: int, change: dict[str, Any]) -> None:
        """Note what is otherwise from an epoch on."""
        changes = [*self.changes, {"epoch": epoch, **change}]
        write_text(self.folder / CHANGES, json.dumps(changes, indent=2) + "\n")

    def write_metrics(self, metrics: dict[str, Any]) -> None:
        """Write what was measured."""
        write_text(self.folder / METRICS, json.dumps(metrics, indent=2) + "\n")

    def write_history(self, history: History) -> None:
        """Write the history as a table."""
        rows = [history[0], *(row.values() for row in history)]
        write_text(self.folder / HISTORY, "".join(",".join(map(str, row)) + "\n" for row in rows))

    @property
    def history(self) -> History:
        """The history of a finished run, one row an epoch; `RunError` if it is damaged."""
        path = self.folder / HISTORY
        try:
            rows = list(csv.DictReader(path.read_text("utf-8").splitlines()))
            return [{name: float(value) for name, value in row.items()} for row in rows]
        except (OSError, ValueError, TypeError):
            raise RunError(f"{path} is missing or damaged: train anew elsewhere") from None

    def info(self) -> ModelInfo:
        """Return what the model file says of itself."""
        metrics = self.metrics
        data = public_name(metrics["data"])
        return ModelInfo(
            network=self.settings.network,
            trained_on=data,
            trained_digits=metrics["train_digits"],
            accuracy=metrics["test_accuracy"],
            accuracy_on=f"{data}, test half, {metrics['test_digits']:,} digits",
            **metrics["calibration"],
            **metrics.get("model", {}),
        )

    def check_same(self, settings: TrainingSettings, dataset: Dataset) -> None:
        """Raise `RunError` unless the run was started with these settings on these digits."""
        if self.settings.network_digest != settings.network_digest:
            otherwise = f"with another network of the name {settings.network}"
        elif self.settings != settings:
            listed = ", ".join(f"{name} {value}" for name, value in asdict(self.settings).items())
            otherwise = f"with other settings ({listed})"
        elif self.recipe != _fields_of(settings.recipe):
            otherwise = f"when the recipe {settings.recipe} said otherwise"
        elif self.digest != dataset.digest():
            otherwise = f"on other digits ({self.data})"
        else:
            return
        raise RunError(f"{self.folder} was started {otherwise}: choose another folder")


def _fields_of(recipe: str) -> dict[str, Any]:
    """Return the fields of a recipe, as a run's description keeps them."""
    return dict(json.loads(json.dumps(asdict(find_recipe(recipe)))))


def described(change: dict[str, Any]) -> str:
    """Return a change by hand in words.

    >>> described({"epoch": 3, "learning_rate": 0.01, "batch_size": 64})
    'learning rate 0.01, batch size 64'
    """
    words = ((name.replace("_", " "), value) for name, value in change.items() if name != "epoch")
    return ", ".join(f"{name} {value:g}" for name, value in words)


def holds_run(folder: str | Path) -> bool:
    """Return whether a run lies in a folder, finished or not."""
    return Path(folder, DESCRIPTION).exists()
