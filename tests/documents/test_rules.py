from decimal import Decimal
from itertools import product

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


@pytest.mark.parametrize("relation", ["=", "<=", ">=", "<", ">"])
def test_whether_a_rule_can_hold_is_as_by_trying(relation: str) -> None:
    quarters = [Decimal(quarter) / 4 for quarter in range(13)]
    for left, constant in product(("a", "a - b", "2 * a - 3 * b", "b - a"), range(-7, 8)):
        rule = Rule.parse(f"{left} {relation} {constant}")
        tried = ({"a": a, "b": b} for a, b in product(quarters, quarters[:5]))
        assert rule.can_hold({"a": (0, 3), "b": (0, 1)}) == any(map(rule.holds, tried))
