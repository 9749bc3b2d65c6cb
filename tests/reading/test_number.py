from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inkdigit.reading.number import meanings

# What each text may mean: where nothing is said of decimals, where a dot and where a comma does.
MEANINGS = [
    ("", [], [], []),
    ("7", ["7"], ["7"], ["7"]),
    ("007", ["7"], ["7"], ["7"]),
    ("1250", ["1250"], ["1250"], ["1250"]),
    ("87.32", ["87.32"], ["87.32"], []),
    ("87,32", ["87.32"], [], ["87.32"]),
    ("1.5", ["1.5"], ["1.5"], []),
    (".5", ["0.5"], ["0.5"], []),
    (",99", ["0.99"], [], ["0.99"]),
    ("0.680", ["0.680"], ["0.680"], []),
    ("1.500", ["1500", "1.500"], ["1.500"], ["1500"]),
    ("1,500", ["1500", "1.500"], ["1500"], ["1.500"]),
    ("12.5000", ["12.5"], ["12.5"], []),
    ("1234.567", ["1234.567"], ["1234.567"], []),
    ("1.500.000", ["1500000"], [], ["1500000"]),
    ("1,500,000", ["1500000"], ["1500000"], []),
    ("1.500,75", ["1500.75"], [], ["1500.75"]),
    ("1,500.75", ["1500.75"], ["1500.75"], []),
    ("1,500.750", ["1500.75"], ["1500.75"], []),
    ("12,34.5", [], [], []),
    ("1.500.00", [], [], []),
    ("1.5.7", [], [], []),
    ("1..5", [], [], []),
    ("1.50,5", [], [], []),
    ("1250.-", ["1250"], ["1250"], ["1250"]),
    ("1250,--", ["1250"], ["1250"], ["1250"]),
    ("1250=", ["1250"], ["1250"], ["1250"]),
    ("1250.", ["1250"], ["1250"], ["1250"]),
    ("-125", ["-125"], ["-125"], ["-125"]),
    ("-1.5", ["-1.5"], ["-1.5"], []),
    ("--125", [], [], []),
    ("12-50", [], [], []),
    ("12/05", [], [], []),
    ("1/2", [], [], []),
    ("=125", [], [], []),
    ("24.12.2024", [], [], []),
    ("-", [], [], []),
    (".", [], [], []),
    (".-", [], [], []),
    ("1?2", [], [], []),
    ("\u0661", [], [], []),
]


@pytest.mark.parametrize(("text", "either", "dot", "comma"), MEANINGS)
def test_what_a_text_may_mean(
    text: str, either: list[str], dot: list[str], comma: list[str]
) -> None:
    assert meanings(text) == set(map(Decimal, either))
    assert meanings(text, "dot") == set(map(Decimal, dot))
    assert meanings(text, "comma") == set(map(Decimal, comma))


NUMBERS = st.decimals(0, 10**12, places=2)
THOUSANDS = {".": ",", ",": "."}
NAMES = {".": "dot", ",": "comma"}


def written(number: Decimal, mark: str, *, grouped: bool, closing: str = "") -> str:
    """A number as Python writes it, with another mark for the dot and the comma."""
    text = f"{number:{',' if grouped else ''}.2f}"
    swapped = text.translate(str.maketrans({".": mark, ",": THOUSANDS[mark]}))
    return swapped + closing


@given(NUMBERS, st.sampled_from(".,"), st.booleans(), st.booleans())
def test_a_number_that_was_written_is_among_the_meanings(
    number: Decimal, mark: str, grouped: bool, negative: bool
) -> None:
    number = -number if negative else number
    text = written(number, mark, grouped=grouped)
    assert meanings(text) == meanings(text, NAMES[mark]) == {number}


@given(st.integers(0, 10**12), st.sampled_from(".,"), st.sampled_from(["", ".-", ",--", "=", "."]))
def test_whole_numbers_with_parted_thousands(number: int, mark: str, closing: str) -> None:
    text = f"{number:,}".replace(",", mark) + closing
    assert Decimal(number) in meanings(text)
    other = {".": "comma", ",": "dot"}[mark]
    assert meanings(text, other) == {Decimal(number)}
    assert meanings(f"{number}{closing}") == {Decimal(number)}


@given(st.integers(1, 999), st.integers(0, 999), st.sampled_from(".,"))
def test_three_digits_behind_one_mark_are_settled_by_decimal(
    head: int, tail: int, mark: str
) -> None:
    text = f"{head}{mark}{tail:03}"
    whole, fraction = Decimal(1000 * head + tail), Decimal(1000 * head + tail) / 1000
    assert meanings(text) == {whole, fraction}
    assert meanings(text, NAMES[mark]) == {fraction}
    assert meanings(text, NAMES[THOUSANDS[mark]]) == {whole}


@given(st.text("0123456789.,-/=?", max_size=12), st.sampled_from([None, "dot", "comma"]))
def test_any_text_has_at_most_two_meanings_with_its_own_digits(
    text: str, decimal: str | None
) -> None:
    found = meanings(text, decimal)
    assert len(found) <= (2 if decimal is None else 1)
    assert found <= meanings(text)
    for number in found:
        digits = "".join(symbol for symbol in text if symbol in "0123456789").lstrip("0")
        assert "".join(map(str, number.as_tuple().digits)).lstrip("0") == digits
