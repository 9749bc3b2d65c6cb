"""`inkdigit review`: what is doubtful in a table, settled by people."""

import argparse
from pathlib import Path
from typing import Any

from inkdigit.bulk.progress import say
from inkdigit.cli.options import add_flags

ABOUT = (
    "Open a page on this machine where people settle what is doubtful in a table that inkdigit "
    "read has written. The table stays as it is; what they decide goes to a journal beside it."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    flags = {
        "table TABLE": "a .csv, .jsonl, .parquet or .xlsx, or a folder of parts",
        "--blind": "second keying: what was read is hidden until two disagree",
        "--form TEMPLATE": "the table is of this form: show its fields and rules (repeatable)",
        "--export FILE": "no page: write the table anew with what was decided, and by whom",
        "--labels DIR": "no page: write settled pictures and their texts, for inkdigit adapt",
        "--trail CSV": "no page: write all that was decided, when and by whom",
        "--forget": "no page: once all is settled, delete the pictures, TABLE and its journal",
        "--yes": "with --forget: delete them indeed; else it is only said what would be",
        "--overwrite": "replace FILE or CSV if it exists",
    }
    add_flags(parser, flags, table={"type": Path}, form={"type": Path, "action": "append"})
    add_where(parser)


def add_where(parser: argparse.ArgumentParser) -> None:
    """Add where the pictures and the page are."""
    flags = {
        "--pictures DIR": "where the pictures lie now, if they were moved",
        "--port N": "the page's port on this machine (default: 0, a free one)",
        "--open": "open the page in the browser",
    }
    add_flags(parser, flags, port={"default": 0})


def where(options: argparse.Namespace) -> dict[str, Any]:
    """Return where the pictures and the page are."""
    return {name: getattr(options, name) for name in ("pictures", "port", "open")}


def run(options: argparse.Namespace) -> None:
    """Write what is asked for, or serve the page until Ctrl-C."""
    from inkdigit.review import export, forget, review, write_labels, write_trail

    table, how = options.table, {"overwrite": options.overwrite}
    if out := options.export:
        say(f"{export(table, out, **how):,} rows were decided by people: wrote {out}")
    if out := options.labels:
        say(f"{write_labels(table, out, options.pictures):,} pictures with labels: wrote {out}")
    if out := options.trail:
        say(f"{write_trail(table, out, **how):,} decisions: wrote {out}")
    if options.forget:
        count = forget(table, options.pictures, sure=options.yes)
        say(f"deleted {count:,} pictures, {table} and its journal")
    if not (options.export or options.labels or options.trail or options.forget):
        review(table, blind=options.blind, forms=options.form or (), **where(options))
