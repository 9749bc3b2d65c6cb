"""`inkdigit bench`: how fast digits are read on this machine."""

import argparse

from inkdigit.cli.options import table
from inkdigit.errors import check_number

BATCHES = (1, 16, 64, 256, 1024)


def run(options: argparse.Namespace) -> None:
    """Measure, and print a row a model."""
    import numpy as np

    from inkdigit.reading import DigitModel
    from inkdigit.reading.reader import SINGLE_MODEL
    from inkdigit.reading.timing import digits_per_second

    check_number("--rounds", options.rounds)
    paths = options.models or [SINGLE_MODEL]
    models = [DigitModel.load(path) for path in paths]
    digits = np.random.default_rng(0).integers(0, 256, (max(BATCHES), 28, 28), np.uint8)
    speeds = digits_per_second(models, digits, BATCHES, options.rounds)
    header = ["model", "one digit", *(f"by {size:,}" for size in BATCHES[1:])]
    rows = [
        [str(path), f"{1e6 / row[0]:,.0f} µs", *(f"{speed:,.0f}/s" for speed in row[1:])]
        for path, row in zip(paths, speeds, strict=True)
    ]
    print(table(header, rows))
