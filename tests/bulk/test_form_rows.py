from typing import Any

from inkdigit.bulk.form_rows import form_columns, rows_of_forms


def record(
    id_: str | None, text: str | None, status: str = "accepted", **more: Any
) -> dict[str, Any]:
    known = {"source": "a.pdf", "page": 1, "reason": "", "error": None}
    return known | {"id": id_, "text": text, "status": status} | more


def test_a_row_for_each_form() -> None:
    records = [
        record("claim/1/q1", "07"),
        record("claim/1/q2", "", reason="blank"),
        record("claim/1/q3", "4", "review", reason="unsure"),
        record("claim/1/q4", "", "rejected", reason="no number"),
        record(None, None, "failed", page=2, error="page 2 of a.pdf: it shows no page"),
        record("claim/2/q1", "1", page=3),
        record("claim/2/q2", None, "failed", page=3, error="page 2 is missing"),
    ]
    fields = ["q1", "q2", "q3", "q4"]
    first, lost, second = rows_of_forms(iter(records), fields)
    assert list(first) == list(lost) == form_columns(fields)
    assert {name: first[name] for name in fields} == {"q1": "07", "q2": "", "q3": "4", "q4": ""}
    statuses = [first[f"{name}.status"] for name in fields]
    assert statuses == ["accepted", "blank", "review", "unread"]
    assert (first["form"], first["status"]) == ("claim/1", "review")
    assert first["reason"] == "q3: unsure; q4: no number"
    assert (lost["form"], lost["status"], lost["page"]) == (None, "failed", "2")
    assert (second["q2.status"], second["status"]) == ("missing", "review")
    assert second["reason"] == "page 2 is missing"


def test_what_people_let_stand_is_told_of_an_accepted_form() -> None:
    records = [
        record("claim/1/q1", "", reason="blank"),
        record("claim/1/q2", "", reason="crossed out"),
        record("claim/1/total", "9", reason="decided by anna: total = q1 + q2: differs by 9"),
    ]
    (row,) = rows_of_forms(records, ["q1", "q2", "total"])
    assert (row["status"], row["total.status"]) == ("accepted", "accepted")
    assert row["reason"] == "decided by anna: total = q1 + q2: differs by 9"


def test_a_row_names_all_pages_and_files_of_its_form() -> None:
    records = [
        record("claim/7/q1", "1", source="b.png", page=1),
        record("claim/7/q2", "2", source="b.png", page=1),
        record("claim/7/q3", "3", source="b.png", page=2),
        record("claim/7/q4", "4", source="a.pdf", page=1),
    ]
    (row,) = rows_of_forms(iter(records), ["q1", "q2", "q3", "q4"])
    assert row["source"] == "b.png; b.png; a.pdf"
    assert (row["page"], row["form"]) == ("1; 2; 1", "claim/7")
