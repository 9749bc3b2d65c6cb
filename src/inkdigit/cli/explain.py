"""`inkdigit explain`: a page that opens trained networks up."""

import argparse

from inkdigit import learning
from inkdigit.cli.options import load_data


def run(options: argparse.Namespace) -> None:
    """Write the page, and print where it is."""
    data = load_data(options) if options.data or options.data_dir else None
    print(learning.explain(options.models, options.out, data))
