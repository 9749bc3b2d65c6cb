"""What must hold among the fields of a form: sums, orders, dates.

    total = q1 + q2          sum(q1..q10) = total
    net = gross - 3 * fee    until >= since

A rule is linear, so that the value which it asks of one field follows from the others.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from operator import eq, ge, gt, le, lt
from typing import Self

from inkdigit.errors import SettingError, shown

_RELATIONS = {"=": eq, "<=": le, ">=": ge, "<": lt, ">": gt}
NAME = r"[A-Za-z_]\w*(?:\.\w+)*"
_TERM = re.compile(
    rf"\s*(?P<sign>[+-])?\s*(?:(?P<times>\d+(?:\.\d+)?)\s*\*\s*)?"
    rf"(?:sum\(\s*(?P<first>{NAME})\s*\.\.\s*(?P<last>{NAME})\s*\)|(?P<name>{NAME})"
    rf"|(?P<number>\d+(?:\.\d+)?))\s*"
)
_NUMBERED = re.compile(r"(.*?)(\d+)")


@dataclass(frozen=True)
class Rule:
    """A relation between a weighted sum of fields and zero.

    >>> rule = Rule.parse("total = q1 + q2")
    >>> rule.holds({"total": Decimal(7), "q1": Decimal(3), "q2": Decimal(4)})
    True
    >>> rule.asks("q2", {"total": Decimal(9), "q1": Decimal(3)})
    Decimal('6')
    """

    text: str
    weights: Mapping[str, Decimal]
    constant: Decimal
    relation: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the rule that a text writes; `SettingError` where it writes none."""
        parts = re.split(r"(<=|>=|=|<|>)", text)
        if len(parts) != 3:
            raise SettingError(f"a rule has one of = <= >= < >, such as total = a + b: {text!r}")
        left, relation, right = parts
        weights, constant = Counter[str](), Decimal(0)
        for side, factor in ((left, 1), (right, -1)):
            for name, weight in _terms(side, text):
                if name:
                    weights[name] += factor * weight  # type: ignore[assignment]
                else:
                    constant += factor * weight
        known = {name: Decimal(weight) for name, weight in weights.items() if weight}
        if not known:
            raise SettingError(f"the rule {text!r} names no field on which it depends")
        return cls(text, known, constant, relation)

    def holds(self, values: Mapping[str, Decimal]) -> bool:
        """Return whether the rule holds for the values of its fields."""
        total = sum((w * values[name] for name, w in self.weights.items()), self.constant)
        return bool(_RELATIONS[self.relation](total, 0))

    def asks(self, name: str, values: Mapping[str, Decimal]) -> Decimal | None:
        """Return the one value of a field with which an equation holds; `None` for an order."""
        if self.relation != "=":
            return None
        others = (w * values[other] for other, w in self.weights.items() if other != name)
        return -sum(others, self.constant) / self.weights[name]


def _terms(side: str, rule: str) -> Iterable[tuple[str, Decimal]]:
    """Yield the weight of each field on a side, and of numbers as those of no name."""
    at = 0
    while at < len(side) or not at:
        found = _TERM.match(side, at)
        if not found or (at and not found["sign"]):
            raise SettingError(f"the rule {rule!r} cannot be read from {shown(side[at:])} on")
        weight = Decimal(f"{found['sign'] or ''}{found['times'] or 1}")
        if found["number"]:
            yield "", weight * Decimal(found["number"])
        elif found["name"]:
            yield found["name"], weight
        else:
            yield from ((name, weight) for name in _range(found["first"], found["last"], rule))
        at = found.end()


def _range(first: str, last: str, rule: str) -> Iterable[str]:
    """Return the names from q1 to q10."""
    ends = [_NUMBERED.fullmatch(name) for name in (first, last)]
    if not all(ends) or len({end[1] for end in ends if end}) > 1:
        raise SettingError(f"the rule {rule!r}: {first}..{last} is no range such as q1..q10")
    start, end = (int(found[2]) for found in ends if found)
    if start >= end:
        raise SettingError(f"the rule {rule!r}: {first}..{last} runs backwards")
    return [f"{_NUMBERED.fullmatch(first)[1]}{number}" for number in range(start, end + 1)]  # type: ignore[index]


def related(rules: Iterable[Rule]) -> list[list[Rule]]:
    """Return the rules in groups: those of a group share fields, those of two groups do not."""
    groups = list[list[Rule]]()
    for rule in rules:
        joined = [
            group for group in groups if any(one.weights.keys() & rule.weights for one in group)
        ]
        groups = [group for group in groups if group not in joined]
        groups.append([one for group in joined for one in group] + [rule])
    return groups
