import pytest
from every_path import line_of

from inkdigit.reading.alphabet import DIGITS
from inkdigit.reading.decoding.characters import locate
from inkdigit.reading.decoding.marks import find_marks, unseen_marks
from inkdigit.reading.decoding.posteriors import Posteriors


def marks_of(line: Posteriors, text: str, written: str = DIGITS) -> list[tuple[str, int, int, int]]:
    found_characters = locate(line.restricted_to(written), [text])
    (found,) = find_marks(line, found_characters, written=written)
    return [(mark.character.value, mark.position, mark.first, mark.last) for mark in found]


def test_marks_stand_between_the_characters_of_the_text() -> None:
    line = line_of(
        *({"=": 0.9}, {"1": 0.9}, {"1": 0.8}, {"2": 0.9}, {".": 0.9}, {}, {"5": 0.7}),
        *({"0": 0.98, "6": 0.01}, {}, {"-": 0.6}, {"-": 0.9}, {"?": 0.9}),
    )
    expected = [("=", 0, 0, 0), (".", 2, 4, 4), ("-", 4, 9, 10), ("?", 4, 11, 11)]
    assert marks_of(line, "1250") == expected
    # The text need not be the greedy one.
    assert marks_of(line, "1256") == expected
    assert marks_of(line, "") == [(mark, 0, first, last) for mark, _, first, last in expected]
    assert marks_of(line, "12.50", written=DIGITS + ".") == [
        (mark, position + (position > 2), first, last)
        for mark, position, first, last in expected
        if mark != "."
    ]


def test_a_mark_between_two_frames_is_not_lost() -> None:
    line = line_of({"1": 0.9}, {".": 0.45}, {".": 0.45}, {"2": 0.9})
    (characters,) = locate(line.restricted_to(), ["12"])
    ((mark,),) = find_marks(line, [characters])
    assert (mark.character.value, mark.position, mark.first, mark.last) == (".", 1, 1, 2)
    assert mark.character.confidence == pytest.approx(1 - 0.55**2)
    assert find_marks(line, [characters], least=0.7) == [[]]


def test_nothing_is_seen_where_nothing_is() -> None:
    assert marks_of(line_of({"1": 0.9}, {}, {".": 0.3}, {"2": 0.9, ".": 0.1}), "12") == []


def test_what_else_a_mark_may_be_is_what_its_frames_say() -> None:
    line = line_of({"2": 0.9}, {".": 0.5, "1": 0.25, "0": 0.01}, {".": 0.5, ",": 0.25}, {"5": 0.9})
    ((mark,),) = find_marks(line, locate(line.restricted_to(), ["25"]))
    assert mark.character.value == "."
    assert [one.value for one in mark.character.alternatives] == [".", "1", ","]
    assert [one.confidence for one in mark.character.alternatives] == pytest.approx(
        [1 / 1.51, 0.25 / 1.51, 0.25 / 1.51]
    )
    # A frame in which another symbol is likelier is none of the mark's.
    line = line_of({"2": 0.9}, {"1": 0.5, ".": 0.4}, {"5": 0.9})
    assert find_marks(line, locate(line.restricted_to(), ["25"])) == [[]]


def test_two_marks_beside_each_other_are_two() -> None:
    line = line_of({"5": 0.9}, {".": 0.9}, {"-": 0.9}, {"-": 0.9}, {}, {"-": 0.9})
    assert marks_of(line, "5") == [(".", 1, 1, 1), ("-", 1, 2, 3), ("-", 1, 5, 5)]


@pytest.mark.parametrize(
    ("said", "text", "unseen"),
    [
        ({".": 0.9}, "1.2", ""),
        ({"-": 0.9, ".": 0.01}, "1.2", ""),  # which mark it is, the pattern may settle
        ({".": 0.3, ",": 0.3}, "1.2", ""),
        ({".": 0.3}, "1.2", "."),
        ({",": 0.01}, "1,2", ","),
        ({}, "12", ""),
        ({"?": 0.9, "/": 0.01}, "1/2", "/"),
    ],
)
def test_a_mark_of_the_text_was_seen_or_not(said: dict[str, float], text: str, unseen: str) -> None:
    line = line_of({"1": 0.9}, {}, said, {}, {"2": 0.9})
    symbols = DIGITS + "".join(sorted(set(text) - set(DIGITS)))
    characters = locate(line.restricted_to(symbols), [text])
    assert unseen_marks(line, [text], characters) == [unseen]
