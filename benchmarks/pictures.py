"""The pictures that reading is measured on: real handwriting from outside MNIST, and drawn lines.

Each folder of real ones has a `labels.csv` of `file,text[,…]` where `X` is not a digit, so that
nothing is to be read. They are for measuring only: their licences are mixed, and none may be kept
here.
"""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inkdigit.images import Grey
from inkdigit.learning.datasets import Digits, load_dataset
from inkdigit.learning.synthesis import texts
from inkdigit.learning.synthesis.glyphs import Fonts
from inkdigit.learning.synthesis.hands import Hands
from inkdigit.learning.synthesis.lines import LineWriter, Style
from inkdigit.learning.synthesis.paper import Backgrounds
from inkdigit.learning.synthesis.real_hands import RealHands
from inkdigit.learning.synthesis.stream import Generator
from inkdigit.reading.alphabet import NOT_A_DIGIT as INK_NO_DIGIT

NOT_A_DIGIT = "X"
LOOKALIKE = "lookalike"
# Every drawn picture has a generator of its own, from this and its number.
SEED = 96
# By how much the sizes of a line's characters differ: the most that most hands have.
_UNSTEADY = 0.18


@dataclass(frozen=True)
class HandSet:
    """A set of pictures, and what share of it must be read right.

    Where pictures show no digit, `bar` and `aim` are areas under the curve that tells them apart.
    The labels of real pictures hold digits alone, those of drawn ones the text `as_written`.
    """

    name: str
    bar: float = 0.0
    aim: float = 0.0
    single: bool = True
    digits: bool = True
    as_written: bool = False


@dataclass(frozen=True)
class Picture:
    """A picture and what stands in it, nothing where it shows no digit."""

    source: Path | Grey
    text: str


SETS = {
    known.name: known
    for known in (
        HandSet("cheques", 0.87, 0.92, single=False),
        HandSet("photo-0-to-100", 0.98, 1.0, single=False),
        HandSet("years", 0.92, 0.95, single=False),
        HandSet("cells-sheets", 0.82, 0.90, single=False),
        HandSet("registers", 0.70, 0.85, single=False),
        HandSet("own-hands", 0.986, 0.995),
        HandSet("writers", 1.0, 1.0),
        HandSet("semeion", 0.953, 0.96),
        HandSet("usps", 0.975, 0.98),
        HandSet("cells", 0.967, 0.98),
        HandSet("letters", 0.995, 0.995, digits=False),
        HandSet("not-digits", 0.995, 0.995, digits=False),
    )
}
DRAWN = {
    known.name: known
    for known in (
        HandSet("drawn lines", single=False, as_written=True),
        HandSet("drawn digits", as_written=True),
    )
}
# Numbers that are easily read as others, drawn on purpose, of which none is to be accepted; and
# those that are long, or have marks.
_AMOUNT = 2, 7
REGISTERS = "registers, held out"
HARD: dict[str, Callable[[np.random.Generator], str]] = {
    "struck out": lambda rng: texts.corrected(_number(*_AMOUNT, rng), rng),
    "letters beside": lambda rng: texts.beside_word(_number(*_AMOUNT, rng), rng),
    "raised": lambda rng: texts.with_raised_end(_number(*_AMOUNT, rng), rng),
    "long, uneven": lambda rng: _number(10, 14, rng),
    "amounts": lambda rng: texts.amount(_number(*_AMOUNT, rng), rng),
}


def _number(least: int, beyond: int, rng: np.random.Generator) -> str:
    return texts.some_digits(int(rng.integers(least, beyond)), rng)


def load_set(folder: Path) -> list[Picture]:
    """Return the pictures of a folder, but those that could as well be a digit."""
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("note") != LOOKALIKE]
    return [Picture(folder / row["file"], row["text"].replace(NOT_A_DIGIT, "")) for row in rows]


def load_sets(hands: Path, only: list[str] | None = None) -> dict[str, list[Picture]]:
    """Return the pictures of each known set that lies in a folder, in the order of `SETS`."""
    names = [name for name in SETS if name in (only or SETS)]
    return {n: load_set(hands / n) for n in names if (hands / n / "labels.csv").exists()}


def draw(fonts: Path, count: int, *, single: bool, data_dir: Path | None = None) -> list[Picture]:
    """Return drawn pictures, of MNIST's test half and fonts that the networks did not learn from.

    Of single digits some are ink that is none, and beside lines there may be such ink.
    """
    test = load_dataset("mnist", data_dir=data_dir).test
    drawn = Generator(test, fonts, held_out=True, single=single).pictures()
    pages = (drawn(np.random.default_rng([SEED, number])) for number in range(count))
    return [Picture(page, text.replace(INK_NO_DIGIT, "")) for page, text in pages]


def draw_hard(
    digits: Digits, fonts: Path | None, hands: Path | None, count: int
) -> dict[str, list[Picture]]:
    """Return drawn pictures of each kind in `HARD`, by hands that the networks did not learn from.

    They are those of `digits`, of fonts and of the folder `hands`, as for training; lines of
    `REGISTERS` in it come as they are. Texts are as they are written.
    """
    real = RealHands.load(hands, held_out=True)
    writing = Hands(digits, Fonts(fonts, held_out=True), real.writers)
    papers = Backgrounds(np.random.default_rng(0))
    found = {}
    for name, invent in HARD.items():
        style = _uneven if name.startswith("long") else Style
        writer = LineWriter(writing, papers, RealHands(others=real.others), invent, style)
        drawn = (writer.picture(np.random.default_rng([SEED, number])) for number in range(count))
        found[name] = [Picture(page, text.replace(INK_NO_DIGIT, "")) for page, text in drawn]
    lines = [line for of_set in real.lines for same in of_set for line in same]
    return found | ({REGISTERS: [Picture(one.open(), one.text) for one in lines]} if lines else {})


def _uneven(hands: Hands, rng: np.random.Generator) -> Style:
    """Return how a hand writes whose digits differ much in size, some with tails."""
    while True:
        style = Style(hands, rng)
        if style.unsteady > _UNSTEADY and style.tails:
            return style


def drawn_lines(count: int) -> list[Grey]:
    """Return pictures of drawn lines, by hands of the sample's digits and of drawn strokes."""
    drawn = Generator(load_dataset("sample").train, None).pictures()
    return [drawn(np.random.default_rng([0, number]))[0] for number in range(count)]
