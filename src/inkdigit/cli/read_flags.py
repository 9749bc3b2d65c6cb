"""The flags of `inkdigit read`."""

import argparse
from pathlib import Path

from inkdigit.bulk.writers import ALL_FORMATS


def add_source_flags(parser: argparse.ArgumentParser) -> None:
    """Add what says which pictures are meant."""
    add = parser.add_argument_group("which pictures").add_argument
    add("--recursive", action="store_true", help="also those in folders below a folder")
    add(
        "--include",
        action="append",
        metavar="GLOB",
        default=[],
        help="of a folder only files of such names, for example '*.tif'; may be given again",
    )
    add(
        "--manifest",
        type=Path,
        metavar="CSV",
        help="a table with a column file, and optionally page, box (x y width height), pattern, "
        "check and id",
    )


def add_reading_flags(parser: argparse.ArgumentParser) -> None:
    """Add what goes to the reader; what is not given is absent from the namespace."""
    add = parser.add_argument_group("what is read", argument_default=argparse.SUPPRESS).add_argument
    add("--pattern", metavar="PATTERN", help=r"what the number looks like, for example '\d{5}'")
    add("--check", metavar="NAME", help="the check that the number passes, for example luhn")
    add("--single", action="store_true", help="there is exactly one digit")
    add("--min-confidence", type=float, metavar="P", help="review what is less sure, 0 to 1")
    add(
        "--separators",
        choices=("review", "ignore"),
        help="what to do about marks that may change the number (default: review)",
    )
    add("--page", type=int, metavar="N", help="only this page, counted from 1 (default: every)")
    add("--max-pixels", type=int, metavar="N", help="refuse larger pictures (default: 64,000,000)")
    add("--model", type=Path, metavar="FILE", default=None, help="default: the model inside")


def add_output_flags(parser: argparse.ArgumentParser) -> None:
    """Add where rows go."""
    group = parser.add_argument_group("where to")
    group.add_argument(
        "--format",
        choices=ALL_FORMATS,
        help="default: what the suffix of --out says, else text",
    )
    group.add_argument(
        "-o",
        "--out",
        metavar="FILE",
        help="a file, a folder for parts of Parquet (DIR/, s3://BUCKET/DIR/), or - for standard "
        "output (default: -)",
    )
    there = group.add_mutually_exclusive_group()
    there.add_argument("--overwrite", action="store_true", help="replace FILE where it exists")
    there.add_argument("--resume", action="store_true", help="go on where a run was stopped")


def add_engine_flags(parser: argparse.ArgumentParser) -> None:
    """Add who reads."""
    add = parser.add_argument_group("who reads").add_argument
    add("--jobs", type=int, metavar="N", help="processes that read (default: one a core)")
    add(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="this machine, or a Ray cluster (default: local)",
    )
    add(
        "--address",
        metavar="HOST:PORT",
        help="with --engine ray: the cluster's head, or auto for the one that this machine is in "
        "(default: a cluster of this machine alone)",
    )
