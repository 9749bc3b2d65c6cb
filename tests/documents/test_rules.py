from collections import Counter
from decimal import Decimal
from itertools import product
from math import inf

import numpy as np
import pytest
from scipy.optimize import linprog

from inkdigit.documents.rules import Rule, contradiction
from inkdigit.errors import SettingError


def holds(text: str, **values: float) -> bool:
    return Rule.parse(text).holds({name: Decimal(str(value)) for name, value in values.items()})


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("total = q1 + q2", {"total": 7, "q1": 3, "q2": 4}, {"total": 8, "q1": 3, "q2": 4}),
        ("sum(q09..q10) = t", {"t": 6, "q09": 4, "q10": 2}, {"t": 5, "q09": 1, "q10": 2}),
        ("Über = 金額", {"Über": 6, "金額": 6}, {"Über": 5, "金額": 6}),
        ("sum(q1..q2) = t", {"t": 6, "q1": 4, "q2": 2}, {"t": 5, "q1": 1, "q2": 2}),
        ("a = b - 2 * c + 1.5", {"a": 7.5, "b": 10, "c": 2}, {"a": 8, "b": 10, "c": 2}),
        ("until >= since", {"until": 5, "since": 5}, {"until": 4, "since": 5}),
        ("a = 123456789012345", {"a": 123456789012345}, {"a": 123456789012346}),
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
        ("a = 2b", "cannot be read from"),
        ("1 = 1", "says nothing"),
        ("a = a", "says nothing"),
        ("a = 1234567890123456", "has a number of more than 15 digits"),
        ("a = 0.12345678901234 * b", "has a number of more than 15 digits"),
    ],
)
def test_what_is_no_rule_is_told(text: str, what: str) -> None:
    with pytest.raises(SettingError, match=what):
        Rule.parse(text)


def can_hold(*texts: str, **ranges: tuple[float, float]) -> bool:
    return not contradiction([Rule.parse(text) for text in texts], ranges)


@pytest.mark.parametrize("relation", ["=", "<=", ">=", "<", ">"])
def test_whether_a_rule_can_hold_is_as_by_trying(relation: str) -> None:
    quarters = [Decimal(quarter) / 4 for quarter in range(13)]
    for left, constant in product(("a", "a - b", "2 * a - 3 * b", "b - a"), range(-7, 8)):
        rule = Rule.parse(f"{left} {relation} {constant}")
        tried = ({"a": a, "b": b} for a, b in product(quarters, quarters[:5]))
        assert can_hold(rule.text, a=(0, 3), b=(0, 1)) == any(map(rule.holds, tried))


def test_whether_rules_can_hold_together_is_as_by_linear_programming() -> None:
    """Of a strict relation both sides have to be able to lie apart."""
    rng, names, answers = np.random.default_rng(0), ("a", "b", "c"), Counter[bool]()
    for _ in range(200):
        weights = rng.integers(-2, 3, (3, 3))
        weights[~weights.any(axis=1), 0] = 1
        constants = rng.integers(-2, 8, 3)
        relations = rng.choice(["=", "<=", "<"], 3, p=(0.2, 0.4, 0.4))
        ends = np.sort(rng.integers(0, 6, (3, 2)), axis=1)
        written = [
            " + ".join(f"{abs(w)} * {n}" for w, n in zip(row, names, strict=True) if w * side > 0)
            or "0"
            for row in weights
            for side in (1, -1)
        ]
        rules = [
            Rule.parse(f"{left} {relation} {right} {constant:+d}")
            for left, relation, right, constant in zip(
                written[::2], relations, written[1::2], constants, strict=True
            )
        ]
        strict = np.array([[relation == "<"] for relation in relations])
        is_equal = relations == "="
        known = linprog(
            [0, 0, 0, -1],  # the room that is left to strict relations, as large as it may be
            np.hstack([weights, strict])[~is_equal],
            constants[~is_equal],
            np.hstack([weights, 0 * strict])[is_equal],
            constants[is_equal],
            [*ends.tolist(), (-99, 1)],
        )
        expected = known.status == 0 and -known.fun > 1e-9
        ranges = dict(zip(names, ends.tolist(), strict=True))
        assert (not contradiction(rules, ranges)) == expected
        answers[expected] += 1
    assert min(answers.values()) > 50


def test_rules_that_contradict_each_other_are_named_and_no_others() -> None:
    rules = [Rule.parse(text) for text in ("c = 1", "a >= b", "b >= c", "b > a + 1", "d < c")]
    free = dict.fromkeys("abcd", (-inf, inf))
    assert contradiction(rules, free) == ["a >= b", "b > a + 1"]
    assert contradiction(rules[:3], free) == []
