"""The benchmark of recipes over seeds, on a few digits."""

import importlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from inkdigit.learning.datasets import Dataset
from inkdigit.learning.keras_files import load_keras_model, predict
from inkdigit.learning.recipes import RECIPES
from inkdigit.learning.runs import Run
from inkdigit.learning.settings import TrainingSettings


@pytest.fixture(scope="module")
def records(script: Callable[[str], ModuleType]) -> ModuleType:
    return script("records")


def row(recipe: str, seed: int, accuracy: float, parameters: int = 7_000) -> dict[str, object]:
    return {"recipe": recipe, "seed": seed, "test_accuracy": accuracy, "parameters": parameters}


def test_a_training_gives_a_row(
    records: ModuleType, small: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RECIPES, "small-8k", replace(RECIPES["small-8k"], epochs=2))
    trained = records.trained("small-8k", 1, small, tmp_path)
    assert (trained["recipe"], trained["seed"], trained["epochs"]) == ("small-8k", 1, 2)
    assert trained["parameters"] == 7738
    run = Run.open(tmp_path / "small-8k-seed1")
    assert trained["test_accuracy"] == run.metrics["test_accuracy"]
    assert "tensorflow" in trained["versions"]
    # What is finished is taken as it is.
    assert records.trained("small-8k", 1, small, tmp_path)["seconds"] == trained["seconds"]


def test_an_ensemble_is_all_of_a_recipe_s_trainings(
    records: ModuleType, small: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RECIPES, "small-8k", replace(RECIPES["small-8k"], epochs=2))
    rows = [records.trained("small-8k", seed, small, tmp_path) for seed in (0, 1)]
    together = records.together("small-8k", 2, small, tmp_path)
    assert together["recipe"] == "small-8k, ensemble"
    assert (together["parameters"], together["macs"]) == (2 * 7738, 2 * rows[0]["macs"])
    runs = [load_keras_model(tmp_path / f"small-8k-seed{seed}" / "model.keras") for seed in (0, 1)]
    mean = np.mean([predict(run, small.test.images) for run in runs], axis=0)
    assert together["test_accuracy"] == (mean.argmax(axis=1) == small.test.labels).mean()


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
        told = row("small-8k", seed, accuracy) | {"macs": 530144, "epochs": 25}
        records.keep(told, tmp_path / "records.csv")
    last = tables.records_table(tmp_path / "records.csv").splitlines()[-1]
    assert last == "| `small-8k` | 7,000 | 530,144 | 25 | 99.50 ± 0.14 % | 2 |"
    assert tables.records_table(tmp_path / "none.csv") == ""


def test_every_bar_is_of_a_recipe_whose_network_is_small_enough(records: ModuleType) -> None:
    from inkdigit.learning.networks import build_network

    for recipe in RECIPES.keys() & records.BARS.keys():
        bar = records.BARS[recipe]
        network = build_network(TrainingSettings.of(recipe).network)
        assert network.count_params() < bar.parameters
