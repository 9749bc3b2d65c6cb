"""`inkdigit form`: make the template of a form, draw its fields, and see it over scans."""

import argparse
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from inkdigit.cli.options import QUIET, add_flags, tell
from inkdigit.errors import ImageError, InkdigitError, OutputError, SettingError
from inkdigit.files import write_atomically

if TYPE_CHECKING:
    from PIL.Image import Image

    from inkdigit.documents.registration import Registrar

ABOUT = (
    "Make the template of a form from its blank (new), draw and name its fields in the browser "
    "(edit), or draw it over scans and say which pages would be refused, and why (check). "
    "`inkdigit read --form` reads its forms."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is to be done, and with which files."""
    flags = {
        "action ACTION": "new: a template from a blank; edit: its fields, on a page of this "
        "machine; check: a template and scans",
        "files FILE": "new: the blank, a PDF or picture; edit: the template; check: the template, "
        "then scans or folders of them",
        "-o --out FILE": "new: the template, NAME.form.json; check: the drawings, a PDF",
        "--width P": "new: how many mm a picture of the blank is wide (default: 210)",
        "--overwrite": "replace FILE if it exists",
        "--port N": "edit: the page's port on this machine (default: 0, a free one)",
        "--open": "edit: open the page in the browser",
    }
    actions = {"choices": ("new", "edit", "check")}
    add_flags(parser, flags, action=actions, files={"nargs": "+"}, port={"default": 0})
    add_flags(parser, QUIET)


def run(options: argparse.Namespace) -> None:
    """Do it."""
    first, *others = options.files
    {"new": _new, "edit": _edit, "check": _check}[options.action](options, first, others)


def _new(options: argparse.Namespace, blank: Path, others: list[Path]) -> None:
    from inkdigit.documents.blank import new_template

    if others or not options.out:
        raise SettingError("form new takes one blank and --out NAME.form.json")
    template, prints = new_template(blank, options.out, width=options.width)
    _check_free(options, options.out, *map(options.out.with_name, template.prints))
    template.save(options.out, prints)
    count = len(template.fields)
    tell(
        options,
        f"wrote {options.out}: {count} fields, to be named: inkdigit form edit {options.out}",
    )


def _edit(options: argparse.Namespace, template: Path, others: list[Path]) -> None:
    from inkdigit.editor import edit

    if others:
        raise SettingError("form edit takes one template")
    edit(template, port=options.port, open=options.open)


def _check_free(options: argparse.Namespace, *paths: Path) -> None:
    for path in paths:
        if path.exists() and not options.overwrite:
            raise OutputError(f"{path} is there already: choose another name, or --overwrite")


def _check(options: argparse.Namespace, template: Path, scans: list[Path]) -> None:
    from inkdigit.documents.registration import Registrar
    from inkdigit.documents.template import Template

    if not scans:
        raise SettingError("form check takes a template and scans, or folders of them")
    if options.out:
        _check_free(options, options.out)
    count = Counter[str]()
    pages = _checked(Registrar([Template.load(template)]), scans, count)

    def write(path: Path) -> None:
        for page in pages:
            page.save(path, format="PDF", append=path.exists())

    if options.out and (first := next(pages, None)):
        pages = chain([first], pages)
        write_atomically(options.out, write)
        tell(options, f"wrote {options.out}")
    for _ in pages:
        pass
    if count["failed"]:
        raise ImageError(f"{count['failed']} of {count['scans']} scans could not be opened")


def _checked(registrar: "Registrar", names: list[Path], count: Counter[str]) -> Iterator["Image"]:
    """Print a sentence on each page of some scans and folders, and yield it drawn over."""
    from inkdigit.bulk.sources import pictures
    from inkdigit.documents.overlay import checked

    for picture in pictures(list(map(str, names))):
        count["scans"] += 1
        try:
            if isinstance(picture.source, InkdigitError):
                raise picture.source
            for said, drawn in checked(registrar, picture.source, picture.name):
                print(said)
                yield drawn
        except InkdigitError as error:
            print(error)
            count["failed"] += 1
