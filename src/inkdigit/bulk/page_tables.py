"""Tables as they stand on pages, from the rows of their numbers."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from inkdigit.bulk.rows import Record


def rows_of_tables(records: Iterable[Record]) -> Iterator[Record]:
    """Yield a row for each row of numbers on a page, with a column for each of its columns.

    Where numbers are in doubt, `status` is the worst of them and `reason` says of which column.
    All pages are held, as the widest says how many columns there are. An empty cell stays empty.
    """
    rows = [
        (source, page, row, {_place(one)[1]: one for one in cells})
        for (source, page), of_page in groupby(records, lambda one: (one["source"], one["page"]))
        for row, cells in groupby(of_page, lambda one: _place(one)[0])
    ]
    widest = max((column for *_, cells in rows for column in cells), default=0)
    for source, page, row, cells in rows:
        doubted = {n: one for n, one in sorted(cells.items()) if one["status"] != "accepted"}
        worst = max(
            (one["status"] for one in doubted.values()), default="accepted", key=_WORST.index
        )
        why = (one.get("error") or one["reason"] for one in doubted.values())
        told = "; ".join(
            f"{n}: {said}" if n else said for n, said in zip(doubted, why, strict=True)
        )
        texts = {str(n): cells[n]["text"] if n in cells else None for n in range(1, widest + 1)}
        about = {"source": source, "page": page, "row": row or None, "status": worst}
        yield about | {"reason": told} | texts


_WORST = ("accepted", "review", "rejected", "failed")


def _place(record: Record) -> tuple[int, int]:
    """Return row and column of a number, 0 for a page without one."""
    if not record.get("digits"):
        return 0, 0
    *_, row, column = record["id"].split("/")
    return int(row), int(column)
