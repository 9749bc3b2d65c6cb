import cv2
import numpy as np
import pytest

from inkdigit.images import open_grey, turned
from inkdigit.reading.model_file import PageModel
from inkdigit.reading.pages.looking import LONG_SIDE, Look, look, see, skew
from inkdigit.reading.pages.places import NUMBER, PAPER, RULE, STRIDE, Place
from inkdigit.reading.reader import PAGE_MODEL

EXAMPLE = open_grey("docs/register.jpg")


@pytest.fixture(scope="module")
def model() -> PageModel:
    return PageModel.load(PAGE_MODEL)


def test_a_page_is_looked_at_in_one_size_and_its_pixels_are_known(model: PageModel) -> None:
    large = np.asarray(cv2.resize(EXAMPLE, (3040, 4000)), np.uint8)
    seen = look(model, large, True, LONG_SIDE)
    assert seen.long_side == LONG_SIDE
    assert seen.said.shape == (seen.ink.shape[0] // STRIDE, seen.ink.shape[1] // STRIDE, 6)
    corner = seen.to_page(np.array([[0.0, 0.0], [973.0, 1280.0]]))
    np.testing.assert_allclose(corner, [[0, 0], [3040, 4000]], atol=0.5)


def test_a_page_that_is_levelled_keeps_its_places(model: PageModel) -> None:
    page = np.full((800, 600), 230, np.uint8)
    page[500:520, 100:130] = 0
    seen = look(model, page, True, 800, angle=0.1)
    y, x = np.nonzero(seen.ink > 128)
    back = seen.to_page(np.stack([x, y], axis=1).astype(np.float64))
    np.testing.assert_allclose(back.mean(axis=0), (114.5, 509.5), atol=1)


@pytest.mark.parametrize("angle", [-0.08, 0.0, 0.05])
def test_skew_is_that_of_the_rules(angle: float) -> None:
    what = np.zeros((200, 200), np.uint8)
    for y in range(30, 190, 30):
        cv2.line(what, (10, y), (180, round(y + 170 * np.tan(angle))), 1, 1)
    cv2.line(what, (20, 10), (20, 190), 1, 1)
    said = np.zeros((200, 200, 6), np.float32)
    said[..., PAPER], said[..., RULE] = what == 0, what
    assert skew(said) == pytest.approx(angle, abs=0.01)


def test_a_number_is_cut_out_alone(model: PageModel) -> None:
    seen = see(model, EXAMPLE, 0)
    assert len(seen.spots) > 10
    for spot in seen.spots:
        crop, matrix = seen.cut_out(spot)
        corners = np.array([[0, 0], crop.shape[::-1]]) @ matrix[:, :2].T + matrix[:, 2]
        low, high = spot.corners.min(axis=0), spot.corners.max(axis=0)
        assert (corners[0] < low).all()
        assert (corners[1] > high).all()
        x, y, width, height = spot.place.whole
        beyond = spot.look.to_page(
            np.array([[x - 9.0, y - 9.0], [x + width + 9.0, y + height + 9.0]])
        )
        inside = (beyond - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
        (left, top), (right, bottom) = np.rint(inside).astype(int).clip(0)
        outside = np.ones(crop.shape, bool)
        outside[top : bottom + 1, left : right + 1] = False
        assert len(np.unique(crop[outside])) <= 1  # nothing but paper


def test_a_page_on_its_side_is_turned_or_may_lie_so(model: PageModel) -> None:
    assert see(model, EXAMPLE).quarters == 0
    side = see(model, turned(EXAMPLE, 270))
    assert side.quarters == 1 or side.may_lie
    lines = np.full((600, 600), 240, np.uint8)
    for y in range(50, 600, 60):
        cv2.putText(lines, "a line of writing", (40, y), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1, 20, 2)
    for degrees, quarters in ((0, 0), (270, 1)):
        seen = see(model, turned(lines, degrees))
        assert (seen.quarters, seen.may_lie) == (quarters, False)


def test_a_look_at_nothing_finds_nothing(model: PageModel) -> None:
    seen: Look = look(model, np.full((40, 30), 255, np.uint8), True, LONG_SIDE)
    assert seen.places == []
    assert skew(seen.said) == 0.0


def test_a_stroke_as_high_as_a_number_stands_beside_it(model: PageModel) -> None:
    page = np.full((160, 160), 255, np.uint8)
    page[60:84, 100:103] = 0
    seen = look(model, page, True, 160)
    cells = np.ones((6, 4), bool)
    for height, beside in ((24, True), (1, False)):
        place = Place((80, 60, 14, height), (80, 60, 16, 24), cells, 1.0)
        assert seen.is_beside_ink(place) == beside


def test_shadows_do_not_make_a_page_light_on_dark(model: PageModel) -> None:
    rows = np.linspace(60, 230, 600)[:, None]
    light = np.repeat(np.where(np.abs(rows - 140) < 60, rows / 2, rows), 450, axis=1)
    page = np.asarray(light, np.uint8)
    for top in range(40, 580, 60):
        cv2.putText(page, "shadow 407", (30, top), cv2.FONT_HERSHEY_SIMPLEX, 1, (15,), 2)
    assert see(model, page, 0).is_dark
    assert not see(model, np.asarray(255 - page, np.uint8), 0).is_dark


@pytest.mark.parametrize("times", [0.6, 1.0, 2.0])
def test_numbers_stand_level_where_the_first_look_has_them(model: PageModel, times: float) -> None:
    page = np.asarray(cv2.resize(EXAMPLE, None, fx=times, fy=times), np.uint8)
    seen = see(model, page, 0)
    number = seen.first.said[..., NUMBER:].sum(axis=-1)
    shares = [
        number[
            int(y) // STRIDE : int(y + h) // STRIDE + 1, int(x) // STRIDE : int(x + w) // STRIDE + 1
        ].mean()
        for x, y, w, h in (spot.level for spot in seen.spots if spot.look is seen.first)
    ]
    assert len(shares) > 8
    assert np.mean(shares) > 0.5


def test_a_small_page_is_enlarged_and_a_tiny_one_no_more_than_twice(model: PageModel) -> None:
    small = np.asarray(cv2.resize(EXAMPLE, None, fx=0.8, fy=0.8), np.uint8)
    assert look(model, small, True, LONG_SIDE).long_side == LONG_SIDE
    assert look(model, small[:60, :80], True, LONG_SIDE).long_side == 160
