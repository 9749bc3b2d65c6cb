import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest
from hand import overlap
from PIL import Image
from writing import Box, Grey, ink_box, paper, written

from inkdigit.learning.datasets import Dataset
from inkdigit.reading.preprocessing.line import LINE_HEIGHT, MAX_LINE_WIDTH, LineImage, extract_line


def covers(found: LineImage, true: Box) -> bool:
    """Whether a line image shows a box, with no more than its margin around."""
    x, y, width, height = found.area
    beyond = true[0] - x, true[1] - y, x + width - true[0] - true[2], y + height - true[1] - true[3]
    return all(-2 <= side <= 0.25 * true[3] + 4 for side in beyond)


def frame(page: Grey) -> None:
    page[:4] = page[-4:] = page[:, :4] = page[:, -4:] = 40


def rule(page: Grey) -> None:
    page[105:108] = 60


def two_rules(page: Grey) -> None:
    page[8:11] = page[110:113] = 30


def shadow(page: Grey) -> None:
    page[:] = np.rint(page * np.linspace(0.35, 1, page.shape[1]))


def specks(page: Grey) -> None:
    rng = np.random.default_rng(4)
    page[rng.integers(0, page.shape[0], 25), rng.integers(0, page.shape[1], 25)] = 0


def grain(page: Grey) -> None:
    page[:] = (page + np.random.default_rng(5).normal(0, 8, page.shape)).clip(0, 255)


@pytest.mark.parametrize("polarity", [0, 255])
@pytest.mark.parametrize(
    "spoilt", [None, frame, rule, two_rules, shadow, specks, grain], ids=lambda f: f and f.__name__
)
def test_a_line_is_found(sample: Dataset, spoilt: Callable[[Grey], None], polarity: int) -> None:
    for first in (0, 50, 100, 150):
        line = written(sample, 5, 56, first)
        page = paper((120, 400), line, (70, 34))
        if spoilt:
            spoilt(page)
        found = extract_line(page ^ polarity)
        assert found is not None
        assert (found.pixels.shape[0], found.pixels.dtype) == (LINE_HEIGHT, np.uint8)
        assert found.pixels.max() == 255
        assert covers(found, ink_box(line, (70, 34)))
        # The paper around the writing is gone, with all that was on it.
        assert (found.pixels[0] > 60).mean() < 0.05


def test_either_polarity_gives_the_same_line_image(sample: Dataset) -> None:
    page = paper((120, 400), written(sample, 5, 56), (70, 34))
    dark, light = extract_line(page), extract_line(255 - page)
    assert dark is not None
    assert light is not None
    assert (dark.pixels == light.pixels).all()
    assert dark.area == light.area


@pytest.mark.parametrize("height", [35, 45, 75, 200])
def test_small_writing_on_a_large_page_is_found(sample: Dataset, height: int) -> None:
    """It is never taken for blank paper, which would be accepted."""
    line = written(sample, 4, height)
    page = paper((1500, 1200), line, (350, 450))
    noise = np.random.default_rng(0).normal(0, 3, page.shape)
    for shown in (page, 255 - page, (page + noise).clip(0, 255).astype(np.uint8)):
        found = extract_line(shown)
        assert found is not None
        assert overlap(found.area, ink_box(line, (350, 450))) > 0.5


@pytest.mark.parametrize("height", [12, 28, 56, 300, 900])
def test_a_place_in_a_line_image_is_a_place_in_the_picture(height: int) -> None:
    """A dot of its own shape, put anywhere, is where its line image says it is."""
    width = height * 4
    page = np.full((height * 2, width * 2), 240, np.uint8)
    top, left = height // 2, width // 3
    page[top : top + height, left : left + height // 5] = 20
    page[top + height // 4 : top + height, left + width : left + width + height // 3] = 20
    found = extract_line(page)
    assert found is not None
    columns = np.flatnonzero((found.pixels > 128).any(axis=0))
    gap = columns[np.flatnonzero(np.diff(columns) > 5)[0]]
    ink = found.pixels > 128
    for part, true in (
        (slice(0, gap + 1), (left, top, height // 5, height)),
        (
            slice(gap + 1, None),
            (left + width, top + height // 4, height // 3, height - height // 4),
        ),
    ):
        rows, across = np.nonzero(ink[:, part])
        x, y = int(across.min()) + (part.start or 0), int(rows.min())
        box = found.to_picture(x, y, int(np.ptp(across)) + 1, int(np.ptp(rows)) + 1)
        # As exact as the pixels of a line image are large.
        assert np.abs(np.subtract(box, true)).max() <= height / 14 + 1


@pytest.mark.parametrize("width", [2, 30_000])
def test_a_place_is_right_where_a_line_image_is_as_narrow_or_as_wide_as_they_go(width: int) -> None:
    page = np.full((60, width + 40), 255, np.uint8)
    page[10:50, 20 : 20 + width] = 0
    page[25:35, 24 : 16 + width] = 255
    found = extract_line(page)
    assert found is not None
    assert found.pixels.shape[1] in {LINE_HEIGHT // 2, MAX_LINE_WIDTH}
    columns = np.flatnonzero((found.pixels > 128).any(axis=0))
    x, _, across, _ = found.to_picture(int(columns[0]), 0, int(np.ptp(columns)) + 1, 32)
    assert abs(x - 20) <= max(2, width / 400)
    assert abs(across - width) <= max(3, width / 200)


def test_boxes_stay_within_the_picture(sample: Dataset) -> None:
    page = paper((30, 118), written(sample, 4), (2, 1))
    found = extract_line(page)
    assert found is not None
    height, width = page.shape
    shown = found.pixels.shape
    for place in [(0, 0, shown[1], shown[0]), (0, 0, 1, 1), (shown[1] - 1, shown[0] - 1, 1, 1)]:
        x, y, across, down = found.to_picture(*place)
        assert 0 <= x < x + across <= width
        assert 0 <= y < y + down <= height


@pytest.mark.parametrize("shape", [(1, 1), (1, 28), (28, 28), (20, 30_000), (30_000, 20)])
@pytest.mark.parametrize("white", [0, 128, 255])
def test_blank_paper_has_no_line(shape: tuple[int, int], white: int) -> None:
    page = np.full(shape, white, np.uint8)
    assert extract_line(page) is None
    grained = (page + np.random.default_rng(0).integers(-4, 5, shape)).clip(0, 255)
    assert extract_line(grained.astype(np.uint8)) is None


@pytest.mark.parametrize("darkest", [0.75, 0.9])
def test_a_shadow_is_no_writing(darkest: float) -> None:
    page = np.tile(240 * np.linspace(darkest, 1, 400), (200, 1))
    assert extract_line(page.astype(np.uint8)) is None
    assert extract_line(page.astype(np.uint8).T.copy()) is None


@pytest.mark.parametrize("polarity", [0, 255])
def test_dust_is_no_writing(polarity: int) -> None:
    page = np.zeros((3000, 3000), np.uint8)
    page[40:42, 50:52] = page[2900, 2800] = page[10:14, 2000:2004] = 255
    assert extract_line(page ^ polarity) is None
    speck = np.zeros((40, 40), np.uint8)
    speck[20, 20] = 255
    assert extract_line(speck) is None


def test_a_thin_stroke_on_a_large_page_keeps_its_ink() -> None:
    page = np.full((2000, 2000), 255, np.uint8)
    page[200:1800, 1000:1003] = 0
    line = extract_line(page)
    assert line is not None
    assert line.pixels.max() == 255


@pytest.mark.parametrize("shape", [(3, 2000), (2000, 3), (3, 3), (1, 500), (500, 1)])
def test_pages_of_odd_shape(shape: tuple[int, int]) -> None:
    page = np.zeros(shape, np.uint8)
    page[shape[0] // 2, shape[1] // 2] = 200
    page[: shape[0] // 2, : shape[1] // 3] = 200
    line = extract_line(page)
    assert line is None or line.pixels.shape[0] == LINE_HEIGHT


@pytest.mark.parametrize("shape", [(20, 30_000), (30_000, 20), (5, 60_000), (1500, 1500)])
def test_pictures_of_any_size_have_a_line_image(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(6)
    page = np.full(shape, 250, np.uint8)
    for _ in range(200):
        y, x = rng.integers(0, shape[0]), rng.integers(0, shape[1])
        page[y : y + 12, x : x + shape[1] // 300 + 5] = 0
    found = extract_line(page)
    assert found is not None
    assert found.pixels.shape[0] == LINE_HEIGHT
    assert found.pixels.shape[1] <= MAX_LINE_WIDTH


def test_a_long_line_stays_whole(sample: Dataset) -> None:
    line = written(sample, 140)
    found = extract_line(paper((60, 4000), line, (20, 15)))
    assert found is not None
    x, y, width, height = ink_box(line, (20, 15))
    left, top, across, down = found.area
    assert left <= x <= x + width <= left + across
    assert top <= y <= y + height <= top + down <= 60


def test_a_long_flat_picture_is_not_blank() -> None:
    page = np.full((20, 30_000), 255, np.uint8)
    page[5:15, ::37] = 0
    assert extract_line(page) is not None


def test_any_small_page_gives_a_line_image_or_none() -> None:
    rng = np.random.default_rng(7)
    for _ in range(200):
        page = rng.integers(0, 256, rng.integers(1, 60, 2), np.uint8)
        page[rng.random(page.shape) < rng.random()] = rng.integers(256)
        found = extract_line(page)
        if found is not None:
            height, width = found.pixels.shape
            assert height == LINE_HEIGHT
            assert LINE_HEIGHT // 2 <= width <= MAX_LINE_WIDTH


def strokes(*boxes: Box, width: int = 96) -> LineImage:
    """A line image of a picture of its own size, with strokes of these boxes."""
    pixels = np.zeros((LINE_HEIGHT, width), np.uint8)
    for left, top, across, down in boxes:
        pixels[top : top + down, left : left + across] = 255
    return LineImage(pixels, (0, 0, width, LINE_HEIGHT), pixels.shape)


def test_pieces_are_those_of_some_size_from_left_to_right() -> None:
    line = strokes((50, 4, 4, 24), (20, 20, 3, 3), (10, 4, 4, 24), (70, 10, 1, 3))
    assert line.pieces == [[10, 4, 4, 24], [20, 20, 3, 3], [50, 4, 4, 24]]
    assert line.strokes.sum() == 4 * 24 * 2 + 9 + 3


def test_ink_between_columns() -> None:
    line = strokes((10, 4, 4, 24))
    line.pixels[3, 40] = 32
    line.pixels[3, 60] = 31
    places = [(10, 14), (0, 11), (-5, 11), (13, 13), (14, 40), (39, 42), (42, 96), (90, 200)]
    found = [line.has_ink(*place) for place in places]
    assert found == [True, True, True, False, False, True, False, False]


def test_tall_groups_are_what_may_be_digits() -> None:
    digit, mark = (10, 4, 4, 24), (20, 24, 3, 4)
    assert strokes(digit, mark).tall_groups([digit], []) == 1
    # What stands above each other is one, what is too low is none, and what is a mark is none.
    assert strokes(digit, (40, 2, 6, 12), (42, 16, 6, 12)).tall_groups([digit], []) == 2
    assert strokes(digit, (40, 4, 4, 10)).tall_groups([digit], []) == 1
    assert strokes(digit, (40, 4, 4, 11)).tall_groups([digit], []) == 2
    assert strokes(digit, (40, 4, 4, 24)).tall_groups([digit], [(40, 4, 4, 24)]) == 1


def test_tall_groups_go_by_the_pixels_of_the_picture() -> None:
    line = strokes((10, 4, 4, 24), (40, 4, 4, 24))
    larger = LineImage(line.pixels, (50, 70, 960, 320), (500, 1200))
    box = larger.to_picture(10, 4, 4, 24)
    assert box == (150, 110, 40, 240)
    assert larger.tall_groups([box], []) == 2
    assert larger.tall_groups([box], [larger.to_picture(40, 4, 4, 24)]) == 1


@pytest.mark.parametrize(
    ("first", "ahead"),
    [
        ((4, 22, 4, 4), True),
        ((4, 22, 8, 8), True),
        ((4, 22, 9, 4), False),
        ((4, 10, 4, 4), False),
        ((18, 22, 4, 4), False),
        ((30, 22, 4, 4), False),
    ],
    ids=["a dot", "a large dot", "too wide", "too high", "under a digit", "behind a digit"],
)
def test_a_dot_ahead(first: Box, ahead: bool) -> None:
    assert strokes(first, (20, 2, 8, 18), (50, 4, 4, 24)).dot_ahead() == ahead
    assert not strokes(first).dot_ahead()


@pytest.mark.parametrize("shape", [(30_000, 20), (16_000, 400)])
def test_tall_writing_takes_no_more_memory_than_its_picture_would_suggest(
    shape: tuple[int, int],
) -> None:
    page = np.full(shape, 255, np.uint8)
    page[shape[0] // 10 : -shape[0] // 10, 6:14] = 0
    tracemalloc.start()
    found = extract_line(page)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found is not None
    assert peak < 10 * page.size + 20e6
    _, top, _, height = found.area
    assert top <= shape[0] // 10 < top + height // 4
    assert found.pixels.max() > 250
    columns = np.flatnonzero((found.pixels > 60).any(axis=0))
    assert found.to_picture(int(columns[0]), 0, 1, 1)[0] <= 14


def test_tall_writing_looks_like_the_same_writing_made_smaller(sample: Dataset) -> None:
    page = paper((330, 300), written(sample, 1, 300), (0, 15))
    large = np.asarray(Image.fromarray(page).resize((300 * 24, 330 * 24), Image.Resampling.BOX))
    small_line, large_line = extract_line(page), extract_line(large)
    assert small_line is not None
    assert large_line is not None
    assert large_line.area[3] > 4096
    assert np.subtract(large_line.area, [24 * side for side in small_line.area]) == pytest.approx(
        np.zeros(4), abs=96
    )
    width = min(small_line.pixels.shape[1], large_line.pixels.shape[1])
    apart = np.abs(small_line.pixels[:, :width] - large_line.pixels[:, :width].astype(float))
    assert apart.mean() < 8


def in_a_row(heights: list[int], page: tuple[int, int], sink: float = 0.0) -> Grey:
    """Digits as bars of these heights side by side, hanging from one line that may sink."""
    grey = np.full(page, 240, np.uint8)
    for number, height in enumerate(heights):
        left = 40 + 45 * number
        top = 60 + round(sink * left)
        grey[top : top + height, left : left + 18] = 20
    return grey


def test_a_tail_or_a_rule_does_not_make_the_digits_small() -> None:
    level = extract_line(in_a_row([50] * 5, (200, 300)))
    tailed = extract_line(in_a_row([50, 50, 120, 50, 50], (200, 300)))
    assert level is not None
    assert tailed is not None
    assert level.area[3] <= tailed.area[3] <= 1.3 * level.area[3]


def test_a_digit_a_little_longer_is_not_cut() -> None:
    found = extract_line(in_a_row([50, 50, 58, 50, 50], (200, 300)))
    assert found is not None
    top, height = found.area[1], found.area[3]
    assert top < 60
    assert top + height > 118


def test_a_mark_or_a_speck_below_does_not_let_three_digits_climb() -> None:
    page = in_a_row([50] * 3, (260, 300))
    level = extract_line(page)
    page[160:190, 2:8] = 20
    found = extract_line(page)
    assert level is not None
    assert found is not None
    assert found.slope == 0
    assert found.area[3] <= 1.3 * level.area[3]


@pytest.mark.parametrize("sink", [-0.15, 0.15, 0.3])
def test_a_line_that_climbs_lies_level_and_its_boxes_are_where_the_digits_are(sink: float) -> None:
    page = in_a_row([50] * 7, (260, 380), sink) if sink > 0 else None
    page = in_a_row([50] * 7, (260, 380), -sink)[:, ::-1] if page is None else page
    found = extract_line(np.ascontiguousarray(page))
    assert found is not None
    assert found.area[3] < 75
    assert len(found.pieces) == 7
    columns = np.flatnonzero((page < 128).any(axis=0))
    lefts = columns[np.flatnonzero(np.diff(columns, prepend=-9) > 1)]
    for piece, left in zip(found.pieces, lefts.tolist(), strict=True):
        rows = np.flatnonzero(page[:, left + 9] < 128)
        true = (left, int(rows[0]), 18, 50)
        assert np.abs(np.subtract(found.to_picture(*piece), true)).max() <= 6
