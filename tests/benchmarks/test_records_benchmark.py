"""The benchmark of recipes over seeds, on a few digits."""

import importlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from inkdigit.errors import RunError
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.evaluation.metrics import Evaluation
from inkdigit.learning.models.keras_files import load_keras_model, predict
from inkdigit.learning.models.run import Run
from inkdigit.learning.recipes import RECIPES
from inkdigit.learning.settings import TrainingSettings


@pytest.fixture(scope="module")
def records(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("records")


def row(recipe: str, seed: int, accuracy: float, parameters: int = 7_000) -> dict[str, object]:
    said = RECIPES[recipe.partition(",")[0]]
    return {
        "recipe": recipe, "seed": seed, "test_accuracy": accuracy, "parameters": parameters,
        "batch_size": said.batch_size, "learning_rate": said.learning_rate,
        "augmentation": said.augmentation, "epochs": said.epochs,
    }  # fmt: skip


def test_a_training_gives_a_row(
    records: ModuleType, small: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RECIPES, "small-8k", replace(RECIPES["small-8k"], epochs=2))
    trained = records.trained("small-8k", 1, small, tmp_path)
    assert (trained["recipe"], trained["seed"], trained["epochs"]) == ("small-8k", 1, 2)
    assert trained["parameters"] == 7738
    run = Run.open(tmp_path / "small-8k-seed1")
    assert trained["test_accuracy"] == run.metrics["test_accuracy"]
    # What is finished is taken as it is, with the versions that it was trained with.
    metrics = json.loads((run.folder / "metrics.json").read_text())
    metrics["versions"] = {"keras": "of old"}
    (run.folder / "metrics.json").write_text(json.dumps(metrics))
    again = records.trained("small-8k", 1, small, tmp_path)
    assert (again["seconds"], again["versions"]) == (trained["seconds"], "keras of old")


def test_a_taught_training_has_a_row_and_a_folder_of_its_own(
    records: ModuleType,
    small: Dataset,
    trained: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(RECIPES, "small-8k", replace(RECIPES["small-8k"], epochs=2))
    alone = records.trained("small-8k", 0, small, tmp_path)
    taught = records.trained("small-8k, taught", 0, small, tmp_path, str(trained.folder))
    assert taught["recipe"] == "small-8k, taught"
    run = Run.open(tmp_path / "small-8k-taught-seed0")
    assert run.settings.teacher == str(trained.folder)
    assert taught["test_loss"] != alone["test_loss"]
    for row_ in (taught, alone):
        records.keep(row_, tmp_path / "records.csv")
    assert records.done(tmp_path / "records.csv") == {("small-8k", 0), ("small-8k, taught", 0)}
    lines = list(records.told(pd.read_csv(tmp_path / "records.csv")))
    assert [line.split("  ")[0] for line in lines] == ["small-8k", "small-8k, taught"]


def test_together_trainings_answer_their_mean(
    records: ModuleType, small: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RECIPES, "best", replace(RECIPES["small-8k"], epochs=4))
    folders = [records.run_folder(tmp_path, "best", seed) for seed in (0, 1)]
    rows = [records.trained("best", seed, small, tmp_path) for seed in (0, 1)]
    joined = records.together("best", folders, small)
    assert (joined["recipe"], joined["seed"]) == ("best, together", 2)
    assert (joined["parameters"], joined["macs"]) == (2 * 7738, 2 * rows[0]["macs"])
    runs = [load_keras_model(folder / "model.keras") for folder in folders]
    one, other = (predict(run, small.test.images) for run in runs)
    assert not np.allclose(one, other, atol=0.01)
    mean = Evaluation(small.test.labels, (one + other) / 2)
    assert joined["test_accuracy"] == mean.accuracy
    assert joined["test_loss"] == pytest.approx(mean.loss, rel=1e-4)
    with pytest.raises(RunError, match="best-seed2"):
        records.together("best", [*folders, records.run_folder(tmp_path, "best", 2)], small)


@pytest.mark.parametrize(
    ("accuracy", "trainings", "met"), [(0.9984, 10, "yes"), (0.9982, 10, "no"), (0.9984, 9, "no")]
)
def test_the_bar_for_together_asks_for_all_trainings(
    records: ModuleType, tmp_path: Path, accuracy: float, trainings: int, met: str
) -> None:
    records.keep(row("best, together", trainings, accuracy), tmp_path / "records.csv")
    records.keep(row("small-8k", 0, 0.99), tmp_path / "records.csv")
    alone, together = records.told(pd.read_csv(tmp_path / "records.csv"))
    assert alone.startswith("small-8k")
    assert "±" not in alone
    assert f"{trainings} trainings" in together
    assert together.split()[-1] == met


def test_a_row_of_what_a_recipe_said_before_is_done_anew(
    records: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "records.csv"
    records.keep(row("small-8k", 0, 0.99), path)
    assert records.done(path) == {("small-8k", 0)}
    monkeypatch.setitem(RECIPES, "small-8k", replace(RECIPES["small-8k"], learning_rate=0.02))
    assert records.done(path) == set()
    records.keep(row("small-8k", 0, 0.98), path)
    assert list(pd.read_csv(path)["test_accuracy"]) == [0.98]


def test_rows_are_kept_in_order_and_known_again(records: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "records.csv"
    assert records.done(path) == set()
    for recipe, seed in (("small-25k", 0), ("small-8k", 1), ("small-8k", 0)):
        records.keep(row(recipe, seed, 0.99), path)
    kept = pd.read_csv(path)
    assert list(zip(kept["recipe"], kept["seed"], strict=True)) == [
        ("small-8k", 0), ("small-8k", 1), ("small-25k", 0)
    ]  # fmt: skip
    assert records.done(path) == {("small-8k", 0), ("small-8k", 1), ("small-25k", 0)}


@pytest.mark.parametrize(
    ("accuracies", "parameters", "met"),
    [
        ([0.993, 0.994, 0.994, 0.994, 0.996], 7_999, "yes"),
        ([0.993, 0.994, 0.994, 0.994, 0.994], 7_999, "no"),
        ([0.993, 0.994, 0.994, 0.994, 0.996], 8_000, "no"),
        ([0.996] * 4, 7_999, "no"),
    ],
)
def test_a_bar_is_for_the_mean_the_size_and_the_number_of_seeds(
    records: ModuleType, accuracies: list[float], parameters: int, met: str
) -> None:
    rows = [row("small-8k", *given, parameters) for given in enumerate(accuracies)]
    (line,) = records.told(pd.DataFrame(rows))
    assert line.split()[-1] == met
    assert f"{len(accuracies)} seeds" in line


def test_the_table_of_the_documents_has_a_row_a_recipe(records: ModuleType, tmp_path: Path) -> None:
    tables = importlib.import_module("tables")
    for seed, accuracy in enumerate((0.994, 0.996)):
        told = row("small-8k", seed, accuracy) | {"macs": 530144}
        records.keep(told, tmp_path / "records.csv")
    joined = row("best, together", 10, 0.998, 2_000_000) | {"macs": 80_000_000}
    records.keep(joined, tmp_path / "records.csv")
    first, last = tables.records_table(tmp_path / "records.csv").splitlines()[-2:]
    assert first == "| `small-8k` | 7,000 | 530,144 | 25 | 99.50 ± 0.14 % | 2 |"
    assert last == (
        "| all of `best`, their mean answer | 2,000,000 | 80,000,000 | 30 | 99.80 % | 10 |"
    )
    assert tables.records_table(tmp_path / "none.csv") == ""


def test_every_bar_is_of_a_recipe_whose_network_is_small_enough(records: ModuleType) -> None:
    from inkdigit.learning.networks import build_network

    for recipe, bar in records.BARS.items():
        network = build_network(TrainingSettings(recipe=recipe).network)
        assert network.count_params() < bar.parameters
