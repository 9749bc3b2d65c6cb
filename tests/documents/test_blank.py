from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from benchmarks.form_pages import draw_form
from inkdigit.cli import main
from inkdigit.documents.blank import found_fields, new_template
from inkdigit.documents.template import PER_MM, Template
from inkdigit.errors import OutputError, SettingError


@pytest.mark.parametrize("seed", range(4))
def test_the_fields_of_a_drawn_blank_are_found(seed: int) -> None:
    form = draw_form(seed)
    found = found_fields(form.print)
    kinds = [Counter((one.kind, one.cells) for one in some) for some in (form.fields, found)]
    assert kinds[0] == kinds[1]
    for one in form.fields:
        apart = [np.abs(np.subtract(one.box, other.box)).max() for other in found]
        assert min(apart) <= 1.5


def test_fields_are_named_in_the_order_of_reading(tmp_path: Path) -> None:
    form = draw_form(1)
    Image.fromarray(form.print).save(tmp_path / "blank.png")
    path = tmp_path / "claim.form.json"
    template, prints, told = new_template(tmp_path / "blank.png", path, width=148)
    assert (template.name, told) == ("claim", [])
    assert [one.name for one in template.fields] == [f"f{n + 1}" for n in range(len(form.fields))]
    assert [one.cells for one in template.fields[:3]] == [7, None, None]
    assert template.pages[0].width == 148
    assert prints[0].shape[1] == round(148 * PER_MM)


def test_a_tall_box_beside_rows_does_not_make_one_row_of_them() -> None:
    page = np.full((round(60 * PER_MM), round(100 * PER_MM)), 255, np.uint8)
    boxes = [(10, 10, 8, 30), *((x, y, 30, 8) for y in (10, 21, 32) for x in (20, 60))]
    for left, top, width, height in boxes:
        ends = np.array([[left, top], [left + width, top + height]]) * PER_MM
        cv2.rectangle(page, *ends.round().astype(int).tolist(), 0, 2)
    found = [(round(one.box[0]), round(one.box[1])) for one in found_fields(page)]
    assert found == [(left, top) for left, top, *_ in boxes]


def test_a_blank_without_fields_or_a_wrong_name_is_told(tmp_path: Path) -> None:
    Image.new("L", (400, 500), 255).save(tmp_path / "white.png")
    with pytest.raises(SettingError, match="shows no fields"):
        new_template(tmp_path / "white.png", tmp_path / "a.form.json")
    with pytest.raises(OutputError, match=r"end it in \.form\.json"):
        new_template(tmp_path / "white.png", tmp_path / "a.json")
    with pytest.raises(SettingError, match="the width in mm must be between 10 and 2,000"):
        new_template(tmp_path / "white.png", tmp_path / "a.form.json", width=0)


def blank_pdf(path: Path, *fields: str, parent: str = "") -> Path:
    """Write a PDF of a form, whose fields lie below a `parent` if there is one: object 9."""
    named = [f"{10 + n} 0 obj<</Type/Annot/Subtype/Widget/F 4{f}>>" for n, f in enumerate(fields)]
    places = " ".join(f"{10 + n} 0 R" for n in range(len(fields)))
    roots = "9 0 R" if parent else places
    parts = [
        f"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[{roots}]>>>>",
        "2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>",
        f"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Annots[{places}]>>",
        f"9 0 obj<</Kids[{places}]{parent}>>",
        *named,
    ]
    path.write_text("endobj\n".join([*parts, "trailer<</Size 40/Root 1 0 R>>\n%%EOF\n"]), "latin-1")
    return path


def test_the_form_of_a_pdf_says_its_fields(tmp_path: Path) -> None:
    """A comb of six, an open field, a check box, and names that are taken already."""
    fields = [
        "/FT/Tx/T(member no)/Ff 16777216/MaxLen 6/Rect[72 700 216 720]",
        "/FT/Tx/T(amount)/Rect[72 650 216 670]",
        "/FT/Btn/T(paid)/Rect[72 600 86 614]",
        "/FT/Tx/T(amount.)/Rect[300 650 400 670]",
        "/FT/Tx/T(status)/Rect[300 600 400 620]",
    ]
    pdf = blank_pdf(tmp_path / "blank.pdf", *fields)
    template, prints, told = new_template(pdf, tmp_path / "a.form.json")
    assert told == ["fields called otherwise than in the PDF: 3, such as member_no for 'member no'"]
    known = [(one.name, one.kind, one.cells) for one in template.fields]
    assert known == [
        ("member_no", "comb", 6), ("amount", "number", None), ("paid", "check", None),
        ("amount_2", "number", None), ("status_2", "number", None),
    ]  # fmt: skip
    inch = 25.4
    box = template.fields[0].box
    assert box == pytest.approx((inch, 72 / 72 * inch, 2 * inch, 20 / 72 * inch), abs=0.3)
    assert (template.pages[0].width, template.pages[0].height) == pytest.approx(
        (215.9, 279.4), abs=0.15
    )
    assert prints[0].shape[1] == round(215.9 * PER_MM)


def test_what_a_template_cannot_hold_is_left_out_and_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pdf = blank_pdf(
        tmp_path / "blank.pdf",
        "/FT/Tx/T(a)/Rect[72 700 216 720]",
        "/FT/Tx/T(over)/Rect[200 705 300 725]",
        "/FT/Tx/T(off)/Rect[550 650 650 670]",
        "/FT/Tx/T(beyond)/Rect[650 600 700 620]",
        "/FT/Tx/T(tiny)/Rect[72 650 73 651]",
        "/FT/Tx/T(edge)/Rect[500 500 612 520]",
        "/FT/Btn/Ff 65536/T(send)/Rect[72 600 172 620]",
        "/FT/Ch/T(town)/Rect[72 550 172 570]",
        "/FT/Ch/Ff 131072/T(land)/Rect[72 520 172 540]",
        "/FT/Sig/T(signed)/Rect[72 450 172 470]",
        "/F 2/FT/Tx/T(secret)/Rect[72 400 172 420]",
    )
    template, _, told = new_template(pdf, tmp_path / "a.form.json")
    assert [one.name for one in template.fields] == ["a", "off", "edge"]
    assert template.fields[1].box[0] + template.fields[1].box[2] == pytest.approx(215.9)
    kinds, over, off, beyond, tiny, *_ = told
    assert kinds == (
        "fields of the PDF that are left out: button 1, choice 2, hidden 1, signature 1"
    )
    assert over == "over is left out: the fields a and over overlap"
    assert off == "off is cut off at the edge of its page"
    for name, sentence in (("beyond", beyond), ("tiny", tiny)):
        assert sentence.startswith(f"{name} is left out: the box of the field {name} does not lie")
    assert main(["form", "new", str(pdf), "-o", str(tmp_path / "a.form.json")]) == 0
    assert capsys.readouterr().err.splitlines()[:-1] == told


def test_a_name_that_is_taken_is_numbered_as_no_other_field_is_called(tmp_path: Path) -> None:
    places = [f"/Rect[{left} 700 {left + 50} 720]" for left in (50, 150, 250)]
    names = [f"/FT/Tx/T({name}){place}" for name, place in zip("qq", places[:2], strict=True)]
    pdf = blank_pdf(tmp_path / "blank.pdf", *names, f"/FT/Tx/T(q_2){places[2]}")
    template, _, told = new_template(pdf, tmp_path / "a.form.json")
    assert [one.name for one in template.fields] == ["q", "q_3", "q_2"]
    assert told == ["fields called otherwise than in the PDF: 1, such as q_3 for 'q'"]


@pytest.mark.parametrize(
    ("said", "cells"),
    [("/MaxLen 5/Ff 16777216", 5), ("/MaxLen 5/Ff 16777217/V(12)", 5), ("/MaxLen 5", None),
     ("/Ff 16777216", None), ("/MaxLen 300/Ff 16777216", None)],
)  # fmt: skip
def test_a_comb_may_be_one_by_the_field_above_it(
    said: str, cells: int | None, tmp_path: Path
) -> None:
    """A field that is shown twice says so once; it may be locked, or filled in."""
    twice = [f"/Parent 9 0 R/Rect[50 {top} 200 {top + 20}]" for top in (700, 600)]
    pdf = blank_pdf(tmp_path / "blank.pdf", *twice, parent=f"/FT/Tx/T(no){said}")
    template, *_ = new_template(pdf, tmp_path / "a.form.json")
    assert [(one.name, one.cells) for one in template.fields] == [("no", cells), ("no_2", cells)]


def test_what_is_written_can_be_loaded_whatever_it_is_called(tmp_path: Path) -> None:
    """Letters of any script stand in names and rules; what else there is becomes _."""
    names = ("Über", "U\u0308ber", "金額", "1. Zeile?")
    written = ["FEFF" + name.encode("utf-16-be").hex() for name in names]
    pdf = blank_pdf(
        tmp_path / "blank.pdf",
        *(
            f"/FT/Tx/T<{t}>/Rect[72 {700 - 50 * n} 216 {720 - 50 * n}]"
            for n, t in enumerate(written)
        ),
    )
    for file, name in (
        ("my form (1)", "my form _1"), ("claim.v2", "claim_v2"), ("?", "form"), ("a" * 99, "a" * 80)
    ):  # fmt: skip
        path = tmp_path / f"{file}.form.json"
        template, prints, _ = new_template(pdf, path)
        template.save(path, prints)
        loaded = Template.load(path)
        assert loaded == template
        assert loaded.name == name
        assert loaded.blank(1).shape == prints[0].shape
    called = [one.name for one in template.fields]
    assert called == ["Über", "Über_2", "金額", "f1_Zeile"]
    replace(template, rules=("Über + 金額 = f1_Zeile",))


def test_what_could_not_be_loaded_again_is_not_written(tmp_path: Path) -> None:
    pdf = blank_pdf(tmp_path / "b.pdf", "/FT/Tx/T(a)/Rect[9 9 99 99]")
    path = tmp_path / "a\\b.form.json"
    template, prints, _ = new_template(pdf, path)
    with pytest.raises(SettingError, match="pages 1 print: this is the name of a picture beside"):
        template.save(path, prints)
    assert [one.name for one in tmp_path.iterdir()] == ["b.pdf"]
