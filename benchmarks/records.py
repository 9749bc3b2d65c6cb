"""How well recipes read: `python benchmarks/records.py --recipes small-8k`, a quarter of an hour.

Trains each recipe with several seeds into `--work`, writes a row a training to
`results/records.csv`, and prints means with their bars. Stopped, it goes on where it was; a
training whose row is there is not done again. The recipes were chosen on a tenth of the training
half, which they do not learn from; the test half is read once, when a training ends.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from inkdigit.files import write_text
from inkdigit.learning.datasets import Dataset, load_dataset
from inkdigit.learning.loop import Loop
from inkdigit.learning.progress import epoch_line
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.training import train
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
}


def main() -> None:
    """Train what has no row yet, keep its row, and print the means."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipes", nargs="+", choices=tuple(BARS), required=True)
    parser.add_argument("--seeds", type=int, help="instead of those that the bars ask for")
    parser.add_argument("--data-dir", type=Path, help="where MNIST lies, as for inkdigit train")
    parser.add_argument("--work", type=Path, default=Path("runs/records"))
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="FILE")
    options = parser.parse_args()
    mnist = load_dataset("mnist", data_dir=options.data_dir, progress=True)
    for recipe in options.recipes:
        for seed in range(options.seeds or BARS[recipe].seeds):
            if (recipe, seed) not in done(options.out):
                keep(trained(recipe, seed, mnist, options.work), options.out)
    if options.out.exists():
        print(*told(pd.read_csv(options.out)), f"in {options.out}", sep="\n")


def trained(recipe: str, seed: int, mnist: Dataset, work: Path) -> dict[str, Any]:
    """Train once, or go on with what was stopped, and return its row."""
    folder = work / f"{recipe}-seed{seed}"
    print(folder, file=sys.stderr)
    settings = TrainingSettings.of(recipe, seed=seed)
    metrics = train(settings, mnist, folder, resume=True, after_epoch=report).metrics
    return {
        "recipe": recipe,
        "seed": seed,
        **{name: metrics[name] for name in FIGURES},
        "hardware": f"{processor()}, {os.cpu_count()} cores, shared",
        "versions": " ".join(f"{name} {version}" for name, version in metrics["versions"].items()),
    }


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
            f"{recipe:10} {100 * accuracy.mean():.3f} ± {100 * accuracy.std():.3f} %  "
            f"{len(rows)} seeds  {rows['parameters'].max():,} parameters  "
            f"at least {100 * bar.least:g} % below {bar.parameters:,}: {'yes' if met else 'no'}"
        )


if __name__ == "__main__":
    main()
