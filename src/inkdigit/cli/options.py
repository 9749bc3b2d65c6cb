"""Flags that several verbs share, and how verbs talk."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from inkdigit.bulk.progress import say

# What a value is, by the word that stands for it in `--help`; any other is text.
_KINDS: dict[str, Callable[[str], object]] = {
    "N": int, "P": float, "CSV": Path, "DIR": Path, "FILE": Path, "MODEL": Path, "RUN": Path,
}  # fmt: skip
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
