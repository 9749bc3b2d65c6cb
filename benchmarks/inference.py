"""How fast digit networks read, on one core and on two, in minutes.

    keras       Keras's `predict`
    exported    ONNX Runtime, the graph as it was exported
    optimised   ONNX Runtime with all its optimisations
    int8        the same, as `inkdigit export --eight-bits` quantises it, on MNIST training digits
    openvino    OpenVINO, where it is installed
    inkdigit    `DigitModel.predict_proba`, from arrays of bytes to calibrated probabilities; then
                with the file in eight bits

One digit and batches, of Inkdigit's networks and keras.io's, turn about, medians with their range.
`fast` is trained by the recipe `fast-5-epochs` (once, below `--work`), so its accuracy on the test
half is known each way; of the others only the speed is measured, which needs no training. Writes
`results/inference.csv` and prints the bars; with `--parts`, other networks keep their rows.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import measuring
from benchmarks.inference_ways import WAYS, Way, subject, ways
from benchmarks.learning import trained
from benchmarks.measuring import RESULTS, add_data, add_out, add_parts, bar, keep, with_others
from inkdigit.learning.datasets import load_dataset
from inkdigit.learning.models.run import KERAS_MODEL
from inkdigit.learning.networks import NETWORKS
from inkdigit.learning.settings import TrainingSettings
from inkdigit.reading.timing import seconds_of

TRAINED, RIVAL = "fast", "keras.io"
NAMES = (*NETWORKS, RIVAL)
BATCHES = (1, 64, 256, 1000)
ENOUGH = 5000


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for."""
    add_data(parser, "runs/benchmarks")
    add_parts(parser, NAMES)
    parser.add_argument("--cores", nargs="+", type=int, choices=(1, 2), default=(1, 2))
    parser.add_argument("--rounds", type=int, default=5)
    add_out(parser, RESULTS / "inference.csv")


def main(options: argparse.Namespace) -> None:
    """Measure on one core and on two, each in a process of its own, and write the table."""
    if len(options.cores) == 1:
        table = pd.DataFrame(measured(options)).assign(versions=measuring.versions())
    else:
        table = pd.concat([elsewhere(cores) for cores in options.cores])
        # A ratio holds within one run.
        print(*bars(table), sep="\n")
    keep(with_others(table, options.out, NAMES, "network", "cores"), options.out)


def elsewhere(cores: int) -> pd.DataFrame:
    """Return what this program measures on so many cores, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "table.csv")
        command = measuring.python("-m", "benchmarks", *sys.argv[1:], "--cores", str(cores))
        print(measuring.run(*command, "--out", out), end="")
        return pd.read_csv(out)


def measured(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield a row a network, way and size of batch."""
    (cores,) = options.cores
    measuring.use_cores(cores)
    mnist = load_dataset("mnist", data_dir=options.data_dir)
    digits, labels = mnist.test.images, mnist.test.labels
    with tempfile.TemporaryDirectory() as folder:
        known = {}
        for name in options.parts:
            model = None
            if name == TRAINED:
                settings = TrainingSettings(recipe="fast-5-epochs")
                run = trained(settings, mnist, options.work / "fast-5-epochs-seed0")
                model = run.folder / KERAS_MODEL
            found = ways(subject(name, Path(folder), model), cores)
            known |= {(name, way): read for way, read in found.items()}
        for (name, way, batch), took in turn_about(known, digits, options.rounds).items():
            judged = name == TRAINED and batch == BATCHES[-1]
            right = accuracy(known[name, way], digits, labels) if judged else None
            row = {
                "network": name, "way": way, "cores": cores, "batch": batch,
                "microseconds": 1e6 * median(took), "images_per_second": batch / median(took),
                "low": batch / max(took), "high": batch / min(took),
                "test_accuracy": right, "hardware": measuring.hardware(),
            }  # fmt: skip
            print(
                f"{name:10} {way:13} {cores} cores  by {batch:4}  {row['microseconds']:9.1f} µs  "
                f"{row['images_per_second']:9,.0f} images/s"
                f"{'' if right is None else f'  test {100 * right:.2f} %'}",
                flush=True,
            )
            yield row


def turn_about(
    known: dict[tuple[str, str], Way], digits: np.ndarray, rounds: int
) -> dict[tuple[str, str, int], list[float]]:
    """Return the median seconds a call of each round, by network, way and size of batch."""
    took: dict[tuple[str, str, int], list[float]] = {}
    for _ in range(rounds):
        for (name, way), read in known.items():
            for batch in BATCHES:
                calls = max(3, min(300, ENOUGH // batch)) if way != "keras" else 5
                call = partial(read, digits[:batch])
                call()
                took.setdefault((name, way, batch), []).append(seconds_of(call, calls))
    return took


def accuracy(read: Way, digits: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of digits read right, by the thousand."""
    answers = [read(digits[first : first + 1000]) for first in range(0, len(digits), 1000)]
    return float((np.concatenate(answers).argmax(axis=1) == labels).mean())


def bars(table: pd.DataFrame) -> Iterator[str]:
    """Yield each bar with the figure that has to reach it, where it was measured."""
    two = table[table["cores"] == 2]
    speed = two.groupby(["network", "way"])["images_per_second"].max()
    right = two.groupby(["network", "way"])["test_accuracy"].max()
    for way in WAYS:
        if (TRAINED, way) in speed.index:
            lost = 100 * (right[TRAINED, "exported"] - right[TRAINED, way])
            what = f"{TRAINED}, {way}: {100 * right[TRAINED, way]:.2f} %, {lost:.2f} points lost"
            yield bar(what, speed[TRAINED, way], 100_000)
            if (RIVAL, "keras") in speed.index:
                times = speed[TRAINED, way] / speed[RIVAL, "keras"]
                yield bar("  as many times keras.io's by Keras", times, 10)
    one = two[(two["network"] == TRAINED) & (two["batch"] == 1)]
    for row in one[one["way"].str.startswith("inkdigit")].itertuples():
        reached = "yes" if row.microseconds <= 50 else "no"
        yield f"{f'one digit by {row.way}, µs':56} {row.microseconds:12.1f}  at most 50  {reached}"
