from pathlib import Path

import numpy as np
import pytest

from inkdigit.learning.datasets import Digits
from inkdigit.learning.synthesis.pages import CROP, PageWriter
from inkdigit.learning.synthesis.stream import PageGenerator
from inkdigit.reading.pages.places import CORE, NUMBER, PAPER, STRIDE, find_places


@pytest.fixture(scope="module")
def writer(digits: Digits, fonts: Path) -> PageWriter:
    return PageGenerator(digits, fonts).writer()


def test_a_crop_is_the_same_for_the_same_seed(digits: Digits, fonts: Path) -> None:
    one, other = (PageGenerator(digits, fonts).begin() for _ in range(2))
    other([1, 0, 0])  # what was drawn before does not matter
    for ours, theirs in zip(one([1, 0, 5])[:2], other([1, 0, 5])[:2], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_crop_says_what_lies_in_each_of_its_places(writer: PageWriter) -> None:
    classes = set[int]()
    for number in range(0, 24, 3):
        ink, what, truths = writer.crop([2, 0, number])
        assert ink.shape == (CROP, CROP)
        assert what.shape == (CROP // STRIDE, CROP // STRIDE)
        classes |= {*np.unique(what).tolist()}
        for truth in truths:
            x, y, width, height = truth.box
            places = what[y // STRIDE : (y + height) // STRIDE + 1,
                          x // STRIDE : (x + width) // STRIDE + 1]  # fmt: skip
            assert (places >= NUMBER).mean() > 0.2
    assert classes == {*range(6)}


def test_numbers_are_found_by_the_classes_that_are_drawn(writer: PageWriter) -> None:
    found = true = 0
    for number in range(0, 60, 3):
        ink, what, truths = writer.crop([3, 0, number])
        said = np.eye(6, dtype=np.float32)[what]
        found += len(find_places(said, ink))
        true += len(truths)
    assert true > 60
    assert found == pytest.approx(true, rel=0.15)


def test_three_numbers_in_ten_have_one_digit(writer: PageWriter) -> None:
    texts = [truth.text for n in range(30) for truth in writer.crop([4, 0, 3 * n])[2]]
    assert np.mean([len(text) == 1 for text in texts]) > 0.3


def test_a_picture_shows_ink_where_its_numbers_stand(writer: PageWriter) -> None:
    picture, truths = writer.picture([5, 0], ("table",), (600, 450))
    assert picture.shape == (600, 450)
    assert truths
    for truth in truths:
        x, y, width, height = truth.box
        assert np.ptp(picture[y : y + height, x : x + width]) > 30


def test_pages_of_words_or_print_have_no_numbers(writer: PageWriter) -> None:
    for kind in ("words", "print_only"):
        assert writer.picture([6, 0], (kind,), (600, 450))[1] == []


def test_the_side_of_a_page_that_is_covered_is_paper(writer: PageWriter) -> None:
    from inkdigit.learning.synthesis.pages import _darken_side

    for seed in range(8):
        grey, what = np.full((80, 80), 200, np.uint8), np.full((20, 20), CORE, np.uint8)
        _darken_side(grey, what, np.random.default_rng(seed))
        covered = (grey != 200).mean()
        assert (what == PAPER).mean() == pytest.approx(covered, abs=0.06)


def test_an_envelope_has_a_postcode_below_its_printed_sender(writer: PageWriter) -> None:
    envelopes = [writer.envelope([6, number]) for number in range(8)]
    assert {picture.shape for picture, _ in envelopes} == {(600, 900)}
    postcodes = [one for _, truths in envelopes for one in truths if len(one.text) == 5]
    assert len(postcodes) >= 7
    assert all(one.box[1] > 250 for one in postcodes)
