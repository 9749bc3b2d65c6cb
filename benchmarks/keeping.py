"""Tables of results that are measured in parts, and kept from one run to the next."""

from collections.abc import Iterable
from pathlib import Path

import pandas as pd


def with_others(
    table: pd.DataFrame, path: Path, order: Iterable[str], by: str = "part"
) -> pd.DataFrame:
    """Return the table with the parts that were measured before and not now, in this order."""
    if path.exists():
        before = pd.read_csv(path)
        table = pd.concat([before[~before[by].isin(table[by])], table])
    places = {part: number for number, part in enumerate(order)}
    return table.sort_values(by, key=lambda parts: parts.map(places), kind="stable")
