from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from hand import overlap
from PIL import Image

from inkdigit.learning.datasets import Dataset
from inkdigit.reading.preprocessing.digit import extract_digit, normalise
from inkdigit.reading.preprocessing.line import LINE_HEIGHT, MAX_LINE_WIDTH, LineImage, extract_line
from inkdigit.reading.preprocessing.paper import find_ink, light_ink

Grey = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]


def centre_of_mass(digit: Grey) -> npt.NDArray[np.float64]:
    """As pixel numbers, row and column."""
    grid = np.stack(np.mgrid[0:28, 0:28])
    return np.asarray((grid * digit).sum(axis=(1, 2)) / digit.sum(dtype=np.float64))


def extent(digit: Grey, threshold: int = 64) -> tuple[int, int]:
    rows, columns = np.nonzero(digit > threshold)
    return int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1


def test_mnist_has_its_centre_of_mass_on_pixel_14(sample: Dataset) -> None:
    centres = np.array([centre_of_mass(digit) for digit in sample.train.images])
    assert np.abs(centres.mean(axis=0) - 14).max() < 0.02


def pages(digit: Grey, rng: np.random.Generator) -> dict[str, Grey]:
    """One digit as people send it: enlarged, off centre, dark on light, on grey paper."""
    large = np.asarray(Image.fromarray(digit).resize((280, 280), Image.Resampling.BICUBIC))
    moved = np.zeros((600, 500), np.uint8)
    top, left = rng.integers(0, 320), rng.integers(0, 220)
    moved[top : top + 280, left : left + 280] = large
    faint = np.rint(210 - moved * (110 / 255)).astype(np.uint8)
    return {"large": large, "inverted": 255 - large, "moved": moved, "faint": faint}


@pytest.mark.parametrize("paper", [0, 60, 190, 255])
def test_either_polarity_gives_light_ink(paper: int) -> None:
    page = np.full((30, 40), paper, np.uint8)
    for ink in {0, 60, 190, 255} - {paper}:
        page[8:20, 10:14] = ink
        expected = np.zeros((30, 40))
        expected[8:20, 10:14] = 255
        assert (light_ink(page) == expected).all()


def test_mnist_digits_keep_their_polarity_and_their_pixels(sample: Dataset) -> None:
    for digit in sample.test.images[::20]:
        assert np.abs(light_ink(digit).astype(int) - digit).max() <= 256 - int(digit.max())
        assert (light_ink(255 - digit) == light_ink(digit)).all()


def test_digits_come_back_from_a_page_nearly_as_they_were(sample: Dataset) -> None:
    rng = np.random.default_rng(1)
    differences = []
    for digit in sample.test.images[::25]:
        for page in pages(digit, rng).values():
            found = normalise(page)
            assert (found.shape, found.dtype, found.max()) == ((28, 28), np.uint8, 255)
            assert np.abs(centre_of_mass(found) - 14).max() <= 0.51
            differences.append(np.abs(found.astype(float) - digit).mean())
    # A shift by one pixel alone makes 17.
    assert np.mean(differences) < 7.5


def apart(digit: Grey, other: Grey) -> float:
    """The mean difference of two digits, put on top of each other as well as whole pixels allow."""
    moved = [np.roll(other, (y, x), (0, 1)).astype(int) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return min(float(np.abs(digit - shifted).mean()) for shifted in moved)


def test_the_same_digit_is_read_the_same_however_it_is_put(sample: Dataset) -> None:
    rng = np.random.default_rng(2)
    differences = []
    for digit in sample.test.images[::50]:
        found = {name: normalise(page) for name, page in pages(digit, rng).items()}
        assert (found["large"] == found["inverted"]).all()
        # The larger page is searched at a smaller scale, and the ink may fill the box otherwise.
        differences.append(apart(found["large"], found["moved"]))
        assert apart(found["moved"], found["faint"]) < 2.5
    assert np.median(differences) < 2
    assert max(differences) < 10


def test_normalising_again_changes_little(sample: Dataset) -> None:
    for digit in sample.test.images[::50]:
        once = normalise(digit)
        assert np.abs(normalise(once).astype(float) - once).mean() < 4


@pytest.mark.parametrize(
    ("side", "height", "width"),
    [(1200, 100, 40), (1200, 40, 100), (1200, 1000, 300), (200, 9, 30), (28, 20, 9)],
)
def test_the_ink_fills_the_box_and_keeps_its_proportions(
    side: int, height: int, width: int
) -> None:
    page = np.zeros((side, side), np.uint8)
    page[side // 20 :, side // 15 :][:height, :width] = 255
    scale = 20 / max(height, width)
    assert extent(normalise(page)) == (round(height * scale), round(width * scale))


@pytest.mark.parametrize("shape", [(1, 1), (1, 28), (28, 28), (3, 2000), (2000, 3)])
@pytest.mark.parametrize("paper", [0, 128, 255])
def test_blank_paper_gives_zeros(shape: tuple[int, int], paper: int) -> None:
    page = np.full(shape, paper, np.uint8)
    assert not normalise(page).any()
    assert not light_ink(page).any()
    grain = np.random.default_rng(0).integers(-4, 5, shape)
    assert not normalise((page + grain).clip(0, 255).astype(np.uint8)).any()


@pytest.mark.parametrize("shape", [(3, 2000), (2000, 3), (3, 3), (1, 500), (500, 1)])
def test_pages_of_odd_shape(shape: tuple[int, int]) -> None:
    page = np.zeros(shape, np.uint8)
    page[shape[0] // 2, shape[1] // 2] = 200
    page[: shape[0] // 2, : shape[1] // 3] = 200
    found = normalise(page)
    assert (found.shape, found.dtype) == ((28, 28), np.uint8)
    line = extract_line(page)
    assert line is None or line.pixels.shape[0] == LINE_HEIGHT


@pytest.mark.parametrize("polarity", [0, 255])
def test_dust_is_no_writing(polarity: int) -> None:
    page = np.zeros((3000, 3000), np.uint8)
    page[40:42, 50:52] = page[2900, 2800] = page[10:14, 2000:2004] = 255
    assert extract_line(page ^ polarity) is None
    assert not normalise(page ^ polarity).any()
    speck = np.zeros((40, 40), np.uint8)
    speck[20, 20] = 255
    assert extract_line(speck) is None


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


def test_a_thin_stroke_on_a_large_page_keeps_its_ink() -> None:
    page = np.full((2000, 2000), 255, np.uint8)
    page[200:1800, 1000:1003] = 0
    found = normalise(page)
    assert found.max() == 255
    assert extent(found) == (20, 1)
    line = extract_line(page)
    assert line is not None
    assert line.pixels.max() == 255


def test_any_page_gives_a_picture() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        page = rng.integers(0, 256, rng.integers(1, 60, 2), np.uint8)
        page[rng.random(page.shape) < rng.random()] = rng.integers(256)
        found = normalise(page)
        assert (found.shape, found.dtype) == ((28, 28), np.uint8)
        assert found.max() in {0, 255}


def test_the_page_is_left_as_it_was() -> None:
    page = np.full((50, 50), 255, np.uint8)
    page[10:40, 20:25] = 30
    before = page.copy()
    normalise(page)
    light_ink(page)
    assert (page == before).all()


def written(sample: Dataset, count: int, height: int = 28, first: int = 0) -> Grey:
    """Digits of the sample side by side, ink 255."""
    line = np.hstack(list(sample.test.images[first : first + count]))
    size = round(line.shape[1] * height / line.shape[0]), height
    return np.asarray(Image.fromarray(line).resize(size, Image.Resampling.BICUBIC))


def paper(shape: tuple[int, int], line: Grey, place: tuple[int, int], white: int = 230) -> Grey:
    """Light paper with dark writing, its corner at `place` (x, y)."""
    page = np.full(shape, white, float)
    (x, y), (height, width) = place, line.shape
    page[y : y + height, x : x + width] -= line * 0.75
    return page.clip(0, 255).astype(np.uint8)


def ink_box(line: Grey, place: tuple[int, int]) -> Box:
    rows, columns = np.nonzero(line > 100)
    x, y = int(columns.min()) + place[0], int(rows.min()) + place[1]
    return x, y, int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


def covers(found: LineImage, true: Box) -> bool:
    """Whether a strip shows a box, with no more than its margin around."""
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


def test_either_polarity_gives_the_same_strip(sample: Dataset) -> None:
    page = paper((120, 400), written(sample, 5, 56), (70, 34))
    dark, light = extract_line(page), extract_line(255 - page)
    assert dark is not None
    assert light is not None
    assert (dark.pixels == light.pixels).all()
    assert dark.area == light.area


@pytest.mark.parametrize("height", [12, 28, 56, 300, 900])
def test_a_place_in_a_strip_is_a_place_in_the_picture(height: int) -> None:
    """A dot of its own shape, put anywhere, is where its strip says it is."""
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
        # As exact as the pixels of a strip are large.
        assert np.abs(np.subtract(box, true)).max() <= height / 14 + 1


@pytest.mark.parametrize("width", [2, 30_000])
def test_a_place_is_right_where_a_strip_is_as_narrow_or_as_wide_as_strips_go(width: int) -> None:
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
    assert extract_digit(page) is None
    grained = (page + np.random.default_rng(0).integers(-4, 5, shape)).clip(0, 255)
    assert extract_line(grained.astype(np.uint8)) is None


@pytest.mark.parametrize("darkest", [0.75, 0.9])
def test_a_shadow_is_no_writing(darkest: float) -> None:
    page = np.tile(240 * np.linspace(darkest, 1, 400), (200, 1))
    assert extract_line(page.astype(np.uint8)) is None
    assert extract_line(page.astype(np.uint8).T.copy()) is None


@pytest.mark.parametrize("shape", [(20, 30_000), (30_000, 20), (1, 60_000), (1500, 1500)])
def test_pictures_of_any_size_have_a_strip(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(6)
    page = np.full(shape, 250, np.uint8)
    for _ in range(200):
        y, x = rng.integers(0, shape[0]), rng.integers(0, shape[1])
        page[y : y + 12, x : x + shape[1] // 300 + 5] = 0
    found = extract_line(page)
    assert found is not None
    assert found.pixels.shape[0] == LINE_HEIGHT
    assert found.pixels.shape[1] <= MAX_LINE_WIDTH
    assert len(page) > 20_000 or normalise(page).shape == (28, 28)


def test_a_long_line_stays_whole(sample: Dataset) -> None:
    line = written(sample, 140)
    found = extract_line(paper((60, 4000), line, (20, 15)))
    assert found is not None
    x, y, width, height = ink_box(line, (20, 15))
    left, top, across, down = found.area
    assert left <= x <= x + width <= left + across
    assert top <= y <= y + height <= top + down <= 60


def test_any_small_page_gives_a_strip_or_none() -> None:
    rng = np.random.default_rng(7)
    for _ in range(200):
        page = rng.integers(0, 256, rng.integers(1, 60, 2), np.uint8)
        page[rng.random(page.shape) < rng.random()] = rng.integers(256)
        found = extract_line(page)
        if found is not None:
            height, width = found.pixels.shape
            assert height == LINE_HEIGHT
            assert LINE_HEIGHT // 2 <= width <= MAX_LINE_WIDTH


@pytest.mark.parametrize("polarity", [0, 255])
def test_the_box_of_a_digit_is_where_its_ink_is(sample: Dataset, polarity: int) -> None:
    for i in range(0, 1000, 50):
        digit = written(sample, 1, 60, i)
        place = 20 + i % 70, 30 + i % 40
        found = extract_digit(paper((140, 160), digit, place) ^ polarity)
        assert found is not None
        assert overlap(found.box, ink_box(digit, place)) > 0.75


@pytest.mark.parametrize("side", [40, 80, 200])
def test_the_frame_of_a_cell_is_not_read(sample: Dataset, side: int) -> None:
    differences = []
    for i in range(0, 1000, 100):
        digit = written(sample, 1, side // 2, i)
        place = side // 4, side // 4
        bare = paper((side, side), digit, place)
        cell = bare.copy()
        thick = max(1, side // 30)
        cell[:thick] = cell[-thick:] = cell[:, :thick] = cell[:, -thick:] = 40
        alone, framed = extract_digit(bare), extract_digit(cell)
        assert alone is not None
        assert framed is not None
        assert overlap(framed.box, alone.box) > 0.85
        differences.append(apart(framed.pixels, alone.pixels))
    assert np.median(differences) < 1


def test_the_bar_of_a_5_that_stands_apart_stays() -> None:
    page = np.full((120, 100), 240, np.uint8)
    page[22:28, 46:72] = 20  # the bar
    page[22:60, 30:36] = 20
    page[54:60, 30:66] = 20
    page[54:98, 62:68] = 20
    page[92:98, 28:68] = 20
    found = extract_digit(page)
    assert found is not None
    assert overlap(found.box, (28, 22, 44, 76)) > 0.9
    far = page.copy()
    far[22:28, 36:46] = 240
    assert np.array_equal(page, far)  # the bar touches nothing
    without = page.copy()
    without[22:28, 46:72] = 240
    assert np.abs(found.pixels.astype(int) - normalise(without)).mean() > 3


def test_what_stands_beside_the_only_digit() -> None:
    page = np.full((120, 160), 240, np.uint8)
    _written(page, "5", 70, 90)
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
    _written(page, "3", 46 + gap, 90)
    assert beside(page) == "character"


@pytest.mark.parametrize("turns", range(4))
def test_a_line_along_the_edge_may_be_the_side_of_a_frame(turns: int) -> None:
    page = np.full((128, 128), 230, np.uint8)
    page[82:114, 126:] = 60
    assert beside(np.rot90(page, turns).copy()) == "edge"
    # The same line away from the edge is a 1, and so is one that a picture is cut close around.
    page = np.full((128, 128), 230, np.uint8)
    page[82:114, 100:102] = 60
    assert beside(np.rot90(page, turns).copy()) == ""
    assert beside(np.rot90(page[80:116, 96:103], turns).copy()) == ""


def beside(page: np.ndarray) -> str:
    found = extract_digit(page)
    assert found is not None
    return found.beside


def test_ink_is_how_far_a_pixel_stands_out() -> None:
    page = np.full((40, 60), 200, np.uint8)
    page[10:30, 20:24] = 50
    page[10:30, 40:44] = 125
    for shown in (page, 255 - page):
        ink = find_ink(shown)
        assert (ink.shape, ink.dtype) == (page.shape, np.uint8)
        assert np.abs(ink[10:30, 20:24].astype(int) - 150).max() <= 1
        assert np.abs(ink[10:30, 40:44].astype(int) - 75).max() <= 1
        assert ink[page == 200].max() <= 1


def test_ink_stands_out_from_the_paper_around_it() -> None:
    page = np.tile(np.linspace(90, 250, 300), (100, 1))
    page[40:60, 50:55] -= 60
    page[40:60, 250:255] -= 60
    ink = find_ink(page.astype(np.uint8))
    assert np.abs(ink[45:55, [52, 252]].astype(int) - 60).max() < 12
    assert np.median(ink) < 5


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (7, 1), (2, 2), (1, 30_000), (30_000, 1)])
def test_ink_of_the_smallest_pages(shape: tuple[int, int]) -> None:
    page = np.full(shape, 200, np.uint8)
    assert not find_ink(page).any()
    page.flat[0] = 0
    assert find_ink(page).shape == shape


def _written(page: np.ndarray, text: str, x: int, y: int) -> None:
    cv2.putText(page, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 1.6, 20, 4, cv2.LINE_AA)


def test_of_several_lines_the_one_with_most_writing_is_read() -> None:
    page = np.full((200, 300), 230, np.uint8)
    _written(page, "12", 20, 70)
    _written(page, "34567", 20, 160)
    found = extract_line(page)
    assert found is not None
    assert found.several_lines
    left, top, width, height = found.area
    assert top > 70
    assert top + height > 155
    assert left + width > 150


@pytest.mark.parametrize(("size", "alone"), [(0.0, True), (0.3, False), (0.5, False)])
def test_small_print_below_the_line_is_another_line(size: float, alone: bool) -> None:
    page = np.full((200, 300), 230, np.uint8)
    _written(page, "34567", 20, 90)
    if size:
        cv2.putText(page, "8901234", (20, 150), cv2.FONT_HERSHEY_SIMPLEX, size, 20, 1, cv2.LINE_AA)
    found = extract_line(page)
    assert found is not None
    assert found.several_lines == (not alone)


def test_a_line_that_the_edge_cuts_off_is_left_out_without_a_word() -> None:
    page = np.full((140, 300), 230, np.uint8)
    _written(page, "789", 20, 20)
    _written(page, "34567", 20, 110)
    found = extract_line(page)
    assert found is not None
    assert not found.several_lines
    assert found.area[1] > 20


def test_a_digit_in_two_pieces_is_one_line() -> None:
    page = np.full((120, 90), 230, np.uint8)
    _written(page, "8", 25, 90)
    page[66:71] = 230
    found = extract_line(page)
    assert found is not None
    assert not found.several_lines
    assert found.area[3] > 40


@pytest.mark.parametrize(("gap", "together"), [(20, True), (60, False), (200, False)])
def test_writing_far_apart_is_told(gap: int, together: bool) -> None:
    page = np.full((120, 500), 230, np.uint8)
    _written(page, "12", 20, 90)
    _written(page, "34", 80 + gap, 90)
    found = extract_line(page)
    assert found is not None
    assert found.far_apart == (not together)
    assert not found.several_lines


def test_digits_in_boxes_of_their_own_are_one_number() -> None:
    page = np.full((120, 500), 230, np.uint8)
    for place, digit in enumerate("12345"):
        _written(page, digit, 20 + 90 * place, 90)
    found = extract_line(page)
    assert found is not None
    assert not found.far_apart


def test_a_small_number_of_two_digits_below_is_another_line() -> None:
    page = np.full((200, 300), 230, np.uint8)
    _written(page, "34567", 20, 90)
    cv2.putText(page, "81", (60, 150), cv2.FONT_HERSHEY_SIMPLEX, 0.7, 20, 2, cv2.LINE_AA)
    found = extract_line(page)
    assert found is not None
    assert found.several_lines


def test_a_long_flat_picture_is_not_blank() -> None:
    page = np.full((20, 30_000), 255, np.uint8)
    page[5:15, ::37] = 0
    assert extract_line(page) is not None
