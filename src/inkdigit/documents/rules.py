"""What must hold among the fields of a form: sums, orders, dates.

    total = q1 + q2          sum(q1..q10) = total
    net = gross - 3 * fee    until >= since

A rule is linear: a weighted sum of fields, and a number.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import isfinite
from operator import eq, ge, gt, le, lt
from typing import Self

from inkdigit.errors import SettingError, shown

_RELATIONS = {"=": eq, "<=": le, ">=": ge, "<": lt, ">": gt}
_NAME = r"[^\W\d]\w*(?:\.\w+)*"
_TERM = re.compile(
    rf"\s*(?P<sign>[+-])?\s*(?:(?P<times>\d+(?:\.\d+)?)\s*\*\s*)?"
    rf"(?:sum\(\s*(?P<first>{_NAME})\s*\.\.\s*(?P<last>{_NAME})\s*\)|(?P<name>{_NAME})"
    rf"|(?P<number>\d+(?:\.\d+)?))\s*"
)
# The least and the most of some numbers, each of them exact.
Range = tuple[Decimal | float, Decimal | float]
# No range holds more fields than a form.
_LONGEST = 1000
# So many weights are added before rules are taken to hold.
_MOST_WORK = 20_000
# So many digits has a number in a rule: their products grow with each field.
_MOST_DIGITS = 15
_NUMBERED = re.compile(r"(.*?)([0-9]+)")


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
            text,
            {name: Decimal(weight) for name, weight in weights.items() if weight},
            constant,
            relation,
        )

    def excess(self, values: Mapping[str, Decimal]) -> Decimal:
        """Return by how much its left side exceeds the right for the values of its fields."""
        return sum((w * values[name] for name, w in self.weights.items()), self.constant)

    def holds(self, values: Mapping[str, Decimal]) -> bool:
        """Return whether the rule holds for the values of its fields."""
        return bool(_RELATIONS[self.relation](self.excess(values), 0))


# Something that is at least zero: fields by name with their weights, a number of no name, and the
# rules that it comes of, by their texts, each with its share.
_Row = dict[str, Fraction]


def contradiction(rules: Sequence[Rule], ranges: Mapping[str, Range]) -> list[str]:
    """Return rules that cannot hold together for any values from these ranges, least to most.

    One field after the other is eliminated (Fourier and Motzkin), exactly. None are returned where
    rules hold together, and where that takes too long to know.

    >>> contradiction([Rule.parse("a > b"), Rule.parse("b > a")], {"a": (0, 99), "b": (0, 99)})
    ['a > b', 'b > a']
    """
    rows = [row for rule in rules for row in _rows(rule)]
    names, work = Counter(name for rule in rules for name in rule.weights), 0
    for name in sorted(names, key=names.__getitem__):
        for end, way in zip(ranges[name], (1, -1), strict=True):
            if isfinite(end):
                rows.append({name: Fraction(way), "": -way * Fraction(end)})
        above, below = ([r for r in rows if way * r.get(name, 0) > 0] for way in (1, -1))
        work += sum(len(one) + len(other) for one in above for other in below)
        if work > _MOST_WORK:
            return []
        rows = [row for row in rows if not row.get(name)]
        rows += [_without(name, one, other) for one in above for other in below]
    for row in rows:
        its = [rule for rule in rules if row.get(rule.text)]
        if row[""] < 0 or (not row[""] and any(rule.relation in "<>" for rule in its)):
            return [rule.text for rule in its]
    return []


def _rows(rule: Rule) -> Iterator[_Row]:
    """Yield what a rule comes to, an equation two rows."""
    for way in [1] * (rule.relation[0] in "=>") + [-1] * (rule.relation[0] in "=<"):
        known = {name: way * Fraction(weight) for name, weight in rule.weights.items()}
        yield known | {"": way * Fraction(rule.constant), rule.text: Fraction(way)}


def _without(name: str, *rows: _Row) -> _Row:
    """Return the sum of two rows in which a field cancels."""
    total = defaultdict[str, Fraction](Fraction)
    for row in rows:
        for key, share in row.items():
            total[key] += share / abs(row[name])
    return {key: share for key, share in total.items() if share or not key}


def _terms(side: str, rule: str) -> Iterator[tuple[str, Decimal]]:
    """Yield the weight of each field on a side, and of numbers as those of no name."""
    at = 0
    while at < len(side) or not at:
        found = _TERM.match(side, at)
        if not found or (at and not found["sign"]):
            raise SettingError(f"the rule {rule!r} cannot be read from {shown(side[at:])} on")
        if max(len(found["times"] or ""), len(found["number"] or "")) > _MOST_DIGITS:
            raise SettingError(f"the rule {rule!r} has a number of more than {_MOST_DIGITS} digits")
        weight = Decimal(f"{found['sign'] or ''}{found['times'] or 1}")
        if found["number"]:
            yield "", weight * Decimal(found["number"])
        elif found["name"]:
            yield found["name"], weight
        else:
            yield from ((name, weight) for name in _range(found["first"], found["last"], rule))
        at = found.end()


def _range(first: str, last: str, rule: str) -> list[str]:
    """Return the names from q1 to q10, or from q01."""
    one, other = (_NUMBERED.fullmatch(name) for name in (first, last))
    if not (one and other and one[1] == other[1] and 0 < int(other[2]) - int(one[2]) < _LONGEST):
        raise SettingError(f"the rule {rule!r}: {first}..{last} is no range such as q1..q10")
    width = len(one[2])
    return [f"{one[1]}{number:0{width}}" for number in range(int(one[2]), int(other[2]) + 1)]
