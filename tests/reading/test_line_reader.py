from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from scripted import SURE, Grey, Odds, ScriptedLine, bars

from inkdigit.errors import SettingError
from inkdigit.reading.decoding import search
from inkdigit.reading.line_reader import LineReader
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.preprocessing.line import LINE_HEIGHT
from inkdigit.reading.review_rules import Evidence, decide
from inkdigit.reading.tta import VIEWS_WITH_FALLBACK


def read(model: ScriptedLine, page: Grey | None = None, **options: Any) -> Evidence:
    page = bars(len(model.said)) if page is None else page
    (found,) = LineReader(model).read([page], ReadOptions(**options))
    assert isinstance(found, Evidence)
    return found


def told(found: Evidence) -> tuple[str, str, str]:
    """The text, the status and the rule that gave it."""
    status, _, rule = decide(found)
    return found.text, status, rule


def values(found: Evidence) -> list[tuple[str, int]]:
    """The marks that were seen, and before which character of the digits each stands."""
    return [(mark.character.value, mark.position) for mark in found.marks]


# Digits


def test_a_line_is_its_digits() -> None:
    found = read(ScriptedLine("0", {"7": 0.9, "1": 0.08}, "7"))
    assert told(found) == ("077", "accepted", "")
    assert found.confidence == pytest.approx(SURE * SURE * 0.9, abs=0.01)
    assert found.found == "077"
    assert [one.value for one in found.characters] == ["0", "7", "7"]
    assert found.marks == found.decisive_marks == []
    assert found.free is None
    assert found.threshold == 0.8
    (first, second, *_) = found.characters[1].alternatives
    assert (first.value, second.value) == ("7", "1")
    assert first.confidence == found.characters[1].confidence
    assert second.confidence == pytest.approx(0.08 / 0.98, abs=0.01)


def test_alternatives_come_likeliest_first() -> None:
    odds = {"3": 0.4, "5": 0.3, "8": 0.2, "0": 0.05}
    (digit,) = read(ScriptedLine(odds)).characters
    assert "".join(other.value for other in digit.alternatives) == "3580"
    shares = [other.confidence for other in digit.alternatives]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1)


@pytest.mark.parametrize(
    ("p", "least", "status", "rule"),
    [
        (0.9, None, "accepted", ""),
        (0.7, None, "review", "unsure"),
        (0.7, 0.6, "accepted", ""),
        (0.3, None, "rejected", "unlikely"),
        (0.3, 0.2, "accepted", ""),
        (0.9, 0.95, "review", "unsure"),
    ],
)
def test_the_least_confidence(p: float, least: float | None, status: str, rule: str) -> None:
    odds = {"3": p, "5": (1 - p) / 4, "8": (1 - p) / 4, "9": (1 - p) / 4, "0": (1 - p) / 4}
    found = read(ScriptedLine(odds), min_confidence=least)
    assert told(found) == ("3", status, rule)
    assert found.confidence == pytest.approx(p, abs=1e-4)


def test_confidence_is_calibrated_by_what_the_model_says() -> None:
    odds = {"3": 0.8, "5": 0.05, "8": 0.05, "9": 0.05}
    # Log-odds of log 4, halved: odds of 2.
    found = read(ScriptedLine(odds, confidence_slope=0.5))
    assert found.confidence == pytest.approx(2 / 3, abs=1e-4)
    assert read(ScriptedLine("1", reject_threshold=0.3)).threshold == 0.3
    # What the characters say is sharpened or blunted likewise.
    (digit,) = found.characters
    assert digit.confidence == pytest.approx(4 / (4 + 3), abs=1e-4)


def test_blank_paper_is_an_empty_accepted_text() -> None:
    blank = np.full((40, 60), 230, np.uint8)
    found = read(ScriptedLine("1"), blank)
    assert told(found) == ("", "accepted", "")
    assert (found.confidence, found.is_blank, found.free) == (1.0, True, None)
    assert told(read(ScriptedLine("1"), blank, pattern=r"\d{5}")) == ("", "rejected", "blank")
    allowed = read(ScriptedLine("1"), blank, pattern=r"\d*")
    assert (told(allowed), allowed.free) == (("", "accepted", ""), "")


def test_what_the_network_is_shown_of_a_page() -> None:
    reader = LineReader(ScriptedLine("1"))
    assert reader.shown(bars(3)).shape[0] == LINE_HEIGHT
    assert reader.shown(bars(3)).max() == 255
    assert not reader.shown(np.full((40, 60), 230, np.uint8)).any()


def test_pages_come_back_in_order_whatever_their_width() -> None:
    pages = [bars(count) for count in (3, 1, 12, 2, 3)]
    pages.insert(2, np.full((40, 60), 230, np.uint8))
    found = LineReader(ScriptedLine("1", "2", "3")).read(pages, ReadOptions())
    shapes = [one.line and one.line.page for one in found if isinstance(one, Evidence)]
    assert shapes == [page.shape if page.min() < 100 else None for page in pages]
    assert LineReader(ScriptedLine("1")).read([], ReadOptions()) == []


# Boxes


def test_boxes_lie_over_the_strokes() -> None:
    found = read(ScriptedLine(*"1111"))
    for i, digit in enumerate(found.characters):
        assert np.abs(np.subtract(digit.box, (30 + 40 * i, 20, 10, 40))).max() <= 3


def test_boxes_of_touching_digits_part_the_ink() -> None:
    page = np.full((80, 200), 240, np.uint8)
    page[20:60, 30:170] = 20
    boxes = [digit.box for digit in read(ScriptedLine(*"111"), page).characters]
    for (x, _, width, _), (following, *_) in pairwise(boxes):
        assert abs(x + width - following) <= 2


def test_a_mark_too_faint_to_be_written_takes_no_ink_from_a_digit() -> None:
    page = np.full((80, 140), 240, np.uint8)
    page[20:60, 30:90] = 20
    plain = read(ScriptedLine("", "1", ""), page)
    faint = read(ScriptedLine({".": 0.3}, "1", ""), page)
    written = read(ScriptedLine({".": 0.9}, "1", ""), page)
    assert (plain.text, faint.text, written.text) == ("1", "1", ".1")
    assert [one.box for one in faint.characters] == [one.box for one in plain.characters]
    assert written.characters[1].box[2] < plain.characters[0].box[2]


# Marks


@pytest.mark.parametrize(
    ("said", "options", "text", "status", "rule"),
    [
        ("12.50", {}, "12.50", "accepted", ""),
        ("12,5", {}, "12,5", "accepted", ""),
        ("12-50", {}, "12-50", "accepted", ""),
        ("12.50", {"pattern": r"\d+\.\d\d"}, "12.50", "accepted", ""),
        ("12.50", {"pattern": r"\d+[.,]?\d\d"}, "12.50", "accepted", ""),
        ("12.50", {"pattern": r"\d{4}"}, "1250", "review", "unwritten mark"),
        ("1.250", {"pattern": r"\d{4}"}, "1250", "accepted", ""),
        ("1.250", {}, "1.250", "accepted", ""),
        ("1.250,75", {}, "1.250,75", "accepted", ""),
        ("1250.-", {}, "1250.-", "accepted", ""),
        ("-125", {}, "-125", "accepted", ""),
        (",99", {}, ",99", "accepted", ""),
        ("125.", {}, "125.", "accepted", ""),
        ("1/2", {}, "1/2", "accepted", ""),
        ("1/2", {"pattern": r"\d/\d"}, "1/2", "accepted", ""),
        ("12/05", {"pattern": r"\d{4}"}, "1205", "review", "unwritten mark"),
        ("12=", {}, "12=", "accepted", ""),
        ("1.8", {"check": "luhn"}, "1.8", "accepted", ""),
    ],
)
def test_the_text_is_what_stands_there(
    said: str, options: dict[str, Any], text: str, status: str, rule: str
) -> None:
    found = read(ScriptedLine(*said), **options)
    assert told(found) == (text, status, rule)
    assert "".join(one.value for one in found.characters) == text
    for one in found.characters:
        i = next(i for i, symbol in enumerate(said) if abs(one.box[0] - 30 - 40 * i) <= 3)
        assert one.value == said[i]
        assert np.abs(np.subtract(one.box, (30 + 40 * i, 20, 10, 40))).max() <= 3
        assert one.confidence == pytest.approx(SURE, abs=0.01)
        assert one.alternatives[0].value == one.value


def test_what_a_pattern_applies_to_are_the_digits_that_were_decoded() -> None:
    found = read(ScriptedLine(*"1.250"))
    assert (found.found, found.text) == ("1250", "1.250")
    assert values(found) == [(".", 1)]
    unwritten = read(ScriptedLine(*"1.250"), pattern=r"\d+")
    assert (unwritten.found, unwritten.text, values(unwritten)) == ("1250", "1250", [(".", 1)])
    assert unwritten.decisive_marks == []


@pytest.mark.parametrize(
    ("p", "text", "status", "rule"),
    [
        (0.97, "12.50", "accepted", ""),
        (0.85, "12.50", "review", "weak mark"),
        (0.55, "12.50", "review", "weak mark"),
        (0.45, "1250", "review", "weak mark"),
        (0.25, "1250", "review", "weak mark"),
        (0.15, "1250", "accepted", ""),
    ],
)
def test_a_mark_that_would_change_the_number_counts_in_the_confidence(
    p: float, text: str, status: str, rule: str
) -> None:
    page = bars(5, dots=[2])
    found = read(ScriptedLine("1", "2", {".": p}, "5", "0"), page)
    assert told(found) == (text, status, rule)
    alone = read(ScriptedLine("1", "2", "", "5", "0"), page).confidence
    certainty = max(p, 1 - p) if p > 0.2 else 1
    assert found.confidence == pytest.approx(alone * certainty, abs=1e-6)
    if rule:
        assert decide(found)[1] == f"it is not sure that there is a dot ({p:.2f})"


@pytest.mark.parametrize("p", [0.25, 0.45, 0.55, 0.85])
@pytest.mark.parametrize("place", [1, 4], ids=["thousands", "at the end"])
def test_a_mark_that_would_not_change_the_number_does_not(p: float, place: int) -> None:
    said: list[Odds | str] = list("1250")
    said.insert(place, {".": p})
    found = read(ScriptedLine(*said), bars(5, dots=[place]))
    text = "1250" if p < 0.5 else "1250"[:place] + "." + "1250"[place:]
    assert told(found) == (text, "accepted", "")
    assert found.decisive_marks == []
    assert found.confidence > 0.99


def test_what_stands_before_decimals_says_which_marks_matter() -> None:
    model = ScriptedLine("1", {".": 0.6}, "2", "5", "0")
    assert told(read(model)) == ("1.250", "accepted", "")
    assert told(read(model, decimal="comma")) == ("1.250", "accepted", "")
    assert told(read(model, decimal="dot")) == ("1.250", "review", "weak mark")
    faint, page = ScriptedLine("1", {".": 0.4}, "2", "5", "0"), bars(5, dots=[1])
    assert told(read(faint, page, decimal="comma")) == ("1250", "accepted", "")
    assert told(read(faint, page, decimal="dot")) == ("1250", "review", "weak mark")


def test_a_date_without_its_slash_is_another_thing() -> None:
    found = read(ScriptedLine("1", {"/": 0.7}, "2"))
    assert told(found) == ("1/2", "review", "weak mark")
    twice = read(ScriptedLine("1", {"/": 0.95}, "2", {"/": 0.96}, "3"))
    assert twice.text == "1/2/3"
    assert twice.confidence == pytest.approx(0.95 * 0.96, abs=0.01)


def test_a_faint_mark_on_the_ink_of_another_is_none() -> None:
    model = ScriptedLine("1", "", "2", "", {".": 0.97}, {",": 0.3}, "5", "", "0", "")
    found = read(model, bars(5, dots=[2]))
    assert told(found) == ("12.50", "accepted", "")
    assert [mark.character.value for mark in found.decisive_marks] == ["."]
    assert found.confidence == pytest.approx(0.97, abs=0.01)


def test_several_marks_stand_in_their_order() -> None:
    found = read(ScriptedLine(*"1.250,75.-"))
    assert found.text == "1.250,75.-"
    lefts = [one.box[0] for one in found.characters]
    assert lefts == sorted(lefts)


def test_a_mark_without_ink_was_not_seen() -> None:
    model = ScriptedLine(*"12", {"-": 0.95}, *"345")
    page = bars(6)
    assert read(model, page).text == "12-345"
    page[:, 100:130] = 240
    found = read(model, page)
    assert (found.text, found.marks) == ("12345", [])
    forced = read(model, page, pattern=r"\d\d-\d{3}")
    assert told(forced) == ("12-345", "review", "unseen mark")
    page[38:44, 112:118] = 195  # faint, and there
    assert read(model, page).text == "12-345"


def test_ink_that_is_no_digit_is_looked_at() -> None:
    found = read(ScriptedLine("1", "?", "2"))
    assert told(found) == ("12", "review", "other ink")
    assert values(found) == [("?", 1)]
    assert told(read(ScriptedLine("?"))) == ("", "review", "nothing read")


def test_a_mark_that_may_be_a_1_is_looked_at() -> None:
    found = read(ScriptedLine("2", {"/": 0.93, "1": 0.06}, "5"))
    assert told(found) == ("2/5", "review", "mark or 1")
    assert decide(found)[1] == "a slash may be a 1"


# Patterns and checks


def test_a_pattern_finds_the_best_that_fits() -> None:
    said = ("1", {"7": 0.6, "2": 0.3, "5": 0.1}, "3")
    free, bound = read(ScriptedLine(*said)), read(ScriptedLine(*said), pattern="1[25]3")
    assert (free.text, bound.text, bound.free) == ("173", "123", "173")
    assert not bound.free_is_sure
    # Of what fits, a quarter is 153.
    assert bound.confidence == pytest.approx(0.75, abs=0.01)
    assert "".join(other.value for other in bound.characters[1].alternatives) == "25"
    assert bound.characters[1].alternatives[0].confidence == pytest.approx(0.75, abs=0.01)


def test_a_pattern_counts_digits_that_were_nearly_missed() -> None:
    said = ("1", {"2": 0.3}, "3")
    assert read(ScriptedLine(*said)).text == "13"
    found = read(ScriptedLine(*said), pattern=r"\d{3}")
    assert (found.text, found.free) == ("123", "13")


@pytest.mark.parametrize("pattern", [r"\d{5}", "4+", r"\d\.\d"])
def test_what_cannot_fit_is_rejected(pattern: str) -> None:
    found = read(ScriptedLine(*[{c: 1.0} for c in "123"]), pattern=pattern)
    assert told(found) == ("", "rejected", "pattern")
    assert decide(found)[1] == f"nothing here fits the pattern {pattern}"
    assert found.confidence < 0.01
    assert (found.characters, found.free, found.free_is_sure) == ((), "123", True)


def test_a_check_takes_the_first_that_passes() -> None:
    # 17 does not pass Luhn's check, 18 does, and 19 does not.
    said = ("1", {"7": 0.5, "9": 0.3, "8": 0.2})
    found = read(ScriptedLine(*said), check="luhn")
    assert (found.text, found.free) == ("18", "17")
    # 17 and 19 were found wanting; what is left beside 18 is little.
    assert found.confidence > 0.9
    assert {other.value for other in found.characters[1].alternatives} == {"7", "8", "9"}


def test_a_check_that_none_passes_is_for_review() -> None:
    found = read(ScriptedLine(*[{c: 1.0} for c in "17"]), check="luhn")
    assert told(found) == ("17", "review", "check")
    assert found.confidence == pytest.approx(0)


def test_a_check_goes_with_a_pattern() -> None:
    said = ("1", {"7": 0.5, "8": 0.3, "9": 0.2}, {"5": 0.6, "6": 0.4})
    found = read(ScriptedLine(*said), check="luhn", pattern=r"1[79]\d")
    # Of 175, 176, 195 and 196 none passes but 176 by its neighbours' check digits: 18 does not fit.
    passing = [f"1{a}{b}" for a in "79" for b in "56" if found.options.passes(f"1{a}{b}")]
    assert (found.text in passing) == bool(passing)
    assert found.options.fits(found.text)
    assert (told(found)[2] == "check") == (not passing)


@pytest.mark.parametrize(
    ("pattern", "mark", "text"),
    [(r"\d+\.\d\d", ".", "12.50"), (r"\d\d[.,]\d\d", ",", "12,50"), (r"-\d+", "-", "-1250")],
)
def test_a_mark_that_a_pattern_writes_has_to_be_seen(pattern: str, mark: str, text: str) -> None:
    place = text.index(mark)
    for seen, status in ((0.6, "accepted"), (0.02, "review")):
        said: list[Odds | str] = list("1250")
        said.insert(place, {mark: seen})
        found = read(ScriptedLine(*said), pattern=pattern)
        assert told(found) == (text, status, "unseen mark" if status == "review" else "")
        assert found.unseen_mark == (mark if status == "review" else "")


def test_another_mark_than_was_seen_may_be_what_the_pattern_says() -> None:
    said = ["1", "2", {".": 0.7, ",": 0.2}, "5", "0"]
    assert told(read(ScriptedLine(*said), pattern=r"\d+,\d\d")) == ("12,50", "accepted", "")


def test_one_line_that_is_too_long_for_its_pattern_does_not_stop_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search, "_LARGEST_TABLE", 20_000)
    pages = [bars(3), bars(140), bars(3)]
    options = ReadOptions(pattern=r"\d{3}")
    first, middle, last = LineReader(ScriptedLine(*"123")).read(pages, options)
    assert isinstance(middle, SettingError)
    assert "too many for a line this long" in str(middle)
    assert isinstance(first, Evidence)
    assert isinstance(last, Evidence)
    assert (first.text, first.characters) == (last.text, last.characters)
    assert first.text == "123"


# The fallback network


def test_a_fallback_network_has_a_say_where_the_first_is_in_doubt() -> None:
    odds = {"1": 0.6, "7": 0.4}
    alone = read(ScriptedLine("0", odds))
    assert (alone.text, alone.confidence) == ("01", pytest.approx(0.6 * SURE))
    agreed = read(ScriptedLine("0", odds, other=ScriptedLine("0", "1")))
    differs = read(ScriptedLine("0", odds, other=ScriptedLine("0", "7")))
    looks = 1 + len(VIEWS_WITH_FALLBACK)
    assert agreed.text == "01"
    assert agreed.confidence == pytest.approx((looks * 0.6 + SURE) * SURE / (looks + 1))
    assert differs.text == "07"
    assert differs.confidence == pytest.approx((looks * 0.4 + SURE) * SURE / (looks + 1))
    assert read(ScriptedLine("0", "1", other=ScriptedLine("0", "7"))).text == "01"
    constrained = read(ScriptedLine("0", odds, other=ScriptedLine("0", "7")), pattern=r"\d[1-5]")
    assert (constrained.text, constrained.free) == ("01", "07")


@pytest.mark.parametrize("first", [0.0, 0.1, 0.3, 0.45])
def test_a_mark_that_one_network_sees_has_been_seen(first: float) -> None:
    doubt = {"7": 0.8}
    found = read(ScriptedLine("1", {".": first}, doubt, other=ScriptedLine("1", ".", "7")))
    assert (found.text, values(found)) == ("1.7", [(".", 1)])
    assert [mark.character.confidence for mark in found.decisive_marks] == pytest.approx([SURE])
    # Where the first network is in no doubt, nobody else looks.
    sure = read(ScriptedLine("1", {".": 0.1}, "7", other=ScriptedLine("1", ".", "7")))
    assert sure.text == "17"


def test_a_mark_that_both_networks_see_is_one() -> None:
    doubt = {"7": 0.8}
    both = read(ScriptedLine("1", {".": 0.9}, doubt, other=ScriptedLine("1", {",": 0.95}, "7")))
    assert (both.text, values(both)) == ("1.7", [(".", 1)])
    faint = read(ScriptedLine("1", {".": 0.3}, doubt, other=ScriptedLine("1", {".": 0.4}, "7")))
    assert (faint.text, values(faint)) == ("17", [])
    assert [mark.character.confidence for mark in faint.decisive_marks] == pytest.approx([0.3])


def test_marks_of_two_networks_stand_in_their_order() -> None:
    doubt = {"7": 0.8}
    one = ScriptedLine("1", ".", "5", "0", "0", "", doubt, "")
    other = ScriptedLine("1", "", "5", "0", "0", ",", "7", "-")
    one.other = other
    assert read(one).text == "1.500,7-"


# What the ink says


def test_several_lines_of_writing_are_looked_at() -> None:
    page = np.full((200, 300), 240, np.uint8)
    for top in (20, 120):
        for left in range(30, 250, 40):
            page[top : top + 40, left : left + 10] = 20
    assert told(read(ScriptedLine(*"111111"), page))[1:] == ("review", "several lines")


@pytest.mark.parametrize("options", [{}, {"pattern": r"\d+"}])
def test_a_stroke_that_was_not_read_is_looked_at(options: dict[str, Any]) -> None:
    found = read(ScriptedLine(*"34"), bars(3), **options)
    assert told(found) == ("34", "review", "strokes")
    # A digit in two pieces, one above the other, is one.
    page = bars(2)
    page[28:31, :60] = page[0, 0]
    assert told(read(ScriptedLine(*"11"), page, **options))[1] == "accepted"


@pytest.mark.parametrize(
    ("ahead", "rule"),
    [
        ((46, 52, 8, 8), "mark ahead"),
        ((30, 36, 26, 7), ""),
        ((30, 20, 26, 7), ""),
        ((30, 20, 10, 40), ""),
    ],
    ids=["a dot", "a dash", "a roof", "a digit"],
)
def test_a_dot_that_the_network_takes_for_a_digits_is_seen_all_the_same(
    ahead: tuple[int, int, int, int], rule: str
) -> None:
    page = np.full((80, 200), 240, np.uint8)
    x, y, width, height = ahead
    page[y : y + height, x : x + width] = 20
    for left in (70, 110, 150):
        page[20:60, left : left + 10] = 20
    found = read(ScriptedLine(*"1111"), page)
    assert told(found) == ("1111", "review" if rule else "accepted", rule)
    assert found.marks == []
    # One that was read as what it is does not count again.
    if rule:
        assert told(read(ScriptedLine(*".111"), page)) == (".111", "accepted", "")


def test_digits_far_apart_are_looked_at() -> None:
    page = np.full((80, 400), 240, np.uint8)
    for left in (30, 70, 300, 340):
        page[20:60, left : left + 10] = 20
    assert told(read(ScriptedLine(*"1111"), page)) == ("1111", "review", "far apart")


def test_raised_digits_at_the_end_may_be_cents() -> None:
    page = bars(4)
    page[40:60, 100:] = 240
    assert told(read(ScriptedLine(*"1111"), page)) == ("1111", "review", "raised end")
