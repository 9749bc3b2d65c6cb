"""`inkdigit read`: the numbers in pictures, one or a million."""

import argparse
from dataclasses import fields

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
_SOURCES = {
    "sources IMAGE": "a picture, a PDF, a folder, s3://BUCKET/PATH, or - for standard input"
}
_PICTURES = {
    "--recursive": "also read the folders below a folder",
    "--include GLOB": "when reading a folder, only files that match GLOB, for example '*.tif' "
    "(repeatable)",
    "--manifest CSV": "a table, also .xlsx, with a column file, and optionally page, box (x y "
    "width height), pattern, check and id",
}
_OUTPUT = {
    "--format": "default: by the suffix of --out, else text",
    "-o --out FILE": "a file, a folder for parts of Parquet (DIR/, s3://BUCKET/DIR/), or - for "
    "standard output (default: -)",
    "--bom": "begin a CSV with a byte-order mark, by which Excel knows that it is UTF-8",
}
_THERE_ALREADY = {
    "--overwrite": "replace FILE if it exists",
    "--resume": "continue a run that was stopped",
}
_ENGINE = {
    "--jobs N": "processes that read (default: one per core)",
    "--engine": "this machine, or a Ray cluster (default: local)",
    "--address HOST:PORT": "with --engine ray: the head of the cluster, or auto for the "
    "cluster of this machine (default: start one on this machine)",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add which pictures are meant, what is read, where rows go and who reads."""
    add_flags(parser, _SOURCES, sources={"nargs": "*"})
    which = parser.add_argument_group("which pictures")
    add_flags(which, _PICTURES, include={"action": "append", "default": []})
    # What is not given is absent from the namespace.
    reading = parser.add_argument_group("what is read", argument_default=argparse.SUPPRESS)
    for option in fields(ReadOptions):
        flag = f"--{option.name.replace('_', '-')} {option.metadata['metavar']}"
        add_flags(reading, {flag: option.metadata["help"]})
    add_flags(reading, {"--model FILE": "a model file (default: the model inside)"})
    where = parser.add_argument_group("where to")
    add_flags(where, _OUTPUT, format={"choices": ALL_FORMATS}, out={"type": str})
    add_flags(where.add_mutually_exclusive_group(), _THERE_ALREADY)
    who = parser.add_argument_group("who reads")
    add_flags(who, _ENGINE, engine={"choices": ("local", "ray"), "default": "local"})
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
