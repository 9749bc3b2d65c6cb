import re

import pytest

from inkdigit.bulk import progress
from inkdigit.bulk.progress import Display, Progress, complaint, say, summary
from inkdigit.bulk.rows import Tally

FAILED = {"source": "a.png", "status": "failed", "error": "it is broken", "reason": ""}
REVIEW = {"source": "b.png", "status": "review", "reason": "confidence 0.93 is below 0.99"}


def tally(*records: dict[str, str]) -> Tally:
    counted = Tally()
    for record in records:
        counted.count(record, 5 if record["status"] == "failed" else 0)
    return counted


def test_the_summary_says_how_many_how_fast_and_what_wants_review() -> None:
    counted, review = summary(10, 4, 2.0, tally(FAILED, REVIEW), {}).splitlines()
    assert counted == (
        "10 pictures (6 of them before) in 00:02, 2 a second: "
        "0 accepted, 1 review, 0 rejected, 1 failed"
    )
    assert review == "for review: 1 × confidence … is below …"
    (pages,) = summary(1, 1, 2.5, tally(FAILED, FAILED), {}).splitlines()
    assert pages.startswith("2 rows of 1 pictures in 00:02, 2.5 seconds each: ")
    made = {"forms": 2, "fields": 1_400}
    (forms,) = summary(9, 9, 1.0, tally(FAILED), made).splitlines()
    assert forms.startswith("2 forms with 1,400 fields of 9 pictures in 00:01, 9 a second: ")


def test_lines_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_EVERY", 0)
    display = Display()
    display.show(Progress(tally=Tally(), count=lambda: 8))
    display.counting.join()
    display.show(Progress(tally=tally(REVIEW), pictures=2, rows=[REVIEW]))
    display.close()
    first, *_, line = capsys.readouterr().err.splitlines(keepends=True)
    assert first.startswith(("0%", "0 pictures"))
    told = "0 accepted, 1 review, 0 rejected, 0 failed"
    assert re.fullmatch(rf"25% 2/8 \[00:00<[\d:]+, +[\d.]+ pictures/s, {told}\]\n", line)


def test_failures_are_told_until_there_are_many(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_MOST_COMPLAINTS", 2)
    display = Display()
    rows = [{**FAILED, "source": f"{name}.png"} for name in "abcde"]
    display.show(Progress(tally=Tally(), pictures=5, rows=rows))
    assert capsys.readouterr().err.splitlines() == [
        "a.png: it is broken",
        "b.png: it is broken",
        "further errors are in the table alone",
    ]


def test_each_field_of_a_missing_page_says_so_once(capsys: pytest.CaptureFixture[str]) -> None:
    Display().show(Progress(tally=Tally(), pictures=1, rows=[FAILED] * 30))
    assert capsys.readouterr().err == "a.png: it is broken\n"


def test_a_note_is_told_whatever_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    display = Display()
    display.show(Progress(tally=Tally(), note="wrote a\x1b.csv\nand that is all"))
    assert capsys.readouterr().err == "wrote a\\x1b.csv\nand that is all\n"


def test_a_complaint_names_its_picture_once() -> None:
    assert complaint(FAILED) == "a.png: it is broken"
    assert complaint({**FAILED, "error": "a.png is broken"}) == "a.png is broken"
    assert complaint({**FAILED, "source": "-", "error": "it - is"}) == "-: it - is"


def test_a_name_gives_a_terminal_no_commands(capsys: pytest.CaptureFixture[str]) -> None:
    named = {**FAILED, "source": "a\x1b[31m\n.png"}
    assert complaint(named) == r"a\x1b[31m\n.png: it is broken"
    say("b\x9b.png")
    assert capsys.readouterr().err == "b\\x9b.png\n"
