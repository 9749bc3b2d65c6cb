"""The flags of `inkdigit read`."""

import argparse
from dataclasses import fields
from typing import Any

from inkdigit.bulk.writers import ALL_FORMATS
from inkdigit.cli.options import add_flags
from inkdigit.reading.options import ReadOptions


def add_read_flags(parser: argparse.ArgumentParser) -> None:
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
    add_flags(reading, {"--model FILE": "a model file (default: the model inside)"})
    _add_output_flags(parser.add_argument_group("where to"))
    _add_engine_flags(parser.add_argument_group("who reads"))


def _add_folder_flags(group: Any) -> None:
    flags = {
        "--recursive": "also read the folders below a folder",
        "--include GLOB": "when reading a folder, only files that match GLOB, for example '*.tif' "
        "(repeatable)",
        "--manifest CSV": "a table with a column file, and optionally page, box (x y width "
        "height), pattern, check and id",
    }
    add_flags(group, flags, include={"action": "append", "default": []})


def _add_output_flags(group: Any) -> None:
    flags = {
        "--format": "default: by the suffix of --out, else text",
        "-o --out FILE": "a file, a folder for parts of Parquet (DIR/, s3://BUCKET/DIR/), or - for "
        "standard output (default: -)",
    }
    there = {
        "--overwrite": "replace FILE if it exists",
        "--resume": "continue a run that was stopped",
    }
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
