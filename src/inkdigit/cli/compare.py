"""`inkdigit compare`: networks side by side."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from inkdigit import learning
from inkdigit.cli.options import (
    Verbs,
    add_data_flags,
    add_quiet_flag,
    add_training_flags,
    load_data,
    needing_learn,
    table,
    tell,
    teller,
)
from inkdigit.learning.settings import TrainingSettings

if TYPE_CHECKING:
    from inkdigit.learning import Comparison


def add_parser(verbs: Verbs) -> None:
    """Add the verb to the command line."""
    parser = verbs.add_parser(
        "compare",
        description="Train several networks alike, each with several seeds, and compare them on "
        "the test half. A comparison that was stopped goes on where it was.",
    )
    parser.add_argument(
        "--networks",
        nargs="+",
        metavar="NAME",
        default=["lenet5", "classic", "modern"],
        help="default: lenet5 classic modern",
    )
    parser.add_argument(
        "--seeds",
        type=int,
        default=1,
        metavar="N",
        help="runs of each, seeds 0 to N-1 (default: 1)",
    )
    add_data_flags(parser)
    add_training_flags(parser)
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="where the runs, the tables and the page go (default: runs/comparison-DATA)",
    )
    add_quiet_flag(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Compare, and say where the page lies."""
    given = {name: getattr(options, name) for name in ("epochs", "batch_size") if name in options}
    TrainingSettings(**given)
    with needing_learn():
        comparison = learning.compare(
            options.networks,
            load_data(options),
            seeds=options.seeds,
            **given,
            out=options.out,
            tell=teller(options),
        )
    print(render(comparison))
    print(f"\npage: {comparison.page}")
    for network, folder in comparison.runs.groupby("network", sort=False)["folder"].first().items():
        tell(options, f"report of {network}: {Path(folder, 'report.html')}")


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
