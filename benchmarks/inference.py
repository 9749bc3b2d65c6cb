"""How fast digit networks read, on one core and on two: `python benchmarks/inference.py`, minutes.

    keras       Keras's `predict`
    exported    ONNX Runtime, the graph as it was exported
    optimised   ONNX Runtime with all its optimisations
    int8        the same, as `inkdigit export --eight-bits` quantises it, on MNIST training digits
    openvino    OpenVINO, where it is installed
    inkdigit    `DigitModel.predict_proba`, from arrays of bytes to calibrated probabilities; then
                with the file in eight bits

One digit and batches, of Inkdigit's networks and keras.io's, turn about, medians with their range.
`fast` is trained by recipe `fast-5-epochs` (once, below `--work`), so its accuracy on the test half
is known each way; of the others only the speed is measured, which needs no training. Writes
`results/inference.csv` and prints the bars; with `--parts`, other networks keep their rows.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pandas as pd

from inference_ways import WAYS, Subject, Way, subject, ways
from inkdigit.files import write_text
from inkdigit.learning.api import train_run
from inkdigit.learning.datasets import Dataset, load_dataset
from inkdigit.learning.models.run import KERAS_MODEL
from inkdigit.learning.networks import NETWORKS
from inkdigit.learning.settings import TrainingSettings
from keeping import said_clearly, with_others
from machine import processor, use_cores, versions

RESULTS = Path(__file__).parent / "results" / "inference.csv"
TRAINED, RIVAL = "fast", "keras.io"
NAMES = (*NETWORKS, RIVAL)
BATCHES = (1, 64, 256, 1000)
ROUNDS, ENOUGH = 5, 5000


def main() -> None:
    """Measure on one core and on two, each in a process of its own, and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--cores", nargs="+", type=int, choices=(1, 2), default=(1, 2))
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--data-dir", type=Path, help="where MNIST lies, as for inkdigit train")
    parser.add_argument("--work", type=Path, default=Path("runs/benchmarks"))
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="FILE")
    options = parser.parse_args()
    if len(options.cores) == 1:
        table = pd.DataFrame(measured(options)).assign(versions=versions())
    else:
        table = pd.concat([elsewhere(cores) for cores in options.cores])
    kept = with_others(table, options.out, NAMES, "network", "cores")
    write_text(options.out, kept.round(6).to_csv(index=False))
    # A ratio holds within one run.
    print(*bars(table), f"wrote {options.out}", sep="\n")


def elsewhere(cores: int) -> pd.DataFrame:
    """Return what this program measures on so many cores, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "table.csv")
        command = [sys.executable, *sys.argv, "--cores", str(cores), "--out", str(out)]
        done = subprocess.run(command, check=False)  # noqa: S603
        if done.returncode:
            sys.exit(done.returncode)  # it has said why
        return pd.read_csv(out)


def measured(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield a row a network, way and size of batch."""
    (cores,) = options.cores
    hardware = f"{processor()}, {use_cores(cores)} cores"
    mnist = load_dataset("mnist", data_dir=options.data_dir)
    digits, labels = mnist.test.images, mnist.test.labels
    with tempfile.TemporaryDirectory() as folder:
        found = {name: prepared(name, mnist, options.work, Path(folder)) for name in options.parts}
        readers = {name: ways(one, cores) for name, one in found.items()}
        speeds = turn_about(readers, digits, options.rounds)
        for (name, way, batch), took in speeds.items():
            middle = median(took)
            known = name == TRAINED and batch == BATCHES[-1]
            row = {
                "network": name,
                "way": way,
                "cores": cores,
                "batch": batch,
                "microseconds": 1e6 * middle,
                "images_per_second": batch / middle,
                "low": batch / max(took),
                "high": batch / min(took),
                "test_accuracy": accuracy(readers[name][way], digits, labels) if known else None,
                "hardware": hardware,
            }
            yield told(row)


def prepared(name: str, mnist: Dataset, work: Path, folder: Path) -> Subject:
    """Return a network in all its forms: the trained one from its run, others as they start."""
    model = None
    if name == TRAINED:
        run = train_run(
            TrainingSettings(recipe="fast-5-epochs"),
            mnist,
            work / "fast-5-epochs-seed0",
            resume=True,
        )
        model = run.folder / KERAS_MODEL
    return subject(name, folder, model)


def turn_about(
    readers: dict[str, dict[str, Way]], digits: np.ndarray, rounds: int
) -> dict[tuple[str, str, int], list[float]]:
    """Return the median seconds a call of each round, by network, way and size of batch."""
    took: dict[tuple[str, str, int], list[float]] = {}
    for _ in range(rounds):
        for name, known in readers.items():
            for way, read in known.items():
                for batch in BATCHES:
                    calls = max(3, min(300, ENOUGH // batch)) if way != "keras" else 5
                    key = name, way, batch
                    took.setdefault(key, []).append(seconds(read, digits[:batch], calls))
    return took


def seconds(read: Way, digits: np.ndarray, calls: int) -> float:
    """Return the median seconds of a call, after one that does not count."""
    read(digits)
    found = []
    for _ in range(calls):
        start = time.perf_counter()
        read(digits)
        found.append(time.perf_counter() - start)
    return median(found)


def accuracy(read: Way, digits: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of digits read right, by the thousand."""
    answers = [read(digits[first : first + 1000]) for first in range(0, len(digits), 1000)]
    return float((np.concatenate(answers).argmax(axis=1) == labels).mean())


def told(row: dict[str, Any]) -> dict[str, Any]:
    """Print a row."""
    known = "" if row["test_accuracy"] is None else f"  test {100 * row['test_accuracy']:.2f} %"
    print(
        f"{row['network']:9} {row['way']:13} {row['cores']} cores  by {row['batch']:4}  "
        f"{row['microseconds']:9.1f} µs  {row['images_per_second']:9,.0f} images/s{known}",
        flush=True,
    )
    return row


def bars(table: pd.DataFrame) -> Iterator[str]:
    """Yield each bar with the figure that has to reach it, where it was measured."""
    two = table[table["cores"] == 2]
    speed = two.groupby(["network", "way"])["images_per_second"].max()
    right = two.groupby(["network", "way"])["test_accuracy"].max()
    for way in WAYS:
        if (TRAINED, way) in speed.index:
            lost = 100 * (right[TRAINED, "exported"] - right[TRAINED, way])
            what = f"{TRAINED}, {way}: {100 * right[TRAINED, way]:.2f} %, {lost:.2f} points lost"
            yield _bar(what, speed[TRAINED, way], 100_000)
            if (RIVAL, "keras") in speed.index:
                times = speed[TRAINED, way] / speed[RIVAL, "keras"]
                yield _bar("  as many times keras.io's by Keras", times, 10)
    ours = two["way"].str.startswith("inkdigit")
    for _, one in two[(two["network"] == TRAINED) & ours & (two["batch"] == 1)].iterrows():
        what, value = f"one digit by {one['way']}, µs", one["microseconds"]
        reached = "yes" if value <= 50 else "no"
        yield f"{what:56} {value:12.1f}  at most 50  {reached}"


def _bar(what: str, value: float, least: float) -> str:
    return f"{what:56} {value:12,.1f}  at least {least:,g}  {'yes' if value >= least else 'no'}"


if __name__ == "__main__":
    said_clearly(main)
