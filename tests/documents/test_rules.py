from decimal import Decimal

import pytest

from inkdigit.documents.rules import Rule
from inkdigit.errors import SettingError


def holds(text: str, **values: float) -> bool:
    return Rule.parse(text).holds({name: Decimal(str(value)) for name, value in values.items()})


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("total = q1 + q2", {"total": 7, "q1": 3, "q2": 4}, {"total": 8, "q1": 3, "q2": 4}),
        ("sum(q1..q2) = t", {"t": 6, "q1": 4, "q2": 2}, {"t": 5, "q1": 1, "q2": 2}),
        ("a = b - 2 * c + 1.5", {"a": 7.5, "b": 10, "c": 2}, {"a": 8, "b": 10, "c": 2}),
        ("until >= since", {"until": 5, "since": 5}, {"until": 4, "since": 5}),
        ("a.x < 3", {"a.x": 2}, {"a.x": 3}),
    ],
)  # fmt: skip
def test_a_rule_holds_or_not(text: str, right: dict[str, float], wrong: dict[str, float]) -> None:
    assert holds(text, **right)
    assert not holds(text, **wrong)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("q1 + q2", "has one of"),
        ("a = b = c", "has one of"),
        ("a = b +", "cannot be read from"),
        ("a = b c", "cannot be read from"),
        ("a = sum(q1..p3)", "is no range"),
        ("a = sum(q3..q1)", "is no range"),
        ("1 = 1", "says nothing"),
        ("a = a", "says nothing"),
    ],
)
def test_what_is_no_rule_is_told(text: str, what: str) -> None:
    with pytest.raises(SettingError, match=what):
        Rule.parse(text)
