"""What several verbs do with their options, and how verbs talk."""

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from inkdigit.bulk.progress import say

if TYPE_CHECKING:
    from inkdigit.learning.datasets import Dataset


def given(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Return those of the flags that were given, by name."""
    return {name: value for name in names if (value := getattr(options, name)) is not None}


def load_data(options: argparse.Namespace, default: str = "auto") -> "Dataset":
    """Load the digits that were asked for, and tell what there is to tell about them."""
    from inkdigit.learning import load_dataset

    data = getattr(options, "data", None)
    name = default if data is None else data
    how = {"data_dir": options.data_dir, "group": getattr(options, "group", None)}
    dataset = load_dataset(name, **how, progress=not options.quiet)
    for note in dataset.notes:
        tell(options, note)
    return dataset


def tell(options: argparse.Namespace, message: str) -> None:
    """Print a message to stderr, unless asked to be quiet."""
    if not options.quiet:
        say(message)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return text columns, the first to the left and the others to the right."""
    cells = [header, *rows]
    first, *others = (max(map(len, column)) for column in zip(*cells, strict=True))
    lines = ["  ".join([row[0].ljust(first), *map(str.rjust, row[1:], others)]) for row in cells]
    return "\n".join(line.rstrip() for line in lines)
