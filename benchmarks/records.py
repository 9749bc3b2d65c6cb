"""How well recipes read: `python benchmarks/records.py --recipes small-8k`, a quarter of an hour.

Trains each recipe with several seeds into `--work`, writes a row a training to
`results/records.csv`, and prints means with their bars. Stopped, it goes on where it was; a
training whose row is there is not done again. The recipes were chosen on a tenth of the training
half, which they do not learn from; the test half is read once, when a training ends. With
`--ensemble`, the trainings of each recipe are then asked together, all of them.
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
from inkdigit.files import write_text
from inkdigit.learning.datasets import Dataset, load_dataset
from inkdigit.learning.evaluation import Evaluation
from inkdigit.learning.keras_files import predict
from inkdigit.learning.loop import Loop
from inkdigit.learning.networks import count_macs
from inkdigit.learning.progress import epoch_line
from inkdigit.learning.recipes import RECIPES
from inkdigit.learning.runs import Run
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.training import train, versions
from machine import processor

RESULTS = Path(__file__).parent / "results" / "records.csv"
KEY = ["recipe", "seed"]
FIGURES = (
    "epochs", "validation_accuracy", "test_accuracy", "test_loss", "train_accuracy", "train_digits",
    "seconds", "parameters", "macs",
)  # fmt: skip


@dataclass(frozen=True)
class Bar:
    """What a recipe's mean has to reach, of at most so many parameters, and over how many seeds."""

    least: float
    parameters: int
    seeds: int


BARS = {
    "small-8k": Bar(0.994, 8_000, 5),
    "small-25k": Bar(0.996, 25_000, 5),
    "small-100k": Bar(0.997, 100_000, 5),
    "best": Bar(0.997, 350_000, 10),
    "best, ensemble": Bar(0.9983, 3_500_000, 1),
}


def main() -> None:
    """Train what has no row yet, keep its row, and print the means."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    recipes = [name for name in BARS if name in RECIPES]
    parser.add_argument("--recipes", nargs="+", choices=recipes, required=True)
    parser.add_argument("--seeds", type=int, help="instead of those that the bars ask for")
    parser.add_argument("--ensemble", action="store_true", help="of each recipe's trainings")
    parser.add_argument("--data-dir", type=Path, help="where MNIST lies, as for inkdigit train")
    parser.add_argument("--work", type=Path, default=Path("runs/records"))
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="FILE")
    options = parser.parse_args()
    mnist = load_dataset("mnist", data_dir=options.data_dir, progress=True)
    for recipe in options.recipes:
        seeds = range(options.seeds or BARS[recipe].seeds)
        for seed in seeds:
            if (recipe, seed) not in done(options.out):
                keep(trained(recipe, seed, mnist, options.work), options.out)
        if options.ensemble and (f"{recipe}, ensemble", 0) not in done(options.out):
            keep(together(recipe, len(seeds), mnist, options.work), options.out)
    if options.out.exists():
        print(*told(pd.read_csv(options.out)), f"in {options.out}", sep="\n")


def trained(recipe: str, seed: int, mnist: Dataset, work: Path) -> dict[str, Any]:
    """Train once, or go on with what was stopped, and return its row."""
    folder = run_folder(work, recipe, seed)
    print(folder, file=sys.stderr)
    settings = TrainingSettings.of(recipe, seed=seed)
    metrics = train(settings, mnist, folder, resume=True, after_epoch=report).metrics
    return {
        "recipe": recipe,
        "seed": seed,
        **{name: metrics[name] for name in FIGURES},
        **setting(),
    }


def together(recipe: str, count: int, mnist: Dataset, work: Path) -> dict[str, Any]:
    """Return the row of one model of all a recipe's trainings, whose answer is their mean."""
    folders = [run_folder(work, recipe, seed) for seed in range(count)]
    members = [Run.open(folder).metrics for folder in folders]
    model = ensemble(folders)
    fitted, validation = mnist.fit_and_validation()
    on_validation, on_test = (
        Evaluation(digits.labels, predict(model, digits.images))
        for digits in (validation, mnist.test)
    )
    return {
        "recipe": f"{recipe}, ensemble",
        "seed": 0,
        "epochs": members[0]["epochs"],
        "validation_accuracy": on_validation.accuracy,
        "test_accuracy": on_test.accuracy,
        "test_loss": on_test.loss,
        "train_digits": len(fitted),
        "seconds": sum(member["seconds"] for member in members),
        "parameters": model.count_params(),
        "macs": count_macs(model),
        **setting(),
    }


def run_folder(work: Path, recipe: str, seed: int) -> Path:
    """Return where a training lies."""
    return work / f"{recipe}-seed{seed}"


def setting() -> dict[str, str]:
    """Return what a figure was measured on and with."""
    used = " ".join(f"{name} {version}" for name, version in versions().items())
    return {"hardware": f"{processor()}, {os.cpu_count()} cores, shared", "versions": used}


def report(loop: Loop) -> None:
    """Print an epoch as it ends."""
    print(epoch_line(loop.history[-1], loop.settings.epochs), file=sys.stderr, flush=True)


def done(path: Path) -> set[tuple[str, int]]:
    """Return the recipes and seeds that have a row."""
    if not path.exists():
        return set()
    return set(pd.read_csv(path)[KEY].itertuples(index=False, name=None))


def keep(row: dict[str, Any], path: Path) -> None:
    """Put a row into the table, which lists recipes in the order of their bars."""
    rows = pd.DataFrame([row])
    table = pd.concat([pd.read_csv(path), rows]) if path.exists() else rows
    places = {recipe: number for number, recipe in enumerate(BARS)}
    table = table.sort_values(KEY, key=lambda values: values.replace(places), kind="stable")
    write_text(path, table.round(6).to_csv(index=False))


def told(table: pd.DataFrame) -> Iterator[str]:
    """Yield each recipe's mean, its spread, and whether it reaches its bar."""
    for recipe, rows in table.groupby("recipe", sort=False):
        bar, accuracy = BARS[str(recipe)], rows["test_accuracy"]
        enough = len(rows) >= bar.seeds and rows["parameters"].max() < bar.parameters
        met = enough and accuracy.mean() >= bar.least
        yield (
            f"{recipe:14} {100 * accuracy.mean():.3f} ± {100 * accuracy.std():.3f} %  "
            f"{len(rows)} seeds  {rows['parameters'].max():,} parameters  "
            f"at least {100 * bar.least:g} % below {bar.parameters:,}: {'yes' if met else 'no'}"
        )


if __name__ == "__main__":
    main()
