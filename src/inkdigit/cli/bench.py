"""`inkdigit bench`: how fast digits are read on this machine."""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from inkdigit.cli.options import Verbs, table
from inkdigit.errors import SettingError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from inkdigit.reading import DigitModel

BATCHES = (1, 16, 64, 256, 1024)
_ENOUGH = 10_000


def add_parser(verbs: Verbs) -> None:
    """Add the verb to the command line."""
    parser = verbs.add_parser(
        "bench",
        description="Measure how long a digit model takes from prepared 28×28 arrays to "
        "calibrated probabilities, one digit and batches, on this machine as it is.",
    )
    parser.add_argument(
        "models",
        nargs="*",
        type=Path,
        metavar="MODEL",
        help="model files of digits, several turn about (default: the model inside)",
    )
    parser.add_argument(
        "--rounds",
        type=int,
        default=5,
        metavar="N",
        help="times that everything is measured; the median counts (default: 5)",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Measure, and print a row a model."""
    from inkdigit.reading import DigitModel
    from inkdigit.reading.reader import SINGLE_MODEL

    if options.rounds < 1:
        raise SettingError(f"--rounds must be at least 1, received {options.rounds}")
    paths = options.models or [SINGLE_MODEL]
    models = [DigitModel.load(path) for path in paths]
    speeds = measure(models, options.rounds)
    header = ["model", "one digit", *(f"by {size:,}" for size in BATCHES[1:])]
    rows = [
        [str(path), f"{1e6 / row[0]:,.0f} µs", *(f"{speed:,.0f}/s" for speed in row[1:])]
        for path, row in zip(paths, speeds, strict=True)
    ]
    print(table(header, rows))


def measure(models: "list[DigitModel]", rounds: int) -> list[list[float]]:
    """Return the digits a second of each model, turn about, a figure a size of batch."""
    import numpy as np

    digits = np.random.default_rng(0).integers(0, 256, (max(BATCHES), 28, 28)).astype(np.uint8)
    took: list[list[list[float]]] = [[[] for _ in BATCHES] for _ in models]
    for _ in range(rounds):
        for model, times in zip(models, took, strict=True):
            for size, found in zip(BATCHES, times, strict=True):
                found.append(_seconds(model.predict_proba, digits[:size]))
    return [
        [size / median(found) for size, found in zip(BATCHES, times, strict=True)] for times in took
    ]


def _seconds(
    read: "Callable[[npt.NDArray[np.uint8]], object]", digits: "npt.NDArray[np.uint8]"
) -> float:
    """Return the median seconds of a call, over enough calls to be heard above the noise."""
    found = []
    for _ in range(max(5, min(1000, _ENOUGH // len(digits)))):
        start = time.perf_counter()
        read(digits)
        found.append(time.perf_counter() - start)
    return median(found)
