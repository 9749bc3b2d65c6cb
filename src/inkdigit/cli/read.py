"""`inkdigit read`: the numbers in pictures, one or a million."""

import argparse
from dataclasses import fields
from typing import Any

from inkdigit.bulk.api import read_to
from inkdigit.bulk.progress import Display
from inkdigit.bulk.rows import Tally
from inkdigit.bulk.writers import ALL_FORMATS
from inkdigit.cli.options import given
from inkdigit.cli.parser import worded
from inkdigit.errors import InkdigitError
from inkdigit.reading.options import ReadOptions

FLAGS: dict[str, Any] = {
    **{
        f"--{option.name.replace('_', '-')} {option.metadata['metavar']}": option.metadata["help"]
        for option in fields(ReadOptions)
    },
    "--format": {"choices": ALL_FORMATS},
    "-o --out FILE": {"type": str},  # or a bucket
}


def run(options: argparse.Namespace) -> None:
    """Read, write the rows, and fail in the end if any picture could not be read."""
    asked = given(options, *vars(options).keys() - {"run", "quiet"})
    display = Display(worded)
    try:
        tally = read_to(**asked, on_progress=None if options.quiet else display.show)
    finally:
        display.close()
    if tally.codes:
        raise _SomeUnreadError(tally)


class _SomeUnreadError(InkdigitError):
    """Some of several pictures failed: the exit code is theirs where they failed alike."""

    def __init__(self, tally: Tally) -> None:
        failed = tally.codes.total()
        super().__init__(f"{failed:,} of {tally.rows:,} rows could not be read")
        if len(tally.codes) == 1:
            (self.exit_code,) = tally.codes  # type: ignore[misc]
