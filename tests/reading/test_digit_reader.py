from typing import Any

import numpy as np
import pytest
from scripted import INFO, Grey, Odds, ScriptedDigit, bars

from inkdigit.reading.digit_reader import DigitReader
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.preprocessing.digit import SIZE
from inkdigit.reading.review_rules import Evidence, decide


def read(odds: Odds, page: Grey | None = None, **options: Any) -> Evidence:
    page = bars(1) if page is None else page
    asked = ReadOptions(single=True, **options)
    (found,) = DigitReader(ScriptedDigit(odds)).read([page], asked)
    return found


def told(found: Evidence) -> tuple[str, str, str]:
    """The text, the status and the rule that gave it."""
    status, _, rule = decide(found)
    return found.text, status, rule


def test_a_digit_has_all_ten_alternatives() -> None:
    found = read({"7": 0.9, "1": 0.06, "?": 0.04})
    assert told(found) == ("7", "accepted", "")
    assert found.confidence == pytest.approx(0.9)
    (digit,) = found.characters
    assert sorted(other.value for other in digit.alternatives) == list("0123456789")
    assert [other.value for other in digit.alternatives[:2]] == ["7", "1"]
    shares = [other.confidence for other in digit.alternatives]
    assert shares == sorted(shares, reverse=True)
    assert digit.confidence == shares[0] == found.confidence
    assert np.abs(np.subtract(digit.box, (30, 20, 10, 40))).max() <= 1
    assert (found.free, found.beside, found.marks) == (None, "", ())
    assert found.threshold == INFO.reject_threshold
    assert found.no_digit == pytest.approx(0.04)


def test_what_is_no_digit_is_rejected() -> None:
    assert told(read({"?": 0.9, "7": 0.1})) == ("7", "rejected", "no digit")


def test_a_pattern_leaves_out_what_cannot_be() -> None:
    found = read({"7": 0.6, "1": 0.25, "2": 0.05, "?": 0.1}, pattern="[0-4]", min_confidence=0.6)
    assert told(found) == ("1", "accepted", "")
    assert (found.free, found.free_is_sure) == ("7", False)
    assert found.confidence == pytest.approx(0.25 / 0.4)
    (digit,) = found.characters
    assert len(digit.alternatives) == 10
    assert [other.value for other in digit.alternatives[:2]] == ["1", "2"]
    assert digit.alternatives[0].confidence == digit.confidence
    assert {other.confidence for other in digit.alternatives[5:]} == {0.0}


def test_a_digit_that_fits_comes_first_however_unlikely() -> None:
    found = read({"7": 1.0}, pattern="[01]")
    assert found.text in {"0", "1"}
    assert found.characters[0].alternatives[0].value == found.text
    assert told(found)[1:] == ("rejected", "unlikely")
    assert found.free_is_sure


def test_a_digit_that_the_pattern_alone_makes_is_for_review() -> None:
    found = read({"7": 0.9, "1": 0.1}, pattern="[01]")
    assert told(found) == ("1", "review", "constraint alone")


def test_a_check_goes_by_the_digit() -> None:
    found = read({"7": 0.9, "0": 0.1}, check="luhn")
    assert (found.text, found.free) == ("0", "7")
    # No digit is a valid ISBN.
    none = read({"7": 0.9}, check="isbn")
    assert told(none) == ("", "review", "check")
    assert (none.characters, none.confidence) == ((), 0.0)


def test_the_views_are_calibrated_by_the_temperature() -> None:
    plain, cooled = (
        DigitReader(ScriptedDigit({"7": 0.8, "1": 0.2}, temperature=temperature))
        .read([bars(1)], ReadOptions(single=True))[0]
        .confidence
        for temperature in (1.0, 0.5)
    )
    assert plain == pytest.approx(0.8)
    assert cooled == pytest.approx(0.64 / 0.68)


def test_blank_paper_needs_no_network() -> None:
    reader = DigitReader(ScriptedDigit({"7": 1.0}))
    blank = np.full((30, 30), 255, np.uint8)
    first, second = reader.read([blank, bars(1)], ReadOptions(single=True))
    assert told(first) == ("", "accepted", "")
    assert first.characters == ()
    assert second.text == "7"
    assert reader.read([], ReadOptions()) == []
    assert reader.read([blank], ReadOptions())[0].is_blank


class ByInk(ScriptedDigit):
    """Is the surer, the less ink it is shown."""

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        output = super().probabilities(images)
        output[:, 7] = 1 - images.mean(axis=(1, 2)) / 255
        output[:, -1] = 1 - output[:, 7]
        return output


def test_of_both_ways_to_see_a_page_the_one_that_looks_like_a_digit_is_taken() -> None:
    page = np.full((40, 40), 255, np.uint8)
    page[4:36, 4:24] = 0
    reader = DigitReader(ByInk({}))
    for shown in (page, 255 - page):
        (found,) = reader.read([shown], ReadOptions(single=True))
        seen = reader.shown(shown)
        # What was read is what is shown: the thinner of the two.
        assert found.confidence == pytest.approx(1 - seen.mean() / 255, abs=0.02)


def test_what_the_network_is_shown_of_a_page() -> None:
    reader = DigitReader(ScriptedDigit({"7": 1.0}))
    shown = reader.shown(bars(1))
    assert (shown.shape, shown.dtype, shown.max()) == ((SIZE, SIZE), np.uint8, 255)
    assert not reader.shown(np.full((30, 30), 255, np.uint8)).any()


@pytest.mark.parametrize(
    ("page", "beside", "rule"),
    [
        (bars(1), "", ""),
        (bars(2), "character", "characters"),
        (bars(2, dots=[0]), "dot", "mark ahead"),
    ],
    ids=["alone", "two", "a dot ahead"],
)
def test_what_stands_beside_the_digit_is_for_review(page: Grey, beside: str, rule: str) -> None:
    found = read({"1": 1.0}, page)
    assert found.beside == beside
    assert told(found) == ("1", "review" if rule else "accepted", rule)


def test_a_line_along_the_edge_is_for_review() -> None:
    page = np.full((128, 128), 230, np.uint8)
    page[40:100, 125:] = 40
    found = read({"1": 1.0}, page)
    assert told(found) == ("1", "review", "edge")
    assert decide(found)[1] == "there is a line along the edge of the picture: a frame?"
