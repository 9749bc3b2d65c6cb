"""Tables of results that are measured in parts, and kept from one run to the next."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pandas as pd

from inkdigit.errors import InkdigitError


def with_others(
    table: pd.DataFrame, path: Path, order: Iterable[str], by: str = "part", *also: str
) -> pd.DataFrame:
    """Return the table with the parts that were measured before and not now, in this order.

    What is one part has one value `by` this column, and one in each of those that are named also.
    """
    if path.exists():
        before, keys = pd.read_csv(path), [by, *also]
        now = pd.MultiIndex.from_frame(table[keys])
        table = pd.concat([before[~pd.MultiIndex.from_frame(before[keys]).isin(now)], table])
    return in_order(table, order, by)


def in_order(table: pd.DataFrame, order: Iterable[str], by: str) -> pd.DataFrame:
    """Return the table with its rows in the order that the values of a column are given in."""
    places = {part: number for number, part in enumerate(order)}
    return table.sort_values(by, key=lambda parts: parts.map(places), kind="stable")


def said_clearly(main: Callable[[], None]) -> None:
    """Run a benchmark; an error of Inkdigit's ends it with its sentence and its exit code."""
    try:
        main()
    except InkdigitError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
