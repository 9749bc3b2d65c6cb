import json
from pathlib import Path

import pytest
from piles import CLAIM, form_table, said, settled

from inkdigit.errors import SettingError
from inkdigit.review.fields import Field, doubtful
from inkdigit.review.forms import Forms
from inkdigit.review.journal import Journal


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


def test_a_table_without_such_forms_is_refused(table: Path) -> None:
    other = table.with_name("other.form.json")
    other.write_text(json.dumps(CLAIM | {"name": "other"}))
    with pytest.raises(SettingError, match="has no fields of other"):
        Forms(Journal(table), [other])
    with pytest.raises(SettingError, match=r"none\.json cannot be read"):
        Forms(Journal(table), [table.with_name("none.json")])
