"""`inkdigit form`: make the template of a form, draw its fields, and see it over scans."""

import argparse
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from inkdigit.cli.options import tell
from inkdigit.errors import ImageError, InkdigitError, OutputError, SettingError
from inkdigit.files import write_atomically

if TYPE_CHECKING:
    from PIL.Image import Image

    from inkdigit.documents.registration import Registrar


def run(options: argparse.Namespace) -> None:
    """Do it."""
    first, *others = options.files
    {"new": _new, "edit": _edit, "check": _check}[options.action](options, first, others)


def _new(options: argparse.Namespace, blank: Path, others: list[Path]) -> None:
    from inkdigit.documents.blank import new_template

    if others or not options.out:
        missing = "" if blank.exists() else f", and {blank} is not there"
        raise SettingError(f"form new takes one blank and --out NAME.form.json{missing}")
    template, prints, told = new_template(blank, options.out, width=options.width)
    prints_at = [options.out.with_name(page.print) for page in template.pages]
    _check_free(options, options.out, *prints_at)
    template.save(options.out, prints)
    for sentence in told:
        tell(options, sentence)
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
    known = Template.load(template)
    try:
        registrar = Registrar([known])
    except SettingError as error:
        raise SettingError(f"{template}: {error}") from None
    pages = _checked(registrar, scans, count)

    def write(path: Path) -> None:
        for page in pages:
            page.save(path, format="PDF", append=path.exists())

    if options.out and (first := next(pages, None)):
        pages = chain([first], pages)
        write_atomically(options.out, write)
        tell(options, f"wrote {options.out}")
    for _ in pages:
        pass
    if wrong := count["refused"] + count["failed"]:
        raise ImageError(
            f"{wrong} would not be read: pages refused {count['refused']}, scans that could not be "
            f"opened {count['failed']} of {count['scans']}"
        )


def _checked(registrar: "Registrar", names: list[Path], count: Counter[str]) -> Iterator["Image"]:
    """Print a sentence on each page of some scans and folders, and yield it drawn over."""
    from inkdigit.bulk.sources import pictures
    from inkdigit.documents.overlay import checked

    for picture in pictures(list(map(str, names))):
        count["scans"] += 1
        try:
            if isinstance(picture.source, InkdigitError):
                raise picture.source
            for said, is_refused, drawn in checked(registrar, picture.source, picture.name):
                print(said)
                count["refused"] += is_refused
                yield drawn
        except InkdigitError as error:
            print(error)
            count["failed"] += 1
