import json
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.form_pages import DrawnForm
from inkdigit.documents.template import Field, Page, Template, _schema
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
        (form({"box": [1, 2, 3]}), r"\[x, y, width, height\] in mm"),
        (form({"box": [1, 2, 3, float("nan")]}), "is no JSON"),
        (form({"page": True}), "a page, from 1"),
        (form({"kind": "letter"}), "number, comb, check or ink"),
        (form({"kind": "number"}), "cells says how many"),
        (form({"one_of": ["12a"]}), "a text of digits"),
        (form({"one_of": "none.csv"}), "none.csv cannot be read"),
        (form({"one_of": ["1"], "pattern": r"\d"}), "one_of, or a pattern"),
        (form({"pattern": "("}), "the field q1: pattern"),
        (form({"page": 2}), "is on page 2 of 1"),
        (form({"box": [90, 10, 20, 8]}), "does not lie on its page of 100×80 mm"),
        (form({"gap": 15}), "its cells are smaller than 1 mm"),
        (form({}, {"box": [50, 50, 20, 8]}), "there are two fields q1"),
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


def test_what_is_no_json_or_lacks_its_blank_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.form.json"
    with pytest.raises(SettingError, match="cannot be read"):
        Template.load(path)
    path.write_text("{", "utf-8")
    with pytest.raises(SettingError, match="is no JSON"):
        Template.load(path)
    for print_, folder, what in (
        ("a.png", tmp_path, "the blank of page 1 cannot be opened"),
        ("a.png", None, "'a.png' cannot be beside a template that is no file"),
        ("data:image/png;base64,aGk=", None, "the blank of page 1 cannot be opened"),
        ("data:image/png;base64,aGk", None, "the blank of page 1 cannot be opened"),
    ):
        known = form(pages=[PAGE | {"print": print_}])
        with pytest.raises(SettingError, match=what):
            Template.from_mapping(known, folder).blank(1)


def test_the_schema_describes_every_part() -> None:
    """The file that editors know, and the classes."""
    parts = _schema()["properties"]
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
