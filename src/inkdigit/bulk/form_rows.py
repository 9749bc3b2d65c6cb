"""A row for each form, from the rows of its fields that follow each other."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from inkdigit.bulk.rows import Record
from inkdigit.reading.result import FAILED

_ABOUT = ("source", "page", "form", "status", "reason")
# What stands for the status of a field that was not accepted as it is.
_WORDS = {"rejected": "unread", FAILED: "missing"}


def form_columns(fields: Sequence[str]) -> list[str]:
    """Return the columns of a table of forms: each field has one for its text and its status."""
    return [*_ABOUT, *(name for field in fields for name in (field, f"{field}.status"))]


def rows_of_forms(records: Iterable[Record], fields: Sequence[str]) -> Iterator[Record]:
    """Yield a row for each form, and for each page that shows none.

    The status of a form is the worst of its fields, and the status of a field also says why it is
    empty: `blank`, `crossed out`, `unread`, `missing`.
    """
    for (source, form, _), some in groupby(records, key=_form_of):
        rows = list(some)
        doubtful = [row for row in rows if row["status"] != "accepted"]
        lost = all(row["status"] == FAILED for row in rows)
        told = dict.fromkeys(_why(row) for row in doubtful)
        row = dict.fromkeys(form_columns(fields))
        row |= {
            "source": source,
            "page": rows[0]["page"],
            "form": form or None,
            "status": FAILED if lost else "review" if doubtful else "accepted",
            "reason": "; ".join(told),
        }
        for one in rows if form else []:
            name = one["id"].rpartition("/")[2]
            row |= {name: one["text"], f"{name}.status": _status(one)}
        yield row


def _form_of(record: Record) -> tuple[str, str, int | None]:
    """Return what the rows of one form have in common; a page without a form stands alone."""
    form = (record["id"] or "").rpartition("/")[0]
    return record["source"], form, None if form else record["page"]


def _status(record: Record) -> Any:
    is_empty = record["status"] == "accepted" and not record["text"]
    return record["reason"] if is_empty else _WORDS.get(record["status"], record["status"])


def _why(record: Record) -> str:
    name = (record["id"] or "").rpartition("/")[2]
    why = record.get("error") or record["reason"]
    return f"{name}: {why}" if record["status"] != FAILED else why
