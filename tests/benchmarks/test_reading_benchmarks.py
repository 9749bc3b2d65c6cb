from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

MODULES = ("reading_sets", "reading_figures", "segmenting", "reading", "reading_speed", "machine")


@pytest.fixture(scope="module")
def scripts(script: Callable[[str], ModuleType]) -> dict[str, ModuleType]:
    return {name: script(name) for name in MODULES}


@pytest.fixture(scope="module")
def figures(scripts: dict[str, ModuleType]) -> ModuleType:
    return scripts["reading_figures"]


@pytest.mark.parametrize(
    ("read", "text", "count"),
    [("", "", 0), ("", "12", 2), ("123", "", 3), ("1234", "1234", 0), ("134", "1234", 1),
     ("1284", "1234", 1), ("21", "12", 2), ("19255", "1925", 1)],
)  # fmt: skip
def test_edits(figures: ModuleType, read: str, text: str, count: int) -> None:
    assert figures.edits(read, text) == count
    assert figures.edits(text, read) == count


def test_character_error_is_a_share_of_all_characters(figures: ModuleType) -> None:
    assert figures.character_error(["12", "999"], ["12", "99345678"]) == pytest.approx(0.6)


def test_the_interval_of_wilson(figures: ModuleType) -> None:
    # Brown, Cai and DasGupta (2001): the centre is (x + z²/2) / (n + z²).
    low, high = figures.wilson(80, 100)
    assert (low + high) / 2 == pytest.approx((80 + 1.9207) / (100 + 3.8415), abs=1e-4)
    assert figures.wilson(0, 10)[0] == 0
    assert figures.wilson(10, 10)[1] == 1


def test_told_apart(figures: ModuleType) -> None:
    assert figures.told_apart([0.9, 0.8], [0.1, 0.0, 0.2]) == 1
    assert figures.told_apart([0.5, 0.5], [0.5]) == 0.5


def test_risk_takes_the_surest_first(figures: ModuleType) -> None:
    errors = figures.risk([0.2, 0.9, 0.5, 0.8], [False, True, False, True])
    assert errors.tolist() == [0, 0, pytest.approx(1 / 3), 0.5]
    assert figures.risk_at(errors, 0.5) == 0
    assert figures.risk_at(errors, 1.0) == 0.5
    assert figures.coverage_at(errors, 0.01) == 0.5
    assert figures.coverage_at(errors, 0.4) == 0.75


def test_readings_that_are_equally_sure_are_taken_together(figures: ModuleType) -> None:
    errors = figures.risk([1.0, 1.0, 1.0, 0.5], [True, True, False, True])
    assert errors.tolist() == [*[pytest.approx(1 / 3)] * 3, 0.25]
    assert figures.coverage_at(errors, 0.01) == 0


def test_calibration_error(figures: ModuleType) -> None:
    assert figures.calibration_error([0.75] * 4, [True, True, True, False]) == 0
    assert figures.calibration_error([1.0, 0.0], [False, True]) == 1


def test_a_set_is_read_without_what_could_be_a_digit(
    scripts: dict[str, ModuleType], tmp_path: Path
) -> None:
    sets = scripts["reading_sets"]
    folder = tmp_path / "letters"
    folder.mkdir()
    rows = "file,text,char,note\na.png,X,A,\nl.png,X,l,lookalike\n"
    (folder / "labels.csv").write_text(rows)
    (found,) = sets.load_sets(tmp_path).values()
    assert found == [sets.Picture(folder / "a.png", "")]
    assert sets.load_sets(tmp_path, ["usps"]) == {}


def answered(scripts: dict[str, ModuleType], name: str, *readings: tuple[str, str, float, str]):
    """Answers of a set: what stands there, what was read, how sure, what to do with it."""
    reading, sets = scripts["reading"], scripts["reading_sets"]
    pictures = [sets.Picture(Path("none.png"), text) for text, *_ in readings]
    answers = [reading.Answer(read, sure, status) for _, read, sure, status in readings]
    return reading.Answered(sets.SETS[name], pictures, answers)


def test_the_row_of_a_set(scripts: dict[str, ModuleType]) -> None:
    one = answered(
        scripts,
        "years",
        ("1925", "1925", 0.99, "accepted"),
        ("1930", "1980", 0.98, "accepted"),
        ("1931", "1931", 0.60, "review"),
        ("1950", "", 0.10, "rejected"),
    )
    (row,) = scripts["reading"].figures([one])
    assert (row["set"], row["n"], row["right"], row["share"]) == ("years", 4, 2, 0.5)
    assert (row["accepted"], row["accepted_wrong"]) == (2, 1)
    assert row["cer"] == 5 / 16
    assert (row["bar"], row["aim"]) == ("0.8", "0.9")


def test_what_is_no_digit(scripts: dict[str, ModuleType]) -> None:
    hands = answered(scripts, "own-hands", ("3", "3", 0.9, "accepted"), ("4", "9", 0.4, "review"))
    others = answered(
        scripts,
        "not-digits",
        ("", "7", 0.95, "accepted"),
        ("", "7", 0.30, "rejected"),
        ("", "", 1.0, "accepted"),
    )
    _, row = scripts["reading"].figures([hands, others])
    # Blank paper is no digit, however sure that is.
    assert row["auroc"] == pytest.approx(4 / 6)
    assert (row["right"], row["accepted"], row["accepted_wrong"]) == (2, 2, 1)
    assert row["cer"] is None


def test_all_sets_together(scripts: dict[str, ModuleType]) -> None:
    sets = scripts["reading_sets"].SETS
    every = [
        answered(scripts, name, ("5" if sets[name].digits else "", "5", 0.9, "accepted"))
        for name in sets
    ]
    rows = list(scripts["reading"].figures(every))
    assert [row["set"] for row in rows] == [*sets, "letters+not-digits", "all"]
    assert (rows[-1]["accepted"], rows[-1]["accepted_wrong"]) == (10, 2)
    kinds = {row["kind"] for row in scripts["reading"].curve(every)}
    assert kinds == {"lines", "singles", "all"}


def test_a_reader_that_tells_no_confidence_has_no_curve(scripts: dict[str, ModuleType]) -> None:
    reading, sets = scripts["reading"], scripts["reading_sets"]
    pictures = [sets.Picture(Path("none.png"), "12")]
    one = reading.Answered(sets.SETS["cheques"], pictures, [reading.Answer("12")])
    (row,) = reading.figures([one])
    assert (row["right"], row["accepted"], row["calibration_error"]) == (1, None, None)
    assert list(reading.curve([one])) == []


def test_pieces_above_each_other_are_one(scripts: dict[str, ModuleType]) -> None:
    merged = scripts["segmenting"].merged
    assert merged([(20, 30, 2), (0, 10, 1), (2, 9, 3)]) == [[1, 3], [2]]
    assert merged([(0, 10, 1), (9, 20, 2)]) == [[1], [2]]
    assert merged([]) == []


def test_segments_are_digits_from_left_to_right_without_dots(
    scripts: dict[str, ModuleType],
) -> None:
    strip = np.zeros((32, 100), np.uint8)
    cv2.line(strip, (10, 4), (10, 28), 255, 3)
    cv2.circle(strip, (24, 27), 2, 255, -1)
    cv2.circle(strip, (50, 16), 11, 255, 3)
    cv2.line(strip, (70, 4), (90, 4), 255, 2)  # a 5 whose bar came loose
    cv2.line(strip, (72, 10), (88, 28), 255, 3)
    pieces = scripts["segmenting"].segments(strip)
    ink = [np.ptp(np.flatnonzero((piece < 128).any(axis=0))) for piece in pieces]
    assert len(pieces) == 3
    assert ink[0] < 5
    assert ink[1] > 20
    assert scripts["segmenting"].segments(np.zeros((32, 40), np.uint8)) == []


def test_a_figure_is_held_against_its_bar(scripts: dict[str, ModuleType]) -> None:
    speed = scripts["reading_speed"]
    fast = speed.spread("lines", "x", [900.0, 1100.0, 1200.0], "lines/s", least=1000)
    assert (fast.value, fast.low, fast.high, fast.met) == (1100, 900, 1200, "yes")
    assert speed.Figure("sizes", "wheel", 6.1, "MB", most=6).met == "no"
    assert speed.Figure("one", "x", 6.1, "ms").met == ""


def test_parts_that_were_not_measured_again_stay(
    scripts: dict[str, ModuleType], tmp_path: Path
) -> None:
    import pandas as pd

    path = tmp_path / "speed.csv"
    pd.DataFrame({"part": ["lines", "sizes"], "value": [1.0, 2.0]}).to_csv(path, index=False)
    now = pd.DataFrame({"part": ["sizes", "cold"], "value": [3.0, 4.0]})
    table = scripts["reading_speed"].with_others(now, path, scripts["reading_speed"].PARTS)
    assert table.to_dict("list") == {"part": ["lines", "cold", "sizes"], "value": [1.0, 4.0, 3.0]}


def test_drawn_lines_are_the_same_each_time(scripts: dict[str, ModuleType]) -> None:
    first, again = (scripts["reading_speed"].drawn_lines(2) for _ in range(2))
    for page, same in zip(first, again, strict=True):
        assert page.dtype == np.uint8
        assert (page == same).all()
