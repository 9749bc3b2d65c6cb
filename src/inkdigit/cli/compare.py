"""`inkdigit compare`: networks side by side."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from inkdigit import learning
from inkdigit.bulk.progress import say
from inkdigit.cli.options import given, load_data, table, tell
from inkdigit.learning.settings import TrainingSettings

if TYPE_CHECKING:
    from inkdigit.learning import Comparison


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
