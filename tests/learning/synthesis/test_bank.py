from pathlib import Path

import cv2
import numpy as np
import pytest

from inkdigit.errors import DataError
from inkdigit.learning.datasets import Digits
from inkdigit.learning.synthesis.bank import line_piece, number_piece, print_fonts, word
from inkdigit.learning.synthesis.glyphs import PRINT_FOLDER, Fonts, open_font
from inkdigit.learning.synthesis.pages import PageWriter
from inkdigit.learning.synthesis.real_hands import Line
from inkdigit.learning.synthesis.stream import PageGenerator
from inkdigit.learning.synthesis.texts import number_text


@pytest.fixture(scope="module")
def writer(digits: Digits, fonts: Path) -> PageWriter:
    return PageGenerator(digits, fonts).writer()


def test_the_core_of_a_number_lies_within_it() -> None:
    ink = np.zeros((60, 200), np.uint8)
    cv2.putText(ink, "2048", (10, 50), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 255, 4)
    piece = number_piece(ink, "2048")
    assert piece is not None
    assert piece.hull is not None
    assert piece.core is not None
    hull, core = (np.rint(points).astype(np.int32) for points in (piece.hull, piece.core))
    assert all(cv2.pointPolygonTest(hull, point.tolist(), False) >= 0 for point in core)
    assert 0.2 < cv2.contourArea(core) / cv2.contourArea(hull) < 0.5
    assert number_piece(np.zeros((60, 200), np.uint8), "") is None


def test_a_real_number_is_cut_out_without_rules(tmp_path: Path) -> None:
    grey = np.full((100, 220), 235, np.uint8)
    cv2.putText(grey, "258", (60, 70), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 20, 4)
    line = Line(tmp_path / "line.png", np.array([[0, 0], [220, 0], [220, 100], [0, 100]]), "258")
    cv2.imwrite(str(line.picture), grey)
    alone = line_piece(line)
    grey[12:15] = grey[86:89] = 175
    cv2.imwrite(str(line.picture), grey)
    ruled = line_piece(line)
    assert alone is not None
    assert ruled is not None
    assert ruled.text == "258"
    np.testing.assert_allclose(ruled.ink.shape, alone.ink.shape, atol=3)
    grey[25:80, 30:34] = 20
    cv2.imwrite(str(line.picture), grey)
    assert line_piece(line) is None


def test_texts_of_numbers_and_words() -> None:
    rng = np.random.default_rng(0)
    for _ in range(500):
        assert sum(character.isdigit() for character in number_text(rng)) >= 2
        assert not {*word(rng).lower()} <= {*"oil"}


def test_fonts_for_print_are_held_out() -> None:
    learnt, held_out = ({*print_fonts(None, held_out=out)} for out in (False, True))
    assert learnt
    assert held_out
    assert not learnt & held_out


def test_fonts_below_a_folder_for_print_are_print_and_no_hand(fonts: Path, tmp_path: Path) -> None:
    some, *_ = print_fonts(None, held_out=False)
    for number in range(12):
        (tmp_path / PRINT_FOLDER / f"font-{number:02}" / "files").mkdir(parents=True)
        for name in ("a-latin-400-italic", "a-latin-700-normal", "a-latin-900-normal"):
            copy = tmp_path / PRINT_FOLDER / f"font-{number:02}" / "files" / f"{name}.woff2"
            copy.write_bytes(some.read_bytes())
    for path in fonts.rglob("*.ttf"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    own = [{*print_fonts(tmp_path, held_out=out)} - {*print_fonts(None, held_out=out)}
           for out in (False, True)]  # fmt: skip
    names = [{path.relative_to(tmp_path).parts[1] for path in paths} for paths in own]
    assert sum(map(len, own)) == 24
    assert len(names[0]) + len(names[1]) == 12
    assert 1 <= len(names[1]) <= 2
    hands = [*Fonts(tmp_path).paths, *Fonts(tmp_path, held_out=True).paths]
    assert len(hands) == len([*fonts.rglob("*.ttf")])
    (tmp_path / PRINT_FOLDER / "font-00" / "files" / "a-latin-400-italic.woff2").write_bytes(b"x")
    with pytest.raises(DataError, match="is no font"):
        open_font(tmp_path / PRINT_FOLDER / "font-00" / "files" / "a-latin-400-italic.woff2", 48)


def test_words_of_a_hand_are_many_and_each_is_always_alike(writer: PageWriter) -> None:
    hand = writer._bank.hands[0]
    words = [hand.pick(np.random.default_rng(seed)) for seed in range(60)]
    assert len({word.ink.tobytes() for word in words}) > 30
    assert hand.pick(np.random.default_rng(7)) is words[7]
