import pytest
from scripted import INFO

from inkdigit.reading.options import Options, Rules
from inkdigit.reading.result import Mark
from inkdigit.reading.verdict import blank, doubt_from_marks, doubt_from_rules, verdict


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
        (".", 0, {}, ""),
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
