import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scripted import INFO, ScriptedLine, bars

from inkdigit.errors import SettingError
from inkdigit.reading.decoding import search
from inkdigit.reading.line_reader import LineReader, calibrated
from inkdigit.reading.options import Rules
from inkdigit.reading.result import Reading
from inkdigit.reading.tta import VIEWS_WITH_FALLBACK

SURE = 0.999


def read(model: ScriptedLine, pages: Any = None, **options: Any) -> Reading:
    pages = [bars(len(model.said))] if pages is None else pages
    (reading,) = LineReader(model).read(pages, Rules.of(options))  # type: ignore[arg-type]
    assert isinstance(reading, Reading)
    return reading


def test_a_line_is_its_digits() -> None:
    reading = read(ScriptedLine("0", {"7": 0.9, "1": 0.08}, "7"))
    assert (reading.text, reading.status, reading.reason) == ("077", "accepted", "")
    assert reading.confidence == pytest.approx(SURE * SURE * 0.9, abs=0.01)
    assert [digit.value for digit in reading.digits] == ["0", "7", "7"]
    assert reading.marks == ()
    assert reading.unconstrained is None
    assert reading.model == "scripted 1"
    (first, second, *_) = reading.digits[1].alternatives
    assert (first.value, second.value) == ("7", "1")
    assert first.confidence == reading.digits[1].confidence
    assert second.confidence == pytest.approx(0.08 / 0.98, abs=0.01)


def test_alternatives_come_likeliest_first() -> None:
    odds = {"3": 0.4, "5": 0.3, "8": 0.2, "0": 0.05}
    (digit,) = read(ScriptedLine(odds)).digits
    assert "".join(other.value for other in digit.alternatives) == "3580"
    shares = [other.confidence for other in digit.alternatives]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1)


def test_boxes_lie_over_the_strokes() -> None:
    reading = read(ScriptedLine(*"1111"))
    for i, digit in enumerate(reading.digits):
        assert np.abs(np.subtract(digit.box, (30 + 40 * i, 20, 10, 40))).max() <= 3


def test_boxes_of_touching_digits_part_the_ink() -> None:
    page = np.full((80, 200), 240, np.uint8)
    page[20:60, 30:170] = 20
    boxes = [digit.box for digit in read(ScriptedLine(*"111"), [page]).digits]
    for (x, _, width, _), (following, *_) in pairwise(boxes):
        assert abs(x + width - following) <= 2


@pytest.mark.parametrize(
    ("said", "options", "text", "marks", "status"),
    [
        ("12.50", {}, "1250", [(".", 2)], "review"),
        ("12,5", {}, "125", [(",", 2)], "review"),
        ("12-50", {}, "1250", [("-", 2)], "review"),
        ("12.50", {"separators": "ignore"}, "1250", [(".", 2)], "accepted"),
        ("12.50", {"pattern": r"\d+\.\d\d"}, "12.50", [], "accepted"),
        ("12.50", {"pattern": r"\d+[.,]?\d\d"}, "12.50", [], "accepted"),
        ("12.50", {"pattern": r"\d{4}"}, "1250", [(".", 2)], "review"),
        ("1.250", {}, "1250", [(".", 1)], "accepted"),
        ("-125", {}, "125", [("-", 0)], "review"),
        (",99", {}, "99", [(",", 0)], "review"),
        ("125.", {}, "125", [(".", 3)], "accepted"),
        ("1/2", {}, "12", [("/", 1)], "review"),
        ("1/2", {"pattern": r"\d/\d"}, "1/2", [], "accepted"),
        ("12=", {}, "12", [("=", 2)], "accepted"),
    ],
)
def test_marks_never_vanish(
    said: str, options: dict[str, Any], text: str, marks: list[tuple[str, int]], status: str
) -> None:
    reading = read(ScriptedLine(*said), **options)
    assert (reading.text, reading.status) == (text, status)
    assert [(mark.value, mark.position) for mark in reading.marks] == marks
    assert "".join(digit.value for digit in reading.digits) == text
    if status == "review":
        assert reading.reason.endswith(("cents?", "minus?", "a 1?", "less than one?"))
    for mark in reading.marks:
        i = said.index(mark.value)
        assert np.abs(np.subtract(mark.box, (30 + 40 * i, 20, 10, 40))).max() <= 3


def test_ink_that_is_no_digit_is_looked_at() -> None:
    reading = read(ScriptedLine("1", "?", "2"))
    assert (reading.text, reading.status) == ("12", "review")
    assert "no digit" in reading.reason
    scribble = read(ScriptedLine("?"))
    assert (scribble.text, scribble.status) == ("", "review")


def test_a_pattern_finds_the_best_that_fits() -> None:
    said = ("1", {"7": 0.6, "2": 0.3, "5": 0.1}, "3")
    free, bound = read(ScriptedLine(*said)), read(ScriptedLine(*said), pattern="1[25]3")
    assert (free.text, bound.text, bound.unconstrained) == ("173", "123", "173")
    # Of what fits, a quarter is 153.
    assert bound.confidence == pytest.approx(0.75, abs=0.01)
    assert "".join(other.value for other in bound.digits[1].alternatives) == "25"
    assert bound.digits[1].alternatives[0].confidence == pytest.approx(0.75, abs=0.01)


def test_a_pattern_counts_digits_that_were_nearly_missed() -> None:
    said = ("1", {"2": 0.3}, "3")
    assert read(ScriptedLine(*said)).text == "13"
    reading = read(ScriptedLine(*said), pattern=r"\d{3}")
    assert (reading.text, reading.unconstrained) == ("123", "13")


@pytest.mark.parametrize("pattern", [r"\d{5}", "4+", r"\d\.\d"])
def test_what_cannot_fit_is_rejected(pattern: str) -> None:
    model = ScriptedLine(*[{c: 1.0} for c in "123"])
    reading = read(model, pattern=pattern)
    assert (reading.text, reading.status, reading.digits) == ("", "rejected", ())
    assert reading.reason == f"nothing here fits the pattern {pattern}"
    assert reading.confidence < 0.01
    assert reading.unconstrained == "123"


def test_a_check_takes_the_first_that_passes() -> None:
    # 17 does not pass Luhn's check, 18 does, and 19 does not.
    said = ("1", {"7": 0.5, "9": 0.3, "8": 0.2})
    reading = read(ScriptedLine(*said), check="luhn")
    assert (reading.text, reading.unconstrained) == ("18", "17")
    # 17 and 19 were found wanting; what is left beside 18 is little.
    assert reading.confidence > 0.9
    assert {other.value for other in reading.digits[1].alternatives} == {"7", "8", "9"}


def test_a_check_that_none_passes_is_for_review() -> None:
    reading = read(ScriptedLine(*[{c: 1.0} for c in "17"]), check="luhn")
    assert (reading.text, reading.status, reading.confidence) == ("17", "review", pytest.approx(0))
    assert reading.reason == "nothing likely here passes the check luhn"


def test_a_check_goes_with_a_pattern() -> None:
    said = ("1", {"7": 0.5, "8": 0.3, "9": 0.2}, {"5": 0.6, "6": 0.4})
    reading = read(ScriptedLine(*said), check="luhn", pattern=r"1[79]\d")
    assert Rules.of({"check": "luhn", "pattern": r"1[79]\d"}).passes(reading.text) == (
        reading.status != "review" or "passes" not in reading.reason
    )
    assert reading.text[0] == "1"
    assert reading.text[1] in "79"


@pytest.mark.parametrize(
    ("p", "least", "status"),
    [
        (0.9, None, "accepted"),
        (0.7, None, "review"),
        (0.7, 0.6, "accepted"),
        (0.3, None, "rejected"),
        (0.3, 0.2, "accepted"),
        (0.9, 0.95, "review"),
    ],
)
def test_the_least_confidence(p: float, least: float | None, status: str) -> None:
    odds = {"3": p, "5": (1 - p) / 4, "8": (1 - p) / 4, "9": (1 - p) / 4, "0": (1 - p) / 4}
    reading = read(ScriptedLine(odds), min_confidence=least)
    assert (reading.text, reading.status) == ("3", status)
    assert reading.confidence == pytest.approx(p, abs=1e-4)
    assert (reading.reason == "") == (status == "accepted")


def test_a_second_network_has_a_say_where_the_first_is_in_doubt() -> None:
    odds = {"1": 0.6, "7": 0.4}
    alone = read(ScriptedLine("0", odds))
    assert (alone.text, alone.confidence) == ("01", pytest.approx(0.6 * SURE))
    agreed = read(ScriptedLine("0", odds, other=ScriptedLine("0", "1")))
    differs = read(ScriptedLine("0", odds, other=ScriptedLine("0", "7")))
    looks = 1 + len(VIEWS_WITH_FALLBACK)
    assert agreed.text == "01"
    assert agreed.confidence == pytest.approx((looks * 0.6 + SURE) * SURE / (looks + 1))
    assert differs.text == "07"
    assert differs.confidence == pytest.approx((looks * 0.4 + SURE) * SURE / (looks + 1))
    assert read(ScriptedLine("0", "1", other=ScriptedLine("0", "7"))).text == "01"
    constrained = read(ScriptedLine("0", odds, other=ScriptedLine("0", "7")), pattern=r"\d[1-5]")
    assert (constrained.text, constrained.unconstrained) == ("01", "07")
    # A mark that one of them sees has been seen.
    unsure = {"1": 0.5}
    dotted = read(ScriptedLine("1", unsure, "7", other=ScriptedLine("1", ".", "7")))
    assert [(mark.value, mark.position) for mark in dotted.marks] == [(".", 1)]


def test_confidence_is_calibrated() -> None:
    info = LineReader(ScriptedLine("1", confidence_slope=0.5, confidence_intercept=-1.0)).model.info
    for p in (1e-9, 0.1, 0.5, 0.9, 0.999):
        odds = math.sqrt(p / (1 - p)) / math.e
        assert calibrated(p, info) == pytest.approx(odds / (1 + odds), rel=1e-6)
    assert 0 < calibrated(0.0, info) < calibrated(1.0, info) < 1
    assert calibrated(0.3, INFO) == pytest.approx(0.3)
    far = LineReader(ScriptedLine("1", confidence_intercept=-5000.0)).model.info
    assert 0 <= calibrated(0.5, far) < 1e-300


def test_blank_paper_is_an_empty_accepted_text() -> None:
    blank = np.full((40, 60), 230, np.uint8)
    reading = read(ScriptedLine("1"), [blank])
    assert (reading.text, reading.status, reading.confidence) == ("", "accepted", 1.0)
    demanded = read(ScriptedLine("1"), [blank], pattern=r"\d{5}")
    assert (demanded.text, demanded.status, demanded.reason) == ("", "rejected", "there is no ink")
    allowed = read(ScriptedLine("1"), [blank], pattern=r"\d*")
    assert (allowed.text, allowed.status, allowed.unconstrained) == ("", "accepted", "")


def test_one_line_that_is_too_long_for_its_pattern_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search, "_LARGEST_TABLE", 20_000)
    pages = [bars(3), bars(140), bars(3)]
    rules = Rules.of({"pattern": r"\d{3}"})
    first, middle, last = LineReader(ScriptedLine(*"123")).read(pages, rules)
    assert isinstance(middle, SettingError)
    assert "too many for a line this long" in str(middle)
    assert isinstance(first, Reading)
    assert first == last
    assert first.text == "123"


def test_several_lines_of_writing_are_looked_at() -> None:
    page = np.full((200, 300), 240, np.uint8)
    for top in (20, 120):
        for left in range(30, 250, 40):
            page[top : top + 40, left : left + 10] = 20
    reading = read(ScriptedLine(*"111111"), [page])
    assert reading.status == "review"
    assert reading.reason == "there is more than one line of writing"


@pytest.mark.parametrize("options", [{}, {"separators": "ignore"}, {"pattern": r"\d+"}])
def test_a_stroke_that_was_not_read_is_looked_at(options: dict[str, Any]) -> None:
    reading = read(ScriptedLine(*"34"), [bars(3)], **options)
    assert (reading.text, reading.status) == ("34", "review")
    assert reading.reason == "there are more strokes than digits were read"
    # A digit in two pieces, one above the other, is one.
    page = bars(2)
    page[28:31, :60] = page[0, 0]
    assert read(ScriptedLine(*"11"), [page], **options).status == "accepted"


@pytest.mark.parametrize(
    ("ahead", "options", "reason"),
    [
        ((30, 36, 26, 7), {}, "a dash stands before the number: minus?"),
        ((46, 52, 8, 8), {}, "a dot stands before the number: less than one?"),
        ((30, 36, 26, 7), {"separators": "ignore"}, ""),
        ((30, 20, 26, 7), {}, ""),
        ((30, 20, 10, 40), {}, ""),
    ],
    ids=["a dash", "a dot", "of no interest", "a roof", "a digit"],
)
def test_a_mark_that_the_network_takes_for_a_digits_is_seen_all_the_same(
    ahead: tuple[int, int, int, int], options: dict[str, Any], reason: str
) -> None:
    page = np.full((80, 200), 240, np.uint8)
    x, y, width, height = ahead
    page[y : y + height, x : x + width] = 20
    for left in (70, 110, 150):
        page[20:60, left : left + 10] = 20
    reading = read(ScriptedLine(*"1111"), [page], **options)
    assert (reading.reason, reading.marks) == (reason, ())
    assert reading.status == ("review" if reason else "accepted")


def test_digits_far_apart_are_looked_at() -> None:
    page = np.full((80, 400), 240, np.uint8)
    for left in (30, 70, 300, 340):
        page[20:60, left : left + 10] = 20
    reading = read(ScriptedLine(*"1111"), [page])
    assert reading.status == "review"
    assert reading.reason == "the writing stands far apart: one number or several?"


@pytest.mark.parametrize(
    ("pattern", "mark", "text"),
    [(r"\d+\.\d\d", ".", "12.50"), (r"\d\d[.,]\d\d", ",", "12,50"), (r"-\d+", "-", "-1250")],
)
def test_a_mark_that_a_pattern_writes_has_to_be_seen(pattern: str, mark: str, text: str) -> None:
    place = text.index(mark)
    for seen, status in ((0.6, "accepted"), (0.02, "review")):
        said: list[dict[str, float] | str] = list("1250")
        said.insert(place, {mark: seen})
        reading = read(ScriptedLine(*said), pattern=pattern)
        assert (reading.text, reading.status) == (text, status)
        if status == "review":
            assert reading.reason == f"the pattern writes {mark!r}, and no mark was seen there"


def test_another_mark_than_was_seen_may_be_what_the_pattern_says() -> None:
    said = ["1", "2", {".": 0.7, ",": 0.2}, "5", "0"]
    assert read(ScriptedLine(*said), pattern=r"\d+,\d\d").status == "accepted"


def test_a_mark_without_ink_was_not_seen() -> None:
    model = ScriptedLine(*"12", {"-": 0.9}, *"345")
    page = bars(6)
    assert [mark.value for mark in read(model, [page]).marks] == ["-"]
    page[:, 100:130] = 240
    reading = read(model, [page])
    assert (reading.text, reading.marks) == ("12345", ())
    forced = read(model, [page], pattern=r"\d\d-\d{3}")
    assert (forced.text, forced.status) == ("12-345", "review")
    page[38:44, 112:118] = 195  # faint, and there
    assert [mark.value for mark in read(model, [page]).marks] == ["-"]


def test_raised_digits_at_the_end_may_be_cents() -> None:
    page = bars(4)
    page[40:60, 100:] = 240
    reading = read(ScriptedLine(*"1111"), [page])
    assert (reading.text, reading.status) == ("1111", "review")
    assert reading.reason == "the last digits are smaller and stand higher: cents?"
    assert read(ScriptedLine(*"1111"), [page], separators="ignore").status == "accepted"
