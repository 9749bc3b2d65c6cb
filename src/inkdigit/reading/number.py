"""Which number a text as it is written may mean."""

import re
from decimal import Decimal

from inkdigit.reading.alphabet import only_digits

_MARKS = {"dot": ".", "comma": ","}
# A minus, the number, and what closes an amount, as in  1250.-  1250,--  1250=  1250.
_TEXT = re.compile(r"(-?)(.*?)([-.,=]*)", re.DOTALL)
_IN_THOUSANDS = r"[1-9]\d{0,2}(?P<part>[.,])\d{3}(?:(?P=part)\d{3})*"
_WHOLE = re.compile(rf"\d+|{_IN_THOUSANDS}", re.ASCII)
_DECIMAL = re.compile(rf"(?P<whole>\d*|{_IN_THOUSANDS})(?P<mark>[.,])(?P<rest>\d+)", re.ASCII)


def meanings(text: str, decimal: str | None = None) -> set[Decimal]:
    """Return every number that a text may mean; none for a date, a code or nothing.

    A dot or comma before three digits may part thousands or stand before decimals, unless
    `decimal`, `"dot"` or `"comma"`, settles it. What closes an amount, as `.-`, stands in place of
    decimals.

    >>> sorted(meanings("1.500"))
    [Decimal('1.500'), Decimal('1500')]
    >>> meanings("1.500", "comma"), meanings("1.500,75"), meanings("1.250.-"), meanings("12/05")
    ({Decimal('1500')}, {Decimal('1500.75')}, {Decimal('1250')}, set())
    """
    parts = _TEXT.fullmatch(text)
    assert parts  # every text has them
    sign, body, closing = parts.groups()
    before_decimals = _MARKS[decimal] if decimal else None
    found = set()
    whole, fraction = _WHOLE.fullmatch(body), _DECIMAL.fullmatch(body)
    if whole and (not before_decimals or whole["part"] != before_decimals):
        found.add(Decimal(sign + only_digits(body)))
    if fraction and (
        before_decimals in {None, fraction["mark"]}
        and fraction["mark"] != fraction["part"]
        and not {"-", "="} & set(closing)
    ):
        found.add(Decimal(f"{sign}{only_digits(fraction['whole']) or 0}.{fraction['rest']}"))
    return found
