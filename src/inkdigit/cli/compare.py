"""`inkdigit compare`: networks side by side."""

import argparse
from typing import TYPE_CHECKING

from inkdigit import learning
from inkdigit.bulk.progress import say
from inkdigit.cli.options import DATA, QUIET, TRAINING, add_flags, given, load_data, table, tell
from inkdigit.errors import needing
from inkdigit.learning.settings import TrainingSettings

if TYPE_CHECKING:
    from inkdigit.learning import Comparison

ABOUT = (
    "Train several networks alike, each with several seeds, and compare them on the test half. A "
    "comparison that was stopped goes on where it was."
)
_USUAL = ["lenet5", "classic", "modern"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    flags = {
        "--networks NAME": f"default: {' '.join(_USUAL)}",
        "--seeds N": "runs of each, seeds 0 to N-1 (default: 1)",
        **DATA,
        **TRAINING,
        "--out DIR": "where the runs, the tables and the page go (default: runs/comparison-DATA)",
        **QUIET,
    }
    add_flags(parser, flags, networks={"nargs": "+", "default": _USUAL}, seeds={"default": 1})


def run(options: argparse.Namespace) -> None:
    """Compare, and say where the page lies."""
    settings = given(options, "epochs", "batch_size")
    TrainingSettings(**settings)
    with needing("learn"):
        from inkdigit.learning.api import comparison_folder

        dataset = load_data(options)
        out = options.out or comparison_folder(dataset)
        how = {"seeds": options.seeds, "out": out, "tell": None if options.quiet else say}
        comparison = learning.compare(options.networks, dataset, **settings, **how)
    print(render(comparison))
    print(f"\npage: {out / 'comparison.html'}")
    for network in options.networks:
        tell(options, f"report of {network}: {out / f'{network}-seed0' / 'report.html'}")


def render(comparison: "Comparison") -> str:
    """Return a comparison as text."""
    rows = [
        [
            row["network"],
            with_spread(row["test_accuracy_mean"], row["test_accuracy_sd"], 4),
            with_spread(row["test_loss_mean"], row["test_loss_sd"], 4),
            f"{row['parameters']:,}",
            f"{row['macs']:,}",
            f"{row['model_bytes'] / 1000:,.0f} kB",
            with_spread(row["seconds_mean"], row["seconds_sd"], 0) + " s",
            f"{row['one_image_ms']:.2f} ms",
            f"{row['images_per_second']:,.0f}",
        ]
        for row in comparison.networks.to_dict("records")
    ]
    header = [
        "network", "test accuracy", "loss", "parameters", "MACs", "file", "training", "a digit",
        "digits/s",
    ]  # fmt: skip
    pairs = [
        f"{row['first']} and {row['second']}: "
        f"{'a real difference' if row['real'] else 'could be chance'} (McNemar, p = {row['p']:.2g})"
        for row in comparison.differences.to_dict("records")
    ]
    return "\n".join([table(header, rows), "", *pairs])


def with_spread(mean: float, sd: float, places: int) -> str:
    """Return `mean ± sd`, or the mean alone where one run gives no spread."""
    # NaN is unlike itself.
    return f"{mean:.{places}f}" if sd != sd else f"{mean:.{places}f} ± {sd:.{places}f}"  # noqa: PLR0124
