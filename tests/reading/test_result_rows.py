import json
import re
from decimal import Decimal
from pathlib import Path

import pytest

from inkdigit.errors import ImageError
from inkdigit.reading import Reading
from inkdigit.reading.result import COLUMNS, FAILED, FIELDS, PAGE_COLUMNS, Row

DOCUMENT = Path(__file__).parents[2] / "docs" / "readings.md"
READING = Reading(
    text="87.32", confidence=0.5, status="review", reason="why", rule="unsure",
    number=Decimal("87.32"), unconstrained="8732", model="line 1",
)  # fmt: skip


def test_a_row_is_its_reading_and_where_it_comes_from() -> None:
    row = Row("a.png", 3, READING, "line 1")
    assert row.failure is None
    assert row.to_dict() == {"source": "a.png", "page": 3, "error": None, **READING.to_dict()}
    assert tuple(row.to_dict()) == FIELDS


def test_a_row_without_a_reading_is_its_error() -> None:
    error = ImageError("a.png is broken")
    row = Row("a.png", 1, error, "line 1")
    assert row.failure is error
    assert row.to_dict() == {
        **dict.fromkeys(FIELDS),
        "source": "a.png",
        "page": 1,
        "status": FAILED,
        "reason": "",
        "characters": [],
        "error": "a.png is broken",
        "model": "line 1",
    }
    assert tuple(row.to_dict()) == FIELDS


@pytest.mark.parametrize("result", [READING, ImageError("é")])
def test_rows_are_plain(result: Reading | ImageError) -> None:
    plain = Row("größe 1.png", 1, result, "line 1").to_dict()
    assert json.loads(json.dumps(plain, allow_nan=False)) == plain


def test_the_fields_are_those_of_the_documents_in_their_order() -> None:
    paragraphs = DOCUMENT.read_text("utf-8").split("\n\n")
    for first, known in (("source", COLUMNS), ("angle", PAGE_COLUMNS[len(COLUMNS) :])):
        (table,) = (part for part in paragraphs if f"\n| `{first}` |" in part)
        assert re.findall(r"^\| `(\w+)` \|", table, re.M) == [*known]
