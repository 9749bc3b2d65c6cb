"""`inkdigit read`: the numbers in pictures, one or a million."""

import argparse
from dataclasses import fields
from typing import Any

from inkdigit.bulk.api import read_to
from inkdigit.bulk.progress import Display
from inkdigit.bulk.rows import Tally
from inkdigit.bulk.writers import ALL_FORMATS
from inkdigit.cli.options import QUIET, add_flags
from inkdigit.errors import InkdigitError
from inkdigit.reading.options import ReadOptions

ABOUT = (
    "Read the handwritten number in each picture: a row for each picture, and for each page of a "
    "TIFF or PDF. Nothing is sent anywhere."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which pictures are meant, what is read, where rows go and who reads."""
    add_flags(
        parser,
        {"sources IMAGE": "a picture, a PDF, a folder, s3://BUCKET/PATH, or - for standard input"},
        sources={"nargs": "*"},
    )
    _add_folder_flags(parser.add_argument_group("which pictures"))
    # What is not given is absent from the namespace.
    reading = parser.add_argument_group("what is read", argument_default=argparse.SUPPRESS)
    for option in fields(ReadOptions):
        flag = f"--{option.name.replace('_', '-')} {option.metadata['metavar']}"
        add_flags(reading, {flag: option.metadata["help"]})
    more = {
        "--form TEMPLATE": "each picture shows pages of this form: read its fields (repeatable)",
        "--model FILE": "a model file (default: the model inside)",
    }
    add_flags(reading, more, form={"action": "append"})
    _add_output_flags(parser.add_argument_group("where to"))
    _add_engine_flags(parser.add_argument_group("who reads"))
    add_flags(parser, QUIET)


def run(options: argparse.Namespace) -> None:
    """Read, write the rows, and fail in the end if any picture could not be read."""
    given = {name: value for name, value in vars(options).items() if name not in {"run", "quiet"}}
    display = Display()
    try:
        tally = read_to(**given, on_progress=None if options.quiet else display.show)
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


def _add_folder_flags(group: Any) -> None:
    flags = {
        "--recursive": "also read the folders below a folder",
        "--include GLOB": "when reading a folder, only files that match GLOB, for example '*.tif' "
        "(repeatable)",
        "--manifest CSV": "a table, also .xlsx, with a column file, and optionally page, box (x y "
        "width height), pattern, check and id",
    }
    add_flags(group, flags, include={"action": "append", "default": []})


def _add_output_flags(group: Any) -> None:
    flags = {
        "--format": "default: by the suffix of --out, else text",
        "-o --out FILE": "a file, a folder for parts of Parquet (DIR/, s3://BUCKET/DIR/), or - for "
        "standard output (default: -)",
        "--bom": "begin a CSV with a byte-order mark, by which Excel knows that it is UTF-8",
    }
    there = {"--overwrite": "replace FILE if it exists", "--resume": "go on with a stopped run"}
    add_flags(group, flags, format={"choices": ALL_FORMATS}, out={"type": str})
    add_flags(group.add_mutually_exclusive_group(), there)


def _add_engine_flags(group: Any) -> None:
    flags = {
        "--jobs N": "processes that read (default: one per core)",
        "--engine": "this machine, or a Ray cluster (default: local)",
        "--address HOST:PORT": "with --engine ray: the head of the cluster, or auto for the "
        "cluster of this machine (default: start one on this machine)",
    }
    add_flags(group, flags, engine={"choices": ("local", "ray"), "default": "local"})
