"""Patterns against Python's own expressions."""

import re
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from math import inf
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inkdigit.errors import SettingError
from inkdigit.reading.alphabet import DIGITS
from inkdigit.reading.checks import find_check
from inkdigit.reading.patterns import ALPHABET, Pattern, grammar
from inkdigit.reading.patterns.automata import MAX_STATES


def fits(pattern: str, text: str) -> bool:
    return re.fullmatch(pattern, text, re.ASCII) is not None


def parsed(pattern: str) -> Pattern | str:
    """The pattern, or why it is none."""
    try:
        return Pattern.parse(pattern)
    except SettingError as error:
        return str(error)


def broke_a_bound(reason: str) -> bool:
    return re.search("more than|at most", reason) is not None


LITERALS = [*DIGITS, *",-/=", r"\d", r"\.", r"\-", r"\/", r"\,", r"\="]


SETS = ["[12]", "[0-4]", "[.,]", r"[\d-]", r"[5-79]", "[^0]", r"[^\d.]", "[-/]", r"[\.\-2-3]"]


REPEATS = ["?", "*", "+", "{0}", "{2}", "{1,3}", "{0,2}", "{2,}", "{0,}"]


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.lists(inner, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
        st.tuples(inner, st.sampled_from(REPEATS)).map(lambda pair: f"(?:{pair[0]}){pair[1]}"),
    )


PATTERNS = st.recursive(st.sampled_from(LITERALS + SETS), grown, max_leaves=8)


@settings(deadline=None, max_examples=300)
@given(PATTERNS.filter(bool), st.lists(st.text("012.-", max_size=7), max_size=30))
def test_it_means_what_pythons_expressions_mean(pattern: str, texts: list[str]) -> None:
    compiled = parsed(pattern)
    for text in ["", *ALPHABET, *texts]:
        if isinstance(compiled, str):
            assert broke_a_bound(compiled)
        else:
            assert compiled.fits(text) == fits(pattern, text), text


@settings(deadline=None, max_examples=300)
@given(st.data(), PATTERNS.filter(bool))
def test_what_python_can_write_fits(data: st.DataObject, pattern: str) -> None:
    """Texts made from the pattern: random ones seldom fit a long one."""
    text = data.draw(
        st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True, alphabet=ALPHABET)
    )
    compiled = parsed(pattern)
    assert broke_a_bound(compiled) if isinstance(compiled, str) else compiled.fits(text)


@pytest.mark.parametrize(
    "pattern",
    [
        *(r"\d{5}", r"\d{3,7}", r"0\d{9}", r"[12]\d{3}", r"\d+\.\d\d", r"(19|20)\d\d", "(|1)2"),
        *(r"(\d{1,2}[-/]){2}\d{2,4}", r"\d{1,3}(,\d{3})*(\.\d\d)?", "(1|12|123)*", "((1|2)?3)*"),
    ],
)
def test_every_short_text_fits_or_not_as_with_python(pattern: str) -> None:
    compiled = Pattern.parse(pattern)
    for length in range(6):
        for symbols in product("0123.,-", repeat=length):
            text = "".join(symbols)
            assert compiled.fits(text) == fits(pattern, text), text


@settings(deadline=None)
@given(st.text(st.sampled_from(r"019\d.,-/=[]^(){}?:|*+a ") | st.characters(), max_size=210))
def test_anything_is_a_pattern_or_a_clear_error(text: str) -> None:
    compiled = parsed(text)
    if isinstance(compiled, str):
        assert "\n" not in compiled
    else:
        assert compiled.fits("1") == fits(text, "1")


EXPLOSIVE = [
    *(r"((\d?){50}){50}", r"(\d|\d\d){40}", r"((\d|\d\d){12}){14}", r"((\d?){22}){22}"),
    *(r"(\d*1\d{20}){20}", r"(((\d*)*)*)*", r"((){100}){100}", r"((1?\d?){16}){16}"),
    *(r"((((((\d{9}){9}){9}){9}){9}){9}){9}", r"(1|12|123|1234)*\d{1,100}", "(|)" * 66),
    *(
        "(" * 100 + ")" * 100,
        r"(\d?){50}" * 8,
        r"(1?\d*){80}",
        "[" * 200,
        "(?:" * 66,
        r"\d{100}" * 5,
    ),
]


@pytest.mark.parametrize("pattern", EXPLOSIVE)
def test_no_pattern_takes_long(pattern: str) -> None:
    start = time.thread_time()
    compiled = parsed(pattern)
    assert time.thread_time() - start < 0.5
    if isinstance(compiled, Pattern):
        assert compiled.automaton.dead <= MAX_STATES
    else:
        assert broke_a_bound(compiled) or "character" in compiled


def test_patterns_are_values() -> None:
    first, again = Pattern.parse(r"\d{5}"), Pattern.parse(r"\d{5}")
    assert first == again
    assert hash(first) == hash(again)
    assert first.automaton is again.automaton
    assert first != Pattern.parse(r"\d{6}")
    with pytest.raises(ValueError, match="read-only"):
        first.automaton.transitions[0, 0] = 1


def test_the_symbols_of_a_pattern() -> None:
    assert Pattern.parse(r"[12]\d").symbols == DIGITS
    assert Pattern.parse(r"1+\.[-2]").symbols == DIGITS + ".-"
    assert Pattern.parse("[^0]").symbols == ALPHABET
    assert not Pattern.parse(r"\d").fits("１")


@pytest.mark.parametrize(
    ("pattern", "count"),
    [(r"\d{5}", 5), (r"\d{4,}|12", 2), (r"-?\d", 1), (r"\d?", 0), (r"\d\.\d", inf)],
)
def test_how_many_digits_a_pattern_takes_at_least(pattern: str, count: float) -> None:
    assert Pattern.parse(pattern).least_digits == count


PAGE = (Path(__file__).parents[3] / "docs" / "patterns.md").read_text("utf-8")


def test_the_documents_examples_are_patterns_and_checks() -> None:
    rows = re.findall(r"^\| [^`|]+ \| `(.+?)` \| (?:`(.+?)` )?\|$", PAGE, re.M)
    assert len(rows) > 5
    for pattern, check in rows[1:]:
        assert Pattern.parse(pattern.replace(r"\|", "|"))
        assert not check or find_check(check)


def test_the_documents_limits_are_the_limits() -> None:
    limits = re.findall(r"^\| [^`|]+ \| ([\d,]+) \|$", PAGE, re.M)
    assert [int(limit.replace(",", "")) for limit in limits] == [
        *(grammar.MAX_LENGTH, grammar.MAX_REPEAT, grammar.MAX_POSITIONS, MAX_STATES)
    ]


def test_threads_share_patterns() -> None:
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda n: Pattern.parse(rf"\d{{{n % 4 + 1}}}").fits("12"), range(200))
        assert list(found) == [n % 4 == 1 for n in range(200)]
