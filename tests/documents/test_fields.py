from dataclasses import replace

import cv2
import numpy as np
import pytest

from benchmarks.form_pages import DrawnForm, _write, fill, warp
from inkdigit.documents.fields import FieldText, _likeliest, read_fields
from inkdigit.documents.forms import FormReader
from inkdigit.documents.registration import Registrar
from inkdigit.documents.template import PER_MM, Template
from inkdigit.learning.datasets import Dataset
from inkdigit.reading.reader import Reader

LEAST = 0.9


def read(template: Template, page: np.ndarray, least: float = LEAST) -> dict[str, FieldText]:
    found = Registrar([template]).register(page)
    return read_fields(Reader.load(), [found], least)


def test_filled_forms_are_read(
    drawn: DrawnForm, template: Template, form_reader: FormReader, sample: Dataset
) -> None:
    """Almost all fields are right; without a rule one of 51 may be accepted that is wrong."""
    right, wrong = 0, []
    for seed in range(3):
        page, texts = fill(seed, drawn, sample.test)
        said = read(template, warp(seed, page, hard=False)[0])
        right += sum(said[name].text == text for name, text in texts.items())
        accepted = {name for name, one in said.items() if one.status == "accepted"}
        wrong += [name for name in accepted if said[name].text != texts[name]]
    assert right >= 0.94 * 3 * len(drawn.fields)
    assert len(wrong) <= 1


def test_each_digit_of_a_field_has_its_place_and_others_it_might_be(
    drawn: DrawnForm, template: Template, sample: Dataset
) -> None:
    page, _ = fill(1, drawn, sample.test)
    said, fields = read(template, page), {one.name: one for one in drawn.fields}
    number, amount = (said[name].reading("line").characters for name in ("number", "amount"))
    assert "".join(one.value for one in number) == said["number"].text
    # The page is not warped: a cell of the comb is where it was drawn.
    for one, cell in zip(number, fields["number"].cell_boxes, strict=True):
        assert np.allclose(np.array(one.box) / PER_MM, cell, atol=0.5)
        assert one.confidence + sum(o.confidence for o in one.alternatives[1:]) == pytest.approx(1)
    assert "".join(one.value for one in amount) == said["amount"].text
    ink = 255 - page
    for one in amount:
        left, top, width, height = one.box
        assert ink[top : top + height, left : left + width].max() > 100
    lefts = [one.box[0] / PER_MM for one in amount]
    assert lefts == sorted(lefts)
    start, _, wide, _ = fields["amount"].box
    assert start < lefts[0] < lefts[-1] < start + wide
    assert said["c1"].reading("line").characters == ()
    # By hand: of two digits at the first place, one of the texts has the second.
    pair = FieldText(fields["q1"], said["q1"].found, [("17", 0.6), ("77", 0.3), ("1", 0.1)],
                     places=fields["q1"].cell_boxes).characters  # fmt: skip
    assert [one.confidence for one in pair] == pytest.approx([2 / 3, 1])
    assert [one.value for one in pair[0].alternatives] == ["1", "7"]


def test_a_blank_form_is_blank(drawn: DrawnForm, template: Template) -> None:
    required = [replace(one, required=one.name == "q1") for one in template.fields]
    said = read(replace(template, fields=tuple(required)), drawn.print)
    assert said["q2"].status == "accepted"
    assert (said["q2"].text, said["q2"].reason) == ("", "blank")
    assert (said["q1"].status, said["q1"].reason) == ("review", "it is blank, and required")
    assert [said[f"c{i}"].text for i in range(1, 5)] == ["0"] * 4


def test_crossed_out_filled_in_and_little_ink_are_told_apart(
    drawn: DrawnForm, template: Template
) -> None:
    page, boxes = drawn.print.copy(), {one.name: one.box for one in drawn.fields}

    def cross(left: float, top: float, width: float, height: float) -> None:
        for x0, x1 in ((left, left + width), (left + width, left)):
            ends = (x0, top), (x1, top + height)
            start, end = (tuple(round(side * PER_MM) for side in one) for one in ends)
            cv2.line(page, start, end, 60, 4, cv2.LINE_AA)

    left, top, width, height = boxes["q1"]
    for i in range(2):
        cross(left + i * width / 2 + 1, top + 1, width / 2 - 2, height - 2)
    x, y, right, bottom = (round(side * PER_MM) for side in boxes["c1"])
    page[y : y + bottom, x : x + right] = 40
    left, top, *_ = boxes["c2"]
    page[round((top + 2) * PER_MM) :, :][:3, round((left + 2) * PER_MM) :][:, :6] = 60
    left, top, *_ = boxes["c3"]
    middle = round((left + 2) * PER_MM), round((top + 2) * PER_MM)
    cv2.circle(page, middle, round(3 * PER_MM), 60, 3)
    said = read(template, page)
    assert (said["q1"].text, said["q1"].reason) == ("", "crossed out")
    assert said["q1"].status == "review"
    assert (said["c1"].text, said["c1"].status) == ("1", "review")
    assert "filled in" in said["c1"].reason
    assert said["c2"].status == "review"
    assert "little ink" in said["c2"].reason
    assert (said["c3"].status, said["c3"].texts) == ("review", [("0", 0.5), ("1", 0.5)])
    assert "a mark around the box" in said["c3"].reason
    assert said["c4"].status == "accepted"


def test_a_field_of_marks_alone_is_unread(drawn: DrawnForm, template: Template) -> None:
    page, box = drawn.print.copy(), next(one.box for one in drawn.fields if one.name == "amount")
    for y in (3, 5):
        ends = [(round((box[0] + x) * PER_MM), round((box[1] + y) * PER_MM)) for x in (3, 6)]
        cv2.line(page, *ends, 60, 4, cv2.LINE_AA)
    said = read(template, page)
    assert (said["amount"].status, said["amount"].text) == ("rejected", "")
    assert said["amount"].reason.endswith(" is read here, no digit")
    assert said["number"].reason == "blank"


def test_a_number_is_looked_for_in_its_list(
    drawn: DrawnForm, template: Template, sample: Dataset
) -> None:
    """The comb's text is one of the list, also where it looks like another; else it is doubted."""
    page, texts = fill(1, drawn, sample.test)
    real = texts["number"]
    others = [real[::-1], "0000000", str(int(real) ^ 1)]

    def listed(*texts: str) -> FieldText:
        fields = [
            replace(one, one_of=texts) if one.name == "number" else one for one in template.fields
        ]
        return read(replace(template, fields=tuple(fields)), page)["number"]

    assert listed(*others[:2], real).text == real
    doubted = listed(*others[:2])
    assert doubted.status != "accepted"


def test_a_gap_between_two_digits_is_doubted(
    drawn: DrawnForm, template: Template, sample: Dataset
) -> None:
    page = drawn.print.astype(np.float64)
    field = next(one for one in drawn.fields if one.name == "number")
    sevens = np.flatnonzero(sample.test.labels == 7)
    for cell in (0, 1, 3):
        digit = sample.test.images[sevens[cell]]
        _write(np.random.default_rng(0), page, digit, field.cell_boxes[cell], 0.8)
    said = read(template, page.astype(np.uint8))["number"]
    assert said.status == "review"
    assert said.reason == "there is an empty cell between two digits"


def test_a_digit_that_runs_far_out_of_a_long_field_is_told_of(
    drawn: DrawnForm, template: Template, sample: Dataset
) -> None:
    page = drawn.print.astype(np.float64)
    field = next(one for one in drawn.fields if one.name == "number")
    threes = np.flatnonzero(sample.test.labels == 3)
    for cell in range(2):
        _write(
            np.random.default_rng(0),
            page,
            sample.test.images[threes[cell]],
            field.cell_boxes[cell],
            0.8,
        )
    left, top, _, height = field.cell_boxes[2]
    ends = [(left + 3, top + 1), (left + 2, top + height + 6)]
    start, end = (tuple(round(side * PER_MM) for side in one) for one in ends)
    written = cv2.line(page.astype(np.uint8), start, end, 60, 3, cv2.LINE_AA)
    said = read(template, np.asarray(written))["number"]
    # As often as not it is the end of a stroke through several fields.
    assert (said.text, said.status) == ("33", "review")
    assert dict(said.texts)["331"] > 0.3
    assert said.reason == "what is written there runs out of it"


def test_texts_are_as_likely_as_their_places() -> None:
    """Beside every product, by brute force."""
    places = [{"": 0.3, "1": 0.6, "7": 0.1}, {"4": 0.7, "9": 0.3}, {"": 0.2, "5": 0.8}]
    texts = dict(_likeliest(places, None))
    assert texts["145"] == pytest.approx(0.6 * 0.7 * 0.8)
    assert texts["45"] == pytest.approx(0.3 * 0.7 * 0.8)
    assert texts["14"] == pytest.approx(0.6 * 0.7 * 0.2)
    assert sum(texts.values()) == pytest.approx(1)
    assert _likeliest(places, ["795", "13"])[0] == ("795", pytest.approx(0.1 * 0.3 * 0.8))
    between = [{"1": 1.0}, {"": 0.5, "2": 0.5}, {"3": 1.0}]
    assert dict(_likeliest(between, None)) == {"123": 0.5}
