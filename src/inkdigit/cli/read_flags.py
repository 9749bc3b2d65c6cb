"""The flags of `inkdigit read`."""

import argparse
from dataclasses import fields
from numbers import Integral, Real
from pathlib import Path

from inkdigit.bulk.writers import ALL_FORMATS
from inkdigit.reading.options import ReadOptions


def add_source_flags(parser: argparse.ArgumentParser) -> None:
    """Add what says which pictures are meant."""
    parser.add_argument(
        "sources",
        nargs="*",
        metavar="IMAGE",
        help="a picture, a PDF, a folder, s3://BUCKET/PATH, or - for standard input",
    )
    add = parser.add_argument_group("which pictures").add_argument
    add("--recursive", action="store_true", help="also read the folders below a folder")
    add(
        "--include",
        action="append",
        metavar="GLOB",
        default=[],
        help="when reading a folder, only files that match GLOB, for example '*.tif' (repeatable)",
    )
    add(
        "--manifest",
        type=Path,
        metavar="CSV",
        help="a table with a column file, and optionally page, box (x y width height), pattern, "
        "check and id",
    )


def add_reading_flags(parser: argparse.ArgumentParser) -> None:
    """Add a flag for each reading option; what is not given is absent from the namespace."""
    group = parser.add_argument_group("what is read", argument_default=argparse.SUPPRESS)
    for option in fields(ReadOptions):
        flag, about = f"--{option.name.replace('_', '-')}", option.metadata
        if about["kind"] is bool:
            group.add_argument(flag, action="store_true", help=about["help"])
        else:
            kind = _KINDS[about["kind"]]
            group.add_argument(flag, type=kind, metavar=about["metavar"], help=about["help"])
    group.add_argument(
        "--model", type=Path, metavar="FILE", help="a model file (default: the model inside)"
    )


# How the kinds of options are understood on a command line.
_KINDS = {str: str, Real: float, Integral: int}


def add_output_flags(parser: argparse.ArgumentParser) -> None:
    """Add where rows go."""
    group = parser.add_argument_group("where to")
    group.add_argument(
        "--format", choices=ALL_FORMATS, help="default: by the suffix of --out, else text"
    )
    group.add_argument(
        "-o",
        "--out",
        metavar="FILE",
        help="a file, a folder for parts of Parquet (DIR/, s3://BUCKET/DIR/), or - for standard "
        "output (default: -)",
    )
    there = group.add_mutually_exclusive_group()
    there.add_argument("--overwrite", action="store_true", help="replace FILE if it exists")
    there.add_argument("--resume", action="store_true", help="continue a run that was stopped")


def add_engine_flags(parser: argparse.ArgumentParser) -> None:
    """Add who reads."""
    add = parser.add_argument_group("who reads").add_argument
    add("--jobs", type=int, metavar="N", help="processes that read (default: one per core)")
    add(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="this machine, or a Ray cluster (default: local)",
    )
    add(
        "--address",
        metavar="HOST:PORT",
        help="with --engine ray: the head of the cluster, or auto for the cluster of this machine "
        "(default: start one on this machine)",
    )
