"""How well recipes read: `python benchmarks/records.py --recipes small-8k`, a quarter of an hour.

Trains each recipe with several seeds into `--work`, writes a row a training to
`results/records.csv`, and prints means with their bars. Stopped, it goes on where it was; a
training whose row is there is not done again. The recipes were chosen on a tenth of the training
half, which they do not learn from; the test half is read once, when a training ends. With
`--ensemble`, all trainings that a recipe's bar asks for are then asked together; they must lie in
`--work`. With `--teacher`, as of `ensemble.py`, recipes learn its answers, in rows of their own.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ensemble import ensemble
from inkdigit.errors import SettingError
from inkdigit.files import write_text
from inkdigit.learning.api import train_run
from inkdigit.learning.datasets import Dataset, load_dataset
from inkdigit.learning.evaluation.metrics import Evaluation
from inkdigit.learning.models.keras_files import predict
from inkdigit.learning.models.run import Run
from inkdigit.learning.networks import count_macs
from inkdigit.learning.progress import epoch_line
from inkdigit.learning.recipes import RECIPES, find_recipe
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.training import Loop
from keeping import in_order, said_clearly, with_others
from machine import processor

RESULTS = Path(__file__).parent / "results" / "records.csv"
KEY = ["recipe", "seed"]
FIGURES = (
    "epochs", "validation_accuracy", "test_accuracy", "test_loss", "train_accuracy", "train_digits",
    "seconds", "parameters", "macs",
)  # fmt: skip
# What a recipe says, by which a row is known to be of what it says today.
SAYS = ("batch_size", "learning_rate", "augmentation", "epochs")


@dataclass(frozen=True)
class Bar:
    """What a recipe's mean has to reach, of at most so many parameters, and over how many seeds.

    `together` is for the mean answer of the trainings of all those seeds.
    """

    least: float
    parameters: int
    seeds: int
    together: float | None = None


BARS = {
    "small-8k": Bar(0.994, 8_000, 5),
    "small-25k": Bar(0.996, 25_000, 5),
    "small-100k": Bar(0.997, 100_000, 5),
    "best": Bar(0.997, 350_000, 10, together=0.9983),
}
# What a row is besides a recipe's training on labels.
TAUGHT, TOGETHER = ", taught", ", together"
KINDS = ("", TAUGHT, TOGETHER)


def main() -> None:
    """Train what has no row yet, keep its row, and print the means."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipes", nargs="+", choices=tuple(BARS), required=True)
    parser.add_argument("--seeds", type=int, help="instead of those that the bars ask for")
    parser.add_argument("--ensemble", action="store_true", help="where there is a bar for one")
    parser.add_argument(
        "--teacher",
        type=os.path.abspath,
        default="",
        metavar="MODEL",
        help="whose answers are learnt",
    )
    parser.add_argument("--data-dir", type=Path, help="where MNIST lies, as for inkdigit train")
    parser.add_argument("--work", type=Path, default=Path("runs/records"))
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="FILE")
    options = parser.parse_args()
    if options.ensemble and options.teacher:
        raise SettingError("--ensemble is of trainings on labels: leave out --teacher")
    mnist = load_dataset("mnist", data_dir=options.data_dir, progress=True)
    for recipe in options.recipes:
        bar = BARS[recipe]
        label = recipe + TAUGHT if options.teacher else recipe
        for seed in range(options.seeds or bar.seeds):
            if (label, seed) not in done(options.out):
                keep(trained(label, seed, mnist, options.work, options.teacher), options.out)
        if options.ensemble and bar.together:
            members = [run_folder(options.work, recipe, seed) for seed in range(bar.seeds)]
            keep(together(recipe, members, mnist), options.out)
    if options.out.exists():
        print(*told(pd.read_csv(options.out)), f"in {options.out}", sep="\n")


def run_folder(work: Path, label: str, seed: int) -> Path:
    """Return where a training lies."""
    return work / f"{label.replace(', ', '-')}-seed{seed}"


def recipe_of(label: str) -> str:
    """Return the recipe that a row is of."""
    return label.split(",", maxsplit=1)[0]


def trained(label: str, seed: int, mnist: Dataset, work: Path, teacher: str = "") -> dict[str, Any]:
    """Train once, or go on with what was stopped, and return its row."""
    recipe, folder = recipe_of(label), run_folder(work, label, seed)
    print(folder, file=sys.stderr)
    settings = TrainingSettings(recipe=recipe, seed=seed, teacher=teacher)
    metrics = train_run(settings, mnist, folder, resume=True, after_epoch=report).metrics
    figures = {name: metrics[name] for name in FIGURES}
    return {"recipe": label, "seed": seed, **figures, **what(recipe, metrics)}


def together(recipe: str, folders: list[Path], mnist: Dataset) -> dict[str, Any]:
    """Return the row of one model of several trainings, whose answer is the mean of theirs.

    Its seed is how many they are. Raises `RunError` where one of them is not there.
    """
    members = [Run.open(folder).metrics for folder in folders]
    model = ensemble(folders)
    _, validation = mnist.fit_and_validation()
    on_validation, on_test = (
        Evaluation(digits.labels, predict(model, digits.images))
        for digits in (validation, mnist.test)
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
        **what(recipe, members[0]),
    }


def what(recipe: str, metrics: dict[str, Any]) -> dict[str, Any]:
    """Return what a row is of: what the recipe says, the machine, and the training's versions."""
    said = {name: getattr(find_recipe(recipe), name) for name in SAYS[:-1]}
    versions = " ".join(f"{name} {version}" for name, version in metrics["versions"].items())
    return {
        **said,
        "hardware": f"{processor()}, {os.cpu_count()} cores, shared",
        "versions": versions,
    }


def report(loop: Loop) -> None:
    """Print an epoch as it ends."""
    print(epoch_line(loop.history[-1], loop.settings.epochs), file=sys.stderr, flush=True)


def done(path: Path) -> set[tuple[str, int]]:
    """Return the recipes and seeds that have a row of what the recipe says today."""
    if not path.exists():
        return set()
    rows = pd.read_csv(path).to_dict("records")
    return {(row["recipe"], row["seed"]) for row in rows if up_to_date(row)}


def up_to_date(row: dict[str, Any]) -> bool:
    """Return whether a row is of what its recipe says today."""
    recipe = RECIPES[recipe_of(row["recipe"])]
    return all(row[name] == getattr(recipe, name) for name in SAYS)


def keep(row: dict[str, Any], path: Path) -> None:
    """Put a row into the table, which lists recipes in the order of their bars, and their seeds."""
    order = [recipe + kind for recipe in BARS for kind in KINDS]
    rows = with_others(pd.DataFrame([row]), path, order, *KEY)
    table = in_order(rows.sort_values("seed"), order, "recipe")
    write_text(path, table.round(6).to_csv(index=False))


def told(table: pd.DataFrame) -> Iterator[str]:
    """Yield each recipe's mean, its spread, and whether it reaches its bar."""
    for recipe, rows in table.groupby("recipe", sort=False):
        if str(recipe).endswith(TOGETHER):
            yield _together(str(recipe), rows.iloc[0])
            continue
        bar, accuracy = BARS[recipe_of(str(recipe))], rows["test_accuracy"]
        enough = len(rows) >= bar.seeds and rows["parameters"].max() < bar.parameters
        met = enough and accuracy.mean() >= bar.least
        spread = f" ± {100 * accuracy.std():.3f}" if len(rows) > 1 else ""
        yield (
            f"{recipe:18} {100 * accuracy.mean():.3f}{spread} %  "
            f"{len(rows)} seeds  {rows['parameters'].max():,} parameters  "
            f"at least {100 * bar.least:g} % below {bar.parameters:,}: {'yes' if met else 'no'}"
        )


def _together(recipe: str, row: "pd.Series[Any]") -> str:
    bar = BARS[recipe_of(recipe)]
    met = row["seed"] >= bar.seeds and row["test_accuracy"] >= (bar.together or 1)
    return (
        f"{recipe:18} {100 * row['test_accuracy']:.2f} %  {row['seed']} trainings  "
        f"at least {100 * (bar.together or 1):g} %: {'yes' if met else 'no'}"
    )


if __name__ == "__main__":
    said_clearly(main)
