"""Which number a text as it is written may mean."""

import re
from decimal import Decimal

from inkdigit.reading.alphabet import DIGITS

# What closes an amount instead of cents: 1250.-  1250,--  1250=  1250.
_CLOSING = re.compile(r"[-.,=]+$")
_MARKS = {"dot": ".", "comma": ","}


def meanings(text: str, decimal: str | None = None) -> set[Decimal]:
    """Return every number that a text may mean; none for a date, a code or nothing.

    A dot or comma before three digits may part thousands or stand before decimals, unless
    `decimal`, `"dot"` or `"comma"`, settles it. What closes an amount in place of cents, as `.-`,
    means nothing.

    >>> sorted(meanings("1.500"))
    [Decimal('1.500'), Decimal('1500')]
    >>> meanings("1.500", "comma"), meanings("1.500,75"), meanings("1250.-"), meanings("12/05")
    ({Decimal('1500')}, {Decimal('1500.75')}, {Decimal('1250')}, set())
    """
    sign = "-" if text.startswith("-") else ""
    body = _CLOSING.sub("", text.removeprefix("-"))
    parts = re.split(r"([.,])", body)
    groups, marks = parts[::2], parts[1::2]
    if not set("".join(groups)) <= set(DIGITS) or not "".join(groups) or not all(groups[1:]):
        return set()
    found = set()
    if _parts_thousands(groups) and len(set(marks)) < 2 and _may_part(marks, decimal):
        found.add(Decimal(sign + "".join(groups)))
    if marks and _may_precede_decimals(groups, marks, decimal):
        found.add(Decimal(f"{sign}{''.join(groups[:-1]) or '0'}.{groups[-1]}"))
    return found


def _parts_thousands(groups: list[str]) -> bool:
    """Return whether groups of digits are those of one number without decimals."""
    if len(groups) == 1:
        return True
    head, *others = groups
    return 1 <= len(head) <= 3 and head[0] != "0" and all(len(group) == 3 for group in others)


def _may_part(marks: list[str], decimal: str | None) -> bool:
    return not (marks and decimal and marks[0] == _MARKS[decimal])


def _may_precede_decimals(groups: list[str], marks: list[str], decimal: str | None) -> bool:
    """Return whether the last mark may stand before decimals, those before it part thousands."""
    *before, last = marks
    if decimal and last != _MARKS[decimal]:
        return False
    return last not in before and len(set(before)) < 2 and _parts_thousands(groups[:-1] or [""])
