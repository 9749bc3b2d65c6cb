"""`inkdigit read`: the numbers in pictures."""

import argparse
from collections import Counter
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import cast

from inkdigit.bulk.rows import read_rows
from inkdigit.bulk.sources import pictures
from inkdigit.bulk.writers import FORMATS, Output
from inkdigit.cli.options import Verbs, add_quiet_flag, tell
from inkdigit.errors import InkdigitError
from inkdigit.reading.options import Options, Rules
from inkdigit.reading.row import Row

READ_OPTIONS = Options.__optional_keys__


def add_parser(verbs: Verbs) -> None:
    """Add the verb to the command line."""
    parser = verbs.add_parser(
        "read",
        help="read the numbers in pictures",
        description="Read the handwritten number in each picture: a row for each picture, and for "
        "each page of a TIFF or PDF. Nothing is sent anywhere.",
    )
    parser.add_argument(
        "images", nargs="+", metavar="IMAGE", help="a picture, a PDF, or - for standard input"
    )
    _add_reading_flags(parser)
    parser.add_argument(
        "--format",
        choices=tuple(FORMATS),
        help="default: what the suffix of --out says, else text",
    )
    parser.add_argument(
        "-o", "--out", metavar="FILE", help="where to; - is standard output (default: -)"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace FILE where it exists")
    add_quiet_flag(parser)
    parser.set_defaults(run=run)


def _add_reading_flags(parser: argparse.ArgumentParser) -> None:
    """Add what goes to the reader; what is not given is absent from the namespace."""
    add = parser.add_argument_group("what is read", argument_default=argparse.SUPPRESS).add_argument
    add("--pattern", metavar="PATTERN", help=r"what the number looks like, for example '\d{5}'")
    add("--check", metavar="NAME", help="the check that the number passes, for example luhn")
    add("--single", action="store_true", help="there is exactly one digit")
    add("--min-confidence", type=float, metavar="P", help="review what is less sure, 0 to 1")
    add(
        "--separators",
        choices=("review", "ignore"),
        help="what to do about a dot or comma that may stand before cents (default: review)",
    )
    add("--page", type=int, metavar="N", help="only this page, counted from 1 (default: every)")
    add("--max-pixels", type=int, metavar="N", help="refuse larger pictures (default: 64,000,000)")
    add("--model", type=Path, metavar="FILE", default=None, help="default: the model inside")


def run(options: argparse.Namespace) -> None:
    """Read, write the rows, and fail in the end if any picture could not be read."""
    # All that can be wrong with the arguments is said before a model is loaded.
    output = Output.choose(options.out, options.format, overwrite=options.overwrite)
    given = {name: value for name, value in vars(options).items() if name in READ_OPTIONS}
    how = cast("Options", given)
    Rules.of(how)
    wanted = pictures(options.images)
    from inkdigit.reading.reader import Reader

    rows = read_rows(Reader.load(options.model), wanted, **how)
    head = list(islice(rows, 2))
    if len(head) == 1:
        _write_one(options, output, head[0])
    else:
        _write_several(options, output, chain(head, rows))


def _write_one(options: argparse.Namespace, output: Output, row: Row) -> None:
    failure = row.failure
    as_text = output.format == "text"
    if not (failure and as_text):
        output.write([row], several=False)
    if failure:
        raise failure
    read = row.to_dict()
    if as_text and read["status"] != "accepted":
        tell(options, f"{read['status']}: {read['reason']}")


def _write_several(options: argparse.Namespace, output: Output, rows: Iterator[Row]) -> None:
    count, codes = 0, Counter[int]()

    def watched() -> Iterator[Row]:
        nonlocal count
        for row in rows:
            count += 1
            if row.failure:
                codes[row.failure.exit_code] += 1
                tell(options, _complaint(row, row.failure))
            yield row

    output.write(watched(), several=True)
    if codes:
        raise _SomeUnreadError(count, codes)


def _complaint(row: Row, failure: InkdigitError) -> str:
    """Return a failure's sentence, with the picture's name if it is not there already."""
    sentence = str(failure)
    named = row.source != "-" and row.source in sentence
    return sentence if named else f"{row.source}: {sentence}"


class _SomeUnreadError(InkdigitError):
    """Some of several pictures failed: the exit code is theirs where they failed alike."""

    def __init__(self, count: int, codes: Counter[int]) -> None:
        super().__init__(f"{codes.total():,} of {count:,} pictures could not be read")
        if len(codes) == 1:
            (self.exit_code,) = codes  # type: ignore[misc]
