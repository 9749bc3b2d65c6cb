from typing import Any

import numpy as np
import pytest
from scripted import ScriptedDigit, bars

from inkdigit.reading.digit_reader import DigitReader
from inkdigit.reading.options import Rules
from inkdigit.reading.result import Reading


def read(odds: dict[str, float], **options: Any) -> Reading:
    rules = Rules.of({"single": True, **options})  # type: ignore[typeddict-item]
    (reading,) = DigitReader(ScriptedDigit(odds)).read([bars(1)], rules)
    return reading


def test_a_digit_has_all_ten_alternatives() -> None:
    reading = read({"7": 0.9, "1": 0.06, "?": 0.04})
    assert (reading.text, reading.status, reading.reason) == ("7", "accepted", "")
    assert reading.confidence == pytest.approx(0.9)
    (digit,) = reading.digits
    assert sorted(other.value for other in digit.alternatives) == list("0123456789")
    assert [other.value for other in digit.alternatives[:2]] == ["7", "1"]
    shares = [other.confidence for other in digit.alternatives]
    assert shares == sorted(shares, reverse=True)
    assert digit.confidence == shares[0] == reading.confidence
    assert np.abs(np.subtract(digit.box, (30, 20, 10, 40))).max() <= 1
    assert (reading.unconstrained, reading.marks) == (None, ())


def test_what_is_no_digit_is_rejected() -> None:
    reading = read({"?": 0.9, "7": 0.1})
    assert (reading.status, reading.reason) == ("rejected", "this does not look like a digit")


def test_a_pattern_leaves_out_what_cannot_be() -> None:
    reading = read({"7": 0.6, "1": 0.25, "2": 0.05, "?": 0.1}, pattern="[0-4]", min_confidence=0.6)
    assert (reading.text, reading.unconstrained, reading.status) == ("1", "7", "accepted")
    assert reading.confidence == pytest.approx(0.25 / 0.4)
    (digit,) = reading.digits
    assert len(digit.alternatives) == 10
    assert [other.value for other in digit.alternatives[:2]] == ["1", "2"]
    assert digit.alternatives[0].confidence == digit.confidence
    assert {other.confidence for other in digit.alternatives[5:]} == {0.0}


def test_a_digit_that_fits_comes_first_however_unlikely() -> None:
    reading = read({"7": 1.0}, pattern="[01]")
    assert reading.text in {"0", "1"}
    assert reading.digits[0].alternatives[0].value == reading.text
    assert reading.status == "rejected"


def test_a_check_goes_by_the_digit() -> None:
    reading = read({"7": 0.9, "0": 0.1}, check="luhn")
    assert (reading.text, reading.unconstrained) == ("0", "7")


def test_blank_paper_needs_no_network() -> None:
    reader = DigitReader(ScriptedDigit({"7": 1.0}))
    blank = np.full((30, 30), 255, np.uint8)
    first, second = reader.read([blank, bars(1)], Rules.of({"single": True}))
    assert (first.text, first.status, first.digits) == ("", "accepted", ())
    assert second.text == "7"
    assert reader.read([], Rules()) == []


def test_a_line_along_the_edge_is_for_review() -> None:
    page = np.full((128, 128), 230, np.uint8)
    page[40:100, 125:] = 40
    reader = DigitReader(ScriptedDigit({"1": 1.0}))
    (reading,) = reader.read([page], Rules.of({"single": True}))
    assert (reading.text, reading.status) == ("1", "review")
    assert reading.reason == "there is a line along the edge of the picture: a frame?"
