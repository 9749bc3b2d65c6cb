"""`inkdigit collect`: from scans of a class's sheets to a folder of digits."""

import argparse
from functools import partial

from inkdigit.cli.options import QUIET, add_flags, tell

ABOUT = (
    "Find the digits on photographs and scans of the sheets that `inkdigit sheet` wrote, in any "
    "order and turn, and keep each under its pupil's name. Nothing is written over."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    flags = {
        "scans DIR": "a folder of pictures and PDFs",
        "-o --out DIR": "the class's folder: NAME/DIGIT/NUMBER.png (default: class)",
    }
    add_flags(parser, flags | QUIET, out={"default": "class"})


def run(options: argparse.Namespace) -> None:
    """Collect, and print where what is to be looked at is shown."""
    from inkdigit.classroom.collect import collect

    print(collect(options.scans, options.out, tell=partial(tell, options)))
