import numpy as np
import numpy.typing as npt
import pytest
from samples import RAMP, farthest

from inkdigit.errors import ImageError
from inkdigit.images import open_grey
from inkdigit.images.arrays import as_png


@pytest.mark.parametrize(
    "array",
    [
        RAMP,
        RAMP[..., None],
        np.dstack([RAMP] * 3),
        np.dstack([RAMP] * 3 + [np.full_like(RAMP, 255)]),
        RAMP.astype(np.uint16) * 257,
        (RAMP.astype(np.uint16) * 257).astype(">u2"),
        RAMP / 255,
        (RAMP / 255).astype(np.float32),
        np.asfortranarray(RAMP),
    ],
)
def test_arrays_of_each_kind(array: npt.NDArray[np.generic]) -> None:
    assert farthest(open_grey(array), RAMP) == 0


def test_an_array_may_miss_0_to_1_by_rounding() -> None:
    values = (RAMP / 255).astype(np.float32)
    values[0, 0], values[-1, -1] = -1e-6, 1 + 1e-6
    assert farthest(open_grey(values), RAMP) == 0


def test_bool_and_half_floats() -> None:
    assert farthest(open_grey(RAMP > 99), (RAMP > 99) * 255) == 0
    assert farthest(open_grey((RAMP / 255).astype(np.float16)), RAMP) <= 1


def test_the_answer_is_a_copy() -> None:
    array = RAMP.copy()
    open_grey(array)[:] = 7
    assert (array == RAMP).all()


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.zeros(9, np.uint8), r"shape \(9,\)"),
        (np.zeros((2, 3, 2), np.uint8), r"shape \(2, 3, 2\)"),
        (np.zeros((1, 2, 3, 4), np.uint8), r"shape \(1, 2, 3, 4\)"),
        (np.zeros((0, 5), np.uint8), "is empty"),
        (np.zeros((5, 0, 3), np.uint8), "is empty"),
        (np.zeros((4, 4), np.int64), "an array of int64"),
        (np.zeros((4, 4), complex), "an array of complex128"),
        (np.full((4, 4), None), "an array of object"),
        (np.full((4, 4), 255.0), r"must lie in 0\.\.1, received 255 to 255"),
        (np.full((4, 4), -0.1), r"must lie in 0\.\.1"),
    ],
)
def test_arrays_that_are_no_picture(array: npt.NDArray[np.generic], said: str) -> None:
    with pytest.raises(ImageError, match=said):
        open_grey(array)


def test_a_page_as_png_is_that_page() -> None:
    content = as_png(RAMP)
    assert content.startswith(b"\x89PNG")
    assert (open_grey(content) == RAMP).all()
