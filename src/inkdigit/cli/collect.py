"""`inkdigit collect`: from scans of a class's sheets to a folder of digits."""

import argparse
from functools import partial

from inkdigit.cli.options import QUIET, add_flags, tell

ABOUT = (
    "Keep the digits on photographs and scans of what `inkdigit sheet` wrote, by pupil and digit."
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
