"""Flags that several verbs share, and how verbs talk."""

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inkdigit import learning
from inkdigit.bulk.progress import say
from inkdigit.errors import MissingExtraError
from inkdigit.learning.recipes import PLAIN, RECIPES

if TYPE_CHECKING:
    from inkdigit.learning.datasets import Dataset

Verbs = Any  # argparse keeps the type of its sub-parsers private


def add_data_flags(parser: argparse.ArgumentParser, *, default: str = "auto") -> None:
    """Add --data and --data-dir."""
    parser.add_argument(
        "--data",
        metavar="DATA",
        default=default,
        help="labelled digits: mnist (downloaded if it is not here), sample, folder:PATH, or auto: "
        "MNIST if it is here, else the sample (default: auto)",
    )
    add_data_dir_flag(parser)


def add_data_dir_flag(parser: argparse.ArgumentParser) -> None:
    """Add --data-dir."""
    parser.add_argument(
        "--data-dir",
        metavar="DIR",
        type=Path,
        default=None,
        help="the folder with MNIST's four files (default: INKDIGIT_DATA, then the cache)",
    )


def add_quiet_flag(parser: argparse.ArgumentParser) -> None:
    """Add --quiet."""
    parser.add_argument("-q", "--quiet", action="store_true", help="no progress and no notes")


def add_training_flags(parser: argparse.ArgumentParser) -> None:
    """Add --epochs and --batch-size; what is not given is absent from the namespace."""
    for name, what in (("epochs", "times through the digits"), ("batch_size", "digits a step")):
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=int,
            metavar="N",
            default=argparse.SUPPRESS,
            help=f"{what} (default: set by the recipe; "
            f"{getattr(RECIPES[PLAIN], name)} for `{PLAIN}`)",
        )


def load_data(options: argparse.Namespace, default: str = "auto") -> "Dataset":
    """Load the digits that were asked for, and tell what there is to tell about them."""
    name, quiet = getattr(options, "data", default), getattr(options, "quiet", False)
    dataset = learning.load_dataset(name, data_dir=options.data_dir, progress=not quiet)
    for note in dataset.notes:
        tell(options, note)
    return dataset


def tell(options: argparse.Namespace, message: str) -> None:
    """Print a message to stderr, unless asked to be quiet."""
    if not getattr(options, "quiet", False):
        say(message)


def teller(options: argparse.Namespace) -> Callable[[str], None] | None:
    """Return what tells messages, or `None` if asked to be quiet."""
    return None if getattr(options, "quiet", False) else partial(tell, options)


@contextmanager
def needing_learn() -> Iterator[None]:
    """Say how to install what the imports inside need, where it is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtraError("learn", str(error.name)) from None


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return text columns, the first to the left and the others to the right."""
    cells = [header, *rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = [
        "  ".join(
            [
                row[0].ljust(widths[0]),
                *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)),
            ]
        )
        for row in cells
    ]
    return "\n".join(line.rstrip() for line in lines)
