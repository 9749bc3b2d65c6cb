from typing import Any

from inkdigit.bulk.page_tables import rows_of_tables


def record(id_: str | None, text: str, status: str = "accepted", **more: Any) -> dict[str, Any]:
    known = {"source": "a.jpg", "page": 1, "reason": "", "error": None}
    return known | {"id": id_, "text": text, "digits": text, "status": status} | more


def test_rows_and_columns_as_they_stand() -> None:
    records = [
        record("1/1", "12"),
        record("1/3", "7", "review", reason="unsure"),
        record("2/2", "40"),
        record(None, "", "rejected", page=2, reason="no number was found"),
        record("1/1", "5", source="b.jpg"),
    ]
    first, second, nothing, other = rows_of_tables(iter(records))
    assert [first[name] for name in "123"] == ["12", None, "7"]
    assert (first["status"], first["reason"], first["row"]) == ("review", "3: unsure", 1)
    assert [second[name] for name in "123"] == [None, "40", None]
    assert second["status"] == "accepted"
    assert (nothing["page"], nothing["row"], nothing["status"]) == (2, None, "rejected")
    assert nothing["reason"] == "no number was found"
    assert (other["source"], other["1"]) == ("b.jpg", "5")
    assert {*map(len, (first, second, nothing, other))} == {8}


def test_no_rows_make_no_table() -> None:
    assert [*rows_of_tables([])] == []


def test_what_a_manifest_calls_a_page_does_not_matter() -> None:
    (row,) = rows_of_tables([record("sheet/7/2/1", "9")])
    assert (row["row"], row["1"]) == (2, "9")
    (row,) = rows_of_tables([record("sheet/7", "", "rejected")])
    assert (row["row"], row["status"]) == (None, "rejected")
