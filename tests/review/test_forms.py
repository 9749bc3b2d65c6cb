import csv
import json
from pathlib import Path

import pytest
from piles import CLAIM, form_table, said, settled

from inkdigit.errors import SettingError
from inkdigit.review.fields import Field, doubtful
from inkdigit.review.forms import Forms
from inkdigit.review.journal import Journal
from inkdigit.review.outcome import export
from inkdigit.review.pile import Pile


def field(table: Path, row: int) -> Field:
    return next(one for one in doubtful(table, lambda number: number == row) if one.row == row)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    (tmp_path / "claim.form.json").write_text(json.dumps(CLAIM))
    return form_table(tmp_path / "claims.jsonl", {"q1": "10", "q2": "95", "total": "15"}, copies=2)


def test_forms_come_together_the_least_sure_first(table: Path) -> None:
    forms = Forms(Journal(table), [table.with_name("claim.form.json")])
    # The second copy has the least sure field.
    assert [one.row for one in doubtful(table)] == [6, 5, 3, 2]
    assert [one.row for one in forms.together(doubtful(table))] == [5, 6, 2, 3]


def test_rules_follow_what_is_keyed_and_what_was_said(table: Path) -> None:
    journal = settled(table)
    forms = Forms(journal, [table.with_name("claim.form.json")])
    q2, total = field(table, 2), field(table, 3)
    assert forms.shown(q2, "95") == {
        "form": {"q1": "10", "q2": "95", "total": "15"},
        "broken": ["total = q1 + q2: differs by 90"],
    }
    assert forms.shown(q2, "5")["broken"] == []
    # A blank field is 0, and one that nobody can read breaks the rule.
    assert forms.shown(q2, "-")["broken"] == ["total = q1 + q2: differs by 5"]
    assert forms.shown(q2, "?")["broken"] == ["total = q1 + q2: one of them is no number"]
    journal.append(said(2, "5", old="95"))
    assert forms.shown(total, "15")["broken"] == []
    assert forms.shown(total, "16")["form"]["q2"] == "5"
    # The other copy is another form.
    assert forms.shown(field(table, 5), "95")["broken"] == ["total = q1 + q2: differs by 90"]


def test_what_is_odd_about_what_is_keyed_is_said_once(table: Path) -> None:
    template = table.with_name("claim.form.json")
    fields = [one | more for one, more in zip(CLAIM["fields"], ODD, strict=True)]
    template.write_text(json.dumps(CLAIM | {"fields": fields}))
    journal = settled(table)
    forms = Forms(journal, [template])
    assert forms.doubt({2: "123"}) == "q2 cannot be 123 by its form"
    assert forms.doubt({2: "?"}) == ""
    # The total of this form is not settled yet, so its rule says nothing.
    assert forms.doubt({2: "95"}) == ""
    journal.append(said(2, "95", old="95"))
    assert forms.doubt({3: "15"}) == "total = q1 + q2: differs by 90"
    assert forms.doubt({3: "15"}, blind=True) == ""
    assert forms.doubt({3: "105"}) == ""
    # A key that stands for a text breaks it as well: a blank is 0.
    assert forms.doubt({3: "-"}) == forms.doubt({3: "/"}) == "total = q1 + q2: differs by 105"
    assert forms.doubt({3: "?"}) == "total = q1 + q2: one of them is no number"


ODD: list[dict[str, object]] = [{}, {"kind": "comb", "cells": 2}, {"pattern": r"\d+"}]


def test_pages_of_one_form_in_several_files_are_one_form(table: Path) -> None:
    rows = [json.loads(line) for line in table.read_text().splitlines()]
    for number, one in enumerate(rows):
        one["source"] = f"{number}.png"
    table.write_text("".join(f"{json.dumps(one)}\n" for one in rows))
    forms = Forms(Journal(table), [table.with_name("claim.form.json")])
    shown = forms.shown(field(table, 2), "95")
    assert shown["form"] == {"q1": "10", "q2": "95", "total": "15"}
    assert shown["broken"] == ["total = q1 + q2: differs by 90"]
    assert [one.row for one in forms.together(doubtful(table))] == [5, 6, 2, 3]


def test_a_table_of_forms_is_written_with_a_row_for_each(table: Path) -> None:
    settled(table, said(2, "5", old="95"), said(3, "15", old="15"))
    out = table.with_name("claims.csv")
    assert export(table, out, forms=[table.with_name("claim.form.json")]) == 2
    with out.open(newline="", encoding="utf-8") as file:
        first, second = csv.DictReader(file)
    assert (first["form"], first["status"]) == ("claim/1", "accepted")
    assert [first[name] for name in ("q1", "q2", "total")] == ["10", "5", "15"]
    assert (second["form"], second["status"], second["q2"]) == ("claim/2", "review", "95")


def test_a_rule_that_people_let_stand_broken_is_the_reason_of_its_form(table: Path) -> None:
    template, later = table.with_name("claim.form.json"), "2030-01-01T00:00:01Z"
    template.write_text(json.dumps(CLAIM))
    settled(table, said(3, "15", old="15"), said(2, "95", "ben", old="95", when=later))
    settled(table, said(5, "-", old="95"))
    out = table.with_name("claims.csv")
    export(table, out, forms=[template])
    with out.open(newline="", encoding="utf-8") as file:
        first, second = csv.DictReader(file)
    told = "decided by ben: total = q1 + q2: differs by 90"
    assert (first["status"], first["reason"]) == ("accepted", told)
    # A field of the other waits; when its form is settled, a blank breaks the rule too.
    assert second["reason"] == "total: confidence 0.4 is below 0.9"
    settled(table, said(6, "15", old="15", when=later))
    export(table, out, forms=[template], overwrite=True)
    with out.open(newline="", encoding="utf-8") as file:
        _, second = csv.DictReader(file)
    assert second["reason"] == "decided by anna: total = q1 + q2: differs by 5"


def test_what_a_field_cannot_hold_and_people_let_stand_is_its_reason(table: Path) -> None:
    template = table.with_name("claim.form.json")
    fields = [one | more for one, more in zip(CLAIM["fields"], ODD, strict=True)]
    template.write_text(json.dumps(CLAIM | {"fields": fields}))
    forms = Forms(settled(table, said(2, "123", old="95")), [template])
    assert [forms.remark(row) for row in (1, 2)] == ["", "q2 cannot be 123 by its form"]


def test_the_journal_says_which_file_a_form_is_in(table: Path) -> None:
    rows = [json.loads(line) for line in table.read_text().splitlines()]
    for number, one in enumerate(rows):  # each of two scans holds the first form of its file
        one |= {"source": f"{number // 3}.tif", "page": 2, "id": f"claim/1/{one['id'][8:]}"}
    table.write_text("".join(f"{json.dumps(one)}\n" for one in rows))
    pile = Pile(doubtful(table), Journal(table))
    names = [one["name"] for one in pile.take("anna", 20)]
    assert sorted(names) == [
        f"{number}.tif, page 2: claim/1/{name}" for number in (0, 1) for name in ("q2", "total")
    ]
    pile.decide("anna", {6: "15"}, 700)
    assert Journal(table).decisions[0].field == "1.tif, page 2: claim/1/total"


def test_no_form_is_left_out_of_a_table_of_forms(table: Path) -> None:
    rows = table.read_text()
    table.write_text(rows + rows.replace("claim/", "order/"))
    settled(table, said(2, "5", old="95"))
    with pytest.raises(SettingError, match="has forms of order as well: name their templates too"):
        export(table, table.with_name("out.csv"), forms=[table.with_name("claim.form.json")])
    assert not table.with_name("out.csv").exists()


def test_a_table_without_such_forms_is_refused(table: Path) -> None:
    other = table.with_name("other.form.json")
    other.write_text(json.dumps(CLAIM | {"name": "other"}))
    with pytest.raises(SettingError, match="has no fields of other"):
        Forms(Journal(table), [other])
    settled(table, said(2, "5"))
    out, both = table.with_name("out.csv"), [table.with_name("claim.form.json"), other]
    for forms in ([other], both):
        with pytest.raises(SettingError, match="has no fields of other"):
            export(table, out, forms=forms)
    more = CLAIM["fields"][-1] | {"name": "extra", "box": [20, 100, 40, 10]}
    for fields, told in (
        (CLAIM["fields"][:2], "than this claim: the template has no field total"),
        ([*CLAIM["fields"], more], "than this claim: the table has no field extra"),
    ):
        other.write_text(json.dumps(CLAIM | {"fields": fields, "rules": []}))
        with pytest.raises(SettingError, match=told):
            export(table, out, forms=[other])
    with pytest.raises(SettingError, match="of different forms, received claim, claim"):
        Forms(Journal(table), [table.with_name("claim.form.json"), other])
    assert not out.exists()
    with pytest.raises(SettingError, match=r"none\.json cannot be read"):
        Forms(Journal(table), [table.with_name("none.json")])
