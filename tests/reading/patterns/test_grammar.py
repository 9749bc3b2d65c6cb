import pytest

from inkdigit.errors import SettingError
from inkdigit.reading.alphabet import DIGITS, MARKS
from inkdigit.reading.patterns import ALPHABET
from inkdigit.reading.patterns.automata import Part, determined
from inkdigit.reading.patterns.grammar import parsed


@pytest.mark.parametrize(
    ("pattern", "place", "reason"),
    [
        (r"\d{5", 3, "expected {n}"),
        (r"\d{}", 3, "expected {n}"),
        (r"\d{,3}", 3, "expected {n}"),
        (r"\d{٣}", 3, "expected {n}"),
        (r"\d{4,2}", 4, "the least comes first"),
        (r"\d{101}", 3, "at most 100 repeats"),
        (r"\d{5}+", 3, "no other repeat behind"),
        (r"\d*?", 3, "repeat cannot follow"),
        ("*1", 1, "nothing here to repeat"),
        ("1|+", 3, "nothing here to repeat"),
        (r"\d.\d", 3, r"write \\. for the dot"),
        (r"^\d{5}$", 1, r"leave \^ and \$ out"),
        (r"\d{5}$", 6, r"leave \^ and \$ out"),
        (r"\w+", 1, "a backslash stands before"),
        ("1\\", 2, "a backslash stands before"),
        (r"\1", 1, "a backslash stands before"),
        ("(12", 1, "not closed"),
        ("(?=1)", 1, "a group begins with"),
        ("12)", 3, "no group was open"),
        ("[12", 1, "a set holds digits, marks and ranges from digit to digit"),
        ("[", 1, "and ends with ]"),
        ("[a-z]+", 1, "a set holds digits"),
        ("[]", 1, "a set is not empty"),
        ("[^]", 1, "a set is not empty"),
        (r"[^\d.,\-/=]", 1, "nothing is in"),
        ("[4-0]", 2, "bad character range 4-0"),
        (r"[\d-,]", 1, "from digit to digit"),
        ("[1-", 1, "from digit to digit"),
        ("[,--]", 1, "from digit to digit"),
        ("1{1000000000}", 2, "expected {n}"),
        ("1{4294967295}", 2, "expected {n}"),
        ("1{999999999}", 2, "at most 100 repeats"),
        ("1{999999999,}", 2, "at most 100 repeats"),
        ("12a", 3, "neither a digit"),
        ("1 2", 2, "neither a digit"),
        ("１", 1, "neither a digit"),
        (r"((\d?){50}){50}", 12, "more than 512"),
    ],
)
def test_what_is_no_pattern(pattern: str, place: int, reason: str) -> None:
    with pytest.raises(SettingError, match=f"character {place}: .*{reason}") as caught:
        parsed(pattern)
    assert "\n" not in str(caught.value)


def test_patterns_that_are_empty_or_too_long() -> None:
    with pytest.raises(SettingError, match="is empty"):
        parsed("")
    with pytest.raises(SettingError, match="at most 200 characters, received 201"):
        parsed("1" * 201)


def symbols(text: str) -> int:
    return sum(1 << ALPHABET.index(symbol) for symbol in text)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("7", "7"),
        (r"\d", DIGITS),
        (r"\.", "."),
        (",", ","),
        ("[0-4]", "01234"),
        ("[^0]", ALPHABET[1:]),
        (r"[\d-]", DIGITS + "-"),
        ("[5-79]", "5679"),
        ("[.,]", ".,"),
        (r"[^\d]", MARKS),
    ],
)
def test_one_symbol_is_a_set(pattern: str, expected: str) -> None:
    assert parsed(pattern) == Part((symbols(expected),), (0,), first=1, last=1, empty=False)


@pytest.mark.parametrize(
    ("sign", "least", "most", "size"),
    [
        ("?", 0, 1, 1),
        ("*", 0, None, 1),
        ("+", 1, None, 1),
        ("{5}", 5, 5, 5),
        ("{2,7}", 2, 7, 7),
        ("{3,}", 3, None, 3),
        ("{0}", 0, 0, 0),
    ],
)
def test_repeats(sign: str, least: int, most: int | None, size: int) -> None:
    part = parsed("1" + sign)
    assert part.symbols == (symbols("1"),) * size
    automaton = determined(part)
    for count in range(12):
        assert automaton.accepts("1" * count) == (least <= count <= (11 if most is None else most))


def test_the_size_is_how_many_symbols_it_takes_written_out() -> None:
    for pattern, size in {
        r"\d{5}": 5,
        "(12|3){4}": 12,
        "(|)": 0,
        "((12){3}4){2}": 14,
        "(12){3,}": 6,
        r"\d{100}" * 5: 500,
    }.items():
        assert len(parsed(pattern)) == size, pattern
    with pytest.raises(SettingError, match="more than 512"):
        parsed(r"\d{100}" * 6)


def test_parts_follow_each_other_and_branches_stand_beside() -> None:
    both = parsed("12|3")
    assert both.symbols == tuple(symbols(symbol) for symbol in "123")
    assert both.follow == (0b010, 0, 0)
    assert (both.first, both.last, both.empty) == (0b101, 0b110, False)
    assert parsed("(?:12|3)") == parsed("(12|3)") == both
