from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks import class_blank
from benchmarks.form_pages import warp
from inkdigit.classroom.sheet import TEMPLATE, pupil_of, write_sheets
from inkdigit.documents.markers import code_of, code_picture
from inkdigit.documents.registration import Registrar
from inkdigit.errors import ImageError, InkdigitError, SettingError
from inkdigit.images import Grey, open_grey, open_pages


def test_the_shipped_blank_is_what_is_drawn() -> None:
    """Within what versions of matplotlib draw differently."""
    assert class_blank.template() == TEMPLATE
    shipped = open_grey(TEMPLATE.folder / TEMPLATE.pages[0].print)
    drawn = class_blank.blank()
    assert shipped.shape == drawn.shape
    assert (shipped != drawn).mean() < 0.005


def test_a_page_a_pupil_and_sheet(registrar: Registrar, tmp_path: Path) -> None:
    path = tmp_path / "sheets.pdf"
    write_sheets(path, "7b", ["Anna", "Ольга " + "Ж" * 34], 2)
    pages = list(open_pages(path))
    found = [pupil_of(registrar.register(page)) for page in pages]
    names = ["Anna", "Anna", "Ольга " + "Ж" * 34, "Ольга " + "Ж" * 34]
    assert found == [("7b", name, 1 + i % 2) for i, name in enumerate(names)]
    height, width = pages[0].shape
    assert height / width == pytest.approx(297 / 210, abs=0.002)


@pytest.mark.parametrize("seed", [2, 18, 45, 59])
def test_one_of_two_codes_suffices(
    seed: int, blanks: dict[str, Grey], registrar: Registrar
) -> None:
    """Photographs in which one lies outside, or is too blurred for one of the detectors."""
    scan, _ = warp(seed, blanks["Zoë M"])
    assert pupil_of(registrar.register(scan)) == ("7b", "Zoë M", 1)


def test_a_code_that_cannot_be_read_is_not_guessed(
    blanks: dict[str, Grey], registrar: Registrar
) -> None:
    page, other = blanks["Anna"].copy(), blanks["Cem"]
    lower = slice(int(0.87 * len(page)), None)
    page[lower] = other[lower]  # another's sheet covers it
    with pytest.raises(ImageError, match="a code on page 1 of class is that of another page"):
        pupil_of(registrar.register(page))
    blank = open_grey(TEMPLATE.folder / TEMPLATE.pages[0].print)
    with pytest.raises(ImageError, match="the code of page 1 of class cannot be read"):
        pupil_of(registrar.register(np.ascontiguousarray(blank)))


@pytest.mark.parametrize("copy", ["", "7b", "7b/../1", "7b/Anna/0", "7b/Anna/1/2", "7b/Anna/x"])
def test_a_code_that_others_made_leads_nowhere(copy: str, registrar: Registrar) -> None:
    page = np.asarray(open_grey(TEMPLATE.folder / TEMPLATE.pages[0].print)).copy()
    code = code_picture(code_of(TEMPLATE.name, 1, copy))
    large = cv2.resize(code, (340, 340), interpolation=cv2.INTER_NEAREST)
    page[60 : 60 + 340, 1800 : 1800 + 340] = large
    with pytest.raises(InkdigitError, match=r"is that of no pupil|a name has a letter"):
        pupil_of(registrar.register(page))


def test_a_name_that_no_font_has_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="no font here has the letters of \U00012000"):
        write_sheets(tmp_path / "sheets.pdf", "7b", ["\U00012000"])  # cuneiform
    assert not list(tmp_path.iterdir())
