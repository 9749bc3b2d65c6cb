import numpy as np
import pytest

from inkdigit.reading.preprocessing.paper import (
    LEAST_STROKE,
    binarise,
    find_ink,
    holds_digit,
    ink_and_polarity,
    why_unseen,
)


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


def test_the_page_is_left_as_it_was() -> None:
    page = np.full((50, 50), 255, np.uint8)
    page[10:40, 20:25] = 30
    before = page.copy()
    find_ink(page)
    ink_and_polarity(page)
    assert (page == before).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 28), (28, 28), (3, 2000), (2000, 3)])
@pytest.mark.parametrize("paper", [0, 128, 255])
def test_blank_paper_has_no_ink_and_no_strokes(shape: tuple[int, int], paper: int) -> None:
    page = np.full(shape, paper, np.uint8)
    assert binarise(find_ink(page)) is None
    grain = np.random.default_rng(0).integers(-4, 5, shape)
    assert binarise(find_ink((page + grain).clip(0, 255).astype(np.uint8))) is None


def test_the_polarity_is_said() -> None:
    page = np.full((40, 60), 200, np.uint8)
    page[10:30, 20:24] = 50
    for shown, dark in ((page, True), (255 - page, False)):
        ink, is_dark = ink_and_polarity(shown)
        assert is_dark == dark
        assert (ink == find_ink(shown)).all()


def test_strokes_are_told_from_what_is_fainter() -> None:
    ink = np.random.default_rng(0).integers(0, 30, (60, 80)).astype(np.uint8)
    ink[20:40, 30:34] = 120
    strokes = binarise(ink)
    assert strokes is not None
    assert strokes.dtype == np.uint8
    assert (strokes == (ink == 120)).all()


@pytest.mark.parametrize(("length", "found"), [(LEAST_STROKE, True), (LEAST_STROKE - 1, False)])
def test_on_a_large_page_a_stroke_is_longer_than_dust(length: int, found: bool) -> None:
    ink = np.zeros((500, 500), np.uint8)
    ink[100, 50 : 50 + length] = ink[300:302, 200:202] = 200
    assert (binarise(ink) is not None) == found


def shaded(level: int, noise: float) -> np.ndarray:
    page = np.random.default_rng(0).normal(level, noise, (60, 200))
    return np.rint(page.clip(0, 255)).astype(np.uint8)


@pytest.mark.parametrize("level", [20, 60, 128, 235, 254, 255])
@pytest.mark.parametrize("noise", [0, 1, 2])
def test_blank_paper_could_have_shown_ink(level: int, noise: float) -> None:
    assert why_unseen(shaded(level, noise)) == ""


@pytest.mark.parametrize(("level", "noise"), [(0, 0), (0, 3), (5, 1), (11, 0)])
def test_what_is_black_could_have_shown_none(level: int, noise: float) -> None:
    assert why_unseen(shaded(level, noise)) == "the paper is black"


@pytest.mark.parametrize(("ink", "hidden"), [(255, False), (252, False), (248, True), (244, True)])
def test_faint_ink_is_suspected_on_white_that_was_cut_off(ink: int, hidden: bool) -> None:
    page = np.full((60, 200), 255, np.uint8)
    page[20:40, 50:150:20] = ink
    said = "the picture is over-exposed, and something shows faintly" if hidden else ""
    assert why_unseen(page) == said
    # On paper that is not as white as can be, all of the contrast is there to be seen.
    assert why_unseen(page - np.uint8(20)) == ""


@pytest.mark.parametrize(
    ("shape", "holds"),
    [((5, 3), True), ((8, 8), True), ((4, 300), False), ((300, 2), False), ((1, 1), False)],
)
def test_a_digit_needs_some_room(shape: tuple[int, int], holds: bool) -> None:
    assert holds_digit(shape) == holds
    page = np.full(shape, 250, np.uint8)
    size = f"{shape[1]}×{shape[0]} pixels"
    said = "" if holds else f"the picture is too small for a digit ({size})"
    assert why_unseen(page) == said
