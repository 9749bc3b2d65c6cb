"""The pictures that reading is measured on: real handwriting from outside MNIST, in folders.

Each folder has a `labels.csv` of `file,text[,…]` where `X` is not a digit, so that nothing is to be
read. The pictures are for measuring only: their licences are mixed, and none may be kept here.
"""

import csv
from dataclasses import dataclass
from pathlib import Path

NOT_A_DIGIT = "X"
LOOKALIKE = "lookalike"


@dataclass(frozen=True)
class HandSet:
    """A set of pictures, and what share of it must be read right.

    Where pictures show no digit, `bar` and `aim` are areas under the curve that tells them apart.
    """

    name: str
    bar: float
    aim: float
    single: bool = True
    digits: bool = True


@dataclass(frozen=True)
class Picture:
    """A picture and what stands in it, nothing where it shows no digit."""

    path: Path
    text: str


SETS = {
    known.name: known
    for known in (
        HandSet("cheques", 0.80, 0.92, single=False),
        HandSet("photo-0-to-100", 0.95, 0.99, single=False),
        HandSet("years", 0.80, 0.90, single=False),
        HandSet("own-hands", 0.985, 0.995),
        HandSet("writers", 0.99, 1.0),
        HandSet("semeion", 0.92, 0.96),
        HandSet("usps", 0.97, 0.98),
        HandSet("cells", 0.90, 0.98),
        HandSet("letters", 0.95, 0.98, digits=False),
        HandSet("not-digits", 0.95, 0.98, digits=False),
    )
}
# What pictures without a digit are told apart from.
DIGITS_TOLD_APART = ("own-hands", "writers")


def load_set(folder: Path) -> list[Picture]:
    """Return the pictures of a folder, but those that could as well be a digit."""
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row.get("note") != LOOKALIKE]
    return [Picture(folder / row["file"], row["text"].replace(NOT_A_DIGIT, "")) for row in rows]


def load_sets(hands: Path, only: list[str] | None = None) -> dict[str, list[Picture]]:
    """Return the pictures of each known set that lies in a folder, in the order of `SETS`."""
    names = [name for name in SETS if name in (only or SETS)]
    return {n: load_set(hands / n) for n in names if (hands / n / "labels.csv").exists()}
