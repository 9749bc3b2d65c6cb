"""How well recipes read: `python -m benchmarks records --recipes small-8k`, a quarter of an hour.

Trains each recipe with several seeds into `--work`, writes a row a training to
`results/records.csv`, and prints means with their bars. Stopped, it goes on where it was; a
training whose row is there is not done again. The recipes were chosen on a tenth of the training
half, which they do not learn from; the test half is read once, when a training ends. With
`--together`, all trainings that a recipe's bar asks for are then measured as one model, as
`inkdigit export --mean` makes it; they must lie in `--work`. With `--teacher` recipes learn a
model's answers, in rows of their own.
"""

import argparse
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.learning import trained, versions_of
from benchmarks.measuring import RESULTS, add_data, add_out, hardware, in_order, with_others
from inkdigit.errors import SettingError
from inkdigit.files import write_text
from inkdigit.learning.classifiers.mean import mean_model
from inkdigit.learning.datasets import Dataset, load_dataset
from inkdigit.learning.evaluation.metrics import Evaluation
from inkdigit.learning.models.keras_files import predict
from inkdigit.learning.models.run import Run
from inkdigit.learning.networks import count_macs
from inkdigit.learning.recipes import RECIPES, find_recipe
from inkdigit.learning.settings import TrainingSettings

FIGURES = (
    "epochs", "validation_accuracy", "test_accuracy", "test_loss", "train_accuracy", "train_digits",
    "seconds", "parameters", "macs",
)  # fmt: skip
# What a recipe says, by which a row is known to be of what it says today.
SAYS = ("batch_size", "learning_rate", "augmentation", "epochs")
# What a row is besides a recipe's training on labels.
TAUGHT, TOGETHER = ", taught", ", together"


@dataclass(frozen=True)
class Bar:
    """What a recipe's mean has to reach, of at most so many parameters, and over how many seeds.

    `together` is for the mean answer of the trainings of all those seeds.
    """

    least: float
    parameters: int
    seeds: int
    together: float = 1.0


BARS = {
    "lenet5-distorted": Bar(0.990, 62_000, 5),
    "small-8k": Bar(0.994, 8_000, 5),
    "small-25k": Bar(0.996, 25_000, 5),
    "small-100k": Bar(0.997, 100_000, 5),
    "best": Bar(0.997, 350_000, 10, together=0.9983),
}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for."""
    parser.add_argument("--recipes", nargs="+", choices=tuple(BARS), required=True)
    parser.add_argument("--seeds", type=int, help="instead of those that the bars ask for")
    parser.add_argument("--together", action="store_true", help="as one model as well")
    parser.add_argument("--teacher", type=os.path.abspath, metavar="MODEL")
    add_data(parser, "runs/records")
    add_out(parser, RESULTS / "records.csv")


def main(options: argparse.Namespace) -> None:
    """Train what has no row yet, keep its row, and print the means."""
    if options.together and options.teacher:
        raise SettingError("--together is of trainings on labels: leave out --teacher")
    mnist = load_dataset("mnist", data_dir=options.data_dir, progress=True)
    for recipe in options.recipes:
        label = recipe + TAUGHT if options.teacher else recipe
        for seed in range(options.seeds or BARS[recipe].seeds):
            if (label, seed) not in done(options.out):
                row = row_of(label, seed, mnist, options.work, options.teacher or "")
                add_row(row, options.out)
        if options.together:
            seeds = range(BARS[recipe].seeds)
            runs = [Run.open(run_folder(options.work, recipe, seed)) for seed in seeds]
            add_row(together(recipe, runs, mnist), options.out)
    print(*summary(pd.read_csv(options.out)), f"in {options.out}", sep="\n")


def run_folder(work: Path, label: str, seed: int) -> Path:
    """Return where a training lies."""
    return work / f"{label.replace(', ', '-')}-seed{seed}"


def recipe_of(label: str) -> str:
    """Return the recipe that a row is of."""
    return label.split(",", maxsplit=1)[0]


def row_of(label: str, seed: int, mnist: Dataset, work: Path, teacher: str = "") -> dict[str, Any]:
    """Train once, or go on with what was stopped, and return its row."""
    settings = TrainingSettings(recipe=recipe_of(label), seed=seed, teacher=teacher)
    run = trained(settings, mnist, run_folder(work, label, seed))
    figures = {name: run.metrics[name] for name in FIGURES}
    return {"recipe": label, "seed": seed, **figures, **what(run)}


def together(recipe: str, runs: list[Run], mnist: Dataset) -> dict[str, Any]:
    """Return the row of one model of several trainings, whose answer is the mean of theirs.

    Its seed is how many they are.
    """
    members, model = [run.metrics for run in runs], mean_model(runs)
    on_validation, on_test = (
        Evaluation(digits.labels, predict(model, digits.images))
        for digits in (mnist.split("validation"), mnist.test)
    )
    return {
        "recipe": recipe + TOGETHER,
        "seed": len(members),
        "epochs": members[0]["epochs"],
        "validation_accuracy": on_validation.accuracy,
        "test_accuracy": on_test.accuracy,
        "test_loss": on_test.loss,
        "train_digits": members[0]["train_digits"],
        "seconds": sum(member["seconds"] for member in members),
        "parameters": model.count_params(),
        "macs": count_macs(model),
        **what(runs[0]),
    }


def what(run: Run) -> dict[str, Any]:
    """Return what a row is of: what the recipe says, the machine, and the training's versions."""
    recipe = find_recipe(run.settings.recipe)
    says = {name: getattr(recipe, name) for name in SAYS if name != "epochs"}
    return {**says, "hardware": f"{hardware()}, shared", "versions": versions_of(run)}


def done(path: Path) -> set[tuple[str, int]]:
    """Return the recipes and seeds that have a row of what the recipe says today."""
    rows = pd.read_csv(path).to_dict("records") if path.exists() else []
    return {(row["recipe"], row["seed"]) for row in rows if up_to_date(row)}


def up_to_date(row: dict[str, Any]) -> bool:
    """Return whether a row is of what its recipe says today."""
    recipe = RECIPES[recipe_of(row["recipe"])]
    return all(row[name] == getattr(recipe, name) for name in SAYS)


def add_row(row: dict[str, Any], path: Path) -> None:
    """Put a row into the table, which lists recipes in the order of their bars, and their seeds."""
    order = [recipe + kind for recipe in BARS for kind in ("", TAUGHT, TOGETHER)]
    rows = with_others(pd.DataFrame([row]), path, order, "recipe", "seed")
    table = in_order(rows.sort_values("seed"), order, "recipe")
    write_text(path, table.round(6).to_csv(index=False))


def summary(table: pd.DataFrame) -> Iterator[str]:
    """Yield each recipe's mean, its spread, and whether it reaches its bar."""
    for label, rows in table.groupby("recipe", sort=False):
        bar, accuracy = BARS[recipe_of(str(label))], rows["test_accuracy"]
        if str(label).endswith(TOGETHER):
            seeds, least, most = rows["seed"].iloc[0], bar.together, None
        else:
            seeds, least, most = len(rows), bar.least, bar.parameters
        parameters = rows["parameters"].max()
        met = seeds >= bar.seeds and accuracy.mean() >= least and parameters < (most or 10**9)
        spread = f" ± {100 * accuracy.std():.3f}" if len(rows) > 1 else ""
        yield (
            f"{label:22} {100 * accuracy.mean():.3f}{spread} %  {seeds} seeds  "
            f"{parameters:,} parameters  at least {100 * least:g} %"
            f"{f' below {most:,}' if most else ''}: {'yes' if met else 'no'}"
        )
