from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from benchmarks import reading
from benchmarks import reading_figures as figures
from benchmarks.__main__ import main
from benchmarks.pictures import HARD, SETS, Picture, draw_hard, drawn_lines, load_sets
from benchmarks.reading import Inkdigit
from benchmarks.rivals.segmenting import merged, segments
from inkdigit.learning.datasets import Dataset
from inkdigit.reading.review_rules import RULES

AMOUNT = Path(__file__).parents[2] / "docs" / "amount.png"


@pytest.mark.parametrize(
    ("read", "text", "count"),
    [("", "", 0), ("", "12", 2), ("123", "", 3), ("1234", "1234", 0), ("134", "1234", 1),
     ("1284", "1234", 1), ("21", "12", 2), ("19255", "1925", 1)],
)  # fmt: skip
def test_edits(read: str, text: str, count: int) -> None:
    assert figures.edits(read, text) == count
    assert figures.edits(text, read) == count


def test_figures_of_readings() -> None:
    assert figures.character_error(["12", "999"], ["12", "99345678"]) == pytest.approx(0.6)
    # Brown, Cai and DasGupta (2001): the centre is (x + z²/2) / (n + z²).
    low, high = figures.wilson(80, 100)
    assert (low + high) / 2 == pytest.approx((80 + 1.9207) / (100 + 3.8415), abs=1e-4)
    assert figures.wilson(0, 10)[0] == 0
    assert figures.told_apart([0.9, 0.8], [0.1, 0.0, 0.2]) == 1
    assert figures.told_apart([0.5, 0.5], [0.5]) == 0.5
    assert figures.calibration_error([0.75] * 4, [True, True, True, False]) == 0
    assert figures.calibration_error([1.0, 0.0], [False, True]) == 1


def test_risk_takes_the_surest_first_and_equally_sure_ones_together() -> None:
    errors = figures.risk([0.2, 0.9, 0.5, 0.8], [False, True, False, True])
    assert errors.tolist() == [0, 0, pytest.approx(1 / 3), 0.5]
    assert figures.risk_at(errors, 0.5) == 0
    assert figures.risk_at(errors, 1.0) == 0.5
    assert figures.coverage_at(errors, 0.01) == 0.5
    assert figures.coverage_at(errors, 0.4) == 0.75
    errors = figures.risk([1.0, 1.0, 1.0, 0.5], [True, True, False, True])
    assert errors.tolist() == [*[pytest.approx(1 / 3)] * 3, 0.25]
    assert figures.coverage_at(errors, 0.01) == 0


def test_a_set_is_read_without_what_could_be_a_digit(tmp_path: Path) -> None:
    folder = tmp_path / "letters"
    folder.mkdir()
    rows = "file,text,char,note\na.png,X,A,\nl.png,X,l,lookalike\n"
    (folder / "labels.csv").write_text(rows)
    (found,) = load_sets(tmp_path).values()
    assert found == [Picture(folder / "a.png", "")]
    assert load_sets(tmp_path, ["usps"]) == {}


def answered(name: str, *readings: tuple[object, ...]) -> pd.DataFrame:
    """Answers of a set: what stands there, what was read, how sure, what to do with it, and why."""
    names = ("truth", "read", "confidence", "status", "rule")
    filled = [[*one, *[None] * (len(names) - len(one))] for one in readings]
    return reading.judged(pd.DataFrame(filled, columns=names).assign(set=name))


def test_the_row_of_a_set() -> None:
    one = answered(
        "years",
        ("1925", "1925", 0.99, "accepted"),
        ("1930", "1980", 0.98, "accepted"),
        ("1931", "1931", 0.60, "review"),
        ("1950", "", 0.10, "rejected"),
    )
    (row,) = reading.figures(one)
    assert (row["set"], row["n"], row["right"], row["share"]) == ("years", 4, 2, 0.5)
    assert (row["accepted"], row["accepted_wrong"]) == (2, 1)
    assert (row["cer"], row["auroc"], row["bar"], row["aim"]) == (5 / 16, None, "0.92", "0.95")


def test_what_is_no_digit() -> None:
    hands = answered("own-hands", ("3", "3", 0.9, "accepted"), ("4", "9", 0.4, "review"))
    others = answered(
        "not-digits",
        ("", "7", 0.95, "accepted"),
        ("", "7", 0.30, "rejected"),
        ("", "", 1.0, "accepted"),
    )
    _, row = reading.figures(pd.concat([hands, others]))
    # Blank paper is no digit, however sure that is.
    assert row["auroc"] == pytest.approx(4 / 6)
    assert (row["right"], row["accepted"], row["accepted_wrong"]) == (2, 2, 1)
    assert row["cer"] is None


def test_all_sets_together() -> None:
    every = pd.concat(
        answered(name, ("5" if known.digits else "", "5", 0.9, "accepted"))
        for name, known in SETS.items()
    )
    rows = list(reading.figures(every))
    assert [row["set"] for row in rows] == [*SETS, "letters+not-digits", *reading.ACCEPTED]
    counts = [(row["n"], row["accepted"], row["accepted_wrong"]) for row in rows[-3:]]
    assert counts == [(12, 12, 2), (10, 10, 2), (3, 3, 0)]
    assert {row["kind"] for row in reading.curve(every)} == {"lines", "singles", "all"}


def test_a_reader_that_tells_no_confidence_has_no_curve() -> None:
    one = answered("cheques", ("12", "12"))
    (row,) = reading.figures(one)
    assert (row["right"], row["accepted"], row["calibration_error"]) == (1, None, None)
    assert list(reading.curve(one)) == []


def test_each_rule_has_the_right_readings_it_defers_and_the_wrong_ones_it_catches() -> None:
    real = answered(
        "usps",
        ("1", "1", 0.99, "accepted", ""),
        ("2", "2", 0.9, "review", "unsure"),
        ("3", "3", 0.9, "review", "unsure"),
        ("3", "8", 0.9, "review", "unsure"),
        ("3", "", 0.1, "rejected", "unlikely"),
        ("", "", 0.9, "rejected", "no digit"),
    )
    earned = reading.of_rules({"real": real, "drawn": None})
    assert earned["rule"].tolist() == [rule.name for rule in RULES]
    assert set(earned["pictures"]) == {"real"}
    assert set(earned["n"]) == {6}
    told = earned.set_index("rule")[["deferred", "caught"]].T.to_dict("list")
    assert {name: found for name, found in told.items() if any(found)} == {
        "unsure": [2, 1], "unlikely": [0, 1], "no digit": [1, 0]
    }  # fmt: skip


def test_marks_count_where_the_label_has_them() -> None:
    sets = {"cheques": [Picture(AMOUNT, "8732")], "drawn lines": [Picture(AMOUNT, "8732")]}
    found = reading.answers(Inkdigit(), sets)
    assert found["read"].tolist() == ["8732", "87.32"]
    assert found["right"].tolist() == [True, False]


def test_a_folder_is_read_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hands, out = tmp_path / "hands", tmp_path / "out"
    (hands / "cheques").mkdir(parents=True)
    Image.open(AMOUNT).save(hands / "cheques" / "a.png")
    (hands / "cheques" / "b.png").write_bytes(b"nothing")
    (hands / "cheques" / "labels.csv").write_text("file,text\na.png,8732\nb.png,1\nnone.png,1\n")
    flags = ["--readers", "inkdigit", "--limit", "2", "--out", str(out)]
    command = ["reading", "--hands", str(hands), *flags]
    assert main(command) == 0
    assert "drawn pictures are left out" in capsys.readouterr().out
    (row,) = pd.read_csv(out / "reading.csv").to_dict("records")
    assert (row["n"], row["right"], row["accepted"]) == (2, 1, 1)
    assert set(pd.read_csv(out / "review_rules.csv")["n"]) == {2}
    assert main([*command, "--worst", str(Path(__file__).parent)]) == 2
    assert main(["reading", "--hands", str(tmp_path)]) == 2
    assert "holds none of the sets" in capsys.readouterr().err


def test_pieces_above_each_other_are_one() -> None:
    assert merged([(20, 30, 2), (0, 10, 1), (2, 9, 3)]) == [[1, 3], [2]]
    assert merged([(0, 10, 1), (9, 20, 2)]) == [[1], [2]]
    assert merged([]) == []


def test_segments_are_digits_from_left_to_right_without_dots() -> None:
    strip = np.zeros((32, 100), np.uint8)
    cv2.line(strip, (10, 4), (10, 28), 255, 3)
    cv2.circle(strip, (24, 27), 2, 255, -1)
    cv2.circle(strip, (50, 16), 11, 255, 3)
    cv2.line(strip, (70, 4), (90, 4), 255, 2)  # a 5 whose bar came loose
    cv2.line(strip, (72, 10), (88, 28), 255, 3)
    pieces = segments(strip)
    ink = [np.ptp(np.flatnonzero((piece < 128).any(axis=0))) for piece in pieces]
    assert len(pieces) == 3
    assert ink[0] < 5
    assert ink[1] > 20
    assert segments(np.zeros((32, 40), np.uint8)) == []


def test_drawn_lines_are_the_same_each_time() -> None:
    for page, same in zip(drawn_lines(2), drawn_lines(2), strict=True):
        assert page.dtype == np.uint8
        assert (page == same).all()


def test_hard_numbers_are_drawn_by_their_kind(sample: Dataset) -> None:
    found = draw_hard(sample.test, None, None, 8)
    assert found.keys() == HARD.keys()
    lengths = {name: [len(picture.text) for picture in drawn] for name, drawn in found.items()}
    assert set(lengths["long, uneven"]) <= set(range(10, 14))
    assert max(max(lengths[name]) for name in HARD if name != "long, uneven") < 2 * 7
    again = draw_hard(sample.test, None, None, 1)
    for name in HARD:
        assert (again[name][0].source == found[name][0].source).all()
