"""`inkdigit collect`: from scans of a class's sheets to a folder of digits."""

import argparse
from functools import partial

from inkdigit.cli.options import tell


def run(options: argparse.Namespace) -> None:
    """Collect, and print where what is to be looked at is shown."""
    from inkdigit.classroom.collect import collect

    print(collect(options.scans, options.out, tell=partial(tell, options)))
