"""`inkdigit sheet`: a printable page for each pupil of a class."""

import argparse
from pathlib import Path

from inkdigit.cli.options import QUIET, add_flags, tell
from inkdigit.errors import OutputError, SettingError

ABOUT = (
    "Write a page for each pupil of a class, with boxes for each digit and a code that says whose."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    flags = {
        "--names CSV": "the pupils, a name a line; the file is called after the class, as 7b.csv",
        "--sheets N": "pages for each pupil (default: 1)",
        "-o --out FILE": "the PDF to write (default: sheets.pdf)",
    }
    out = {"default": Path("sheets.pdf")}
    add_flags(parser, flags | QUIET, names={"required": True}, sheets={"default": 1}, out=out)


def run(options: argparse.Namespace) -> None:
    """Write the sheets."""
    from inkdigit.classroom.names import as_name, read_names
    from inkdigit.classroom.sheet import write_sheets

    if options.sheets not in range(1, 100):
        raise SettingError(f"--sheets is 1 to 99, received {options.sheets}")
    if options.out.exists():
        raise OutputError(f"{options.out} is there already: choose another name")
    names = read_names(options.names)
    try:
        class_ = as_name(options.names.stem)
    except SettingError as error:
        raise SettingError(f"{options.names} gives the class its name: {error}") from None
    write_sheets(options.out, class_, names, options.sheets)
    tell(options, f"wrote {options.out}: {len(names) * options.sheets} sheets")
