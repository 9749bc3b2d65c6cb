"""`inkdigit form`: make the template of a form, and see it over scans."""

import argparse
from functools import partial
from pathlib import Path

from inkdigit.cli.options import QUIET, add_flags, tell
from inkdigit.errors import ImageError, OutputError, SettingError
from inkdigit.files import write_atomically

ABOUT = (
    "Make the template of a form from its blank (new), or draw it over scans and say which pages "
    "would be refused, and why (check). `inkdigit read --form` reads its forms."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is to be done, and with which files."""
    flags = {
        "action ACTION": "new: a template from a blank; check: a template and scans",
        "files FILE": "new: the blank, a PDF or picture; check: the template, then scans",
        "-o --out FILE": "new: the template, NAME.form.json; check: the drawings, a PDF",
        "--width P": "new: how many mm a picture of the blank is wide (default: 210)",
        "--overwrite": "replace FILE if it exists",
    }
    add_flags(parser, flags, action={"choices": ("new", "check")}, files={"nargs": "+"})
    add_flags(parser, QUIET)


def run(options: argparse.Namespace) -> None:
    """Do it."""
    first, *others = options.files
    if options.action == "check":
        _check(options, first, others)
        return
    if others or not options.out:
        raise SettingError("form new takes one blank and --out NAME.form.json")
    from inkdigit.documents.blank import new_template

    template, prints = new_template(first, options.out, width=options.width)
    _check_free(options, options.out, *map(options.out.with_name, template.prints))
    template.save(options.out, prints)
    tell(options, f"wrote {options.out}: {len(template.fields)} fields, to be named and related")


def _check_free(options: argparse.Namespace, *paths: Path) -> None:
    for path in paths:
        if path.exists() and not options.overwrite:
            raise OutputError(f"{path} is there already: choose another name, or --overwrite")


def _check(options: argparse.Namespace, template: str, scans: list[str]) -> None:
    from inkdigit.documents.overlay import checked
    from inkdigit.documents.registration import Registrar
    from inkdigit.documents.template import Template

    if not scans:
        raise SettingError("form check takes a template and scans")
    registrar, pages, failed = Registrar([Template.load(template)]), [], 0
    for name in scans:
        try:
            for said, drawn in checked(registrar, name, name):
                print(said)
                pages.append(drawn)
        except ImageError as error:
            print(error)
            failed += 1
    if options.out and pages:
        _check_free(options, options.out)
        first, *others = pages
        save = partial(first.save, format="PDF", save_all=True, append_images=others)
        write_atomically(options.out, save)
        tell(options, f"wrote {options.out}")
    if failed:
        raise ImageError(f"{failed} of {len(scans)} scans could not be opened")
