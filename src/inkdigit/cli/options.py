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
    "--data-dir DIR": "the folder with MNIST's four files (default: INKDIGIT_DATA, then the cache)"
}


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


def add_data_flags(parser: argparse.ArgumentParser, *, default: str = "auto") -> None:
    """Add --data and --data-dir."""
    data = {
        "--data DATA": "labelled digits: mnist (downloaded if it is not here), sample, "
        "folder:PATH, or auto: MNIST if it is here, else the sample (default: auto)",
    }
    add_flags(parser, data | DATA_DIR, data={"default": default}, data_dir={"default": None})


def add_quiet_flag(parser: argparse.ArgumentParser) -> None:
    """Add --quiet."""
    add_flags(parser, {"-q --quiet": "no progress and no notes"}, quiet={"default": False})


def add_training_flags(parser: argparse.ArgumentParser) -> None:
    """Add --epochs and --batch-size; what is not given is absent from the namespace."""
    for name, what in (("epochs", "times through the digits"), ("batch_size", "digits a step")):
        usual = f"set by the recipe; {getattr(RECIPES[PLAIN], name)} for `{PLAIN}`"
        flag = {f"--{name.replace('_', '-')} N": f"{what} (default: {usual})"}
        add_flags(parser, flag, **{name: {"default": argparse.SUPPRESS}})


def load_data(options: argparse.Namespace, default: str = "auto") -> "Dataset":
    """Load the digits that were asked for, and tell what there is to tell about them."""
    name = getattr(options, "data", default)
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
