import numpy as np

from inkdigit.reading.calibration import Floats
from inkdigit.reading.pages.places import PAPER, RULE
from inkdigit.reading.pages.tables import LevelBox, laid_out

PLAIN = np.zeros((64, 128, 6), np.float32)
PLAIN[..., PAPER] = 1


def test_nothing_has_no_places() -> None:
    assert laid_out([], PLAIN) == []


def test_rows_and_columns_without_rules() -> None:
    boxes: list[LevelBox] = [
        (200, 62, 30, 20),
        (20, 20, 40, 20),
        (205, 22, 20, 20),
        (25, 58, 12, 20),
    ]
    assert laid_out(boxes, PLAIN) == [(2, 2), (1, 1), (1, 2), (2, 1)]


def test_a_row_may_sink_a_little_as_it_goes_on() -> None:
    boxes: list[LevelBox] = [(40.0 * n, 20 + 3.0 * n, 20, 20) for n in range(5)]
    boxes += [(40.0 * n, 60 + 3.0 * n, 20, 20) for n in range(5)]
    assert laid_out(boxes, PLAIN) == [(row, n + 1) for row in (1, 2) for n in range(5)]


def test_a_column_between_rules_stays_where_it_is_empty() -> None:
    said = PLAIN.copy()
    for x in (2, 27, 52, 77, 102):
        said[2:62, x : x + 2] = 0
        said[2:62, x : x + 2, RULE] = 1
    boxes: list[LevelBox] = [(30, 20, 40, 20), (330, 20, 40, 20), (130, 60, 30, 20)]
    assert laid_out(boxes, said) == [(1, 1), (1, 4), (2, 2)]


def with_rules(down: tuple[int, ...], across: tuple[int, ...], top: int, bottom: int) -> Floats:
    """Rules at these places, of what lies between two places from the top."""
    said = PLAIN.copy()
    for where in [np.s_[top:bottom, x : x + 2] for x in down] + [np.s_[y, :120] for y in across]:
        said[where] = 0
        said[(*where, RULE)] = 1
    return said


def test_two_numbers_between_two_rules_stand_in_one_cell() -> None:
    said = with_rules((2, 60, 120), (), 2, 62)
    boxes: list[LevelBox] = [(110, 20, 40, 20), (30, 20, 40, 20), (300, 20, 40, 20)]
    assert laid_out(boxes, said) == [(1, 1), (1, 1), (1, 2)]


def test_two_numbers_that_no_rules_part_stand_side_by_side() -> None:
    boxes: list[LevelBox] = [(110, 20, 40, 20), (30, 20, 40, 20), (30, 60, 120, 20)]
    assert laid_out(boxes, PLAIN) == [(1, 2), (1, 1), (2, 1)]


def test_a_ruled_row_that_is_empty_stays_one() -> None:
    # The last rule is a double one.
    said = with_rules((2, 60, 120), (2, 14, 26, 38, 50, 52), 2, 62)
    boxes: list[LevelBox] = [(30, 20, 60, 20), (300, 118, 60, 20), (30, 212, 60, 20)]
    assert laid_out(boxes, said) == [(1, 1), (3, 2), (5, 1)]
    assert laid_out([*boxes, (30, 170, 60, 20)], said)[2:] == [(5, 1), (4, 1)]


def test_what_stands_below_a_table_has_columns_of_its_own() -> None:
    said = with_rules((2, 30, 60, 90, 120), (2, 14, 26), 2, 27)
    boxes: list[LevelBox] = [(150, 20, 40, 20), (270, 70, 40, 20), (40, 160, 30, 20)]
    boxes += [(80, 160, 30, 20)]
    assert laid_out(boxes, said) == [(1, 1), (2, 2), (3, 1), (3, 2)]
