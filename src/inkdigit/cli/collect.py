"""`inkdigit collect`: from scans of a class's sheets to a folder of digits."""

import argparse

from inkdigit.cli.options import QUIET, add_flags, tell
from inkdigit.errors import ImageError

ABOUT = (
    "Find the digits on photographs and scans of the sheets that `inkdigit sheet` printed, in any "
    "order and turn, and keep each under its pupil's name. Nothing is written over."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    flags = {
        "scans DIR": "a folder of pictures and PDFs",
        "-o --out DIR": "the folder of the class: NAME/DIGIT/NUMBER.png (default: class)",
        "--class NAME": "of which class the folder is, where the scans show several",
    }
    add_flags(parser, flags, out={"default": "class"}, **{"class": {"dest": "class_"}})
    add_flags(parser, QUIET)


def run(options: argparse.Namespace) -> None:
    """Collect, print how much, and fail in the end if any page was not collected."""
    from inkdigit.classroom.collect import collect

    found = collect(
        options.scans, options.out, class_=options.class_, tell=lambda s: tell(options, s)
    )
    print(found.page)
    if found.refused:
        raise ImageError(f"{len(found.refused)} pages were not collected: {found.page} shows them")
