from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from inkdigit.learning.datasets import Digits
from inkdigit.learning.synthesis import lines
from inkdigit.learning.synthesis.glyphs import Fonts
from inkdigit.learning.synthesis.hands import Hands
from inkdigit.learning.synthesis.lines import LineWriter
from inkdigit.learning.synthesis.paper import Backgrounds
from inkdigit.learning.synthesis.real_hands import RealHands
from inkdigit.learning.synthesis.texts import STRUCK
from inkdigit.reading.alphabet import LINE_ALPHABET

KINDS = ("strokes", "mnist", "font", "mixed", "writers", "forms", "tablet")


@pytest.fixture(scope="module")
def writer(digits: Digits, fonts: Path, handwriting: Path) -> LineWriter:
    real = RealHands.load(handwriting)
    hands = Hands(digits, Fonts(fonts), real.writers)
    return LineWriter(hands, Backgrounds(np.random.default_rng(0)), real)


@pytest.fixture
def styles(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What of a style is fixed; the rest is invented as ever."""
    fixed: dict[str, Any] = {}
    invent = lines.Style.__init__

    def fix(style: lines.Style, hands: Hands, rng: np.random.Generator) -> None:
        invent(style, hands, rng)
        vars(style).update(fixed)

    monkeypatch.setattr(lines.Style, "__init__", fix)
    monkeypatch.setattr(lines._Canvas, "_neighbours", lambda *_: None)
    return fixed


def test_the_same_seed_draws_the_same_and_another_another(writer: LineWriter) -> None:
    (one, text), (again, same), (other, _) = (
        writer.picture(np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert text == same
    assert np.array_equal(one, again)
    assert one.shape != other.shape or not np.array_equal(one, other)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("character", LINE_ALPHABET)
def test_every_hand_writes_every_character(
    writer: LineWriter, styles: dict[str, Any], kind: str, character: str
) -> None:
    styles["kind"] = kind
    for seed in range(4):
        ink = writer.ink(character, np.random.default_rng(seed))
        assert ink.dtype == np.uint8
        assert np.count_nonzero(ink > 128) >= 3, seed


@pytest.mark.parametrize("kind", KINDS)
def test_with_wide_gaps_there_are_as_many_pieces_as_characters(
    writer: LineWriter, styles: dict[str, Any], kind: str
) -> None:
    styles.update(
        kind=kind, gap=1.2, uneven=0.06, tails={}, ligature=0.0, slant=0.0, climb=0.0, pen=4.0
    )
    for seed, text in enumerate(("1234567890", "00000", "111", "7")):
        ink = writer.ink(text, np.random.default_rng(seed), alone=True)
        # What belongs to one digit is joined: its strokes lie above or beside each other.
        joined = cv2.dilate((ink > 100).astype(np.uint8), np.ones((101, 25), np.uint8))
        assert cv2.connectedComponents(joined)[0] - 1 == len(text), text


def test_a_hand_without_fonts_writes_as_well(digits: Digits) -> None:
    writer = LineWriter(Hands(digits, Fonts(None)), Backgrounds(np.random.default_rng(0)))
    for seed in range(20):
        picture, _ = writer.picture(np.random.default_rng(seed))
        assert picture.dtype == np.uint8
        assert min(picture.shape) >= 8


def test_an_empty_text_leaves_no_ink(writer: LineWriter, styles: dict[str, Any]) -> None:
    assert writer.ink("", np.random.default_rng(0)).max() == 0


def pieces(ink: np.ndarray) -> np.ndarray:
    """Left, top, width and height of what is joined, from left to right."""
    stats = cv2.connectedComponentsWithStats((ink > 100).astype(np.uint8))[2][1:]
    return stats[np.argsort(stats[:, 0]), :4]


STEADY = {
    "kind": "tablet", "gap": 0.4, "uneven": 0.0, "unsteady": 0.0, "slant": 0.0, "climb": 0.0,
    "pen": 4.0, "ligature": 0.0, "wobble": 0.0, "tails": {}, "sizes": {}, "stretch": 1.0,
}  # fmt: skip


def test_a_space_is_a_gap_and_no_character(writer: LineWriter, styles: dict[str, Any]) -> None:
    styles.update(STEADY)
    for seed in range(10):
        boxes = pieces(writer.ink("33 33", np.random.default_rng(seed)))
        gaps = boxes[1:, 0] - (boxes[:, 0] + boxes[:, 2])[:-1]
        assert len(gaps) == 3
        assert gaps[1] > max(gaps[0], gaps[2]) + 0.25 * lines.DIGIT_HEIGHT


def test_raised_digits_are_small_and_high(writer: LineWriter, styles: dict[str, Any]) -> None:
    styles.update(STEADY)
    for seed in range(10):
        digit, raised = pieces(writer.ink("3³", np.random.default_rng(seed)))
        assert raised[3] < 0.7 * digit[3]
        assert raised[1] + raised[3] < digit[1] + 0.75 * digit[3]


def test_what_is_struck_out_is_one_with_a_line_beyond_it(
    writer: LineWriter, styles: dict[str, Any]
) -> None:
    styles.update(STEADY)
    for seed in range(20):
        ink = writer.ink(f"3{STRUCK}3{STRUCK}3{STRUCK} 3", np.random.default_rng(seed))
        struck, alone = pieces(ink)
        assert struck[2] > 3 * alone[2]
    # A line through a 7 or a 0 leaves it what it is: there are more.
    plain = [np.count_nonzero(writer.ink("7", np.random.default_rng(s)) > 100) for s in range(20)]
    crossed = [
        np.count_nonzero(writer.ink(f"7{STRUCK}", np.random.default_rng(s)) > 100)
        for s in range(20)
    ]
    assert np.median(np.array(crossed) - plain) > 2 * 4 * 0.6 * lines.DIGIT_HEIGHT * 0.6


def test_a_tail_reaches_below_the_line(
    writer: LineWriter, styles: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "shaken", lambda ink, _: ink)
    for length in (0.5, 1.5):
        styles.update(STEADY | {"tails": {"7": length}})
        plain, tailed = pieces(writer.ink("37", np.random.default_rng(0)))
        below = tailed[1] + tailed[3] - plain[1] - plain[3]
        assert below / lines.DIGIT_HEIGHT == pytest.approx(0.45 * length, abs=0.15)
        assert tailed[1] == pytest.approx(plain[1], abs=4)


def test_lines_of_registers_are_shown_without_their_neighbours(
    writer: LineWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "_REAL_LINES", 1.0)
    texts, edges = set(), []
    for seed in range(60):
        picture, text = writer.picture(np.random.default_rng(seed))
        texts.add(text)
        assert picture.dtype == np.uint8
        edges.append(picture[:, : max(1, picture.shape[1] // 100)].min() > 120)
    assert texts == {"12", "2.20", "1125"}
    assert 15 < sum(edges) < 45  # half of them
