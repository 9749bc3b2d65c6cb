from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.form_pages import DrawnForm, draw_form, warp
from inkdigit.classroom.sheet import TEMPLATE
from inkdigit.documents.registration import Registrar, Registration
from inkdigit.documents.template import PER_MM, Template
from inkdigit.errors import ImageError, SettingError
from inkdigit.images import open_grey, turned

CORNERS = np.array([[0, 0], [1, 0], [1, 1], [0, 1]])


def apart(found: Registration, matrix: np.ndarray, box: tuple[float, ...]) -> float:
    """By how many mm the corners of a box are off, on the page."""
    left, top, width, height = box
    back = cv2.perspectiveTransform(found.corners(box)[None], np.linalg.inv(matrix))[0] / PER_MM  # type: ignore[arg-type]
    return float(np.abs(back - (CORNERS * (width, height) + (left, top))).max())


@pytest.mark.parametrize("seed", range(6))
def test_fields_are_found_in_any_photograph(
    seed: int, drawn: DrawnForm, registrar: Registrar
) -> None:
    scan, matrix = warp(seed, drawn.print)
    found = registrar.register(scan)
    sure = [one for one in drawn.fields if not found.doubt_at(one.box)]
    assert len(sure) >= len(drawn.fields) - 1
    assert max(apart(found, matrix, one.box) for one in sure) < 0.5
    assert found.residual < 0.5


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_it_is_known_how_a_scan_is_to_be_turned(
    rotate: int, drawn: DrawnForm, registrar: Registrar
) -> None:
    assert registrar.register(turned(drawn.print, -rotate)).rotate == rotate


def test_a_fine_scan_keeps_its_pixels(drawn: DrawnForm, registrar: Registrar) -> None:
    """Of a scan at 600 dpi boxes are in its pixels, and what is cut out is as at 200 dpi."""
    fine = cv2.resize(drawn.print, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    found = registrar.register(np.asarray(fine))
    box = next(one.box for one in drawn.fields if one.name == "total")
    left, top, width, height = box
    true = (CORNERS * (width, height) + (left, top)) * PER_MM * 3
    assert np.abs(found.corners(box) - true).max() < 3 * PER_MM * 0.1
    x, y = round(left * PER_MM), round(top * PER_MM)
    cut = found.cut(box)
    print_ = drawn.print[y : y + cut.shape[0], x : x + cut.shape[1]]
    assert np.corrcoef(cut.ravel(), print_.ravel())[0, 1] > 0.9


def test_bent_paper_is_followed(drawn: DrawnForm, registrar: Registrar) -> None:
    """A page that bulges by 1.5 mm in the middle, where a homography alone would be off."""
    height, width = drawn.print.shape
    down, across = np.indices((height, width), np.float32)
    bulge = np.float32(1.5 * PER_MM) * np.sin(np.pi * down / height) ** 2
    bent = cv2.remap(drawn.print, across + bulge, down, cv2.INTER_LINEAR, borderValue=255)
    found = registrar.register(np.asarray(bent))
    for one in drawn.fields:
        middle = np.array(one.box[:2]) + np.array(one.box[2:]) / 2
        true = middle - (1.5 * np.sin(np.pi * middle[1] * PER_MM / height) ** 2, 0)
        assert np.abs(found.corners(one.box).mean(axis=0) / PER_MM - true).max() < 0.4


@pytest.mark.parametrize("seed", [9, 17, 33])
def test_other_forms_are_refused(seed: int, registrar: Registrar) -> None:
    with pytest.raises(ImageError, match="it shows no page of the form"):
        registrar.register(warp(seed, draw_form(seed, marks=7).print)[0])


def test_what_is_in_doubt_is_refused(drawn: DrawnForm, registrar: Registrar) -> None:
    height, width = drawn.print.shape
    white = np.full((height, width), 255, np.uint8)
    two = np.hstack([drawn.print, drawn.print])
    for scan, why in (
        (drawn.print[: height // 3], "only a part of page 1 of claim is on the picture"),
        (two, "it shows page 1 of claim twice"),
        (drawn.print[:, ::-1], "it shows no page"),  # seen through the back
        (white, "it shows no page"),
        (np.zeros_like(white), "it shows no page"),
        (np.zeros((3, 30_000), np.uint8), "it is too small to show a page"),
    ):
        with pytest.raises(ImageError, match=why):
            registrar.register(np.ascontiguousarray(scan))


def test_of_two_forms_alike_neither_is_taken(
    drawn: DrawnForm, template: Template, registrar: Registrar
) -> None:
    twins = Registrar([template, replace(template, name="copy")])
    with pytest.raises(ImageError, match="it may be page 1 of"):
        twins.register(drawn.print)
    other = draw_form(2)
    several = Registrar([template, other.save(template.folder, "other")])
    assert str(several.register(other.print).blank) == "page 1 of other"
    assert str(several.register(drawn.print).blank) == "page 1 of claim"


def test_a_field_whose_surroundings_changed_is_in_doubt(
    drawn: DrawnForm, registrar: Registrar
) -> None:
    changed = drawn.print.copy()
    changed[: round(45 * PER_MM)] = 255
    found = registrar.register(changed)
    doubts = {one.name: found.doubt_at(one.box) for one in drawn.fields}
    assert "looks otherwise" in doubts["number"]
    assert not doubts["total"]
    assert found.doubt_at((0, 0, 400, 5)) == "it lies outside of the picture"


def test_a_blank_needs_print(template: Template, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / template.pages[0].print), np.full((900, 600), 255, np.uint8))
    with pytest.raises(SettingError, match="too little print"):
        Registrar([replace(template, folder=tmp_path)])


def test_markers_propose_where_a_page_lies() -> None:
    """By themselves, also where two pages lie on a scan; forms without any are not asked."""
    blank = open_grey(TEMPLATE.folder / TEMPLATE.pages[0].print)
    print_ = np.asarray(cv2.resize(blank, (1654, 2339), interpolation=cv2.INTER_AREA))
    scan, true = warp(3, print_)
    (count, found, matrix), *_ = Registrar([TEMPLATE])._proposals(scan, "markers")
    assert found.template == TEMPLATE
    assert count >= 40
    registered = Registration.refined(scan, found, matrix)
    assert registered
    assert registered.share > 0.9
    assert max(apart(registered, true, one.box) for one in found.fields[:10]) < 0.5
    with pytest.raises(ImageError, match="it shows page 1 of class twice"):
        Registrar([TEMPLATE]).register(np.hstack([print_, print_]))


def test_a_form_without_markers_is_not_asked_for_them(
    drawn: DrawnForm, registrar: Registrar
) -> None:
    assert not list(registrar._proposals(drawn.print, "markers"))
