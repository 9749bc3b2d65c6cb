import io
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import cv2
import matplotlib as mpl
import numpy as np
import pytest

import inkdigit
from inkdigit.errors import ImageError, ModelError, SettingError
from inkdigit.images import Grey, open_grey, turned
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.pages.page import Page, PageNumber, with_columns
from inkdigit.reading.reader import PAGE_MODEL

if TYPE_CHECKING:
    from hand import Hand

mpl.use("agg")
EXAMPLE = open_grey("docs/register.jpg")


@pytest.fixture(scope="module")
def reader() -> inkdigit.Reader:
    return inkdigit.Reader.load()


@pytest.fixture(scope="module")
def page(reader: inkdigit.Reader) -> Page:
    return reader.read_page("docs/register.jpg")


def test_numbers_stand_where_they_were_drawn_and_in_the_order_of_reading(page: Page) -> None:
    texts = [one.text for one in page.numbers]
    assert {"19051", "36", "8"} <= set(texts)
    height, width = EXAMPLE.shape
    for one in page.numbers:
        x, y, across, down = one.box
        assert 0 <= x < x + across <= width + 1
        assert 0 <= y < y + down <= height + 1
        assert EXAMPLE[y : y + down, x : x + across].min() < 160
    assert all((a.row, a.column) <= (b.row, b.column) for a, b in pairwise(page.numbers))


def test_a_table_has_each_number_once_and_keeps_empty_cells(page: Page) -> None:
    cells = [one for row in page.table for one in row]
    assert sum(len(one.text.split()) for one in cells if one) == len(page.numbers)
    assert None in cells
    assert len({len(row) for row in page.table}) == 1
    assert Page(()).table == []


def test_what_is_known_of_a_number_is_plain(page: Page) -> None:
    told = page.numbers[0].to_dict()
    assert {"text", "confidence", "status", "box", "angle", "found", "row"} <= told.keys()
    assert told["confidence"] <= told["found"]


def test_boxes_are_those_of_the_page_as_it_was_opened(reader: inkdigit.Reader, page: Page) -> None:
    side = reader.read_page(turned(EXAMPLE, 90), rotate=270)
    width = EXAMPLE.shape[1]
    upright = [(y, EXAMPLE.shape[0] - x - w, h, w) for x, y, w, h in (n.box for n in side.numbers)]
    assert width > 0
    straight = reader.read_page(EXAMPLE, rotate=0)
    assert len(side.numbers) == len(straight.numbers)
    for box, one in zip(upright, straight.numbers, strict=True):
        np.testing.assert_allclose(box, one.box, atol=2)


def test_a_page_on_its_head_is_turned(reader: inkdigit.Reader) -> None:
    assert reader.read_page(turned(EXAMPLE, 180)).rotate == 180
    rows = reader.number_rows(turned(EXAMPLE, 180), "a.png", ReadOptions())
    assert {row.rotate for row in rows} == {180}
    assert reader.read_page(turned(EXAMPLE, 270)).rotate == 90


def sheet(hand: "Hand", texts: Sequence[str]) -> Grey:
    """A page of numbers in three columns, without a rule or a word."""
    page = np.full((1400, 1000), 240, np.uint8)
    for place, text in enumerate(texts):
        number = cv2.resize(hand.write(text, place), None, fx=0.5, fy=0.5)
        y, x = 60 + 160 * (place // 3), 60 + 300 * (place % 3)
        page[y : y + len(number), x : x + number.shape[1]] = number
    return page


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_digits_that_stand_alone_are_read_as_they_stand(
    reader: inkdigit.Reader, hand: "Hand", degrees: int
) -> None:
    texts = "712345607284937461523074"
    page = reader.read_page(turned(sheet(hand, texts), degrees))
    assert page.rotate == -degrees % 360
    assert (Counter(one.text for one in page.numbers) & Counter(texts)).total() > 17


def test_one_digit_is_a_page(reader: inkdigit.Reader, hand: "Hand") -> None:
    page = reader.read_page(sheet(hand, "7"))
    assert [one.text for one in page.numbers] == ["7"]
    assert page.rotate == 0


def test_what_may_be_upside_down_is_for_review(reader: inkdigit.Reader, hand: "Hand") -> None:
    for degrees in (0, 180):
        page = turned(sheet(hand, ["6", "9", "68", "8", "0", "89"]), degrees)
        numbers = reader.read_page(page).numbers
        assert len(numbers) == 6
        assert {one.text for one in numbers if one.status == "accepted"} <= {"0", "8"}
        assert "upside down" in {one.rule for one in numbers}
        told = reader.read_page(page, rotate=degrees).numbers
        assert "9" in {one.text for one in told if one.status == "accepted"}


def test_only_what_fits_the_pattern_is_in_the_page(reader: inkdigit.Reader) -> None:
    numbers = reader.read_page(EXAMPLE, pattern=r"\d{5}").numbers
    assert "19051" in [one.text for one in numbers]
    assert all(len(one.digits) == 5 for one in numbers)


def test_a_column_has_a_pattern_of_its_own(reader: inkdigit.Reader, page: Page) -> None:
    column = next(one.column for one in page.numbers if one.text == "7")
    asked = reader.read_page(EXAMPLE, pattern_column=rf"{column}=\d\d")
    own = [one for one in asked.numbers if one.column == column]
    odd = {one.box: one for one in own if one.rule == "column"}
    assert odd
    assert {one.status for one in odd.values()} == {"review"}
    assert all(len(one.digits) == 2 for one in own if one.rule not in {"column", "cell"})
    free = {one.box: one.text for one in page.numbers}
    assert all(one.text == free[box] for box, one in odd.items())
    others = {one.box: one.text for one in page.numbers if one.column != column}
    assert others == {one.box: one.text for one in asked.numbers if one.column != column}


def test_a_column_that_does_not_end_with_its_sum_is_for_review() -> None:
    def column(*numbers: int | None) -> list[PageNumber]:
        return [
            PageNumber(
                text=str(number or "?"),
                confidence=0.99,
                number=None if number is None else Decimal(number),
                box=(0, 20 * row, 10, 10),
                row=row,
            )
            for row, number in enumerate(numbers, 1)
        ]

    right, wrong, unknown = column(3, 4, 7), column(3, 4, 8), column(3, None, 7)
    assert with_columns(right, {1}, {1}) == right
    assert with_columns(wrong, set(), set()) == wrong
    for numbers in (wrong, unknown):
        told = with_columns(numbers, {1}, {1})
        assert {one.rule for one in told} == {"total"}
        assert {one.status for one in told} == {"review"}
    for totals in (set[int](), {2}):
        told = with_columns(right, {2}, totals)
        assert {(one.status, one.reason) for one in told} == {
            ("review", "there is no column 2 on this page")
        }


@pytest.mark.parametrize(
    "options",
    [
        {"pattern_column": r"\d"},
        {"pattern_column": r"0=\d"},
        {"pattern_column": ""},
        {"pattern_column": r"3=\d;3=\d\d"},
        {"pattern_column": "3=("},
        {"total_column": "a"},
        {"total_column": ""},
        {"total_column": "9" * 5000},
    ],
)
def test_columns_that_are_none_are_refused(reader: inkdigit.Reader, options: Any) -> None:
    with pytest.raises(SettingError, match="column"):
        reader.read_page(EXAMPLE, **options)


def test_what_is_less_sure_than_asked_is_for_review(reader: inkdigit.Reader, page: Page) -> None:
    strict, lax = (reader.read_page(EXAMPLE, min_confidence=p).numbers for p in (0.995, 0.0))
    assert all(one.confidence >= 0.995 for one in strict if one.status == "accepted")
    sure = [sum(one.status == "accepted" for one in some) for some in (strict, page.numbers, lax)]
    assert sure[0] < sure[1] < sure[2]
    assert all(one.rule != "found" for one in lax)


def test_columns_are_those_of_a_whole_page(reader: inkdigit.Reader) -> None:
    with pytest.raises(SettingError, match="whole page"):
        reader.read(EXAMPLE, total_column="1")


def test_a_page_does_not_hold_exactly_one_digit(reader: inkdigit.Reader) -> None:
    with pytest.raises(SettingError, match="leave out single"):
        reader.read_page(EXAMPLE, single=True)


@pytest.mark.parametrize(
    "picture",
    [
        np.full((300, 200), 255, np.uint8),
        np.zeros((300, 200), np.uint8),
        np.full((1, 1), 128, np.uint8),
        np.full((3, 4000), 200, np.uint8),
        np.full((600, 5), 200, np.uint8),
    ],
)
def test_pages_without_ink_have_no_numbers(reader: inkdigit.Reader, picture: Any) -> None:
    assert reader.read_page(picture).numbers == ()


def test_nothing_in_noise_is_accepted(reader: inkdigit.Reader) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (700, 500), np.uint8)
    assert all(one.status != "accepted" for one in reader.read_page(noise).numbers)


def test_a_page_is_drawn_with_its_boxes(page: Page) -> None:
    axes = page.plot()
    assert len(axes.patches) == len(page.numbers)
    assert "19051" in {text.get_text() for text in axes.texts}


def test_bad_input_is_refused_as_by_read(reader: inkdigit.Reader) -> None:
    with pytest.raises(ImageError, match="is not a picture"):
        reader.read_page(io.BytesIO(b"nothing"))
    with pytest.raises(ModelError, match="finds numbers and reads none"):
        inkdigit.Reader.load(PAGE_MODEL)


def test_a_number_is_a_reading() -> None:
    one = PageNumber(text="7", confidence=0.5, box=(1, 2, 3, 4))
    assert repr(one) == "Reading('7', 0.5000, accepted)"
    assert one.to_dict()["box"] == [1, 2, 3, 4]
