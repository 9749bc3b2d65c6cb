"""`inkdigit audit`: how much of what was accepted is wrong."""

import argparse
from pathlib import Path

from inkdigit.cli.options import add_flags
from inkdigit.cli.review import add_where, where

ABOUT = (
    "Open a page on this machine where a random sample of a table's accepted rows is keyed blind, "
    "and say how many are wrong, with a 95 % interval. Where it has been keyed, only say it."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    flags = {
        "table TABLE": "a table, as inkdigit review takes it",
        "--wrong-at-most SHARE": "draw as many rows as show this share if none of them is wrong "
        "(default: 0.5%%, which takes 598)",
        "--by": "spread them over the fields of a form, or the confidence, and tell of each",
    }
    limit, by = {"type": share, "default": 0.005}, {"choices": ("field", "confidence")}
    add_flags(parser, flags, table={"type": Path}, wrong_at_most=limit, by=by)
    add_where(parser)


def run(options: argparse.Namespace) -> None:
    """Serve the page until Ctrl-C, and print what was found."""
    from inkdigit.review.api import audit

    how = {"wrong_at_most": options.wrong_at_most, "by": options.by}
    print(audit(options.table, **how, **where(options)))


def share(text: str) -> float:
    """Return a share that is written as `0.5%` or as `0.005`; `ValueError` if it is neither."""
    return float(text.rstrip(" %")) / (100 if text.endswith("%") else 1)
