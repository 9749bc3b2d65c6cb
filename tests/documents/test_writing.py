from itertools import pairwise

import cv2
import numpy as np
import pytest

from benchmarks.form_pages import DrawnForm
from inkdigit.documents.registration import Registrar
from inkdigit.documents.template import PER_MM
from inkdigit.documents.writing import Writing


def stroke(page: np.ndarray, *ends: tuple[float, float], ink: int = 60) -> None:
    """Draw a line between points in mm."""
    points = [tuple(round(side * PER_MM) for side in end) for end in ends]
    for start, end in pairwise(points):
        cv2.line(page, start, end, ink, 4, cv2.LINE_AA)


@pytest.fixture
def page(drawn: DrawnForm) -> np.ndarray:
    return drawn.print.copy()


def test_a_blank_holds_nothing(page: np.ndarray, drawn: DrawnForm, registrar: Registrar) -> None:
    found = registrar.register(page)
    assert all(Writing.of(found, one.box).inside(one.box).is_empty for one in drawn.fields)


def test_what_is_written_is_left_when_print_is_taken_away(
    page: np.ndarray, drawn: DrawnForm, registrar: Registrar
) -> None:
    """A stroke that crosses a comb's rule stays in one piece."""
    field = next(one for one in drawn.fields if one.name == "number")
    _, top, _, height = field.box
    cells = field.cell_boxes
    stroke(page, (cells[1][0] - 2, top + 2), (cells[1][0] + 2, top + height - 2))
    written = Writing.of(registrar.register(page), field.box).inside(field.box)
    assert len(np.unique(written.labels)) == 2
    true = cv2.absdiff(page, drawn.print) > 60
    x, y = written.origin
    high, wide = written.labels.shape
    true = true[y : y + high, x : x + wide]
    assert (true & (written.labels > 0)).sum() > 0.85 * true.sum()
    assert (written.labels > 0).sum() < 1.6 * true.sum()


def test_a_stroke_that_runs_far_beyond_a_box_is_not_its(
    page: np.ndarray, drawn: DrawnForm, registrar: Registrar
) -> None:
    """As a cross through several fields does; a tail that reaches out a little stays."""
    field = next(one for one in drawn.fields if one.name == "number")
    left, top, width, height = field.box
    stroke(page, (left + 2, top - 6), (left + 7, top + height + 6))
    stroke(page, (left + width - 4, top + 1), (left + width - 2, top + height + 1))
    around = Writing.of(registrar.register(page), field.box)
    inside = around.inside(field.box)
    assert around.share((left, top, 9, height)) > 0
    assert len(np.unique(inside.labels)) - 1 == 1
    assert inside.share((left + width - 6, top, 5, height)) > 0
    assert inside.share((left, top, 9, height)) == 0
    assert not inside.runs_out


def test_a_digit_that_runs_out_of_its_box_at_one_end_stays(
    page: np.ndarray, drawn: DrawnForm, registrar: Registrar
) -> None:
    """As the bar of a 5 does; that more of it may be elsewhere is told."""
    field = next(one for one in drawn.fields if one.name == "number")
    left, top, width, height = field.box
    bar = [(left + width - 4, top + 1), (left + width + 4, top + 1)]
    stroke(page, (left + width - 2, top + height - 1), (left + width - 4, top + 4), *bar)
    inside = Writing.of(registrar.register(page), field.box).inside(field.box)
    assert inside.runs_out
    cells = inside.cells(field.cell_boxes)
    assert [not cell.is_empty for cell in cells] == [False] * 6 + [True]


def test_writing_at_the_edge_of_a_scan_is_seen(
    page: np.ndarray, drawn: DrawnForm, registrar: Registrar
) -> None:
    """A field whose margin the scan does not reach is not taken for blank."""
    field = next(one for one in drawn.fields if one.name == "c1")
    left, top, width, height = field.box
    stroke(page, (left + 1, top + 1), (left + width - 1, top + height - 1))
    cut = page[:, round((left - 0.5) * PER_MM) :]
    found = registrar.register(np.ascontiguousarray(cut))
    assert not found.doubt_at(field.box)
    assert not Writing.of(found, field.box).inside(field.box).is_empty


def test_digits_that_touch_are_parted_at_the_cells(
    page: np.ndarray, drawn: DrawnForm, registrar: Registrar
) -> None:
    """A thin digit that touches a bold one is not lost, and a tail is no digit of its own."""
    field = next(one for one in drawn.fields if one.name == "number")
    boxes, (_, top, width, height) = field.cell_boxes, field.cell_boxes[0]
    left, right = (boxes[i][0] + width / 2 for i in (0, 1))
    stroke(page, (left, top + 1), (left, top + height - 1))
    stroke(page, (left, top + 3), (right, top + 3), (right, top + height - 1), ink=50)
    bold = np.array([[right - 1, top + 2], [right + 1, top + height - 1]]) * PER_MM
    cv2.rectangle(page, *bold.round().astype(int).tolist(), 50, -1)
    tail = boxes[3][0] + width / 2
    stroke(page, (tail, top + height - 1), (tail, top + 1), (boxes[4][0] + 1, top + 1))
    written = Writing.of(registrar.register(page), field.box).inside(field.box)
    cells = written.cells(boxes)
    assert [not cell.is_empty for cell in cells] == [True, True, False, True, False, False, False]
    assert not (cells[0].labels[cells[1].labels > 0] > 0).any()
    assert cells[3].share(boxes[4]) > 0
