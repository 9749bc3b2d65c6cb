"""Draws the pictures of docs/gallery.md: what the packaged models read, and what they do not yet.

    python -m benchmarks gallery --fonts fonts/node_modules

Nothing is picked by hand: the first pictures that are drawn, and of some thousands the mistakes
that were surest. They are drawn with digits of MNIST's test half and with fonts that the networks
did not learn from.
"""

import argparse
from pathlib import Path

from benchmarks.measuring import ROOT, add_data
from benchmarks.pictures import Picture, draw
from benchmarks.sheets import sheet, tile
from inkdigit import Reader, Reading

FIRST, MISTAKES, DRAWN = 48, 24, 3000
Read = tuple[Picture, Reading]


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for."""
    add_data(parser)
    parser.add_argument("--fonts", type=Path, required=True)
    parser.add_argument("--drawn", type=int, default=DRAWN, metavar="N", help="pictures to draw")
    parser.add_argument("--out", type=Path, default=ROOT / "docs", metavar="DIR")


def main(options: argparse.Namespace) -> None:
    """Draw, read, and write one sheet for lines and one for digits, each with its mistakes."""
    reader = Reader.load()
    for single, name in ((False, "lines"), (True, "digits")):
        pictures = draw(options.fonts, options.drawn, single=single, data_dir=options.data_dir)
        sources = [picture.source for picture in pictures]
        found = list(zip(pictures, reader.read_batch(sources, single=single), strict=True))
        shown = {"": found[:FIRST], "-mistakes": surest_mistakes(found)}
        for suffix, some in shown.items():
            tiles = [tile(*read, is_right(*read), [read[0].source]) for read in some]
            path = options.out / f"gallery-{name}{suffix}.png"
            sheet(tiles).save(path, optimize=True)
            print(f"wrote {path}")


def is_right(picture: Picture, reading: Reading) -> bool:
    """Return whether a reading is right; what is no digit is read right if it is rejected."""
    kept_out = not picture.text and reading.status == "rejected"
    return kept_out or reading.text == picture.text


def surest_mistakes(found: list[Read]) -> list[Read]:
    """Return the mistakes, the surest first."""
    wrong = [read for read in found if not is_right(*read)]
    return sorted(wrong, key=lambda read: -read[1].confidence)[:MISTAKES]
