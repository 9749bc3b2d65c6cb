"""`inkdigit sheet`: a printable page for each pupil of a class."""

import argparse
from functools import partial

from inkdigit.cli.options import tell
from inkdigit.errors import OutputError, SettingError, check_number


def run(options: argparse.Namespace) -> None:
    """Write the sheets."""
    from inkdigit.classroom.names import as_name, read_names
    from inkdigit.classroom.sheet import write_sheets

    check_number("--sheets", options.sheets, most=99)
    if options.out.exists():
        raise OutputError(f"{options.out} is there already: choose another name")
    names = read_names(options.names, partial(tell, options))
    try:
        class_ = as_name(options.names.stem)
    except SettingError as error:
        raise SettingError(f"{options.names} gives the class its name: {error}") from None
    write_sheets(options.out, class_, names, options.sheets)
    tell(options, f"wrote {options.out}: {len(names) * options.sheets} sheets")
