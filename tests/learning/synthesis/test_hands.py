from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from inkdigit.learning.datasets import Digits
from inkdigit.learning.synthesis.allographs import DIGITS
from inkdigit.learning.synthesis.glyphs import Fonts, Glyph
from inkdigit.learning.synthesis.hands import Hands, Pen, Writer
from inkdigit.reading import alphabet


def test_kinds_that_are_there_come_as_often_as_they_should(digits: Digits, fonts: Path) -> None:
    nobody = Writer({})
    every = Hands(
        digits, Fonts(fonts), {"writers": [nobody], "forms": [nobody], "tablet": [nobody]}
    )
    rng = np.random.default_rng(0)
    counts = Counter(every.kind(rng) for _ in range(5000))
    assert counts["writers"] / 5000 == pytest.approx(0.2, abs=0.02)
    assert counts["strokes"] / 5000 == pytest.approx(0.2, abs=0.02)
    assert counts["tablet"] / 5000 == pytest.approx(0.3, abs=0.02)
    assert Hands(digits, Fonts(None)).kinds == ["strokes", "mnist", "mixed"]


def test_a_writer_writes_his_own_and_borrows_the_rest(digits: Digits) -> None:
    bar, hook, rng = (
        (((0.0, 0.0), (0.0, 1.0)),),
        (((0.0, 0.0), (0.5, 1.0)),),
        np.random.default_rng(0),
    )
    hands = Hands(
        digits, Fonts(None), {"writers": [Writer({"7": [bar]})], "tablet": [Writer({"1": [hook]})]}
    )
    ones = Counter()
    for _ in range(200):
        hand = hands.hand("writers", Pen(rng), rng)
        assert hand("7", rng) == bar
        assert hand("5", rng) is not None  # by a pen, that can do all
        one = hand("1", rng)
        ones["MNIST" if isinstance(one, Glyph) else "lent" if one == hook else "pen"] += 1
    assert all(30 < ones[lender] < 110 for lender in ("lent", "MNIST", "pen"))


def test_half_of_the_nines_that_a_writer_lacks_are_his_sixes_upside_down(digits: Digits) -> None:
    six = Glyph(np.arange(6, dtype=np.uint8).reshape(3, 2), -0.1, 1.0)
    hands = Hands(digits, Fonts(None), {"writers": [Writer({"6": [six]})]})
    rng, turned = np.random.default_rng(0), 0
    for _ in range(200):
        nine = hands.hand("writers", Pen(rng), rng)("9", rng)
        if isinstance(nine, Glyph) and nine.ink.shape == (3, 2):
            assert nine.ink.tolist() == [[5, 4], [3, 2], [1, 0]]
            assert (nine.top, nine.bottom) == (-0.1, 1.0)
            turned += 1
    assert 70 < turned < 130


@pytest.mark.parametrize("kind", ["strokes", "mnist", "mixed"])
def test_every_hand_has_every_digit_and_mark(kind: str, digits: Digits) -> None:
    rng = np.random.default_rng(0)
    hand = Hands(digits, Fonts(None)).hand(kind, Pen(rng), rng)
    for character in alphabet.DIGITS + alphabet.MARKS:
        assert all(hand(character, rng) is not None for _ in range(20)), character


def test_a_pen_keeps_to_its_shape() -> None:
    rng = np.random.default_rng(0)
    pen = Pen(rng)
    shapes = Counter(str(pen("4", rng)) for _ in range(100))
    assert shapes.most_common(1)[0][1] > 100 / len(DIGITS["4"])
    assert pen("a", rng) is None
