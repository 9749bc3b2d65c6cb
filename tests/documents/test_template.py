import json
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import inkdigit.documents.rules
from benchmarks.form_pages import DrawnForm
from inkdigit.documents.rules import _without
from inkdigit.documents.template import SCHEMA, Field, Page, Template
from inkdigit.errors import SettingError

PAGE = {"width": 100, "height": 80, "print": "a.png"}
FIELD = {"name": "q1", "page": 1, "box": [10, 10, 20, 8], "kind": "comb", "cells": 3}


def form(*changed: dict[str, Any], **other: Any) -> dict[str, Any]:
    return {
        "name": "a",
        "pages": [PAGE],
        "fields": [FIELD | one for one in changed or [{}]],
    } | other


def test_a_template_comes_back_as_it_was_saved(
    drawn: DrawnForm, template: Template, folder: Path
) -> None:
    assert template.fields == tuple(drawn.fields)
    assert np.abs(template.blank(1).astype(int) - drawn.print).max() <= 1
    written = (folder / "claim.form.json").read_text("utf-8")
    assert '"gap"' not in written  # as by default
    assert Template.from_mapping(json.loads(written), folder) == template


@pytest.mark.parametrize(
    ("known", "what"),
    [
        ([], "this is an object with a name, pages and fields"),
        ({"name": "a"}, "fields, pages is missing"),
        (form(fieldz=[]), "the key 'fieldz' is not known"),
        (form({"patern": "1"}), "fields q1: the key 'patern' is not known"),
        (form({"name": "a b"}), "a word such as q1"),
        (form(name="No. 1"), "a name of letters, digits, spaces, - and _, at most 80"),
        (form({"box": [1, 2, 3]}), r"\[x, y, width, height\] in mm"),
        (form({"box": [1, 2, 3, float("nan")]}), "is no JSON"),
        (form({"page": True}), "a page, from 1"),
        (form({"kind": "letter"}), "number, comb, check or ink"),
        (form({"kind": "number"}), "cells says how many"),
        (form({"one_of": ["12a"]}), "a text of digits"),
        (
            form({"one_of": "none.csv"}),
            "one_of: .*none.csv cannot be read: No such file or directory$",
        ),
        (form({"one_of": ["1"], "pattern": r"\d"}), "one_of, or a pattern"),
        (form({"pattern": "("}), "the field q1: pattern"),
        (
            form({"pattern": r"\d{5}"}),
            "the field q1: nothing that its pattern, .* 3 digits or fewer",
        ),
        (form({"pattern": r"\d\.\d"}), "nothing that its pattern"),
        (form({"one_of": ["1234", "12345"]}), "nothing that its pattern, one_of or date allows"),
        (form({"date": "dmy"}), "nothing that its pattern, one_of or date allows"),
        (form({"page": 2}), "is on page 2 of 1"),
        (form({"box": [90, 10, 20, 8]}), "does not lie on its page of 100×80 mm"),
        (form({"gap": 15}), "its cells are smaller than 1 mm"),
        (form({}, {"box": [50, 50, 20, 8]}), "there are two fields q1"),
        (form({"name": "status"}), "the field status has the name of another column"),
        (
            form({}, {"name": "q1.status", "box": [50, 50, 20, 8]}),
            "the field q1.status has the name of another column",
        ),
        (form({}, {"name": "q2", "box": [25, 12, 20, 8]}), "the fields q1 and q2 overlap"),
        (form(rules=["q1 = q7"]), "names q7"),
        (form(rules=["q1 >= 1000"]), "'q1 >= 1000' cannot hold, whatever is written"),
        (form(rules=[1]), "rules 1: this is a text such as"),
    ],
)
def test_what_is_wrong_with_a_template_is_told(known: Any, what: str, tmp_path: Path) -> None:
    path = tmp_path / "a.form.json"
    path.write_text(json.dumps(known), "utf-8")
    with pytest.raises(SettingError, match=what) as told:
        Template.load(path)
    assert str(told.value).startswith(f"{path}: ")


def with_rules(*rules: str, **fields: dict[str, Any]) -> Template:
    boxes = ([10, 5 + 8 * row, 20, 7] for row in range(len(fields)))
    known = [
        {"name": name, "page": 1, "box": box} | ({"kind": "comb"} if "cells" in one else {}) | one
        for box, (name, one) in zip(boxes, fields.items(), strict=True)
    ]
    return Template.from_mapping({"name": "a", "pages": [PAGE], "fields": known, "rules": rules})


@pytest.mark.parametrize(
    ("rules", "fields", "what"),
    [
        (["t = a"], {"t": {"cells": 2}, "a": {"one_of": ["100", "200"], "required": True}},
         "'t = a' cannot hold, whatever is written"),
        (["t = a + b"], {"t": {"one_of": ["15"], "required": True}, "a": {"one_of": ["10"]},
         "b": {"kind": "check"}}, "'t = a \\+ b' cannot hold"),
        (["a > b", "t = a", "b > a"], {"t": {}, "a": {}, "b": {}},
         "the rules 'a > b' and 'b > a' cannot hold together"),
        (["t = a + b", "t < a"], {"t": {"cells": 3}, "a": {"cells": 2}, "b": {"cells": 2}},
         "'t = a \\+ b' and 't < a' cannot hold together"),
        (["a >= b", "b > a"], {"a": {"date": "dmy"}, "b": {"date": "dmy"}}, "together"),
    ],
)  # fmt: skip
def test_rules_that_cannot_hold_are_refused(
    rules: list[str], fields: dict[str, Any], what: str
) -> None:
    with pytest.raises(SettingError, match=what):
        with_rules(*rules, **fields)


def test_what_is_tried_of_rules_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A usual template of many sums is no work to speak of, nor is one that was made to be."""
    sums = 0

    def counted(*args: Any) -> Any:
        nonlocal sums
        sums += 1
        return _without(*args)

    monkeypatch.setattr(inkdigit.documents.rules, "_without", counted)
    marks = [
        {"name": f"q{n}", "box": [10, 10 + 10 * n, 20, 8], "pattern": r"[1-9]\d\d"}
        for n in range(60)
    ]
    totals = [{"name": f"t{n}", "box": [40, 10 + 10 * n, 40, 8], "cells": 5} for n in range(30)]
    rules = [f"t{n} = sum(q{n}..q{n + 9})" for n in range(30)]
    page = [PAGE | {"height": 700}]
    Template.from_mapping(form(*marks, *totals, pages=page, rules=rules), Path())
    assert 0 < sums < 10_000


def test_a_comb_takes_what_fits_its_cells() -> None:
    for said in (
        {"pattern": r"\d{5}|[1-9]\d?"},
        {"pattern": r"(\d\d)+"},
        {"one_of": ["7", "1234"]},
    ):
        Template.from_mapping(form(said))
    Template.from_mapping(form({"cells": 6, "date": "dmy"}))


def test_a_box_may_end_at_the_edge_of_its_page() -> None:
    """Also where the sum of its sides is not exact."""
    page = PAGE | {"width": 209.9}
    Template.from_mapping(form({"box": [64.04, 10, 145.86, 8]}, pages=[page]))


def test_rules_that_can_hold_are_taken() -> None:
    dates = {name: {"date": "dmy"} for name in "abc"}
    with_rules("a >= b", "b >= c", "c >= a", **dates)
    either = {"one_of": ["100", "200"]}, {"one_of": ["100"]}, {"one_of": ["200"]}
    with_rules("t = a + b", **dict(zip("tab", either, strict=True)))  # one or the other
    with_rules("a >= b", "b >= a", "a = 0", a={"cells": 2}, b={"cells": 3})
    with_rules("a = 0", a={"pattern": r"\d{3}"})
    with_rules("a < 0", a={"pattern": r"-?\d"})
    with_rules("a = 0.5", a={"pattern": r"\d+\.\d"})


def test_what_is_no_json_or_lacks_its_blank_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.form.json"
    with pytest.raises(SettingError, match="cannot be read"):
        Template.load(path)
    odd = "it holds NaN or a number too long, or is nested too deep"
    for content, what in (
        (b'{"name": 1,\n "a"}', "this is no JSON: it breaks in line 2, character 5$"),
        (b'{"name": "\xe4"}', "it is no text in UTF-8$"),
        (b"[NaN]", odd),
        (b"[" + b"1" * 5000 + b"]", odd),
        (b"[" * 100_000, odd),
    ):
        path.write_bytes(content)
        with pytest.raises(SettingError, match=what):
            Template.load(path)
    for print_, folder, what in (
        ("a.png", tmp_path, "the blank of page 1 cannot be opened"),
        ("a.png", None, "'a.png' cannot be beside a template that is no file"),
        ("data:image/png;base64,aGk=", None, "the blank of page 1 cannot be opened"),
        ("data:image/png;base64,aGk", None, "the blank of page 1 is broken base64$"),
    ):
        known = form(pages=[PAGE | {"print": print_}])
        with pytest.raises(SettingError, match=what):
            Template.from_mapping(known, folder).blank(1)


def test_the_schema_describes_every_part() -> None:
    """The file that editors know, and the classes."""
    parts = json.loads(SCHEMA.read_text("utf-8"))["properties"]
    for kind, schema in ((Page, parts["pages"]["items"]), (Field, parts["fields"]["items"])):
        assert set(schema["properties"]) == {one.name for one in fields(kind)}


def test_a_list_may_lie_in_a_csv(tmp_path: Path) -> None:
    (tmp_path / "students.csv").write_text(
        "number,name\n0188877,A\n0203959,B\n0188877,C\n", "utf-8"
    )
    known = form({"kind": "number", "cells": None, "one_of": "students.csv"})
    del known["fields"][0]["cells"]
    (field,) = Template.from_mapping(known, tmp_path).fields
    assert field.one_of == ("0188877", "0203959")
    assert field.may_be("0203959")
    assert not field.may_be("0203958")
    for content in (b"\xff\xfe1\n", b"a\n" + b"1" * 200_000):
        (tmp_path / "students.csv").write_bytes(content)
        with pytest.raises(SettingError, match=r"one_of: .*students\.csv is no CSV in UTF-8$"):
            Template.from_mapping(known, tmp_path)


def test_the_cells_of_a_comb_lie_in_its_box() -> None:
    box = (10.0, 10.0, 26.0, 8.0)
    field = Field(name="a", page=1, box=box, kind="comb", cells=3, gap=1)
    assert field.cell_boxes == [(10, 10, 8, 8), (19, 10, 8, 8), (28, 10, 8, 8)]


@pytest.mark.parametrize(
    ("order", "text", "days"),
    [
        ("dmy", "31122024", 739251), ("dmy", "31/12/24", 739251), ("mdy", "12-31-2024", 739251),
        ("ymd", "20241231", 739251), ("dmy", "31022024", None), ("dmy", "3112", None),
    ],
)  # fmt: skip
def test_a_date_is_the_number_of_its_day(order: str, text: str, days: int | None) -> None:
    field = Field(name="a", page=1, box=(1, 1, 20, 8), date=order)
    assert field.value(text) == (None if days is None else Decimal(days))
    assert field.may_be(text) is (days is not None)
