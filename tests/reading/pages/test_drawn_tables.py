"""Tables drawn with the digits of the sample: what is found, read, and laid out as it stands."""

from collections.abc import Sequence

import cv2
import numpy as np
import pytest
from hand import GAP, HEIGHT, Grey, Hand

import inkdigit
from inkdigit.reading.pages.page import Page

WIDE, HIGH, LEFT = 260, 96, 60


def ruled(hand: Hand, *tables: Sequence[str], top: int = 60) -> Grey:
    """Tables below each other, a text for each row: cells part at |, numbers in one at a space."""
    page = np.full((1500, 1150), 240, np.uint8)
    for rows in tables:
        bottom, right = top + HIGH * len(rows), LEFT + WIDE * len(rows[0].split("|"))
        for x in range(LEFT, right + 1, WIDE):
            cv2.line(page, (x, top), (x, bottom), 60, 2)
        for y in range(top, bottom + 1, HIGH):
            cv2.line(page, (LEFT, y), (right, y), 60, 2)
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells.split("|")):
                x, y = LEFT + 20 + WIDE * column, top + (HIGH - HEIGHT) // 2 + HIGH * row
                for number, text in enumerate(cell.split()):
                    ink = hand.write(text, first=row + column, margin=0)
                    if number:
                        x += HEIGHT
                    page[y : y + ink.shape[0], x : x + ink.shape[1]] = np.minimum(ink, 240)
                    x += ink.shape[1] + GAP
        top = bottom + 3 * HIGH
    return page


def texts(page: Page) -> list[list[str]]:
    return [[one.text if one else "" for one in row] for row in page.table]


def shape(page: Page) -> list[list[int]]:
    """How many numbers stand in each cell."""
    return [[len(text.split()) for text in row] for row in texts(page)]


@pytest.fixture(scope="module")
def register(hand: Hand) -> Grey:
    return ruled(hand, ["12|340|7|55", "8||62|901", "|||", "77|15 23|90|34", "31|44|5|6"])


@pytest.fixture(scope="module")
def page(reader: inkdigit.Reader, register: Grey) -> Page:
    return reader.read_page(register, rotate=0)


def test_numbers_stand_in_their_cells_and_a_ruled_row_stays_empty(page: Page) -> None:
    wanted = [[1, 1, 1, 1], [1, 0, 1, 1], [0, 0, 0, 0], [1, 2, 1, 1], [1, 1, 1, 1]]
    assert shape(page) == wanted


def test_two_numbers_in_a_cell_are_for_review(page: Page) -> None:
    two = [one for one in page.numbers if (one.row, one.column) == (4, 2)]
    cell = page.table[3][1]
    assert cell
    assert [*map(len, cell.text.split())] == [2, 2]
    assert cell.text == " ".join(one.text for one in two)
    assert {(one.status, one.rule) for one in [cell, *two]} == {("review", "cell")}
    assert cell.number is None
    assert [number.box[0] for number in two] == sorted(number.box[0] for number in two)
    (x, _, width, _), last = cell.box, two[-1].box
    assert (x, x + width) == (two[0].box[0], last[0] + last[2])


def test_each_table_of_a_page_has_its_own_columns(reader: inkdigit.Reader, hand: Hand) -> None:
    drawn = ruled(hand, ["12|340|7|55", "8|71|62|901"], ["12|345", "8|123", "31|44"])
    page = reader.read_page(drawn, rotate=0)
    assert shape(page) == [[1] * 4] * 2 + [[1, 1, 0, 0]] * 3


def test_a_pattern_cuts_no_digits_off(reader: inkdigit.Reader, hand: Hand) -> None:
    drawn = ruled(hand, ["12|9222", "8|8168", "31|3456", "77|1094"])
    free = {one.box: one.text for one in reader.read_page(drawn, rotate=0).numbers}
    page = reader.read_page(drawn, rotate=0, pattern_column=r"1=\d{1,2};2=\d{3}")
    own = [one for one in page.numbers if one.column == 2]
    assert [len(one.text) for one in own] == [4] * 4
    assert [one.text for one in own] == [free[one.box] for one in own]
    assert {(one.status, one.reason) for one in own} == {
        ("review", "it does not fit the pattern of column 2")
    }
    assert {one.rule for one in page.numbers if one.column == 1} <= {"", "found", "unsure"}


def test_beside_a_columns_pattern_the_pattern_is_of_the_others(
    reader: inkdigit.Reader, hand: Hand
) -> None:
    drawn = ruled(hand, ["12|922", "8|816", "31|345"])
    page = reader.read_page(drawn, rotate=0, pattern=r"\d\d", pattern_column=r"2=\d{3}")
    assert shape(page) == [[1, 1]] * 3
    assert [one.text for one in page.numbers if one.rule == "column"] == [texts(page)[1][0]]


def test_a_table_is_of_the_numbers_that_are_in_the_page(reader: inkdigit.Reader) -> None:
    table = reader.read_page("docs/register.jpg", rotate=0, pattern=r"\d{5}").table
    assert any(table[0])
    assert any(table[-1])
    assert any(row[0] for row in table)
