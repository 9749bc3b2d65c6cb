import numpy as np
import pytest
from PIL import Image
from samples import RAMP, encoded, farthest

from inkdigit.errors import ImageError
from inkdigit.images import open_grey
from inkdigit.images.grey import WHITES, check_size, from_16_bits, turned, white_of


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_the_upper_bits_may_be_empty(bits: int) -> None:
    values = np.round(RAMP / RAMP.max() * (2**bits - 1))
    expected = RAMP / RAMP.max() * 255
    for given in (
        values.astype(np.uint16),
        encoded(Image.fromarray(values.astype(np.uint16)), "PNG"),
        encoded(Image.fromarray(values.astype(np.int32)), "TIFF"),
    ):
        assert farthest(open_grey(given), expected) <= 1


def test_a_picture_without_pixels() -> None:
    with pytest.raises(ImageError, match=r"the image is empty \(0×5 pixels\)"):
        open_grey(Image.new("RGB", (0, 5)))


@pytest.mark.parametrize(
    ("top", "white"),
    [(0, 255), (1, 255), (255, 255), (256, 1023), (1023, 1023), (1024, 4095), (4096, 16_383),
     (16_384, 65_535), (65_535, 65_535), (70_000, 65_535)],
)  # fmt: skip
def test_white_is_that_of_the_fewest_bits_that_hold_all(top: float, white: int) -> None:
    assert white_of(top) == white


def test_pixels_of_more_bits_keep_their_share_of_white() -> None:
    for white in WHITES[1:]:
        values = np.array([[0, white // 2, white]], np.uint16)
        assert from_16_bits(values).tolist() == [[0, 127, 255]]


def test_the_size_of_a_page_is_bounded() -> None:
    check_size(20, 30, "it", 600)
    for height, width, said in (
        (0, 5, r"it is empty \(5×0 pixels\)"),
        (5, 0, r"it is empty \(0×5 pixels\)"),
        (20, 30, r"it has 600 pixels \(30×20\), more than 599 \(max_pixels\): shrink it"),
    ):
        with pytest.raises(ImageError, match=said):
            check_size(height, width, "it", 599)


def test_a_page_is_turned_clockwise() -> None:
    page = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    assert turned(page, 0).tolist() == page.tolist()
    assert turned(page, 90).tolist() == [[4, 1], [5, 2], [6, 3]]
    assert turned(page, 180).tolist() == [[6, 5, 4], [3, 2, 1]]
    assert turned(page, 270).tolist() == [[3, 6], [2, 5], [1, 4]]
