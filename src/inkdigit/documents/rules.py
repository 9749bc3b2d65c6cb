"""What must hold among the fields of a form: sums, orders, dates.

    total = q1 + q2          sum(q1..q10) = total
    net = gross - 3 * fee    until >= since

A rule is linear: a weighted sum of fields, and a number.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from operator import eq, ge, gt, le, lt
from typing import Self

from inkdigit.errors import SettingError, shown

_RELATIONS = {"=": eq, "<=": le, ">=": ge, "<": lt, ">": gt}
_NAME = r"[A-Za-z_]\w*(?:\.\w+)*"
_TERM = re.compile(
    rf"\s*(?P<sign>[+-])?\s*(?:(?P<times>\d+(?:\.\d+)?)\s*\*\s*)?"
    rf"(?:sum\(\s*(?P<first>{_NAME})\s*\.\.\s*(?P<last>{_NAME})\s*\)|(?P<name>{_NAME})"
    rf"|(?P<number>\d+(?:\.\d+)?))\s*"
)
# No range holds more fields than a form.
_LONGEST = 1000
_NUMBERED = re.compile(r"(.*?)(\d+)")


@dataclass(frozen=True)
class Rule:
    """A relation between a weighted sum of fields and zero.

    >>> rule = Rule.parse("total = q1 + q2")
    >>> rule.holds({"total": Decimal(7), "q1": Decimal(3), "q2": Decimal(4)})
    True
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
        weights = Counter[str]()
        for side, factor in ((left, 1), (right, -1)):
            for name, weight in _terms(side, text):
                weights[name] += factor * weight  # type: ignore[assignment]
        constant = Decimal(weights.pop("", 0))
        if not any(weights.values()):
            raise SettingError(f"the rule {text!r} says nothing of any field")
        return cls(
            text, {name: Decimal(weight) for name, weight in weights.items()}, constant, relation
        )

    def excess(self, values: Mapping[str, Decimal]) -> Decimal:
        """Return by how much its left side exceeds the right for the values of its fields."""
        return sum((w * values[name] for name, w in self.weights.items()), self.constant)

    def holds(self, values: Mapping[str, Decimal]) -> bool:
        """Return whether the rule holds for the values of its fields."""
        return bool(_RELATIONS[self.relation](self.excess(values), 0))

    def can_hold(self, ranges: Mapping[str, tuple[float, float]]) -> bool:
        """Return whether it may hold for some values from these ranges, least to most.

        >>> Rule.parse("a >= 100").can_hold({"a": (0, 99)})
        False
        """
        ends = [
            sorted(float(weight) * end for end in ranges[name])
            for name, weight in self.weights.items()
            if weight
        ]
        least, most = (float(self.constant) + sum(some) for some in zip(*ends, strict=True))
        compare = _RELATIONS[self.relation]
        return any(compare(end, 0) for end in (least, most, min(max(0.0, least), most)))


def _terms(side: str, rule: str) -> Iterator[tuple[str, Decimal]]:
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


def _range(first: str, last: str, rule: str) -> list[str]:
    """Return the names from q1 to q10."""
    one, other = (_NUMBERED.fullmatch(name) for name in (first, last))
    if not (one and other and one[1] == other[1] and 0 < int(other[2]) - int(one[2]) < _LONGEST):
        raise SettingError(f"the rule {rule!r}: {first}..{last} is no range such as q1..q10")
    return [f"{one[1]}{number}" for number in range(int(one[2]), int(other[2]) + 1)]
