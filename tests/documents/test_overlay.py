from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.form_pages import DrawnForm, draw_form, warp
from inkdigit.documents.landmarks import fitted
from inkdigit.documents.overlay import _CAPTION, _SIDE, checked
from inkdigit.documents.registration import Registrar
from inkdigit.documents.template import PER_MM


def test_the_template_is_drawn_over_a_scan(
    drawn: DrawnForm, registrar: Registrar, tmp_path: Path
) -> None:
    scans = [warp(1, drawn.print)[0], warp(2, draw_form(6, marks=6).print)[0]]
    images = [Image.fromarray(scan) for scan in scans]
    images[0].save(tmp_path / "scans.tif", save_all=True, append_images=images[1:])
    pages = checked(registrar, str(tmp_path / "scans.tif"), "scans.tif")
    (good, *fits, page), (bad, *refused, other) = pages
    assert (fits, refused) == ([False], [True])
    assert good.startswith("scans.tif, page 1: page 1 of claim, 100% of its print within 0.")
    assert bad.startswith("scans.tif, page 2: refused, it shows no page of the form")
    green = (np.asarray(page) == (0, 0x6B, 0x4A)).all(axis=2)
    assert green.sum() > 1000
    assert not (np.asarray(other) == (0, 0x6B, 0x4A)).all(axis=2).any()


def test_a_field_is_named_at_its_left_end(drawn: DrawnForm, registrar: Registrar) -> None:
    """Whichever way the scan lies."""
    for scan in (drawn.print, np.ascontiguousarray(drawn.print[::-1, ::-1])):
        ((_, _, page),) = checked(registrar, Image.fromarray(scan), "scan")
        found = registrar.register(np.asarray(fitted(scan, _SIDE)))
        left, top = found.corners(drawn.fields[0].box).min(axis=0).astype(int)
        named = np.asarray(page)[top + _CAPTION - 8 : top + _CAPTION - 2, left : left + 30]
        assert (named.min(axis=2) < 100).sum() > 30
        beside = np.asarray(page)[top + _CAPTION - 8 : top + _CAPTION - 2, left + 50 : left + 90]
        assert (beside.min(axis=2) > 200).all()


def test_a_field_that_lies_elsewhere_is_named(drawn: DrawnForm, registrar: Registrar) -> None:
    left, top, width, height = (round(side * PER_MM) for side in drawn.fields[0].box)
    page = drawn.print.copy()
    page[top - 9 : top + height + 9, left + width // 2 : left + width + 9] = 255
    ((said, is_refused, _),) = checked(registrar, Image.fromarray(page), "scan")
    assert not is_refused
    assert said.endswith("; number: its own print is not where the blank has it")
