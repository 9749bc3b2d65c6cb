"""How well the networks learn: hours on two cores, resumable.

Trains the networks of the plain recipe with the defaults on full MNIST, and `classic` for 20 epochs
on a folder shaped like the Reduced MNIST set, each with several seeds. Writes one row a run to
`results/learning.csv`, and the README's pictures. The test half is read once, when a run ends;
nothing is chosen by it. Stopped, it goes on where it was, as long as the folder of `--work` is
there.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from benchmarks.measuring import RESULTS, ROOT, add_data, add_out, hardware, keep
from inkdigit.learning.api import start_training
from inkdigit.learning.datasets import Dataset, load_dataset
from inkdigit.learning.evaluation.comparison import compare
from inkdigit.learning.evaluation.figures import mistakes, predictions, write_figure
from inkdigit.learning.evaluation.metrics import Evaluation
from inkdigit.learning.models.load import DigitClassifier
from inkdigit.learning.models.run import Run
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.training import Loop, epoch_line

# The others have recipes of their own: see `fast` and `records`.
NETWORKS = ["lenet5", "classic", "modern"]
REDUCED_EPOCHS = 20
# As people have the Reduced MNIST set, misspelt.
HALVES = {"train": "Reduced Trainging data", "test": "Reduced Testing data"}
SIZES = {"train": 1000, "test": 200}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for."""
    add_data(parser, "runs/benchmarks")
    parser.add_argument("--seeds", type=int, default=5)
    add_out(parser, RESULTS / "learning.csv")


def main(options: argparse.Namespace) -> None:
    """Run everything that is not done yet, and write the table."""
    mnist = load_dataset("mnist", data_dir=options.data_dir, progress=True)
    folder = options.work / "reduced-mnist"
    if not folder.exists():
        write_reduced_mnist(mnist, folder)
    reduced = load_dataset(f"folder:{folder}")
    tables = [
        measured(NETWORKS, options.seeds, mnist, options.work / "full"),
        measured(["classic"], options.seeds, reduced, options.work / "reduced", REDUCED_EPOCHS),
    ]
    table = pd.concat(tables)
    table["data"] = table["data"].where(~table["data"].str.startswith("folder:"), "reduced")
    keep(table, options.out)
    draw(Run.open(options.work / "full" / "classic-seed0"), mnist)


def draw(run: Run, mnist: Dataset) -> None:
    """Draw the README's pictures from a run."""
    images = mnist.test.images
    evaluation = Evaluation(mnist.test.labels, DigitClassifier.load(run).probabilities(images))
    for figure in (predictions, mistakes):
        path = ROOT / "docs" / f"{figure.__name__}.png"
        write_figure(figure(evaluation, images, 10), path)
        print(f"wrote {path}")


def write_reduced_mnist(
    mnist: Dataset, folder: Path, sizes: dict[str, int] = SIZES, seed: int = 0
) -> None:
    """Write so many JPEGs a class, drawn at random and named by their index in MNIST's half."""
    rng = np.random.default_rng(seed)
    unfinished = folder.with_name(f"{folder.name}.part")
    for half, size in sizes.items():
        digits = mnist.split(half)
        for digit in range(10):
            place = unfinished / "Reduced MNIST Data" / HALVES[half] / str(digit)
            place.mkdir(parents=True, exist_ok=True)
            drawn = rng.choice(np.flatnonzero(digits.labels == digit), size, replace=False)
            for index in drawn:
                Image.fromarray(digits.images[index]).save(place / f"{index}.jpg", quality=95)
    unfinished.rename(folder)


def measured(
    networks: list[str], seeds: int, dataset: Dataset, folder: Path, epochs: int | None = None
) -> pd.DataFrame:
    """Return a row a run, with what it ran on."""

    def train_one(network: str, seed: int, run_folder: Path) -> Run:
        given = {} if epochs is None else {"epochs": epochs}
        return trained(TrainingSettings(network=network, seed=seed, **given), dataset, run_folder)

    table = compare(networks, seeds, dataset, folder, train_one).runs
    first = Run.open(folder / f"{networks[0]}-seed0")
    return table.assign(hardware=hardware(), versions=versions_of(first))


def trained(settings: TrainingSettings, dataset: Dataset, folder: Path) -> Run:
    """Train once, or go on with what was stopped, and print each epoch as it ends."""

    def report(loop: Loop) -> None:
        line = epoch_line(loop.history[-1], loop.settings.epochs)
        print(line, file=sys.stderr, flush=True)

    print(folder, file=sys.stderr)
    return start_training(settings, dataset).run(folder, resume=True, after_epoch=report)


def versions_of(run: Run) -> str:
    """Return the versions that a run was trained with."""
    return " ".join(f"{name} {version}" for name, version in run.metrics["versions"].items())
