"""`inkdigit explain`: a page that opens trained networks up."""

import argparse
from pathlib import Path

from inkdigit import learning
from inkdigit.cli.learning_flags import DATA_DIR, load_data
from inkdigit.cli.options import QUIET, add_flags

ABOUT = (
    "Write one HTML file that opens a trained network up: draw a digit, and see every layer, every "
    "number, why it says so, and where it fails."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    flags = {
        "models MODEL": "a run folder, a .keras, an .h5 or an .onnx; two are shown side by side",
        "-o --out FILE": "the page to write (default: explain.html)",
        "--data DATA": "the digits on the page: mnist, sample, folder:PATH, a .npz or .csv file "
        "(default: what the network learnt from, where that is known)",
        **DATA_DIR,
        **QUIET,
    }
    add_flags(parser, flags, models={"nargs": "+"}, out={"default": Path("explain.html")})


def run(options: argparse.Namespace) -> None:
    """Write the page, and print where it is."""
    data = load_data(options) if options.data or options.data_dir else None
    print(learning.explain(options.models, options.out, data))
