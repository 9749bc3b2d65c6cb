"""Tables as they stand on pages, from the rows of their numbers."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import groupby

from inkdigit.bulk.rows import Record

_WORST = ("accepted", "review", "rejected", "failed")


def rows_of_tables(records: Iterable[Record]) -> Iterator[Record]:
    """Yield a row for each row of a page, with a column for each of its columns.

    Where numbers are in doubt, `status` is the worst of them and `reason` says of which column. All
    pages are held, as the widest says how many columns there are. An empty cell or row stays empty.
    """
    pages = [[*of_page] for _, of_page in groupby(records, _page)]
    widest = max((one["column"] or 0 for page in pages for one in page), default=0)
    for page in pages:
        lines = defaultdict[int, list[Record]](list)
        for one in page:
            lines[one["row"] or 0].append(one)
        for row in range(min(1, *lines), max(lines) + 1):
            yield _row(page[0], row, lines[row], widest)


def _page(record: Record) -> tuple[str, int, str]:
    """Return what the numbers of a page share, or of a box of it that a manifest names."""
    named = (record["id"] or "").split("/")
    return record["source"], record["page"], "/".join(named[:-2] if record["row"] else named)


def _row(page: Record, row: int, cells: list[Record], widest: int) -> Record:
    """Return a row of a page, counted from 1, or 0 for one without numbers."""
    doubted = [one for one in cells if one["status"] != "accepted"]
    statuses = [one["status"] for one in cells]
    told = dict.fromkeys(
        f"{one['column']}: {one['reason']}" if row else one["error"] or one["reason"]
        for one in doubted
    )
    texts = defaultdict[int, list[str]](list)
    for one in cells:
        texts[one["column"]].append(one["text"])
    columns = {str(n): " ".join(texts[n]) if n in texts else None for n in range(1, widest + 1)}
    about = {"source": page["source"], "page": page["page"], "row": row or None}
    about |= {"status": max(statuses, default=None, key=_WORST.index), "reason": "; ".join(told)}
    return about | columns
