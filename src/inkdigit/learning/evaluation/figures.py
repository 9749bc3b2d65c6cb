"""Figures of a training, an evaluation and a comparison, each a matplotlib `Figure`.

No figure goes through pyplot, so nothing is left open and no display is needed. Colours are Okabe
and Ito's, and nothing is told by colour alone.

>>> from inkdigit import learning
>>> evaluation = learning.evaluate(learning.DigitClassifier.load(), "sample")
>>> len(learning.figures.confusion_matrix(evaluation).axes)
2
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import pandas as pd
import seaborn as sns
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure

from inkdigit.errors import DataError
from inkdigit.files import make_folder, write_atomically
from inkdigit.learning.evaluation.metrics import Evaluation
from inkdigit.learning.models.run import History

Images = npt.NDArray[np.uint8]

BLUE, ORANGE, GREEN, RED, GREY = "#0072b2", "#b34700", "#006b4a", "#b2182b", "#767676"
MARKS = ((BLUE, "o"), (ORANGE, "s"), (GREEN, "D"), ("#a0457c", "^"), ("#444444", "v"))
DIGITS_SHOWN = 25
COLUMNS = 5

# Ticks are made when the figure is drawn, so drawing needs the style as well.
styled = mpl.rc_context(fname=Path(__file__).with_name("figures.mplstyle"))


@styled
def write_figure(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, whole or not at all."""
    write_atomically(path, lambda scratch: figure.savefig(scratch, dpi=120, facecolor="white"))


def write_evaluation_figures(
    folder: Path, evaluation: Evaluation, images: Images, history: History | None = None
) -> list[Path]:
    """Write the figures of an evaluation as `<name>.png` into a folder, and return their paths.

    Images are `uint8 (n, 28, 28)`. With a `history`, its training curves are among the figures, and
    where writers are known, how each is read.
    """
    figures = {
        "confusion_matrix": confusion_matrix(evaluation),
        "predictions": predictions(evaluation, images),
        "mistakes": mistakes(evaluation, images),
        "reliability": reliability(evaluation),
    }
    if history:
        figures["training_curves"] = training_curves(history)
    if any(evaluation.writers):
        figures["by_writer"] = by_writer(evaluation)
    make_folder(folder)
    for name, figure in figures.items():
        write_figure(figure, folder / f"{name}.png")
    return [folder / f"{name}.png" for name in figures]


@styled
def confusion_matrix(evaluation: Evaluation) -> Figure:
    """Return the confusion matrix as counts and, beside it, as per cent of each true digit."""
    counts = evaluation.confusion
    rates = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(13, 6.8), layout="constrained")
    left, right = figure.subplots(1, 2)
    _heatmap(left, counts, "d", "How many")
    _heatmap(right, rates, ".1f", "Per cent of each true digit")
    return figure


def _heatmap(axes: Axes, values: npt.NDArray[Any], form: str, title: str) -> None:
    # The mistakes have the colour scale to themselves: beside the diagonal all would be white.
    diagonal = np.eye(len(values), dtype=bool)
    scale = values[~diagonal].max() or 1
    common = {"ax": axes, "annot": True, "fmt": form, "cbar": False, "square": True}
    common |= {"linewidths": 1, "annot_kws": {"size": 12}}
    sns.heatmap(values, mask=~diagonal, cmap=["#dbe7f0"], **common)
    shades = sns.light_palette(ORANGE, as_cmap=True)
    sns.heatmap(values, mask=diagonal, cmap=shades, vmin=0, vmax=scale, **common)
    for text in axes.texts:
        if float(text.get_text()) == 0:
            text.set_color("#a5a5a5")
    axes.set(title=title, xlabel="read as", ylabel="true digit")
    axes.tick_params(length=0, labelrotation=0)


@styled
def training_curves(history: History | Any) -> Figure:
    """Return loss and accuracy against the epoch, of training and of validation.

    `history` is that of a run, or what Keras's `fit` returns. Raises `DataError` for anything else.
    """
    table = _as_table(history)
    figure = Figure(figsize=(8, 7.6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    _curves(above, table, "loss")
    _curves(below, table, "accuracy")
    above.set(yscale="log", ylabel="loss (nats, log scale)")
    _log_ticks(above.yaxis, ticker.StrMethodFormatter("{x:.3g}"))
    if np.divide(*above.get_ylim()) > 0.25:  # too narrow for 1, 2, 5
        above.yaxis.set_major_locator(ticker.MaxNLocator(4))
    below.yaxis.set_major_formatter(ticker.PercentFormatter(1, decimals=None))
    below.set(ylabel="accuracy", xlabel="epoch", xlim=(0.5, len(table) + 0.5))
    below.xaxis.set_major_locator(ticker.MaxNLocator(integer=True, min_n_ticks=1))
    return figure


def _as_table(history: Any) -> pd.DataFrame:
    """Return a row an epoch; Keras keeps a column a figure, and says `val_` for validation."""
    rows = getattr(history, "history", history)
    try:
        if isinstance(rows, dict):  # with `validation_freq` not every epoch has them all
            epochs = max(map(len, rows.values()), default=0)
            rows = {name: values for name, values in rows.items() if len(values) == epochs}
        table: pd.DataFrame = pd.DataFrame(rows).apply(pd.to_numeric).reset_index(drop=True)
    except (AttributeError, TypeError, ValueError):
        table = pd.DataFrame()
    table = table.rename(columns=lambda name: str(name).replace("val_", "validation_"))
    measured = {"accuracy", "validation_accuracy"} & {*table}
    if table.empty or "loss" not in table or not measured:
        raise DataError("a history holds loss and accuracy of each epoch: this one does not")
    return table if "epoch" in table else table.assign(epoch=table.index + 1)


def _log_ticks(axis: Axis, formatter: ticker.Formatter) -> None:
    axis.set_major_locator(ticker.LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(formatter)
    axis.set_minor_formatter(ticker.NullFormatter())


def _curves(axes: Axes, table: pd.DataFrame, name: str) -> None:
    styles = [(name, "-o", BLUE, "training"), (f"validation_{name}", "--s", ORANGE, "validation")]
    for column, style, colour, label in styles:
        if column in table:  # not every network is measured on what it learns from
            axes.plot(table["epoch"], table[column], style, color=colour, label=label)
    axes.grid(True)
    axes.legend()


@styled
def predictions(evaluation: Evaluation, images: Images, count: int = DIGITS_SHOWN) -> Figure:
    """Return digits beside what they are and were read as, the same ones each time."""
    total = len(evaluation.labels)
    chosen = np.random.default_rng(0).permutation(total)[:count]
    heading = f"{len(chosen)} of {total:,} digits, chosen at random"
    return _digit_grid(evaluation, images, chosen, heading)


@styled
def mistakes(evaluation: Evaluation, images: Images, count: int = DIGITS_SHOWN) -> Figure:
    """Return the digits read wrong, the surest mistake first."""
    wrong = evaluation.mistakes()
    if not len(wrong):
        figure = Figure(figsize=(7.6, 1.6))
        notice = f"No mistakes: all {len(evaluation.labels):,} digits were read right"
        figure.text(0.5, 0.5, notice, ha="center", va="center")
        return figure
    heading = f"{len(wrong[:count])} of {len(wrong):,} mistakes, the surest first"
    return _digit_grid(evaluation, images, wrong[:count], heading)


def _digit_grid(
    evaluation: Evaluation, images: Images, chosen: npt.NDArray[np.int64], heading: str
) -> Figure:
    rows = -(-len(chosen) // COLUMNS)
    # In inches: the line over each digit that says whose it is, where that is known.
    line = 0.27 * any(evaluation.writers)
    height = 0.6 + (2 + line) * rows
    figure = Figure(figsize=(7.6, height))
    figure.suptitle(heading, size=16, y=1 - 0.1 / height, va="top")
    # Placed by hand: a layout engine takes a second over so many axes.
    places = {"left": 0.01, "right": 0.99, "bottom": 0.1 / height, "top": 1 - (1.1 + line) / height}
    places |= {"wspace": 0.08, "hspace": 0.42 + 0.7 * line}
    grid = figure.subplots(rows, COLUMNS, squeeze=False, gridspec_kw=places).ravel()
    for axes, index in zip(grid, chosen, strict=False):
        _digit(axes, images[index], evaluation, int(index))
    for axes in grid[len(chosen) :]:
        axes.set_axis_off()
    return figure


def _digit(axes: Axes, image: Images, evaluation: Evaluation, index: int) -> None:
    right = evaluation.right[index]
    colour, mark, width = (GREEN, "✓", 1.0) if right else (RED, "✗", 3.0)
    true, read = evaluation.labels[index], evaluation.predictions[index]
    sure = evaluation.confidences[index]
    confidence = "> 99.9 %" if sure > 0.9994 else f"{100 * sure:.1f} %"
    axes.imshow(image, cmap="gray_r", vmin=0, vmax=255)
    whose = evaluation.writers[index] if len(evaluation.writers) else ""
    title = f"{whose}\n" * bool(whose) + f"true {true}, read {read}\n{mark} {confidence}"
    axes.set_title(title, color=colour, size=13.5)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set(visible=True, color=colour, linewidth=width)


@styled
def reliability(evaluation: Evaluation) -> Figure:
    """Return how often digits of a confidence were right, and how many have that confidence.

    Bars are the 95 % interval (Wilson 1927), wide where a bin holds few digits.
    """
    bins = pd.DataFrame(evaluation.reliability())
    figure = Figure(figsize=(7.2, 8), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    above.plot([0, 1], [0, 1], "--", color=GREY, label="as often right as it says")
    at, spread = bins["accuracy"].to_numpy(), _spread(bins["accuracy"], bins["low"], bins["high"])
    points = {"color": BLUE, "capsize": 4, "label": "the network, with 95 % interval"}
    above.errorbar(bins["confidence"], at, yerr=spread, fmt="o", **points)
    above.set(xlim=(0, 1.03), ylim=(0, 1.03), ylabel="share read right")
    above.yaxis.set_major_formatter(ticker.PercentFormatter(1))
    above.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
    figure.suptitle(f"Expected calibration error {100 * evaluation.calibration_error:.2f} %")
    below.bar(bins["confidence"], bins["share"], width=0.03, color=BLUE)
    below.set(yscale="log", ylim=(0.5 / len(evaluation.labels), 2), xlabel="confidence")
    below.set(ylabel="share of digits")
    below.xaxis.set_major_formatter(ticker.PercentFormatter(1))
    below.yaxis.set_major_formatter(lambda share, _: f"{100 * share:g}%")
    for axes in (above, below):
        axes.grid(True)
    return figure


@styled
def by_writer(evaluation: Evaluation) -> Figure:
    """Return how many of each writer's digits are read right, with 95 % intervals (Wilson 1927).

    The line is the mean of all digits.
    """
    writers = evaluation.by_writer()
    figure = Figure(figsize=(8, 1.8 + 0.45 * len(writers)), layout="constrained")
    axes = figure.subplots()
    at = np.array([one.accuracy for one in writers.values()])
    spread = _spread(at, *np.transpose([one.accuracy_interval for one in writers.values()]))
    axes.errorbar(at, list(writers), xerr=spread, fmt="o", color=BLUE, capsize=4)
    axes.axvline(evaluation.accuracy, linestyle="--", color=GREY, label="all digits")
    axes.set(xlabel="share read right, with 95 % interval", ylim=(len(at) - 0.5, -0.5))
    axes.xaxis.set_major_formatter(ticker.PercentFormatter(1, decimals=None))
    axes.grid(True, axis="x")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False)
    return figure


@styled
def errors_by_labels(curve: Mapping[int, Any]) -> Figure:
    """Return the share that is read wrong by the number of labels, with 95 % intervals.

    `curve` has for each number of labels a count of errors `of` so many, and its `interval`.
    """
    figure = Figure(figsize=(7, 3.4), layout="constrained")
    axes = figure.subplots()
    at = np.array([share.count / share.of for share in curve.values()])
    spread = _spread(at, *np.transpose([share.interval for share in curve.values()]))
    axes.errorbar(list(curve), at, yerr=spread, fmt="o-", color=BLUE, capsize=4)
    axes.set(xlabel="labels learned from", ylabel="share read wrong", ylim=(0, None))
    axes.xaxis.set_major_locator(ticker.MaxNLocator(integer=True))
    axes.yaxis.set_major_formatter(ticker.PercentFormatter(1, decimals=None))
    axes.grid(True)
    return figure


def _spread(at: Any, lows: Any, highs: Any) -> npt.NDArray[np.float64]:
    """Return how far intervals reach below and above, which rounding must not turn negative."""
    return np.maximum((np.subtract(at, lows), np.subtract(highs, at)), 0)


@styled
def accuracy_against_cost(networks: pd.DataFrame) -> Figure:
    """Return test accuracy (mean and sd over seeds) against what one digit costs.

    `networks` is the table of that name in `inkdigit.learning.evaluation.comparison.Comparison`.
    Those of which the cost is not known are left out.
    """
    networks = networks.dropna(subset="macs")
    figure = Figure(figsize=(8, 6), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(networks.to_dict("records")):
        _network(axes, row, *MARKS[place % len(MARKS)])
    least, most = networks["macs"].min(), networks["macs"].max()
    right = 1.6 * most * max(most / least, 4) ** 0.5  # room for the last name
    axes.set(xscale="log", xlim=(least / 1.6, right))
    axes.margins(y=0.3)
    axes.set_ylim(top=min(axes.get_ylim()[1], 1.001))
    _log_ticks(axes.xaxis, ticker.EngFormatter(sep=""))
    axes.yaxis.set_major_formatter(ticker.PercentFormatter(1, decimals=None))
    seeds = int(networks["seeds"].max())
    over = f"mean ± sd of {seeds} seeds" if seeds > 1 else "one seed"
    axes.set(xlabel="multiply-accumulates a digit (log scale)", ylabel=f"test accuracy, {over}")
    axes.grid(True)
    return figure


def _network(axes: Axes, row: dict[Any, Any], colour: str, mark: str) -> None:
    at = row["macs"], row["test_accuracy_mean"]
    # One seed has no spread, which pandas gives as NaN.
    spread = None if np.isnan(row["test_accuracy_sd"]) else row["test_accuracy_sd"]
    axes.errorbar(*at, yerr=spread, fmt=mark, color=colour, markersize=11, capsize=6)
    label = f"{row['network']}\n{row['parameters']:,.0f} parameters"
    axes.annotate(label, at, (13, 0), textcoords="offset points", va="center", color=colour)
