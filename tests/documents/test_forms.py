from dataclasses import replace
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from PIL import Image

from benchmarks.form_pages import DrawnForm, draw_form, fill
from inkdigit.documents import CROSSED_OUT
from inkdigit.documents.fields import FieldText
from inkdigit.documents.forms import FormReader, decide
from inkdigit.documents.registration import Registration
from inkdigit.documents.rules import Rule
from inkdigit.documents.template import Field, Template
from inkdigit.errors import ImageError, SettingError
from inkdigit.learning.datasets import Dataset
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.reader import Reader
from inkdigit.reading.result import Reading, Row

NOWHERE = cast("Registration", None)


def said(**fields: dict[str, float]) -> dict[str, FieldText]:
    """What fields say, each with texts and how likely they are."""
    return {
        name: FieldText(
            Field(name=name, page=1, box=(1, 1, 20, 8)),
            NOWHERE,
            sorted(texts.items(), key=lambda text: -text[1]),
            "accepted" if max(texts.values()) > 0.9 else "review",
        )
        for name, texts in fields.items()
    }


RULES = [Rule.parse("total = a + b")]


def test_the_likeliest_combination_that_adds_up_is_taken() -> None:
    """Its probability is that among all that add up, by brute force."""
    texts = {
        "a": {"7": 0.6, "1": 0.4},
        "b": {"3": 0.98, "8": 0.02},
        "total": {"10": 0.5, "4": 0.45, "15": 0.05},
    }
    fields = said(**texts)
    decide(fields, RULES, 0.5)
    weights = {
        (a, b, c): texts["a"][a] * texts["b"][b] * texts["total"][c]
        for a, b, c in product(*texts.values())
        if int(a) + int(b) == int(c)
    }
    best = max(weights, key=weights.__getitem__)
    assert tuple(one.text for one in fields.values()) == best == ("7", "3", "10")
    share = sum(w for key, w in weights.items() if key[0] == "7") / sum(weights.values())
    assert fields["a"].texts[0][1] == pytest.approx(share)
    assert {one.status for one in fields.values()} == {"accepted"}


def test_one_doubtful_field_is_settled_by_the_others() -> None:
    fields = said(a={"1": 0.55, "7": 0.45}, b={"3": 1.0}, total={"10": 0.99, "16": 0.01})
    decide(fields, RULES, 0.9)
    assert (fields["a"].text, fields["a"].status, fields["a"].reason) == ("7", "accepted", "")


def test_a_field_that_the_others_contradict_is_no_longer_sure() -> None:
    """By the rule, `b` is as likely to be another as `a` is: neither is accepted as it was."""
    fields = said(a={"1": 0.95, "7": 0.05}, b={"3": 0.95, "9": 0.05}, total={"10": 1.0})
    decide(fields, RULES, 0.9)
    assert (fields["a"].text, fields["b"].text) in {("7", "3"), ("1", "9")}
    assert {fields[name].status for name in "ab"} == {"review"}
    assert "beside the other fields" in fields["a"].reason


def test_what_a_rule_replaced_is_still_told() -> None:
    """The sum says 653 as likely as not, where 753 is written: a person sees both."""
    fields = said(a={"300": 1.0}, b={"353": 0.92, "453": 0.08}, total={"753": 0.91, "653": 0.09})
    decide(fields, RULES, 0.9)
    reading = fields["total"].reading("line")
    assert (reading.text, reading.status, reading.unconstrained) == ("653", "review", "753")
    assert (
        reading.reason == "beside the other fields 653 is not sure; without the rules it reads 753"
    )
    assert fields["b"].reading("line").unconstrained is None
    settled = said(a={"300": 1.0}, b={"353": 1.0}, total={"753": 0.6, "653": 0.4})
    decide(settled, RULES, 0.9)
    reading = settled["total"].reading("line")
    assert (reading.status, reading.reason, reading.unconstrained) == ("accepted", "", "753")


def test_what_no_look_saw_is_reckoned_with() -> None:
    """An unlikely text by which a rule holds is not taken where any other is as likely."""
    fields = said(a={"1": 0.99, "7": 0.01}, b={"3": 1.0}, total={"10": 1.0})
    decide(fields, RULES, 0.9)
    assert (fields["a"].text, fields["a"].status) == ("7", "accepted")
    fields = said(a={"1": 0.99, "7": 0.01}, b={"3": 1.0}, total={"10": 1.0})
    fields["b"] = replace(fields["b"], other=0.01)
    decide(fields, RULES, 0.9)
    assert {fields[name].status for name in "ab"} == {"review"}


def test_a_text_that_no_look_saw_has_as_many_digits() -> None:
    """`b` has one digit: that it is 93 instead of 3 is no reason to doubt that `a` is 91."""
    fields = said(a={"1": 0.99, "91": 0.01}, b={"3": 1.0}, total={"94": 1.0})
    fields["b"] = replace(fields["b"], other=0.01)
    decide(fields, RULES, 0.9)
    assert (fields["a"].text, fields["a"].status) == ("91", "accepted")
    listed = replace(fields["b"], field=replace(fields["b"].field, one_of=("3", "93")))
    assert listed.may_be(Decimal(3))
    assert not listed.may_be(Decimal(93))
    assert not listed.may_be(Decimal(4))


def test_a_field_that_others_write_through_is_not_surely_blank() -> None:
    fields = said(a={"": 1.0}, b={"3": 1.0}, total={"3": 1.0})
    fields["a"] = replace(fields["a"], other=0.1, status="review", reason=CROSSED_OUT)
    decide(fields, RULES, 0.9)
    assert {one.status for one in fields.values()} == {"accepted"}
    fields = said(a={"": 1.0}, b={"3": 1.0}, total={"8": 0.99, "3": 0.01})
    fields["a"] = replace(fields["a"], other=0.1, status="review", reason=CROSSED_OUT)
    decide(fields, RULES, 0.9)
    assert fields["a"].status == "review"


def test_what_does_not_add_up_is_for_review() -> None:
    fields = said(a={"1": 1.0}, b={"3": 1.0}, total={"10": 1.0})
    decide(fields, RULES, 0.9)
    assert all("does not hold" in one.reason for one in fields.values())
    assert {one.status for one in fields.values()} == {"review"}


def test_a_rule_that_changes_several_fields_is_for_review() -> None:
    fields = said(a={"1": 0.6, "7": 0.4}, b={"3": 0.6, "8": 0.4}, total={"15": 1.0})
    decide(fields, RULES, 0.9)
    assert all("only if several fields" in one.reason for one in fields.values())
    # Unless another rule settles one of them.
    fields = said(a={"1": 0.6, "7": 0.4}, b={"3": 0.6, "8": 0.4}, total={"15": 1.0}, c={"8": 1.0})
    decide(fields, [*RULES, Rule.parse("b = c")], 0.9)
    assert {one.status for one in fields.values()} == {"accepted"}


def test_blank_is_nothing_in_a_sum_and_no_day() -> None:
    fields = said(a={"": 1.0}, b={"3": 1.0}, total={"3": 1.0})
    decide(fields, RULES, 0.9)
    assert {one.status for one in fields.values()} == {"accepted"}
    dates = said(since={"01022024": 1.0}, until={"": 1.0})
    dates = {
        name: replace(one, field=replace(one.field, date="dmy")) for name, one in dates.items()
    }
    decide(dates, [Rule.parse("until >= since")], 0.9)
    assert {one.status for one in dates.values()} == {"accepted"}


def test_a_field_that_was_not_found_leaves_its_rule_open() -> None:
    fields = said(a={"1": 1.0}, total={"4": 1.0})
    fields["b"] = replace(fields["a"], texts=(), status="rejected", reason="outside")
    decide(fields, RULES, 0.9)
    assert "lacks a field" in fields["a"].reason
    assert fields["b"].reason == "outside"


def by_field(rows: list[Row]) -> dict[str, Row]:
    return {str(row.id): row for row in rows}


def test_a_document_of_forms(
    drawn: DrawnForm, form_reader: FormReader, sample: Dataset, tmp_path: Path
) -> None:
    """Two copies on three pages, and a page between them that is another form."""
    pages = [fill(seed, drawn, sample.test) for seed in (1, 2)]
    middle = draw_form(5, marks=7).print
    images = [Image.fromarray(page) for page in (pages[0][0], middle, pages[1][0])]
    path = tmp_path / "scans.pdf"
    images[0].save(path, save_all=True, append_images=images[1:], resolution=200)
    rows = list(form_reader.read(str(path), "scans.pdf", ReadOptions()))
    assert [row.page for row in rows if row.id is None] == [2]
    (failed,) = [row for row in rows if row.failure]
    assert str(failed.failure).startswith("page 2 of scans.pdf: it shows no page of the form")
    known = by_field(rows)
    for copy, (_, texts) in enumerate(pages, start=1):
        read = {name: known[f"claim/{copy}/{name}"] for name in texts}
        assert {row.page for row in read.values()} == {2 * copy - 1}
        right = sum(isinstance(row.result, Reading) and row.result.text == texts[name]
                    for name, row in read.items())  # fmt: skip
        assert right >= len(texts) - 2
    left, top, width, height = known["claim/1/total"].box or (0, 0, 0, 0)
    field = next(one for one in drawn.fields if one.name == "total")
    assert np.allclose(np.array([left, top, width, height]) * 25.4 / 300, field.box, atol=0.6)
    one_page = list(form_reader.read(str(path), "scans.pdf", ReadOptions(page=3)))
    assert {(row.page, row.rotate) for row in one_page} == {(3, 0)}


def test_pages_come_in_any_order_and_missing_ones_are_named(
    folder: Path, drawn: DrawnForm, template: Template
) -> None:
    second = draw_form(2)
    other = second.save(folder, "second")
    fields = (*template.fields[:2], replace(other.fields[0], name="more", page=2))
    both = replace(
        template, name="both", pages=(*template.pages, *other.pages), fields=fields, rules=()
    )
    reader = FormReader(Reader.load(), [both])
    order = [second.print, drawn.print, drawn.print, drawn.print]
    images = [Image.fromarray(page) for page in order]
    images[0].save(folder / "both.tif", save_all=True, append_images=images[1:])
    rows = by_field(list(reader.read(str(folder / "both.tif"), "both.tif", ReadOptions())))
    assert [rows[f"both/1/{name}"].page for name in ("number", "amount", "more")] == [2, 2, 1]
    assert rows["both/2/number"].page == 3
    twice, missing = (str(rows[f"both/{copy}/more"].failure) for copy in (2, 3))
    again = "; page 1 of both comes again as page 4 of both.tif"
    assert twice == f"page 2 of both is missing beside page 3 of both.tif{again}"
    assert missing == "page 2 of both is missing beside page 4 of both.tif"


def test_bad_input_is_a_row_with_one_sentence(form_reader: FormReader, tmp_path: Path) -> None:
    for content, page, what in (
        (b"no picture", None, "is not a picture"),
        (b"%PDF-1.4 cut off", None, "is broken"),
        (b"", None, "is empty"),
    ):
        path = tmp_path / "bad"
        path.write_bytes(content)
        (row,) = form_reader.read(str(path), "bad", ReadOptions(page=page))
        assert isinstance(row.failure, ImageError)
        assert what in str(row.failure)
    Image.new("L", (600, 800)).save(tmp_path / "black.png")
    (row,) = form_reader.read(str(tmp_path / "black.png"), "black.png", ReadOptions())
    assert str(row.failure) == "black.png: it shows no page of the form"
    (row,) = form_reader.read(str(tmp_path / "black.png"), "black.png", ReadOptions(page=2))
    assert str(row.failure) == "page 2 of black.png: there is no such page, of 1"


def test_templates_have_names_of_their_own(template: Template) -> None:
    for templates in ([], [template, template]):
        with pytest.raises(SettingError, match="name templates of different forms"):
            FormReader(Reader.load(), templates)
