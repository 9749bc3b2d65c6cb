import pytest
from scripted import INFO

from inkdigit.reading.options import Options, Rules
from inkdigit.reading.result import Mark
from inkdigit.reading.review_rules import (
    blank,
    doubt_from_marks,
    doubt_from_rules,
    doubt_from_sizes,
    verdict,
)


@pytest.mark.parametrize(
    ("text", "confidence", "options", "status", "reason"),
    [
        ("12", 0.8, {}, "accepted", ""),
        ("12", 0.79, {}, "review", "confidence 0.7900 is below 0.8000"),
        ("12", 0.49, {}, "rejected", "more likely wrong than right (0.49)"),
        ("12", 0.49, {"min_confidence": 0.4}, "accepted", ""),
        ("12", 0.39, {"min_confidence": 0.4}, "rejected", "more likely wrong than right (0.39)"),
        ("12", 0.0, {"min_confidence": 0.0}, "accepted", ""),
        ("12", 0.999, {"min_confidence": 1.0}, "review", "confidence 0.9990 is below 1.0000"),
        ("12", 1.0, {"pattern": r"\d{3}"}, "rejected", r"nothing here fits the pattern \d{3}"),
        ("17", 1.0, {"check": "luhn"}, "review", "nothing likely here passes the check luhn"),
        ("18", 1.0, {"check": "luhn", "pattern": r"\d\d"}, "accepted", ""),
        ("", 0.9, {}, "accepted", ""),
    ],
)
def test_what_to_do(
    text: str, confidence: float, options: Options, status: str, reason: str
) -> None:
    assert verdict(text, confidence, Rules.of(options), INFO) == (status, reason)


@pytest.mark.parametrize(
    ("mark", "position", "options", "doubt"),
    [
        (".", 2, {}, "a dot stands before the last 2 digits: cents?"),
        (",", 3, {}, "a comma stands before the last 1 digit: cents?"),
        ("-", 2, {}, "a dash stands before the last 2 digits: cents?"),
        (".", 1, {}, ""),
        (".", 0, {}, "a dot stands before the number: less than one?"),
        (",", 0, {}, "a comma stands before the number: less than one?"),
        ("-", 0, {}, "a dash stands before the number: minus?"),
        (".", 4, {}, ""),
        ("/", 2, {}, "a slash stands beside the digits: a date, a fraction, or a 1?"),
        ("/", 2, {"separators": "ignore"}, ""),
        ("=", 2, {}, ""),
        (".", 2, {"separators": "ignore"}, ""),
        ("?", 2, {"separators": "ignore"}, "there is ink that is no digit"),
    ],
)
def test_marks_that_may_change_the_number(
    mark: str, position: int, options: Options, doubt: str
) -> None:
    marks = (Mark(mark, position, 0.9, (0, 0, 1, 1)),)
    assert doubt_from_marks("1250", marks, Rules.of(options)) == doubt


@pytest.mark.parametrize(
    ("text", "places", "doubted"),
    [
        ("1250", [1], False),
        ("12500", [2], False),
        ("1250000", [1, 4], False),
        ("125000", [3, 6], False),
        ("0680", [1], True),
        ("58940", [1], True),
        ("1212", [1, 2], True),
        ("12500000", [2, 4], True),
        ("1250000", [4], True),
        ("1250,00", [1], False),
        ("-12500.00", [3], False),
        ("1250,00", [2], True),
    ],
)
def test_dots_and_commas_part_thousands_or_are_in_doubt(
    text: str, places: list[int], *, doubted: bool
) -> None:
    for value in ".,":
        marks = tuple(Mark(value, place, 0.9, (0, 0, 1, 1)) for place in places)
        doubt = doubt_from_marks(text, marks, Rules.of({}))
        assert bool(doubt) == doubted
        assert doubt_from_marks(text, marks, Rules.of({"separators": "ignore"})) == ""


@pytest.mark.parametrize(
    ("sizes", "doubted"),
    [
        ([(0, 40), (0, 40), (0, 24), (0, 24)], True),
        ([(0, 40), (0, 40), (0, 40), (0, 20)], True),
        ([(0, 40), (0, 40), (16, 24), (16, 24)], False),  # small, and on the line
        ([(0, 40), (0, 40), (0, 34), (0, 34)], False),
        ([(0, 24), (0, 24), (0, 40), (0, 40)], False),
        ([(0, 40), (0, 24)], False),  # of two, either may be the odd one
        ([], False),
    ],
)
def test_smaller_digits_that_stand_higher_may_be_cents(
    sizes: list[tuple[int, int]], *, doubted: bool
) -> None:
    boxes = [(30 * i, top, 25, height) for i, (top, height) in enumerate(sizes)]
    assert bool(doubt_from_sizes(boxes)) == doubted


@pytest.mark.parametrize(
    ("options", "status", "unconstrained"),
    [
        ({}, "accepted", None),
        ({"min_confidence": 1.0}, "accepted", None),
        ({"pattern": r"\d*"}, "accepted", ""),
        ({"pattern": r"\d+"}, "rejected", ""),
        ({"check": "luhn"}, "rejected", ""),
    ],
)
def test_blank_paper(options: Options, status: str, unconstrained: str | None) -> None:
    reading = blank(Rules.of(options), "line 1")
    assert (reading.text, reading.status, reading.unconstrained) == ("", status, unconstrained)
    assert (reading.reason == "") == (status == "accepted")
    assert (reading.digits, reading.marks, reading.model) == ((), (), "line 1")


@pytest.mark.parametrize(
    ("text", "free", "sure", "doubted"),
    [
        ("12", "12", True, False),
        ("1.2", "12", True, False),
        ("12", "17", False, False),
        ("12", "17", True, True),
        ("5296", "58296", False, True),
        ("5699765", "569765", False, True),
        ("1", "", False, True),
    ],
)
def test_rules_may_settle_a_digit_but_not_drop_or_add_one(
    text: str, free: str, sure: bool, doubted: bool
) -> None:
    assert bool(doubt_from_rules(text, free, sure)) == doubted
