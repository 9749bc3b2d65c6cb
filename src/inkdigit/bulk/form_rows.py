"""A row for each form, from the rows of its fields that follow each other."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from inkdigit.bulk.rows import Record
from inkdigit.documents import BLANK, CROSSED_OUT, FORM_COLUMNS, STATUS
from inkdigit.reading.result import FAILED

# What stands for the status of a field that was not accepted as it is.
_WORDS = {"rejected": "unread", FAILED: "missing"}


def form_columns(fields: Sequence[str]) -> list[str]:
    """Return the columns of a table of forms: each field has one for its text and its status."""
    return [*FORM_COLUMNS, *(name for field in fields for name in (field, field + STATUS))]


def rows_of_forms(records: Iterable[Record], fields: Sequence[str]) -> Iterator[Record]:
    """Yield a row for each form, and for each page that shows none.

    A form of several pages names each of them, and for each the file that holds it.
    The status of a form is the worst of its fields, and the status of a field also says why it is
    empty: `blank`, `crossed out`, `unread`, `missing`. Its reason has what people let stand, too.
    """
    for rows in grouped(records):
        form, _ = _named(rows[0])
        doubtful = [row for row in rows if row["status"] != "accepted"]
        lost = all(row["status"] == FAILED for row in rows)
        told = dict.fromkeys(filter(None, map(_why, rows)))
        row = dict.fromkeys(form_columns(fields))
        pages = dict.fromkeys((one["source"], str(one["page"])) for one in rows)
        sources, numbers = map("; ".join, zip(*pages, strict=True))
        row |= {
            "source": sources,
            "page": numbers,
            "form": form or None,
            "status": FAILED if lost else "review" if doubtful else "accepted",
            "reason": "; ".join(told),
        }
        for one in rows if form else []:
            _, name = _named(one)
            row |= {name: one["text"], name + STATUS: _status(one)}
        yield row


def grouped(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Yield the rows of each form, which have each field once; a page without a form is alone."""
    rows, seen, last = list[Record](), set[str](), ""
    for record in records:
        form, name = _named(record)
        if rows and (form != last or not form or name in seen):
            yield rows
            rows, seen = [], set()
        rows.append(record)
        seen.add(name)
        last = form
    if rows:
        yield rows


def _named(record: Record) -> tuple[str, str]:
    """Return the form and field of a row, empty for a page without a form."""
    form, _, name = (record.get("id") or "").rpartition("/")
    return form, name


def _status(record: Record) -> Any:
    is_empty = record["reason"] in {BLANK, CROSSED_OUT}
    return record["reason"] if is_empty else _WORDS.get(record["status"], record["status"])


def _why(record: Record) -> str:
    _, name = _named(record)
    why = record.get("error") or record["reason"]
    if record["status"] == "accepted":
        return "" if why in {BLANK, CROSSED_OUT} else str(why)
    return f"{name}: {why}" if record["status"] != FAILED else why
