from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from inkdigit import Reader
from inkdigit.images import Grey, open_grey
from inkdigit.learning.readers.page_loop import matched
from inkdigit.reading.pages.sheet import find_sheet, flattened

# Where the corners of a sheet of 900 by 600 pixels lie on a desk of 1,000 by 800.
ASKEW = np.array([[160, 80], [640, 150], [720, 900], [60, 830]], np.float32)


def on_desk(sheet: Grey, corners: npt.NDArray[np.float32], desk: int = 60) -> Grey:
    """Return a sheet as it is photographed on a desk."""
    height, width = sheet.shape
    upright = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(upright, corners)
    seen = cv2.warpPerspective(sheet, matrix, (800, 1000), borderValue=(desk,))
    grain = np.random.default_rng(0).normal(0, 4, seen.shape)
    return np.asarray(np.clip(seen + grain, 0, 255), np.uint8)


@pytest.fixture
def sheet() -> Grey:
    page = np.full((900, 600), 225, np.uint8)
    for top in range(60, 860, 100):
        cv2.putText(page, "words and print", (60, top), cv2.FONT_HERSHEY_SIMPLEX, 1, (40,), 2)
    return page


def test_a_sheets_corners_are_found(sheet: Grey) -> None:
    picture = on_desk(sheet, ASKEW)
    corners = find_sheet(picture)
    assert corners is not None
    np.testing.assert_allclose(corners, ASKEW, atol=4)


def test_what_was_straight_is_straight_again(sheet: Grey) -> None:
    picture = on_desk(sheet, ASKEW)
    flat = flattened(picture, picture)
    assert flat.shape == (1000, 800)
    # The sheet's corners of the flattened page lie where they were seen.
    low = cv2.perspectiveTransform(ASKEW[None], np.linalg.inv(flat.matrix))[0]
    np.testing.assert_allclose(low[0, 1], low[1, 1], atol=8)
    np.testing.assert_allclose(low[1, 0], low[2, 0], atol=8)
    np.testing.assert_allclose(flat.to_picture(low), ASKEW, atol=0.5)


def test_a_sheet_seen_so_obliquely_that_the_horizon_shows_is_kept(sheet: Grey) -> None:
    corners = np.array([[260, 560], [540, 560], [720, 960], [80, 960]], np.float32)
    picture = on_desk(sheet, corners)
    flat = flattened(picture, picture)
    low = cv2.perspectiveTransform(corners[None], np.linalg.inv(flat.matrix))[0]
    height, width = flat.page.shape
    assert (low > -4).all()
    assert (low < np.array([width, height]) + 4).all()
    assert np.median(flat.page) > 150


def test_the_first_corner_is_the_left_one_of_the_uppermost_side() -> None:
    corners = np.array([[330, 240], [480, 240], [780, 960], [8, 560]], np.float32)
    picture = on_desk(np.full((600, 900), 225, np.uint8), corners)
    found = find_sheet(picture)
    assert found is not None
    np.testing.assert_allclose(found, corners, atol=10)


@pytest.mark.parametrize(
    "corners",
    [
        pytest.param([[0, 0], [799, 0], [799, 999], [0, 999]], id="no desk"),
        pytest.param([[-90, 60], [640, 60], [640, 900], [-90, 900]], id="cut off"),
        pytest.param([[100, 100], [700, 100], [700, 900], [100, 900]], id="straight"),
        pytest.param([[300, 300], [420, 310], [400, 500], [290, 480]], id="small"),
    ],
)
def test_any_other_page_stays_as_it_is(sheet: Grey, corners: list[list[float]]) -> None:
    picture = on_desk(sheet, np.array(corners, np.float32))
    flat = flattened(picture, picture)
    assert flat.page is picture
    np.testing.assert_array_equal(flat.matrix, np.eye(3))


def test_a_sheet_that_is_no_lighter_than_its_desk_stays(sheet: Grey) -> None:
    picture = on_desk(sheet, ASKEW, desk=210)
    assert flattened(picture, picture).page is picture


def test_numbers_are_found_on_a_sheet_in_perspective() -> None:
    page, reader = open_grey("docs/register.jpg"), Reader.load()
    straight = reader.read_page(page, rotate=0).numbers
    height, width = page.shape
    corners = ASKEW * np.array([width / 600, height / 900], np.float32)
    upright = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(upright, corners)
    size = round(width * 800 / 600), round(height * 1000 / 900)
    picture = cv2.warpPerspective(page, matrix, size, borderValue=(50,))
    found = reader.read_page(np.asarray(picture, np.uint8), rotate=0).numbers
    there = list[Any]()
    for x, y, wide, high in (one.box for one in straight):
        ends = np.array([[[x, y], [x + wide, y], [x + wide, y + high], [x, y + high]]], np.float64)
        moved = cv2.perspectiveTransform(ends, matrix)[0].astype(np.float32)
        there.append(cv2.boundingRect(moved))
    same = matched([one.box for one in found], there)
    assert len(same) >= 0.85 * len(straight) > 8
    right = sum(found[a].text == straight[b].text for a, b in same.items())
    assert right >= 0.8 * len(same)
    assert 2 < max(abs(one.angle) for one in found) < 12
