"""How well networks read what they did not learn from.

    python -m benchmarks robustness --networks lenet5 fast

Reads MNIST's test half clean, under the fifteen corruptions of `inkdigit evaluate --corruptions`,
turned, moved and zoomed by degrees, and with `--hands` the single digits of other hands (see
`pictures.py`), each cut out of its picture as a user's would be. Networks that are missing in
`--work` are trained there, and go on where they were stopped. Writes a row a network, seed and test
to `results/robustness.csv` (accuracy, and the expected calibration error of the calibrated answers;
networks that are not named keep their rows), and draws `docs/robustness.png`.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks import measuring
from benchmarks.learning import trained
from benchmarks.pictures import SETS, Picture, load_sets
from benchmarks.reading_figures import calibration_error
from inkdigit import Reader, Reading
from inkdigit.learning.datasets import Digits, load_dataset
from inkdigit.learning.evaluation import corruptions
from inkdigit.learning.evaluation.corruptions import CORRUPTIONS, Images, affine
from inkdigit.learning.evaluation.figures import write_figure
from inkdigit.learning.evaluation.metrics import Evaluation
from inkdigit.learning.models.run import ONNX_MODEL, Run
from inkdigit.learning.settings import TrainingSettings
from inkdigit.reading import DigitModel

PICTURE = measuring.ROOT / "docs" / "robustness.png"
# The networks by the names they go by here, and what they are trained with.
TRAINED: dict[str, dict[str, Any]] = {
    "lenet5": {"network": "lenet5"},
    "classic": {},
    "modern": {"network": "modern"},
    "fast": {"recipe": "fast-5-epochs"},
    "small-8k": {"recipe": "small-8k"},
    "small-25k": {"recipe": "small-25k"},
    "small-100k": {"recipe": "small-100k"},
    "best": {"recipe": "best"},
}
DEGREES = tuple(range(0, 91, 10))
PIXELS = tuple(range(0, 11, 2))
FACTORS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5)
CURVES = {"turned": "degrees", "moved": "pixels", "zoomed": "times as large"}
SHOWN = 6


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for."""
    measuring.add_data(parser, "runs/records")
    parser.add_argument("--networks", nargs="+", choices=tuple(TRAINED), required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--hands", type=Path, metavar="DIR", help="pictures by other hands")
    parser.add_argument("--picture", type=Path, default=PICTURE, metavar="FILE")
    measuring.add_out(parser, measuring.RESULTS / "robustness.csv")


def main(options: argparse.Namespace) -> None:
    """Train what is missing, read everything, and write the table and the picture."""
    mnist = load_dataset("mnist", data_dir=options.data_dir, progress=True)
    runs = {
        (name, seed): trained(
            TrainingSettings(**TRAINED[name], seed=seed), mnist, options.work / f"{name}-seed{seed}"
        )
        for seed in range(options.seeds)
        for name in options.networks
    }
    table = pd.DataFrame(rows(runs, mnist.test, dict(single_digits(options.hands))))
    table = table.assign(hardware=measuring.hardware(), versions=measuring.versions())
    table = measuring.with_others(table, options.out, TRAINED, "network")
    print(overview(table).to_string())
    measuring.keep(table, options.out)
    write_figure(drawn(table, mnist.test.images[:SHOWN]), options.picture)
    print(f"wrote {options.picture}")


def single_digits(hands: Path | None) -> Iterator[tuple[str, list[Picture]]]:
    """Yield the sets of pictures with one digit each."""
    for name, pictures in load_sets(hands).items() if hands else ():
        if SETS[name].single and SETS[name].digits:
            yield name, pictures


def tests(test: Digits) -> Iterator[tuple[str, str, float, Images]]:
    """Yield each test of prepared digits: its kind, its name, how far it goes, and its images.

    What is drawn by chance is the same for every network.
    """
    yield "clean", "clean", 0, test.images
    for name, corruption in CORRUPTIONS.items():
        yield "corruption", name, 0, corruption(test.images, np.random.default_rng(0))
    moves = (("turned", DEGREES, corruptions.rotate), ("moved", PIXELS, corruptions.translate))
    for what, levels, move in moves:
        for level in levels:
            yield "curve", what, level, move(test.images, np.random.default_rng(0), level)
    for factor in FACTORS:
        yield "curve", "zoomed", factor, affine(test.images, np.eye(2) * factor)


def rows(
    runs: dict[tuple[str, int], Run], test: Digits, hands: dict[str, list[Picture]]
) -> Iterator[dict[str, Any]]:
    """Yield a row a test, network and seed."""
    files = {key: run.folder / ONNX_MODEL for key, run in runs.items()}
    for kind, what, level, images in tests(test):
        for (name, seed), path in files.items():
            judged = Evaluation(test.labels, DigitModel.load(path).predict_proba(images))
            yield {
                "network": name, "seed": seed, "kind": kind, "test": what, "level": level,
                "accuracy": judged.accuracy, "calibration_error": judged.calibration_error,
            }  # fmt: skip
    for what, pictures in hands.items():
        for (name, seed), path in files.items():
            test_of = {"network": name, "seed": seed, "kind": "hands", "test": what, "level": 0}
            yield test_of | read(Reader.load(path), pictures)


def read(reader: Reader, pictures: list[Picture]) -> dict[str, float]:
    """Return how well pictures of one digit each are read; one that can't be read is wrong."""
    sources = [picture.source for picture in pictures]
    found = reader.read_batch(sources, single=True, errors="return")
    said = [(r.digits, r.confidence) if isinstance(r, Reading) else ("", 0.0) for r in found]
    right = [read == picture.text for (read, _), picture in zip(said, pictures, strict=True)]
    confidences = [confidence for _, confidence in said]
    error = calibration_error(confidences, right)
    return {"accuracy": float(np.mean(right)), "calibration_error": error}


def overview(table: pd.DataFrame) -> pd.DataFrame:
    """Return mean accuracies in percent, a row a test and a column a network, without the curves.

    `corrupted` is the mean over the corruptions.
    """
    once = table[table["kind"] != "curve"]
    shares = 100 * once.pivot_table(index="test", columns="network", values="accuracy", sort=False)
    corrupted = shares.loc[shares.index.isin(CORRUPTIONS)].mean()
    return pd.concat([shares, corrupted.rename("corrupted").to_frame().T]).round(2)


def drawn(table: pd.DataFrame, digits: Images) -> Figure:
    """Draw the corrupted digits with each network's accuracy, and the curves below."""
    figure = plt.figure(figsize=(8.5, 9.5), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=[3, 1])
    left, right = above.subplots(1, 2, width_ratios=[2, 3])
    _draw_digits(left, digits)
    _draw_accuracies(right, overview(table))
    for axes, (test, unit) in zip(below.subplots(1, 3, sharey=True), CURVES.items(), strict=True):
        _draw_curve(axes, table[table["test"] == test], f"{test}, {unit}")
    handles, labels = axes.get_legend_handles_labels()
    place = {"loc": "outside lower center", "ncols": min(len(labels), 4)}
    below.legend(handles, labels, **place, frameon=False)
    return figure


def _draw_digits(axes: Axes, digits: Images) -> None:
    changed = [change(digits, np.random.default_rng(0)) for change in CORRUPTIONS.values()]
    whole = np.vstack([np.hstack(list(row)) for row in (digits, *changed)])
    axes.imshow(whole, cmap="gray_r", interpolation="nearest")
    axes.set_axis_off()


def _draw_accuracies(axes: Axes, shares: pd.DataFrame) -> None:
    shown = shares.loc[["clean", *CORRUPTIONS]]
    axes.imshow(shown, cmap="RdYlGn", vmin=20, vmax=100, aspect="auto")
    for (row, column), value in np.ndenumerate(shown.to_numpy()):
        axes.text(column, row, f"{value:.1f}", ha="center", va="center", fontsize=8)
    axes.set_xticks(range(len(shown.columns)), shown.columns, rotation=30, ha="left")
    axes.set_yticks(range(len(shown)), shown.index)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


def _draw_curve(axes: Axes, rows_: pd.DataFrame, title: str) -> None:
    means = 100 * rows_.pivot_table(index="level", columns="network", values="accuracy", sort=False)
    for network in means:
        axes.plot(means.index, means[network], label=network)
    axes.set_title(title, fontsize=10)
    axes.set_ylim(0, 101)
    axes.grid(alpha=0.3)
