from pathlib import Path

import numpy as np
import pytest

from inkdigit.errors import DataError
from inkdigit.learning.synthesis.allographs import DIGITS, LETTERS, MARKS, WRITTEN
from inkdigit.learning.synthesis.glyphs import SYMBOLS, Fonts, draw
from inkdigit.reading import alphabet

STYLE = {"height": 40.0, "pen": 4.0, "slant": 0.2, "stretch": 1.0, "wobble": 0.0}


def test_there_is_a_shape_for_every_digit_and_mark_and_for_nothing_else() -> None:
    assert "".join(DIGITS) == alphabet.DIGITS
    assert sorted(MARKS) == sorted(alphabet.MARKS)
    assert not {*LETTERS, *SYMBOLS} & set(alphabet.DIGITS + alphabet.MARKS)


@pytest.mark.parametrize("character", [*DIGITS, *MARKS])
def test_strokes_run_through_their_points(character: str) -> None:
    """Without wobble, the ink lies where the points are, slanted and stretched."""
    for shape in WRITTEN[character]:
        rng = np.random.default_rng(1)
        if np.random.default_rng(1).random() < 0.3:
            pytest.fail("choose a seed whose pen does not press")
        glyph = draw(shape, rng, **STYLE)
        turned = np.random.default_rng(1)
        turned.random()
        tilt = turned.normal(0, 0.04)
        points = np.concatenate([np.array(stroke) for stroke in shape]) * 40
        y = points[:, 1] + tilt * points[:, 0] - glyph.top * 40
        x = points[:, 0] - 0.2 * points[:, 1]
        # What the left end of the ink is, the curve between the points decides.
        offset = np.flatnonzero(glyph.ink.max(axis=0) > 0)[0]
        shifts = range(offset - 8, offset + 12)
        found = max(_share_on_ink(glyph.ink, x - x.min() + shift, y) for shift in shifts)
        assert found == 1


def _share_on_ink(ink: np.ndarray, x: np.ndarray, y: np.ndarray) -> float:
    rows, columns = (np.clip(np.rint(v).astype(int), 0, None) for v in (y, x))
    inside = (rows < ink.shape[0]) & (columns < ink.shape[1])
    return float(
        np.mean([i and ink[r, c] > 0 for i, r, c in zip(inside, rows, columns, strict=True)])
    )


def test_fonts_that_are_held_out_are_others(fonts: Path) -> None:
    learnt, held_out = Fonts(fonts), Fonts(fonts, held_out=True)
    assert len(learnt) > 0
    assert len(held_out) > 0
    assert not set(learnt.names) & set(held_out.names)
    assert {*learnt.names, *held_out.names} == {path.name for path in fonts.iterdir()}


def test_a_font_draws_its_digits_between_top_and_baseline(fonts: Path) -> None:
    found = Fonts(fonts)
    for digit in alphabet.DIGITS:
        glyph = found.glyph(0, digit)
        assert glyph is not None
        rows = np.flatnonzero(glyph.ink.max(axis=1) > 128)
        height = len(glyph.ink) / (glyph.bottom - glyph.top)
        assert glyph.top + rows[0] / height == pytest.approx(0, abs=0.06)
        assert glyph.top + (rows[-1] + 1) / height == pytest.approx(1, abs=0.06)


def test_no_fonts_and_fonts_that_are_none(tmp_path: Path, fonts: Path) -> None:
    assert len(Fonts(None)) == 0
    with pytest.raises(DataError, match="holds no font: expected at least two"):
        Fonts(tmp_path)
    with pytest.raises(DataError, match="holds no font"):
        Fonts(tmp_path / "nowhere")
    (tmp_path / "a.ttf").write_bytes(b"no font")
    with pytest.raises(DataError, match="holds a single font"):
        Fonts(tmp_path)
    (tmp_path / "b.ttf").write_bytes(b"no font either")
    with pytest.raises(DataError, match="is no font that can be used"):
        Fonts(tmp_path).glyph(0, "1")
