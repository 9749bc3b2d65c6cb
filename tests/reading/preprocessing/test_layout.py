from collections.abc import Callable

import cv2
import numpy as np
import pytest
from writing import Grey, put

from inkdigit.reading.preprocessing.layout import Layout, crop, find_digit, find_line
from inkdigit.reading.preprocessing.paper import find_ink


def test_of_several_lines_the_one_with_most_writing_is_read() -> None:
    page = np.full((200, 300), 230, np.uint8)
    put(page, "12", 20, 70)
    put(page, "34567", 20, 160)
    found = line_of(page)
    assert found.several_lines
    assert found.top > 70
    assert found.bottom > 155
    assert found.right > 150


@pytest.mark.parametrize(("size", "alone"), [(0.0, True), (0.3, False), (0.5, False)])
def test_small_print_below_the_line_is_another_line(size: float, alone: bool) -> None:
    page = np.full((200, 300), 230, np.uint8)
    put(page, "34567", 20, 90)
    if size:
        cv2.putText(page, "8901234", (20, 150), cv2.FONT_HERSHEY_SIMPLEX, size, 20, 1, cv2.LINE_AA)
    found = line_of(page)
    assert found.several_lines == (not alone)


def test_a_small_number_of_two_digits_below_is_another_line() -> None:
    page = np.full((200, 300), 230, np.uint8)
    put(page, "34567", 20, 90)
    cv2.putText(page, "81", (60, 150), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 20, 2, cv2.LINE_AA)
    found = line_of(page)
    assert found.several_lines


def test_a_line_that_the_edge_cuts_off_is_left_out_without_a_word() -> None:
    page = np.full((140, 300), 230, np.uint8)
    put(page, "789", 20, 20)
    put(page, "34567", 20, 110)
    found = line_of(page)
    assert not found.several_lines
    assert found.top > 20


def numbers(rows: int, columns: int, *, grid: bool) -> Grey:
    """A page of numbers of two digits in rows and columns, with or without a grid around them."""
    page = np.full((60 * rows + 20, 100 * columns + 20), 230, np.uint8)
    for row in range(rows):
        for column in range(columns):
            put(page, "47", 30 + 100 * column, 58 + 60 * row)
    if grid:
        page[10:-10:60] = 60
        page[10:-10, 10:-10:100] = 60
    return page


@pytest.mark.parametrize("grid", [False, True])
@pytest.mark.parametrize(("rows", "columns"), [(3, 2), (4, 1), (9, 9)])
def test_a_page_of_many_numbers_is_told(rows: int, columns: int, grid: bool) -> None:
    assert line_of(numbers(rows, columns, grid=grid)).many_numbers


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 9), (2, 3)])
def test_a_line_or_two_are_no_page_of_numbers(rows: int, columns: int) -> None:
    assert not line_of(numbers(rows, columns, grid=False)).many_numbers


def test_a_number_on_coarse_paper_is_no_page_of_numbers() -> None:
    page = np.full((120, 400), 230, np.uint8)
    for row in range(4):
        for column in range(8):
            cv2.circle(page, (20 + 50 * column, 15 + 30 * row), 4, 120, -1)
    assert line_of(page).many_numbers
    cv2.putText(page, "47301", (30, 100), cv2.FONT_HERSHEY_SIMPLEX, 3, 20, 12, cv2.LINE_AA)
    assert not line_of(page).many_numbers


def test_a_long_number_on_its_side_is_no_page_of_numbers() -> None:
    page = np.full((120, 500), 230, np.uint8)
    put(page, "4730285961", 20, 80)
    assert not line_of(np.ascontiguousarray(np.rot90(page))).many_numbers


def test_what_is_too_small_for_a_digit_has_no_layout() -> None:
    page = np.full((4, 400), 230, np.uint8)
    page[1:3, 50:90] = 20
    assert find_line(find_ink(page)) is None
    assert find_digit(find_ink(page)) is None


def test_a_digit_in_two_pieces_is_one_line() -> None:
    page = np.full((120, 90), 230, np.uint8)
    put(page, "8", 25, 90)
    page[66:71] = 230
    rows = np.flatnonzero((page < 150).any(axis=1))  # the releases of OpenCV draw another 8
    found = line_of(page)
    assert not found.several_lines
    assert (found.top, found.bottom) == pytest.approx((rows[0], rows[-1] + 1), abs=1)


@pytest.mark.parametrize(("gap", "together"), [(20, True), (60, False), (200, False)])
def test_writing_far_apart_is_told(gap: int, together: bool) -> None:
    page = np.full((120, 500), 230, np.uint8)
    put(page, "12", 20, 90)
    put(page, "34", 80 + gap, 90)
    found = line_of(page)
    assert found.far_apart == (not together)
    assert not found.several_lines


def test_digits_in_boxes_of_their_own_are_one_number() -> None:
    page = np.full((120, 500), 230, np.uint8)
    for place, digit in enumerate("12345"):
        put(page, digit, 20 + 90 * place, 90)
    found = line_of(page)
    assert not found.far_apart


def test_what_stands_beside_the_only_digit() -> None:
    page = np.full((120, 160), 240, np.uint8)
    put(page, "5", 70, 90)
    assert beside(page) == ""
    for name, box in {
        "dash": (45, 72, 60, 76),
        "dot": (56, 84, 61, 90),
        "character": (52, 54, 57, 90),
    }.items():
        left, top, right, bottom = box
        ahead = page.copy()
        ahead[top:bottom, left:right] = 20
        assert beside(ahead) == name
        behind = page.copy()
        behind[top:bottom, left + 62 : right + 62] = 20
        assert beside(behind) == ("character" if name == "character" else "")


@pytest.mark.parametrize("gap", [2, 6, 12, 40])
def test_two_digits_are_not_one_however_close(gap: int) -> None:
    page = np.full((120, 200), 240, np.uint8)
    page[30:90, 40:46] = 20
    put(page, "3", 46 + gap, 90)
    assert beside(page) == "character"


def line_of(page: Grey) -> Layout:
    found = find_line(find_ink(page))
    assert found is not None
    return found


def beside(page: Grey) -> str:
    found = find_digit(find_ink(page))
    assert found is not None
    return found.beside


def box_of(found: Layout) -> list[float]:
    return [found.left, found.top, found.right, found.bottom]


def test_a_rule_is_taken_out_of_the_ink_and_a_digit_that_stands_on_it_is_not() -> None:
    page = np.full((120, 400), 230, np.uint8)
    page[100:103] = 60
    page[40:90, 100:106] = 20
    found = line_of(page)
    assert box_of(found) == pytest.approx([100, 40, 106, 90], abs=1)
    assert not found.ink[98:105].any()
    assert (found.ink[42:88, 101:105] > 150).all()
    page[88:100, 100:106] = 20
    assert (line_of(page).ink[42:102, 101:105] > 150).all()


def frame(page: Grey) -> None:
    page[:4] = page[-4:] = page[:, :4] = page[:, -4:] = 40


def left_side(page: Grey) -> None:
    page[:, :4] = 40


def rule(page: Grey) -> None:
    page[105:108] = 40


@pytest.mark.parametrize("printed", [frame, left_side, rule], ids=lambda f: f.__name__)
def test_what_is_printed_is_no_writing(printed: Callable[[Grey], None]) -> None:
    page = np.full((120, 400), 230, np.uint8)
    put(page, "5", 100, 90)
    bare_line, bare_digit = line_of(page), find_digit(find_ink(page))
    printed(page)
    digit = find_digit(find_ink(page))
    assert digit is not None
    assert bare_digit is not None
    assert box_of(line_of(page)) == pytest.approx(box_of(bare_line), abs=1.5)
    assert box_of(digit) == pytest.approx(box_of(bare_digit), abs=1.5)
    # Where nothing else is, it may be all that somebody wrote.
    alone = np.full((120, 400), 230, np.uint8)
    printed(alone)
    assert find_line(find_ink(alone)) is not None
    assert find_digit(find_ink(alone)) is not None


def test_boxes_are_in_pixels_of_the_page_however_large() -> None:
    for times in (1, 5, 20):
        page = np.full((60 * times, 100 * times), 240, np.uint8)
        page[10 * times : 50 * times, 40 * times : 50 * times] = 20
        expected = [side * times for side in (40, 10, 50, 50)]
        assert box_of(line_of(page)) == pytest.approx(expected, abs=times)


def test_blank_paper_has_no_layout() -> None:
    blank = np.zeros((50, 80), np.uint8)
    assert find_line(blank) is None
    assert find_digit(blank) is None


def test_what_is_cut_out_beyond_the_page_is_paper() -> None:
    ink = np.arange(1, 13, dtype=np.uint8).reshape(3, 4)
    found = crop(ink, -1, -2, 6, 5)
    assert (found.shape, found.dtype) == ((7, 7), np.float32)
    assert (found[2:5, 1:5] == ink).all()
    assert found.sum() == ink.sum()
    assert (crop(ink, 1, 1, 3, 2) == [[6, 7]]).all()


def ruled(text: str, size: int, *rules: tuple[int, int]) -> Grey:
    """A number beside upright rules, each from so far left and so wide, edge to edge."""
    page = np.full((200, 240), 230, np.uint8)
    cv2.putText(page, text, (90, 120), cv2.FONT_HERSHEY_SIMPLEX, size / 20, 20, 2, cv2.LINE_AA)
    for left, width in rules:
        page[:, left : left + width] = 30
    return page


@pytest.mark.parametrize("rules", [[(40, 3)], [(40, 14)], [(30, 5), (200, 9)], [(60, 2)]])
def test_upright_rules_of_a_table_are_taken_out_wherever_they_stand(
    rules: list[tuple[int, int]],
) -> None:
    plain, found = line_of(ruled("347", 28)), line_of(ruled("347", 28, *rules))
    assert (found.left, found.right) == (plain.left, plain.right)
    assert (found.top, found.bottom) == (plain.top, plain.bottom)
    assert not crop(found.ink, *(rules[0][0], 0, rules[0][0] + 2, 200)).any()


def test_a_rule_that_is_broken_or_touches_a_digit_is_taken_out_as_well() -> None:
    plain, page = line_of(ruled("347", 28)), ruled("347", 28, (40, 3))
    page[::9] = page[4::9] = 230
    page[5:-5] = np.minimum(page[5:-5], ruled("347", 28)[5:-5])
    found = line_of(page)
    assert (found.left, found.top, found.right) == (plain.left, plain.top, plain.right)
    touching = ruled("347", 28, (128, 4))
    whole, found = line_of(ruled("347", 28)), line_of(touching)
    assert (found.left, found.right, found.bottom) == (whole.left, whole.right, whole.bottom)
    assert not crop(found.ink, 129, 0, 131, 200).any()


@pytest.mark.parametrize("width", [2, 8])
def test_a_rule_may_lean_as_a_table_does_that_was_photographed(width: int) -> None:
    plain, page = line_of(ruled("347", 28)), ruled("347", 28)
    cv2.line(page, (60, 0), (72, 199), 30, width)
    found = line_of(page)
    assert (found.left, found.top) == (plain.left, plain.top)
    assert (found.right, found.bottom) == (plain.right, plain.bottom)


@pytest.mark.parametrize("size", [16, 28, 60])
@pytest.mark.parametrize("count", [1, 2])
def test_the_straight_sides_of_zeros_cut_out_tightly_are_no_rules(size: int, count: int) -> None:
    page = np.full((size, 40 + size * count), 230, np.uint8)
    for number in range(count):
        left = 20 + number * size
        page[:, left : left + 2 * size // 3] = 20
        page[size // 5 : -size // 5, left + size // 5 : left + size // 2] = 230
    found, digit = line_of(page), find_digit(find_ink(page))
    assert digit is not None
    assert (found.ink == find_ink(page)).all()
    assert (digit.ink == find_ink(page)).all()


def test_tall_ones_are_read_beside_raised_small_digits() -> None:
    page = np.full((64, 130), 230, np.uint8)
    page[:, 10:15] = page[:, 30:35] = 20
    for left in (50, 80):
        cv2.ellipse(page, (left + 12, 14), (10, 12), 0, 0, 360, 20, 4)
    assert line_of(page).left == 10


def pen(text: str, lean: int) -> Grey:
    """Strokes of a pen, cut out tightly: 1s from edge to edge, `o` for a 0 of half their height."""
    page, left = np.full((60, 40 * len(text) + 30), 230, np.uint8), 20
    for character in text:
        if character == "1":
            cv2.line(page, (left + lean, 0), (left, 59), 20, 5)
        elif character == ",":
            cv2.line(page, (left + 4, 44), (left, 56), 20, 5)
        elif character == ".":
            cv2.circle(page, (left + 2, 52), 4, 20, -1)
        elif character == "-":
            cv2.line(page, (left, 30), (left + 18, 30), 20, 6)
        else:
            cv2.circle(page, (left + 10, 44), 11, 20, 5)
        left += 30
    return page


@pytest.mark.parametrize("lean", [0, 4, 12, 20])
@pytest.mark.parametrize(
    "text", ["1", "11", "1.", "1,1", "1.1", "11,1", "1,11", "1-1", "1o", "1o1", "11o", "11,11"]
)
def test_ones_from_edge_to_edge_are_no_rules(text: str, lean: int) -> None:
    page = pen(text, lean)
    found = line_of(page)
    assert (found.ink == find_ink(page)).all()
    assert found.left < 20 + lean


@pytest.mark.parametrize(("count", "step", "level"), [(4, 20, True), (4, 45, False), (6, 45, True)])
def test_a_line_of_few_digits_is_not_thought_steep(count: int, step: int, level: bool) -> None:
    page = np.full((120 + step * count, 80 + 60 * count), 230, np.uint8)
    for place in range(count):
        left, top = 40 + 60 * place, 40 + step * place
        page[top : top + 50, left : left + 20] = 20
    assert line_of(page).slope == pytest.approx(step / 60 if level else 0, abs=0.01)
