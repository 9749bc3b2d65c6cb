import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from inkdigit.learning.datasets import Dataset
from inkdigit.reading.ink import light_ink, normalise

Grey = npt.NDArray[np.uint8]


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


def test_the_same_digit_is_read_the_same_however_it_is_put(sample: Dataset) -> None:
    rng = np.random.default_rng(2)
    for digit in sample.test.images[::50]:
        found = {name: normalise(page) for name, page in pages(digit, rng).items()}
        assert (found["large"] == found["inverted"]).all()
        assert np.abs(found["large"].astype(int) - found["moved"]).max() <= 1
        assert np.abs(found["large"].astype(int) - found["faint"]).mean() < 2


def test_normalising_again_changes_little(sample: Dataset) -> None:
    for digit in sample.test.images[::50]:
        once = normalise(digit)
        assert np.abs(normalise(once).astype(float) - once).mean() < 4


@pytest.mark.parametrize(("height", "width"), [(100, 40), (40, 100), (1000, 300), (9, 30)])
def test_the_ink_fills_the_box_and_keeps_its_proportions(height: int, width: int) -> None:
    page = np.zeros((1200, 1200), np.uint8)
    page[50 : 50 + height, 60 : 60 + width] = 255
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


def test_pages_of_odd_shape() -> None:
    for shape in [(3, 2000), (2000, 3), (3, 3)]:
        page = np.zeros(shape, np.uint8)
        page[1, 1] = page[-2, -2] = 200
        found = normalise(page)
        assert found.shape == (28, 28)
        assert found.max() == 255


def test_specks_far_apart_do_not_vanish_into_an_error() -> None:
    page = np.zeros((3000, 3000), np.uint8)
    page[40:42, 50:52] = page[2900, 2800] = 255
    assert normalise(page).max() == 255


def test_a_thin_stroke_on_a_large_page_keeps_its_ink() -> None:
    page = np.full((2000, 2000), 255, np.uint8)
    page[200:1800, 1000:1003] = 0
    found = normalise(page)
    assert found.max() == 255
    assert extent(found) == (20, 1)


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
