"""The benchmark of recipes over seeds, on a few digits."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks import records
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.evaluation.metrics import Evaluation
from inkdigit.learning.models.load import DigitClassifier
from inkdigit.learning.models.run import Run
from inkdigit.learning.recipes import RECIPES


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where trainings lie, while their recipe takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RECIPES, "small-8k", replace(RECIPES["small-8k"], epochs=2))
        yield tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def rows(work: Path, small: Dataset) -> list[dict[str, Any]]:
    """The rows of two trainings."""
    return [records.row_of("small-8k", seed, small, work) for seed in (0, 1)]


def row(recipe: str, seed: int, accuracy: float, parameters: int = 7_000) -> dict[str, object]:
    says = RECIPES[recipe.partition(",")[0]]
    return {
        "recipe": recipe, "seed": seed, "test_accuracy": accuracy, "parameters": parameters,
        "batch_size": says.batch_size, "learning_rate": says.learning_rate,
        "augmentation": says.augmentation, "epochs": says.epochs,
    }  # fmt: skip


def test_a_training_gives_a_row(rows: list[dict[str, Any]], small: Dataset, work: Path) -> None:
    trained = rows[1]
    assert (trained["recipe"], trained["seed"], trained["epochs"]) == ("small-8k", 1, 2)
    assert trained["parameters"] == 7738
    run = Run.open(work / "small-8k-seed1")
    assert trained["test_accuracy"] == run.metrics["test_accuracy"]
    # What is finished is taken as it is, with the versions that it was trained with.
    metrics = json.loads((run.folder / "metrics.json").read_text())
    metrics["versions"] = {"keras": "of old"}
    (run.folder / "metrics.json").write_text(json.dumps(metrics))
    again = records.row_of("small-8k", 1, small, work)
    assert (again["seconds"], again["versions"]) == (trained["seconds"], "keras of old")


def test_a_taught_training_has_a_row_and_a_folder_of_its_own(
    rows: list[dict[str, Any]], small: Dataset, trained: Run, work: Path
) -> None:
    taught = records.row_of("small-8k, taught", 0, small, work, str(trained.folder))
    run = Run.open(work / "small-8k-taught-seed0")
    assert run.settings.teacher == str(trained.folder)
    assert taught["test_loss"] != rows[0]["test_loss"]
    out = work / "records.csv"
    for row_ in (taught, rows[0]):
        records.add_row(row_, out)
    assert records.done(out) == {("small-8k", 0), ("small-8k, taught", 0)}
    lines = list(records.summary(pd.read_csv(out)))
    assert [line.split("  ")[0] for line in lines] == ["small-8k", "small-8k, taught"]


def test_together_trainings_answer_their_mean(
    rows: list[dict[str, Any]], small: Dataset, work: Path
) -> None:
    runs = [Run.open(records.run_folder(work, "small-8k", seed)) for seed in (0, 1)]
    joined = records.together("small-8k", runs, small)
    assert (joined["recipe"], joined["seed"]) == ("small-8k, together", 2)
    assert (joined["parameters"], joined["macs"]) == (2 * 7738, 2 * rows[0]["macs"])
    one, other = (
        DigitClassifier.load(run.folder / "model.keras").probabilities(small.test.images)
        for run in runs
    )
    assert not np.allclose(one, other, atol=0.01)
    mean = Evaluation(small.test.labels, (one + other) / 2)
    assert joined["test_accuracy"] == mean.accuracy
    assert joined["test_loss"] == pytest.approx(mean.loss, rel=1e-4)


def test_rows_are_in_order_and_those_of_what_a_recipe_said_before_are_done_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "records.csv"
    assert records.done(path) == set()
    keys = [("small-25k", 0), ("small-8k", 1), ("small-8k", 0)]
    for key in keys:
        records.add_row(row(*key, 0.99), path)
    kept = pd.read_csv(path)
    assert list(zip(kept["recipe"], kept["seed"], strict=True)) == [*keys[:0:-1], keys[0]]
    assert records.done(path) == set(keys)
    monkeypatch.setitem(RECIPES, "small-8k", replace(RECIPES["small-8k"], learning_rate=0.02))
    assert records.done(path) == {("small-25k", 0)}
    records.add_row(row("small-8k", 0, 0.98), path)
    assert list(pd.read_csv(path)["test_accuracy"]) == [0.98, 0.99, 0.99]


@pytest.mark.parametrize(
    ("recipe", "accuracies", "parameters", "met"),
    [
        ("small-8k", [0.993, 0.994, 0.994, 0.994, 0.996], 7_999, "yes"),
        ("small-8k", [0.993, 0.994, 0.994, 0.994, 0.994], 7_999, "no"),
        ("small-8k", [0.993, 0.994, 0.994, 0.994, 0.996], 8_000, "no"),
        ("small-8k", [0.996] * 4, 7_999, "no"),
        ("best, together", {10: 0.9984}, 2_000_000, "yes"),
        ("best, together", {10: 0.9982}, 2_000_000, "no"),
        ("best, together", {9: 0.9984}, 2_000_000, "no"),
    ],
)
def test_a_bar_is_for_the_mean_the_size_and_the_number_of_seeds(
    recipe: str, accuracies: list[float] | dict[int, float], parameters: int, met: str
) -> None:
    seeds = accuracies if isinstance(accuracies, dict) else dict(enumerate(accuracies))
    rows = [row(recipe, *given, parameters) for given in seeds.items()]
    (line,) = records.summary(pd.DataFrame(rows))
    assert line.split()[-1] == met
    assert f"{len(rows) if len(rows) > 1 else max(seeds)} seeds" in line


def test_every_bar_is_of_a_recipe_whose_network_is_small_enough() -> None:
    from inkdigit.learning.networks import build_network

    for recipe, bar in records.BARS.items():
        assert build_network(RECIPES[recipe].network).count_params() < bar.parameters
