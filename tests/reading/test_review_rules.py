import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scripted import bars

from inkdigit.reading.decoding.marks import Mark
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.preprocessing.line import LineImage, extract_line
from inkdigit.reading.result import Alternative, Box, Character
from inkdigit.reading.review_rules import RULES, Evidence, decide

DOCUMENT = Path(__file__).parents[2] / "docs" / "readings.md"


def characters(text: str, boxes: Sequence[Box] = ()) -> tuple[Character, ...]:
    places = boxes or [(30 + 40 * i, 20, 10, 40) for i in range(len(text))]
    return tuple(Character(one, 1.0, box, ()) for one, box in zip(text, places, strict=True))


def mark(value: str, position: int = 1, confidence: float = 0.99, one: float = 0.0) -> Mark:
    """A mark, and how likely it is a 1."""
    others = (Alternative(value, 1 - one), *([Alternative("1", one)] if one else []))
    return Mark(position, Character(value, confidence, (0, 0, 1, 1), others))


def line(page: np.ndarray) -> LineImage:
    found = extract_line(page)
    assert found is not None
    return found


def evidence(text: str = "12", options: dict[str, Any] | None = None, **known: Any) -> Evidence:
    """What is known of a text that nothing speaks against, but for what is said."""
    asked = ReadOptions(**(options or {}))
    return Evidence(
        **{
            "found": text,
            "confidence": 0.99,
            "threshold": 0.8,
            "options": asked,
            "characters": characters(text),
            "free": text if asked.constrained else None,
            **known,
        }
    )


def with_dot_ahead() -> np.ndarray:
    return bars(3, dots=[0])


def with_dot_between() -> np.ndarray:
    return bars(3, dots=[1])


def raised(*sizes: tuple[int, int]) -> dict[str, Any]:
    """Digits of these tops and heights, over a line image that says nothing."""
    boxes = [(30 * i, top, 25, height) for i, (top, height) in enumerate(sizes)]
    plain = LineImage(np.zeros((32, 32), np.uint8), (0, 0, 32, 32), (32, 32))
    return {"characters": characters("1" * len(boxes), boxes), "line": plain}


def said_of(several: bool, apart: bool) -> dict[str, Any]:
    pixels = np.zeros((32, 32), np.uint8)
    return {"line": LineImage(pixels, (0, 0, 32, 32), (32, 32), several, apart)}


def page_of_numbers() -> LineImage:
    pixels = np.zeros((32, 32), np.uint8)
    return LineImage(pixels, (0, 0, 32, 32), (32, 32), several_lines=True, many_numbers=True)


UPRIGHT = "turned clockwise by 90 degrees it reads 1234: set rotate to 90"
MANY = "this is a page of many numbers: ask for each with find, or crop one"

CASES: dict[str, list[tuple[Evidence, str]]] = {
    "unseen": [
        (
            Evidence.of_blank(ReadOptions(), "the paper is black"),
            "nothing could be seen: the paper is black",
        ),
        (
            Evidence.of_blank(ReadOptions(pattern=r"\d+"), "the paper is black"),
            "nothing could be seen: the paper is black",
        ),
    ],
    "many numbers": [
        (evidence(line=page_of_numbers()), MANY),
        (evidence("12", {"pattern": r"\d"}, line=page_of_numbers(), confidence=0.1), MANY),
    ],
    "on its side": [
        (evidence("", turned=UPRIGHT), UPRIGHT),
        (evidence("1", {"pattern": r"\d{4}"}, turned=UPRIGHT, confidence=0.1), UPRIGHT),
    ],
    "blank": [
        (Evidence.of_blank(ReadOptions(pattern=r"\d+")), "there is no ink"),
        (Evidence.of_blank(ReadOptions(check="luhn")), "there is no ink"),
    ],
    "no digit": [(evidence("1", no_digit=0.51), "this does not look like a digit")],
    "pattern": [
        (evidence("12", {"pattern": r"\d{3}"}), r"nothing here fits the pattern \d{3}"),
        (evidence("", {"pattern": r"\d{3}"}, free="12"), r"nothing here fits the pattern \d{3}"),
        (
            evidence("12", {"pattern": r"\d{3}", "check": "luhn"}),
            r"nothing here fits the pattern \d{3}",
        ),
    ],
    "check": [
        (evidence("17", {"check": "luhn"}), "nothing likely here passes the check luhn"),
        (
            evidence("17", {"check": "luhn", "pattern": r"\d\d"}, confidence=0.0),
            "nothing likely here passes the check luhn",
        ),
    ],
    "unlikely": [
        (evidence(confidence=0.49), "more likely wrong than right (0.49)"),
        (
            evidence("12", {"min_confidence": 0.4}, confidence=0.39),
            "more likely wrong than right (0.39)",
        ),
    ],
    "weak mark": [
        (
            evidence("1.2", decisive_marks=[mark(".", confidence=0.85)]),
            "it is not sure that there is a dot (0.85)",
        ),
        (
            evidence("12", decisive_marks=[mark(",", confidence=0.2)]),
            "it is not sure that there is a comma (0.20)",
        ),
        (
            evidence(
                "1.2.3", confidence=0.7, decisive_marks=[mark("."), mark("/", confidence=0.6)]
            ),
            "it is not sure that there is a slash (0.60)",
        ),
    ],
    "unsure": [
        (evidence(confidence=0.79), "confidence 0.7900 is below 0.8000"),
        (
            evidence("12", {"min_confidence": 1.0}, confidence=0.999),
            "confidence 0.9990 is below 1.0000",
        ),
    ],
    "several lines": [
        (evidence(**said_of(True, False)), "there are several lines of writing, and one was read"),
        (evidence(**said_of(True, True)), "there are several lines of writing, and one was read"),
    ],
    "far apart": [
        (evidence(**said_of(False, True)), "the writing stands far apart: one number or several?")
    ],
    "characters": [(evidence("1", beside="character"), "there is more than one character")],
    "edge": [
        (evidence("1", beside="edge"), "there is a line along the edge of the picture: a frame?")
    ],
    "nothing read": [(evidence(""), "there is ink, and no number was read in it")],
    "unseen mark": [
        (
            evidence("1.2", {"pattern": r"\d\.\d"}, unseen_mark="."),
            "the pattern writes '.', and no mark was seen there",
        )
    ],
    "constraint alone": [
        (
            evidence("12", {"pattern": r"\d\d"}, free="17", free_is_sure=True),
            "without the pattern or check it reads 17",
        ),
        (
            evidence("5296", {"pattern": r"\d{4}"}, free="58296"),
            "without the pattern or check it reads 58296",
        ),
        (
            evidence("5699765", {"pattern": r"\d{7}"}, free="569765"),
            "without the pattern or check it reads 569765",
        ),
        (
            evidence("1", {"pattern": r"\d"}, free=""),
            "without the pattern or check it reads nothing",
        ),
    ],
    "unwritten mark": [
        (
            evidence("1250", {"pattern": r"\d{4}"}, marks=[mark(".", 2)]),
            "a dot stands there that the pattern does not write",
        ),
        (
            evidence("0680", {"pattern": r"\d{4}"}, marks=[mark(",", 1)]),
            "a comma stands there that the pattern does not write",
        ),
        (
            evidence("1250", {"pattern": r"\d{4}"}, marks=[mark("-", 0)]),
            "a dash stands there that the pattern does not write",
        ),
        (
            evidence("1205", {"pattern": r"\d{4}"}, marks=[mark("/", 2)]),
            "a slash stands there that the pattern does not write",
        ),
        (
            evidence("1250,00", {"pattern": r"\d+,\d\d"}, marks=[mark(".", 2)]),
            "a dot stands there that the pattern does not write",
        ),
        (
            evidence("1250000", {"pattern": r"\d+"}, marks=[mark(".", 4)]),
            "a dot stands there that the pattern does not write",
        ),
    ],
    "other ink": [(evidence(marks=[mark("?")]), "there is ink that is no digit")],
    "mark or 1": [
        (evidence("1/2", marks=[mark("/", one=0.05)]), "a slash may be a 1"),
        (evidence("1.2", marks=[mark("-", 0), mark(".", one=0.4)]), "a dot may be a 1"),
    ],
    "strokes": [
        (
            evidence("1", line=line(bars(2)), characters=characters("1")),
            "there are more strokes than digits were read",
        )
    ],
    "raised end": [
        (
            evidence("1111", **raised((0, 40), (0, 40), (0, 24), (0, 24))),
            "the last digits are smaller and stand higher: cents?",
        ),
        (
            evidence("1111", **raised((0, 40), (0, 40), (0, 40), (0, 20))),
            "the last digits are smaller and stand higher: cents?",
        ),
    ],
    "mark ahead": [
        (evidence("5", beside="dash"), "a dash stands before the number: minus?"),
        (evidence("5", beside="dot"), "a dot stands before the number: less than one?"),
        (
            evidence("111", line=line(with_dot_ahead())),
            "a dot stands before the number: less than one?",
        ),
    ],
}


@pytest.mark.parametrize("name", CASES)
def test_each_rule_says_why(name: str) -> None:
    (rule,) = (rule for rule in RULES if rule.name == name)
    for known, reason in CASES[name]:
        assert decide(known) == (rule.status, reason, name)
        assert rule.holds(known) in {True, reason}


ACCEPTED = [
    evidence(),
    evidence(confidence=0.8),
    evidence("12", {"min_confidence": 0.4}, confidence=0.49),
    evidence("12", {"min_confidence": 0.0}, confidence=0.0),
    evidence("18", {"check": "luhn", "pattern": r"\d\d"}),
    Evidence.of_blank(ReadOptions()),
    Evidence.of_blank(ReadOptions(min_confidence=1.0)),
    Evidence.of_blank(ReadOptions(pattern=r"\d*")),
    evidence("1", no_digit=0.5),
    # A mark that is as good as sure, and one that does not matter.
    evidence("1.2", marks=[mark(".")], decisive_marks=[mark(".", confidence=0.9)]),
    evidence("12", decisive_marks=[mark(".", confidence=0.1)]),
    evidence("1.250", marks=[mark(".", confidence=0.6)]),
    evidence("1/2", marks=[mark("/", one=0.04)]),
    evidence("1.250.-", marks=[mark(".", 1), mark(".", 4), mark("-", 4)]),
    # A pattern may settle one digit for another, and which mark it was.
    evidence("12", {"pattern": r"\d\d"}, free="17"),
    evidence("1.2", {"pattern": r"\d\.\d"}, free="12", free_is_sure=True),
    # What parts thousands, what closes the number, and what stands for a mark of the pattern.
    evidence("1250", {"pattern": r"\d+"}, marks=[mark(".", 1)]),
    evidence("1250", {"pattern": r"\d+"}, marks=[mark(".", 4)]),
    evidence("1250", {"pattern": r"\d+"}, marks=[mark("=", 4)]),
    evidence("12500", {"pattern": r"\d+"}, marks=[mark(",", 2)]),
    evidence("1250000", {"pattern": r"\d+"}, marks=[mark(".", 1), mark(".", 4)]),
    evidence("1250,00", {"pattern": r"\d+,\d\d"}, marks=[mark(".", 1)]),
    evidence("1250,00", {"pattern": r"\d+,\d\d"}, marks=[mark(".", 4)]),
    evidence("-12500.00", {"pattern": r"-\d+\.\d\d"}, marks=[mark(",", 3)]),
    evidence("111", line=line(bars(3))),
    # A digit that was read, be it in pieces or read as two.
    evidence("1111", line=line(bars(3)), characters=characters("1111")),
    # The dot that was read, ahead or between.
    evidence(".11", line=line(with_dot_ahead()), characters=characters(".11")),
    evidence("1.1", line=line(with_dot_between()), characters=characters("1.1")),
    # Small at the end and on the line, hardly smaller, small at the start, one of two, no digits.
    evidence("1111", **raised((0, 40), (0, 40), (16, 24), (16, 24))),
    evidence("1111", **raised((0, 40), (0, 40), (0, 34), (0, 34))),
    evidence("1111", **raised((0, 24), (0, 24), (0, 40), (0, 40))),
    evidence("11", **raised((0, 40), (0, 24))),
]


@pytest.mark.parametrize("known", ACCEPTED, ids=lambda known: known.text)
def test_what_no_rule_objects_to_is_accepted(known: Evidence) -> None:
    assert decide(known) == ("accepted", "", "")
    assert not any(rule.holds(known) for rule in RULES)


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
    ],
)
def test_unwritten_dots_and_commas_part_thousands_or_are_in_doubt(
    text: str, places: list[int], *, doubted: bool
) -> None:
    for value in ".,":
        marks = [mark(value, place) for place in places]
        rule = decide(evidence(text, {"pattern": r"\d+"}, marks=marks))[2]
        assert rule == ("unwritten mark" if doubted else "")
        # Without a pattern it is written, and what it means is another question.
        assert decide(evidence(text, marks=marks))[2] == ""


def test_every_rule_is_reached() -> None:
    assert [rule.name for rule in RULES] == list(CASES)
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_the_first_rule_that_says_why_decides() -> None:
    for known in [known for cases in CASES.values() for known, _ in cases]:
        objecting = [rule for rule in RULES if rule.holds(known)]
        assert decide(known)[2] == objecting[0].name
    everything = evidence(
        "17",
        {"check": "luhn"},
        confidence=0.3,
        decisive_marks=[mark(".", confidence=0.6)],
        marks=[mark("?")],
        beside="edge",
    )
    order = [rule.name for rule in RULES if rule.holds(everything)]
    assert order == ["check", "unlikely", "weak mark", "unsure", "edge", "other ink"]
    assert decide(everything)[2] == "check"


def test_the_order_is_as_documented() -> None:
    rows = re.findall(
        r"^\| (.+?) \| `(review|rejected)` \| (policy|evidence) \| ([^|]+) \|",
        DOCUMENT.read_text("utf-8"),
        re.M,
    )
    assert rows == [(rule.name, rule.status, rule.kind, rule.reason) for rule in RULES]


def test_blank_paper_is_sure_where_it_may_be_blank() -> None:
    for options, confidence, free in (
        ({}, 1.0, None),
        ({"pattern": r"\d*"}, 1.0, ""),
        ({"pattern": r"\d+"}, 0.0, ""),
        ({"check": "luhn"}, 0.0, ""),
    ):
        known = Evidence.of_blank(ReadOptions(**options))  # type: ignore[arg-type]
        assert (known.text, known.confidence, known.free) == ("", confidence, free)
        hidden = Evidence.of_blank(ReadOptions(**options), "the paper is black")  # type: ignore[arg-type]
        assert (hidden.text, hidden.confidence, hidden.free) == ("", 0.0, free)


def test_a_mark_is_seen_where_it_is_likelier_there_than_not() -> None:
    assert [mark(".", confidence=p).is_seen for p in (0.2, 0.49, 0.5, 1.0)] == [
        False, False, True, True,
    ]  # fmt: skip
    for p, certainty in ((0.2, 0.8), (0.5, 0.5), (0.9, 0.9)):
        assert mark(".", confidence=p).certainty == pytest.approx(certainty)


def test_what_is_derived_from_evidence() -> None:
    known = evidence("1.2")
    assert known.text == "1.2"
    assert known.digits == [(30, 20, 10, 40), (110, 20, 10, 40)]
    assert known.least_confidence == 0.8
    assert evidence("1", {"min_confidence": 0.0}).least_confidence == 0.0
