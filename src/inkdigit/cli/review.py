"""`inkdigit review`: what is doubtful in a table, settled by people."""

import argparse
from typing import Any

from inkdigit.bulk.progress import say


def where(options: argparse.Namespace) -> dict[str, Any]:
    """Return where the pictures and the page are."""
    return {name: getattr(options, name) for name in ("pictures", "port", "open")}


def run(options: argparse.Namespace) -> None:
    """Write what is asked for, or serve the page until Ctrl-C."""
    from inkdigit.review import export, forget, review, write_labels, write_trail

    table, forms, how = options.table, options.form or (), {"overwrite": options.overwrite}
    if out := options.export:
        count = export(table, out, forms=forms, **how)
        say(f"{count:,} rows were decided by people: wrote {out}")
    if out := options.labels:
        say(f"{write_labels(table, out, options.pictures):,} pictures with labels: wrote {out}")
    if out := options.trail:
        say(f"{write_trail(table, out, **how):,} decisions: wrote {out}")
    if options.forget:
        count, left = forget(table, options.pictures, sure=options.yes)
        but = f", but for {left:,} rows that were never read and their files" * bool(left)
        say(f"deleted {count:,} pictures, {table} and its journal{but}")
    if not (options.export or options.labels or options.trail or options.forget):
        review(table, blind=options.blind, forms=forms, **where(options))
