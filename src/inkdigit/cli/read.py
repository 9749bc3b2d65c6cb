"""`inkdigit read`: the numbers in pictures, one or a million."""

import argparse

from inkdigit.bulk.api import read_to
from inkdigit.bulk.progress import Display
from inkdigit.bulk.rows import Tally
from inkdigit.cli.options import QUIET, add_flags
from inkdigit.cli.read_flags import add_read_flags
from inkdigit.errors import InkdigitError

ABOUT = (
    "Read the handwritten number in each picture: a row for each picture, and for each page of a "
    "TIFF or PDF. Nothing is sent anywhere."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    add_read_flags(parser)
    add_flags(parser, QUIET)


def run(options: argparse.Namespace) -> None:
    """Read, write the rows, and fail in the end if any picture could not be read."""
    given = {name: value for name, value in vars(options).items() if name not in {"run", "quiet"}}
    display = Display()
    try:
        tally = read_to(**given, on_progress=None if options.quiet else display.show)
    finally:
        display.close()
    if tally.codes:
        raise _SomeUnreadError(tally)


class _SomeUnreadError(InkdigitError):
    """Some of several pictures failed: the exit code is theirs where they failed alike."""

    def __init__(self, tally: Tally) -> None:
        failed = tally.codes.total()
        super().__init__(f"{failed:,} of {tally.rows:,} pictures could not be read")
        if len(tally.codes) == 1:
            (self.exit_code,) = tally.codes  # type: ignore[misc]
