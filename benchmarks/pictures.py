"""The pictures that reading is measured on: real handwriting from outside MNIST, and drawn lines.

Each folder of real ones has a `labels.csv` of `file,text[,…]` where `X` is not a digit, so that
nothing is to be read. They are for measuring only: their licences are mixed, and none may be kept
here.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from inkdigit.images import Grey
from inkdigit.reading.alphabet import NOT_A_DIGIT as INK_NO_DIGIT

NOT_A_DIGIT = "X"
LOOKALIKE = "lookalike"
# Every drawn picture has a generator of its own, from this and its number.
SEED = 96


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
        HandSet("own-hands", 0.985, 0.995),
        HandSet("writers", 0.99, 1.0),
        HandSet("semeion", 0.92, 0.96),
        HandSet("usps", 0.97, 0.98),
        HandSet("cells", 0.90, 0.98),
        HandSet("letters", 0.95, 0.98, digits=False),
        HandSet("not-digits", 0.95, 0.98, digits=False),
    )
}
DRAWN = {
    known.name: known
    for known in (
        HandSet("drawn lines", single=False, as_written=True),
        HandSet("drawn digits", as_written=True),
    )
}


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
    from inkdigit.learning.datasets import load_dataset
    from inkdigit.learning.synthesis.stream import Generator

    test = load_dataset("mnist", data_dir=data_dir).test
    drawn = Generator(test, fonts, held_out=True, single=single).pictures()
    pages = (drawn(np.random.default_rng([SEED, number])) for number in range(count))
    return [Picture(page, text.replace(INK_NO_DIGIT, "")) for page, text in pages]


def drawn_lines(count: int) -> list[Grey]:
    """Return pictures of drawn lines, by hands of the sample's digits and of drawn strokes."""
    from inkdigit.learning.datasets import load_dataset
    from inkdigit.learning.synthesis.stream import Generator

    drawn = Generator(load_dataset("sample").train, None).pictures()
    return [drawn(np.random.default_rng([0, number]))[0] for number in range(count)]
