from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from benchmarks.form_pages import draw_form
from inkdigit.documents.blank import found_fields, new_template
from inkdigit.documents.template import PER_MM
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
    template, prints = new_template(tmp_path / "blank.png", path, width=148)
    assert template.name == "claim"
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


def widget(number: int, described: str) -> bytes:
    return f"{number} 0 obj<</Type/Annot/Subtype/Widget/F 4{described}>>endobj\n".encode()


def test_the_form_of_a_pdf_says_its_fields(tmp_path: Path) -> None:
    """A comb of six, an open field, a check box, and names that are taken already."""
    fields = [
        "/FT/Tx/T(member no)/Ff 16777216/MaxLen 6/Rect[72 700 216 720]",
        "/FT/Tx/T(amount)/Rect[72 650 216 670]",
        "/FT/Btn/T(paid)/Rect[72 600 86 614]",
        "/FT/Tx/T(amount.)/Rect[300 650 400 670]",
        "/FT/Tx/T(status)/Rect[300 600 400 620]",
    ]
    added = b"".join(widget(10 + n, described) for n, described in enumerate(fields))
    places = b" ".join(b"%d 0 R" % (10 + n) for n in range(len(fields)))
    pdf = (
        b"%%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[%s]>>>>endobj\n" % places
    )
    pdf += b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    pdf += b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Annots[%s]>>endobj\n" % places
    pdf += added + b"trailer<</Size 20/Root 1 0 R>>\n%%EOF\n"
    (tmp_path / "blank.pdf").write_bytes(pdf)
    template, prints = new_template(tmp_path / "blank.pdf", tmp_path / "a.form.json")
    told = [(one.name, one.kind, one.cells) for one in template.fields]
    assert told == [
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
