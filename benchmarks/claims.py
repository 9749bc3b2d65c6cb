"""Draws the files of docs/forms.md: a blank claim for expenses, its scans, and a page of another.

    python -m benchmarks claims

Their digits are those of MNIST's test half.
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from benchmarks.form_pages import claim_form, draw_form, fill_in, warp
from benchmarks.measuring import ROOT, add_data
from inkdigit.images import Grey
from inkdigit.learning.datasets import load_dataset

# How large scans are, of the 200 dpi of the print.
_SHARE = 0.8
# What is written on each, by which hand: so chosen that two are accepted, one is badly written, and
# the last adds up wrongly.
_WRITTEN = (
    ("204420", "07112026", "184", "36", "95", "315", "1"),
    ("188877", "12112026", "52", "18", "", "70", ""),
    ("203959", "03112026", "240", "47", "112", "399", "1"),
    ("196035", "16112026", "75", "26", "130", "221", "1"),
)
_HANDS = (4, 1, 4, 7)
# The seeds by which they are scanned: the second is turned, the third photographed askew.
_SEEDS, _PHOTOGRAPHED = (2, 0, 5, 3, 8), 2


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for."""
    add_data(parser)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "claim", metavar="DIR")


def main(options: argparse.Namespace) -> None:
    """Fill in, scan and write."""
    form, digits = claim_form(), load_dataset("mnist", data_dir=options.data_dir).test
    names = [one.name for one in form.fields]
    said = (dict(zip(names, texts, strict=True)) for texts in _WRITTEN)
    pages = [fill_in(hand, form, texts, digits) for hand, texts in zip(_HANDS, said, strict=True)]
    pages.append(draw_form(6, marks=6).print)
    (options.out / "scans").mkdir(parents=True, exist_ok=True)
    Image.fromarray(form.print).save(options.out / "claim.png", optimize=True)
    for number, (seed, page) in enumerate(zip(_SEEDS, pages, strict=True)):
        path = options.out / "scans" / f"{number + 1}.jpg"
        Image.fromarray(scan(seed, page, hard=number == _PHOTOGRAPHED)).save(path, quality=60)
        print(f"wrote {path}")


def scan(seed: int, page: Grey, *, hard: bool) -> Grey:
    """Return a small scan of a page, or a photograph of it askew."""
    small = cv2.resize(page, None, fx=_SHARE, fy=_SHARE, interpolation=cv2.INTER_AREA)
    return warp(seed, np.asarray(small), hard=hard)[0]
