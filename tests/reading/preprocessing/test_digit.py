import numpy as np
import pytest
from hand import overlap
from PIL import Image
from writing import Grey, apart, centre_of_mass, extent, ink_box, paper, written

from inkdigit.learning.datasets import Dataset
from inkdigit.reading.preprocessing.digit import (
    SIZE,
    extract_digit,
    extract_digit_both_ways,
    light_ink,
    normalise,
)


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
    assert extract_digit(page) is None
    assert extract_digit_both_ways(page) == []
    assert not light_ink(page).any()
    grain = np.random.default_rng(0).integers(-4, 5, shape)
    assert not normalise((page + grain).clip(0, 255).astype(np.uint8)).any()


def test_any_page_gives_a_picture() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        page = rng.integers(0, 256, rng.integers(1, 60, 2), np.uint8)
        page[rng.random(page.shape) < rng.random()] = rng.integers(256)
        found = normalise(page)
        assert (found.shape, found.dtype) == ((28, 28), np.uint8)
        assert found.max() in {0, 255}


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


def beside(page: Grey) -> str:
    found = extract_digit(page)
    assert found is not None
    return found.beside


def test_a_thin_stroke_on_a_large_page_keeps_its_ink() -> None:
    page = np.full((2000, 2000), 255, np.uint8)
    page[200:1800, 1000:1003] = 0
    found = normalise(page)
    assert found.max() == 255
    assert extent(found) == (20, 1)


@pytest.mark.parametrize("shape", [(3, 2000), (2000, 3), (3, 3), (1, 500), (500, 1), (1, 60_000)])
def test_pages_of_odd_shape(shape: tuple[int, int]) -> None:
    page = np.zeros(shape, np.uint8)
    page[shape[0] // 2, shape[1] // 2] = 200
    page[: shape[0] // 2, : shape[1] // 3] = 200
    found = normalise(page)
    assert (found.shape, found.dtype) == ((SIZE, SIZE), np.uint8)


@pytest.mark.parametrize("polarity", [0, 255])
def test_dust_is_no_digit(polarity: int) -> None:
    page = np.zeros((3000, 3000), np.uint8)
    page[40:42, 50:52] = page[2900, 2800] = page[10:14, 2000:2004] = 255
    assert not normalise(page ^ polarity).any()


def test_the_page_is_left_as_it_was() -> None:
    page = np.full((50, 50), 255, np.uint8)
    page[10:40, 20:25] = 30
    before = page.copy()
    normalise(page)
    extract_digit_both_ways(page)
    light_ink(page)
    assert (page == before).all()


def test_where_ink_and_paper_are_alike_both_ways_are_seen() -> None:
    page = np.full((40, 40), 255, np.uint8)
    page[4:36, 4:24] = 0
    dark, light = extract_digit_both_ways(page)
    assert dark.box == (4, 4, 20, 32)
    # The other way round it is the paper, to the edges of the picture.
    assert light.box[2:] == (40, 40)
    page[4:36, 10:24] = 255
    (only,) = extract_digit_both_ways(page)
    assert only.box == (4, 4, 6, 32)


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


def cut_out(digit: Grey, margin: int, frame: int = 0) -> Grey:
    """A digit four times as large, cut to the box of its ink."""
    large = np.asarray(Image.fromarray(digit).resize((112, 112), Image.Resampling.BICUBIC))
    rows, columns = np.nonzero(large > 40)
    piece = large[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    return np.pad(np.pad(piece, margin), frame, constant_values=255)


@pytest.mark.parametrize(("margin", "frame"), [(0, 0), (1, 0), (2, 0), (12, 3)])
def test_the_ink_of_digits_that_are_cut_out_close_is_told_from_their_paper(
    margin: int, frame: int, sample: Dataset
) -> None:
    for digit in sample.test.images[::10]:
        page = cut_out(digit, margin, frame)
        for shown in (page, 255 - page):
            # The other way round they would go against each other.
            assert np.corrcoef(light_ink(shown).ravel(), page.ravel())[0, 1] > 0.3
