"""Flags that several verbs share, and how verbs talk."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inkdigit import learning
from inkdigit.bulk.progress import say
from inkdigit.learning.recipes import PLAIN, RECIPES

if TYPE_CHECKING:
    from inkdigit.learning.datasets import Dataset

# What a value is, by the word that stands for it in `--help`; any other is text.
_KINDS: dict[str, Callable[[str], object]] = {
    "N": int, "P": float, "CSV": Path, "DIR": Path, "FILE": Path, "MODEL": Path, "RUN": Path,
}  # fmt: skip
DATA_DIR = {
    "--data-dir DIR": "the folder with MNIST's four files (default: INKDIGIT_DATA, then the cache)",
}
DATA = {
    "--data DATA": "labelled digits: mnist (downloaded if it is not here), sample, folder:PATH, or "
    "auto: MNIST if it is here, else the sample (default: auto)",
    **DATA_DIR,
}
_USUAL = f"(default: set by the recipe; {{}} for `{PLAIN}`)"
TRAINING = {
    "--epochs N": f"times through the digits {_USUAL.format(RECIPES[PLAIN].epochs)}",
    "--batch-size N": f"digits a step {_USUAL.format(RECIPES[PLAIN].batch_size)}",
}
QUIET = {"-q --quiet": "no progress and no notes"}


def add_flags(group: Any, flags: Mapping[str, str], **more: dict[str, Any]) -> None:
    """Add flags to a parser or a group of it, each with its sentence for `--help`.

    `-o --out FILE` takes a value, `--resume` is a switch, and `model MODEL` is told by its place.
    `out={"default": "-"}` says what argparse is to know of a flag besides.
    """
    for flag, what in flags.items():
        *names, value = flag.split()
        if not value.isupper():
            names.append(value)
        known = more.get(names[-1].lstrip("-").replace("-", "_"), {})
        if value.isupper():
            known = {"metavar": value, "type": _KINDS.get(value, str)} | known
        elif "choices" not in known:
            known = {"action": "store_true"} | known
        group.add_argument(*names, help=what, **known)


def given(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    """Return those of the flags that were given, by name."""
    return {name: value for name in names if (value := getattr(options, name)) is not None}


def load_data(options: argparse.Namespace, default: str = "auto") -> "Dataset":
    """Load the digits that were asked for, and tell what there is to tell about them."""
    data = getattr(options, "data", None)
    name = default if data is None else data
    dataset = learning.load_dataset(name, data_dir=options.data_dir, progress=not options.quiet)
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
