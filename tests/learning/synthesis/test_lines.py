from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from inkdigit.learning.datasets import Digits
from inkdigit.learning.synthesis import lines
from inkdigit.learning.synthesis.glyphs import Fonts, Writers
from inkdigit.learning.synthesis.lines import LineWriter
from inkdigit.learning.synthesis.paper import Backgrounds
from inkdigit.learning.synthesis.texts import invent_text
from inkdigit.reading.alphabet import LINE_ALPHABET


@pytest.fixture(scope="module")
def writer(digits: Digits, fonts: Path) -> LineWriter:
    return LineWriter(Writers(digits, Fonts(fonts)), Backgrounds(np.random.default_rng(0)))


@pytest.fixture
def styles(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What of a style is fixed; the rest is invented as ever."""
    fixed: dict[str, Any] = {}
    invent = lines._Style.__init__

    def fix(style: lines._Style, hands: Writers, rng: np.random.Generator) -> None:
        invent(style, hands, rng)
        vars(style).update(fixed)

    monkeypatch.setattr(lines._Style, "__init__", fix)
    monkeypatch.setattr(lines._Canvas, "_neighbours", lambda *_: None)
    return fixed


def test_the_same_seed_draws_the_same_and_another_another(writer: LineWriter) -> None:
    (one, text), (again, same), (other, _) = (
        writer.picture(np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert text == same
    assert np.array_equal(one, again)
    assert one.shape != other.shape or not np.array_equal(one, other)


def test_texts_hold_the_alphabet_alone_and_all_of_it() -> None:
    rng = np.random.default_rng(0)
    texts = [invent_text(rng) for _ in range(3000)]
    assert {character for text in texts for character in text} == set(LINE_ALPHABET)
    assert min(map(len, texts)) == 0
    assert max(map(len, texts)) >= 14


@pytest.mark.parametrize("hand", lines._HANDS)
@pytest.mark.parametrize("character", LINE_ALPHABET)
def test_every_hand_writes_every_character(
    writer: LineWriter, styles: dict[str, Any], hand: str, character: str
) -> None:
    styles["hand"] = hand
    for seed in range(4):
        ink = writer.ink(character, np.random.default_rng(seed))
        assert ink.dtype == np.uint8
        assert np.count_nonzero(ink > 128) >= 3, seed


@pytest.mark.parametrize("hand", lines._HANDS)
def test_with_wide_gaps_there_are_as_many_pieces_as_characters(
    writer: LineWriter, styles: dict[str, Any], hand: str
) -> None:
    styles.update(hand=hand, gap=1.2, ligature=0.0, slant=0.0, climb=0.0, pen=4.0)
    for seed, text in enumerate(("1234567890", "00000", "111", "7")):
        ink = writer.ink(text, np.random.default_rng(seed))
        # What belongs to one digit is joined: its strokes lie above or beside each other.
        joined = cv2.dilate((ink > 100).astype(np.uint8), np.ones((101, 13), np.uint8))
        assert cv2.connectedComponents(joined)[0] - 1 == len(text), text


def test_a_hand_without_fonts_writes_as_well(digits: Digits) -> None:
    writer = LineWriter(Writers(digits, Fonts(None)), Backgrounds(np.random.default_rng(0)))
    for seed in range(20):
        picture, _ = writer.picture(np.random.default_rng(seed))
        assert picture.dtype == np.uint8
        assert min(picture.shape) >= 8


def test_an_empty_text_leaves_no_ink(writer: LineWriter, styles: dict[str, Any]) -> None:
    assert writer.ink("", np.random.default_rng(0)).max() == 0
