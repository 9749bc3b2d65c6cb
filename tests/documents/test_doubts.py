import cv2
import numpy as np
import pytest

from benchmarks.form_pages import DrawnForm, claim_form, fill, warp
from inkdigit.documents.doubts import doubt_of, is_marked_beside
from inkdigit.documents.registration import Registrar
from inkdigit.documents.template import PER_MM, BoxMm, Template
from inkdigit.learning.datasets import Dataset

AMOUNTS = ("travel", "meals", "lodging", "total")
CELL = 6.0


@pytest.fixture(scope="module")
def claim(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return claim_form().save(tmp_path_factory.mktemp("claim"), "claim")


def edition(claim: Template, cells: int, first: int = 0) -> np.ndarray:
    """Return a page whose amounts have so many cells, from that place on, and a 1 in the last."""
    blank = claim.blank(1)
    page = blank.copy()
    for one in claim.fields:
        if one.name not in AMOUNTS:
            continue
        left, top, width, height = one.box
        x, y, right, bottom = pixels((left - 0.5, top - 0.5, width + 1, height + 1))
        page[y:bottom, x:right] = 255
        for cell in range(first, first + cells):
            x, y, right, bottom = pixels((left + cell * CELL, top, CELL, height))
            cv2.rectangle(page, (x, y), (right, bottom), 30, 2)
        cv2.line(page, (x + 20, y + 10), (x + 20, bottom - 10), 60, 4)
    return page


def pixels(box: BoxMm) -> tuple[int, int, int, int]:
    left, top, width, height = (side * PER_MM for side in box)
    return round(left), round(top), round(left + width), round(top + height)


@pytest.mark.parametrize(
    ("cells", "first", "why"),
    [
        (4, 0, ""),
        (5, 0, "another cell or writing stands beside its cells"),
        (3, 0, "its own print is not where the blank has it"),
        (4, 1, "its own print is not where the blank has it"),
    ],
)
def test_combs_of_another_edition_are_doubted(
    claim: Template, cells: int, first: int, why: str
) -> None:
    """Though all other print is found again; with as many cells as on the blank they are not."""
    found = Registrar([claim]).register(edition(claim, cells, first))
    doubts = {one.name: doubt_of(one, found) for one in claim.fields}
    assert {name for name, doubt in doubts.items() if doubt} == set(AMOUNTS if why else ())
    assert {doubts[name] for name in AMOUNTS} == {why}


def test_filled_forms_are_not_doubted(
    drawn: DrawnForm, registrar: Registrar, sample: Dataset
) -> None:
    for seed in range(2):
        page, texts = fill(seed, drawn, sample.test)
        found = registrar.register(warp(seed, page, hard=False)[0])
        assert not any(doubt_of(one, found) for one in drawn.fields)
        empty = [one.box for one in drawn.fields if texts[one.name] == "0" and one.kind == "check"]
        assert not any(is_marked_beside(box, found) for box in empty)


def test_a_mark_around_a_check_box_is_seen(drawn: DrawnForm, registrar: Registrar) -> None:
    """And one beside it, but neither a tick that comes from the next box nor what is far away."""
    page, boxes = drawn.print.copy(), [one.box for one in drawn.fields if one.kind == "check"]
    x, y, right, bottom = pixels(boxes[0])
    cv2.circle(page, ((x + right) // 2, (y + bottom) // 2), round(2.9 * PER_MM), 60, 3)
    x, y, right, bottom = pixels(boxes[1])
    cv2.line(page, (x - 5, bottom), (x - 12, y), 60, 3)
    x, y, right, bottom = pixels(boxes[2])
    cv2.line(page, (x - 30, bottom), (x - 30, y), 60, 3)
    found = registrar.register(page)
    assert [is_marked_beside(box, found) for box in boxes] == [True, True, False, False]
