"""How fast digits are learnt, on two cores, in minutes.

    fast             `inkdigit train --recipe fast`
    fast-5-epochs    `inkdigit train --recipe fast-5-epochs`
    keras.io         keras.io's `mnist_convnet` to its first 99 %
    train_mnist_fast the one-epoch recipe of that name (`--torch-python`, where this Python has no
                     PyTorch)

Each training is a process of its own on the same cores, turn about: from arrays in memory to a
trained network, compiling counted, importing and loading not. Writes a row a training to
`results/fast.csv` and prints means with their bars. A ratio holds within one run, so what is not
trained in it has no row: `--parts` and `--brief` ask for another `--out`.
The schedules were chosen on a tenth of the training half; the test half is read once, at the end
(keras.io's, which has to be stopped, is judged after each epoch).
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks import measuring
from benchmarks.measuring import RESULTS, add_data, add_out, add_parts, in_order, keep
from inkdigit.errors import SettingError
from inkdigit.learning.datasets import Dataset, load_dataset

# Trainings of each, seeds 0 to one less; the slow rivals are known well enough by fewer.
SEEDS = {"fast": 20, "fast-5-epochs": 10, "train_mnist_fast": 10, "keras.io": 3}
BRIEF = {"fast": 5, "fast-5-epochs": 3, "train_mnist_fast": 3, "keras.io": 1}


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for."""
    add_data(parser)
    add_parts(parser, SEEDS)
    parser.add_argument("--brief", action="store_true", help=f"fewer seeds: {BRIEF}")
    parser.add_argument("--torch-python", metavar="PATH", help="a Python with PyTorch and NumPy")
    add_out(parser, RESULTS / "fast.csv")


def main(options: argparse.Namespace) -> None:
    """Train what is asked for, turn about, and write the table."""
    if options.out == RESULTS / "fast.csv" and (options.brief or set(options.parts) != set(SEEDS)):
        raise SettingError("the whole table is of one run: give --parts or --brief an --out")
    measuring.use_cores()
    seeds = {name: (BRIEF if options.brief else SEEDS)[name] for name in options.parts}
    torch = options.torch_python or (sys.executable if find_spec("torch") else "")
    if not torch and seeds.pop("train_mnist_fast", None):
        print("train_mnist_fast is left out: PyTorch is not installed")
    mnist = load_dataset("mnist", data_dir=options.data_dir)
    table = pd.DataFrame(trainings(seeds, mnist, torch))
    table = in_order(table.assign(hardware=measuring.hardware(), gflops=gflops()), SEEDS, "recipe")
    print(summary(table).to_string(), *bars(table), sep="\n")
    keep(table, options.out)


def trainings(seeds: dict[str, int], mnist: Dataset, torch: str) -> Iterator[dict[str, Any]]:
    """Yield a row a training, seed by seed, and print it as it ends."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "digits.npz")
        halves = {"train": mnist.train, "test": mnist.test}
        arrays = {f"{half}_images": digits.images for half, digits in halves.items()}
        arrays |= {f"{half}_labels": digits.labels for half, digits in halves.items()}
        np.savez(path, **arrays)
        for seed in range(max(seeds.values(), default=0)):
            for name in (name for name, count in seeds.items() if seed < count):
                row = {"recipe": name, "seed": seed, **trained(name, seed, path, torch)}
                print(
                    f"{name:16} seed {seed:2}  {row['seconds']:7.2f} s  "
                    f"{row['cpu_seconds']:7.2f} s of processor  "
                    f"test {100 * row['test_accuracy']:.2f} %",
                    flush=True,
                )
                yield row


def trained(name: str, seed: int, digits: Path, torch: str) -> dict[str, Any]:
    """Return what a training of its own process says of itself."""
    script = Path(__file__).parent / "rivals" / "fast_torch.py"
    ours = measuring.python("-m", "benchmarks.fast_once", name)
    command = [torch, script] if name == "train_mnist_fast" else ours
    printed = measuring.run(*command, str(seed), digits, cwd=measuring.ROOT)
    answer: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return answer


def gflops(size: int = 2048, rounds: int = 5) -> float:
    """Return the machine's rate at products of `float32` matrices, in GFLOP/s."""
    matrix = np.random.default_rng(0).random((size, size), np.float32)
    return (
        2 * size**3 / min(measuring.seconds(lambda: matrix @ matrix) for _ in range(rounds)) / 1e9
    )


def summary(table: pd.DataFrame) -> pd.DataFrame:
    """Return means and standard deviations over seeds, a row a recipe.

    `as products` is what the arithmetic alone would take at the machine's rate for products of
    `float32` matrices: a forward pass and, at twice that, a backward one. In bfloat16, which our
    recipes compute in, a processor that has it can be faster still.
    """
    products = 6 * table["macs"] * table["digits"] * table["epochs"] / (1e9 * table["gflops"])
    groups = table.assign(products=products).groupby("recipe", sort=False)
    names = {"seconds": "s", "cpu_seconds": "processor's s", "products": "as products, s"}
    columns: dict[str, Any] = {"seeds": groups.size()}
    for name, shown in names.items():
        columns[shown] = groups[name].mean().round(2)
    columns["±"] = groups["seconds"].std().round(2)
    columns["test accuracy, %"] = (100 * groups["test_accuracy"].mean()).round(3)
    columns["± "] = (100 * groups["test_accuracy"].std()).round(3)
    return pd.DataFrame(columns)


def bars(table: pd.DataFrame) -> Iterator[str]:
    """Yield each bar with the figure that has to reach it, where it was measured."""
    mean = table.groupby("recipe")[["seconds", "test_accuracy"]].mean()
    seconds, accuracy = mean["seconds"].to_dict(), mean["test_accuracy"].to_dict()
    for name, least in (("fast", 0.99), ("fast-5-epochs", 0.995)):
        if name in accuracy:
            yield measuring.bar(f"{name}, test accuracy", accuracy[name], least)
    for rival, least in (("keras.io", 40), ("train_mnist_fast", 4)):
        if {"fast", rival} <= seconds.keys():
            ratio = seconds[rival] / seconds["fast"]
            yield measuring.bar(f"fast, as many times {rival}", ratio, least)
    if {"fast", "fast-5-epochs"} <= seconds.keys():
        share = 5 * seconds["fast"] / seconds["fast-5-epochs"]
        yield measuring.bar("fast-5-epochs, share of five times fast", share, 1)
