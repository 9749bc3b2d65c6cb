"""How well the networks learn: `python benchmarks/learning.py`, hours on two cores, resumable.

Trains the networks of the plain recipe with the defaults on full MNIST, and `classic` for 20 epochs
on a folder shaped like the Reduced MNIST set, each with several seeds. Writes one row a run to
`benchmarks/results/learning.csv`. The test half is read once, when a run ends; nothing is chosen by
it. Stopped, it goes on where it was, as long as the folder of `--work` is there.
"""

import argparse
import os
import sys
from pathlib import Path

import pandas as pd

from inkdigit.files import write_text
from inkdigit.learning.api import train_run
from inkdigit.learning.classifiers.loop import ClassifierLoop
from inkdigit.learning.datasets import Dataset, load_dataset
from inkdigit.learning.evaluation.comparison import Comparison, compare
from inkdigit.learning.evaluation.figures import mistakes, predictions, write_figure
from inkdigit.learning.evaluation.metrics import Evaluation
from inkdigit.learning.models.load import DigitClassifier
from inkdigit.learning.models.run import Run
from inkdigit.learning.progress import epoch_line
from inkdigit.learning.settings import TrainingSettings
from machine import processor
from reduced_mnist import write_reduced_mnist

RESULTS = Path(__file__).parent / "results" / "learning.csv"
DOCS = Path(__file__).parents[1] / "docs"
# The others have recipes of their own and are measured by `fast.py` and `records.py`.
NETWORKS = ["lenet5", "classic", "modern"]
REDUCED_EPOCHS = 20


def main() -> None:
    """Run everything that is not done yet, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--data-dir", type=Path, help="where MNIST lies, as for inkdigit train")
    parser.add_argument("--work", type=Path, default=Path("runs/benchmarks"))
    options = parser.parse_args()
    mnist = load_dataset("mnist", data_dir=options.data_dir, progress=True)
    reduced = reduced_like(mnist, options.work / "reduced-mnist")
    tables = [
        measured(NETWORKS, options.seeds, mnist, options.work / "full"),
        measured(["classic"], options.seeds, reduced, options.work / "reduced", REDUCED_EPOCHS),
    ]
    table = pd.concat(tables)
    table["data"] = table["data"].where(~table["data"].str.startswith("folder:"), "reduced")
    write_text(RESULTS, table.round(6).to_csv(index=False))
    draw(Run.open(options.work / "full" / "classic-seed0"), mnist)
    print(f"wrote {RESULTS} and the README's pictures")


def draw(run: Run, mnist: Dataset) -> None:
    """Draw the README's pictures from a run."""
    test = mnist.test
    evaluation = Evaluation(
        test.labels, DigitClassifier.load(run.folder).probabilities(test.images)
    )
    write_figure(predictions(evaluation, test.images, 10), DOCS / "predictions.png")
    write_figure(mistakes(evaluation, test.images, 10), DOCS / "mistakes.png")


def reduced_like(mnist: Dataset, folder: Path) -> Dataset:
    """Return 1,000 training and 200 test JPEGs a class, drawn from MNIST once."""
    if not folder.exists():
        write_reduced_mnist(mnist, folder)
    return load_dataset(f"folder:{folder}")


def measured(
    networks: list[str], seeds: int, dataset: Dataset, folder: Path, epochs: int | None = None
) -> pd.DataFrame:
    """Return a row a run, with what it ran on."""

    def train_one(network: str, seed: int, run_folder: Path) -> Run:
        print(f"{run_folder}", file=sys.stderr)
        given = {} if epochs is None else {"epochs": epochs}
        settings = TrainingSettings(network=network, seed=seed, **given)
        return train_run(settings, dataset, run_folder, resume=True, after_epoch=report)

    def report(loop: ClassifierLoop) -> None:
        print(epoch_line(loop.history[-1], loop.settings.epochs), file=sys.stderr)

    comparison: Comparison = compare(networks, seeds, dataset, folder, train_one)
    versions = Run.open(folder / f"{networks[0]}-seed0").metrics["versions"]
    return comparison.runs.assign(
        hardware=f"{processor()}, {os.cpu_count()} cores",
        versions=" ".join(f"{name} {version}" for name, version in versions.items()),
    )


if __name__ == "__main__":
    main()
