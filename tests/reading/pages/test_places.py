import numpy as np
import numpy.typing as npt
import pytest

from inkdigit.reading.pages.places import CORE, NUMBER, PAPER, RULE, find_places

Said = npt.NDArray[np.float32]
Ink = npt.NDArray[np.uint8]


def blank(height: int = 64, width: int = 128) -> tuple[Said, Ink]:
    said = np.zeros((height // 4, width // 4, 6), np.float32)
    said[..., PAPER] = 1
    return said, np.zeros((height, width), np.uint8)


def put(said: Said, what: int, x: int, y: int, width: int, height: int, sure: float = 0.9) -> None:
    said[y : y + height, x : x + width] = (1 - sure) / 5
    said[y : y + height, x : x + width, what] = sure


def test_a_number_is_its_core_and_what_lies_around_it() -> None:
    said, ink = blank()
    put(said, NUMBER, 4, 3, 8, 5)
    put(said, CORE, 5, 4, 6, 2)
    ink[14:30, 18:44] = 200
    (found,) = find_places(said, ink)
    assert found.box == (18, 14, 26, 16)
    assert found.whole == (16, 12, 32, 20)
    assert found.cells.shape == (5, 8)
    assert found.cells.all()
    assert found.probability == pytest.approx(0.92)


def test_numbers_that_touch_fall_apart_by_their_cores() -> None:
    said, ink = blank()
    put(said, NUMBER, 2, 3, 20, 5)
    put(said, CORE, 3, 4, 7, 2)
    put(said, CORE, 14, 4, 7, 2)
    ink[12:32, 8:88] = 255
    left, right = sorted(find_places(said, ink), key=lambda place: place.box)
    assert left.box[0] + left.box[2] == right.box[0] == 48
    assert left.cells.sum() + right.cells.sum() == 20 * 5


def test_what_has_no_core_is_no_number() -> None:
    said, ink = blank()
    put(said, NUMBER, 4, 3, 8, 5)
    put(said, RULE, 0, 12, 30, 1)
    ink[:] = 255
    assert find_places(said, ink) == []


def test_a_core_owns_no_places_of_another_part() -> None:
    said, ink = blank()
    put(said, NUMBER, 2, 3, 6, 5)
    put(said, CORE, 3, 4, 3, 2)
    put(said, NUMBER, 20, 3, 6, 5)
    ink[:] = 255
    (found,) = find_places(said, ink)
    assert found.whole == (8, 12, 24, 20)


def test_a_place_without_strong_ink_is_all_of_its_cells() -> None:
    said, ink = blank()
    put(said, CORE, 3, 4, 3, 2)
    (found,) = find_places(said, ink)
    assert found.box == found.whole == (12, 16, 12, 8)


def test_three_thousand_numbers_are_found_each_once() -> None:
    said, ink = blank(1024, 1216)
    for y in range(0, 250, 5):
        for x in range(0, 300, 5):
            put(said, CORE, x, y, 3, 2)
            ink[4 * y + 1 : 4 * y + 7, 4 * x + 1 : 4 * x + 11] = 255
    found = find_places(said, ink)
    assert len(found) == 3000
    assert {place.box[2:] for place in found} == {(10, 6)}
