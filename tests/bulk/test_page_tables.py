from typing import Any

from inkdigit.bulk.page_tables import rows_of_tables


def record(id_: str | None, text: str, status: str = "accepted", **more: Any) -> dict[str, Any]:
    known = {"source": "a.jpg", "page": 1, "reason": "", "error": None}
    row, column = map(int, (id_ or "").split("/")[-2:]) if text and id_ else (None, None)
    known |= {"id": id_, "text": text, "status": status, "row": row, "column": column}
    return known | more


def test_rows_and_columns_as_they_stand() -> None:
    records = [
        record("1/1", "12"),
        record("1/3", "7", "review", reason="unsure"),
        record("3/2", "40"),
        record(None, "", "rejected", page=2, reason="no number was found"),
        record("1/1", "5", source="b.jpg"),
    ]
    first, empty, third, nothing, other = rows_of_tables(iter(records))
    assert [first[name] for name in "123"] == ["12", None, "7"]
    assert (first["status"], first["reason"], first["row"]) == ("review", "3: unsure", 1)
    assert [empty[name] for name in "123"] == [None, None, None]
    assert (empty["source"], empty["page"], empty["row"]) == ("a.jpg", 1, 2)
    assert (empty["status"], empty["reason"]) == (None, "")
    assert [third[name] for name in "123"] == [None, "40", None]
    assert (third["status"], third["row"]) == ("accepted", 3)
    assert (nothing["page"], nothing["row"], nothing["status"]) == (2, None, "rejected")
    assert nothing["reason"] == "no number was found"
    assert (other["source"], other["1"]) == ("b.jpg", "5")
    assert {*map(len, (first, empty, third, nothing, other))} == {8}


def test_numbers_of_one_cell_stand_in_it() -> None:
    why = {"status": "review", "reason": "several numbers stand in this cell"}
    records = [record("1/1", "77"), *(record("1/2", text, **why) for text in ("15", "23"))]
    (row,) = rows_of_tables([*records, record("1/3", "90")])
    assert [row[name] for name in "123"] == ["77", "15 23", "90"]
    assert (row["status"], row["reason"]) == ("review", "2: several numbers stand in this cell")


def test_no_rows_make_no_table() -> None:
    assert [*rows_of_tables([])] == []


def test_what_a_manifest_calls_a_page_does_not_matter() -> None:
    _, row = rows_of_tables([record("sheet/7/2/1", "9")])
    assert (row["row"], row["1"]) == (2, "9")
    (row,) = rows_of_tables([record("sheet/7", "", "rejected")])
    assert (row["row"], row["status"]) == (None, "rejected")
    upper, lower = rows_of_tables([record("upper/1/1", "9"), record("lower/1/1", "8")])
    assert (upper["1"], lower["1"]) == ("9", "8")
