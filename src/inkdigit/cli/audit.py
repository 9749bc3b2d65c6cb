"""`inkdigit audit`: how much of what was accepted is wrong."""

import argparse

from inkdigit.cli.review import where


def share(text: str) -> float:
    """Return a share that is written as `0.5%` or as `0.005`; `ValueError` if it is neither."""
    return float(text.rstrip(" %")) / (100 if text.endswith("%") else 1)


FLAGS = {"--wrong-at-most SHARE": {"type": share}}


def run(options: argparse.Namespace) -> None:
    """Serve the page until Ctrl-C, and print what was found."""
    from inkdigit.review.api import audit

    how = {"wrong_at_most": options.wrong_at_most, "by": options.by}
    print(audit(options.table, **how, **where(options)))
