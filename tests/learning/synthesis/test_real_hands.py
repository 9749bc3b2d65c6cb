import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from inkdigit.errors import DataError
from inkdigit.learning.datasets import Digits
from inkdigit.learning.synthesis.glyphs import Fonts, Glyph
from inkdigit.learning.synthesis.hands import Hands, Pen
from inkdigit.learning.synthesis.real_hands import RealHands


def test_one_of_eight_is_held_out(handwriting: Path) -> None:
    learnt, held_out = (RealHands.load(handwriting, held_out=way) for way in (False, True))
    # Of two files of twenty drawers, a 'c' and an 'n'; an 'o' looks like a zero.
    assert learnt.counts == {
        "writers": 8, "forms": 1, "ones and nines": 8, "tablet": 8, "lines": 24, "others": 68
    }  # fmt: skip
    assert held_out.counts == {
        "writers": 1, "forms": 1, "ones and nines": 1, "tablet": 1, "lines": 3, "others": 12
    }  # fmt: skip
    forms = [
        sum(map(len, hands.writers["forms"][0].samples.values())) for hands in (learnt, held_out)
    ]
    assert forms == [63, 9]


def test_a_digit_is_as_high_as_beside_its_writers_others(handwriting: Path) -> None:
    rng = np.random.default_rng(0)
    for writer in RealHands.load(handwriting).writers["writers"]:
        heights = {}
        for digit in "02345678":
            glyph = writer(digit, rng)
            assert isinstance(glyph, Glyph)
            assert glyph.bottom == 1
            heights[digit] = 1 - glyph.top
        assert heights.pop("0") == pytest.approx(0.5, abs=0.08)
        assert list(heights.values()) == pytest.approx([1] * 7, abs=0.08)
        assert writer("1", rng) is None


def test_strokes_stand_on_the_baseline_and_tails_below(handwriting: Path) -> None:
    writer = RealHands.load(handwriting).writers["tablet"][0]
    rng = np.random.default_rng(0)
    assert writer("3", rng) == (((0, 0), (0.5, 0.5), (0, 1)),)
    assert writer("9", rng) == (((0, 0), (0.5, 0.5), (0, 1.5)),)
    shape = writer("1", rng)
    assert isinstance(shape, tuple)
    assert shape[1] == ((pytest.approx(0.2), 0.5),) * 2  # a dot


def test_lines_are_those_that_a_reader_could_write(handwriting: Path) -> None:
    hands = RealHands.load(handwriting)
    texts = {line.text for of_set in hands.lines for same in of_set for line in same}
    assert texts == {"12", "2.20", "1125"}
    line = hands.line(np.random.default_rng(0))
    assert line.outline.tolist() == [[10, 10], [10, 40], [90, 40], [90, 10]]
    assert line.open().shape == (50, 100)


def test_no_set_of_lines_comes_oftener_than_another_nor_in_it_a_text(tmp_path: Path) -> None:
    rows = [("1", "large")] * 90 + [("2", "large")] * 9 + [("3", "small")]
    lines = [f'a.png,{text},"0,0 1,1",{name},{i}' for i, (text, name) in enumerate(rows)]
    (tmp_path / "lines.csv").write_text("\n".join(["file,text,outline,set,group", *lines]))
    hands, rng = RealHands.load(tmp_path), np.random.default_rng(0)
    counts = Counter(hands.line(rng).text for _ in range(1000))
    assert [counts[text] / 1000 for text in "123"] == pytest.approx([0.25, 0.25, 0.5], abs=0.05)


def test_sets_that_are_missing_damaged_or_lack_pictures(handwriting: Path, tmp_path: Path) -> None:
    assert RealHands.load(None) == RealHands()
    with pytest.raises(DataError, match=r"holds no real hands: expected KIND.npz or lines.csv"):
        RealHands.load(tmp_path)
    shutil.copy(handwriting / "lines.csv", tmp_path)
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "line.png").write_bytes(b"no picture")
    alone = RealHands.load(tmp_path)
    assert alone.counts == {"lines": 24, "others": 0}
    with pytest.raises(DataError, match="a line of handwriting cannot be opened"):
        alone.line(np.random.default_rng(0)).open()
    for content in (b"no table", (handwriting / "tablet.npz").read_bytes()[:-100]):
        (tmp_path / "tablet.npz").write_bytes(content)
        with pytest.raises(DataError, match=r"tablet.npz is damaged, or not as docs/readers.md"):
            RealHands.load(tmp_path)


def test_a_kind_of_ones_own_writes_too(handwriting: Path, tmp_path: Path, digits: Digits) -> None:
    shutil.copy(handwriting / "writers.npz", tmp_path / "pupils.npz")
    real = RealHands.load(tmp_path)
    hands = Hands(digits, Fonts(None), real.writers)
    assert hands.kinds == ["strokes", "mnist", "mixed", "pupils"]
    rng = np.random.default_rng(0)
    assert isinstance(hands.hand("pupils", Pen(rng), rng)("8", rng), Glyph)
