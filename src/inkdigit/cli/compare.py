"""`inkdigit compare`: networks side by side."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from inkdigit import learning
from inkdigit.bulk.progress import say
from inkdigit.cli.learning_flags import DATA, TRAINING, load_data
from inkdigit.cli.options import QUIET, add_flags, given, table, tell
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
        "--networks NAME": "names, FILE.py:FUNCTION, runs, .keras, .h5 or .onnx files (default: "
        f"{' '.join(_USUAL)})",
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
    how = {"seeds": options.seeds, "out": options.out, "tell": None if options.quiet else say}
    dataset = load_data(options)
    comparison = learning.compare(options.networks, dataset, **settings, **how)
    print(render(comparison))
    print(f"\npage: {comparison.page}")
    for network, folder in comparison.runs.groupby("network", sort=False)["folder"].first().items():
        if (report := Path(folder, "report.html")).exists():  # a file's is not there
            tell(options, f"report of {network}: {report}")


def render(comparison: "Comparison") -> str:
    """Return a comparison as text."""
    from inkdigit.learning.evaluation.comparison import COLUMNS

    networks = comparison.networks
    header = ["Network", *(column.title for column in COLUMNS)]
    rows = zip(networks["network"], *(column.texts(networks) for column in COLUMNS), strict=True)
    pairs = [
        f"{row['first']} and {row['second']}: "
        f"{'a real difference' if row['real'] else 'could be chance'} (McNemar, p = {row['p']:.2g})"
        for row in comparison.differences.to_dict("records")
    ]
    return "\n".join([table(header, list(rows)), "", *pairs])
