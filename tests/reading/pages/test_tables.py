import numpy as np

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


def test_two_numbers_in_one_cell_stand_side_by_side() -> None:
    said = PLAIN.copy()
    for x in (2, 60, 120):
        said[2:62, x : x + 2] = 0
        said[2:62, x : x + 2, RULE] = 1
    boxes: list[LevelBox] = [(110, 20, 40, 20), (30, 20, 40, 20)]
    assert laid_out(boxes, said) == [(1, 2), (1, 1)]
