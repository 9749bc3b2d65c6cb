"""A class: its sheets collected from photographs, learned from, and judged writer by writer.

    python -m benchmarks classroom --hands DIR

Fills in the sheets of 30 pupils: real hands that taught no network, as many as there are in
`--hands`, and drawn ones. On each a box is left empty and one crossed out. Each sheet is then
photographed in simulation (all turns, 60 to 140 %, perspective 6 %, an edge cropped by up to 8 %,
shadow, blur, noise, JPEG). Then, in a process each, as a teacher would:
- `inkdigit collect`: a box is right if it lies under its pupil and digit and looks like what was
  written (correlation of the ink, no network asked);
- `inkdigit train` from a start that learned from the sample, and how the pupils that are held out
  are read before and after, with the interval of each share;
- `inkdigit evaluate --by writer`.

Writes `results/classroom.csv`.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2

from benchmarks import measuring
from benchmarks.class_sheets import Pupil, alike, boxes, filled, inside, printed
from benchmarks.form_pages import warp
from benchmarks.measuring import RESULTS, Figure, python, run, seconds
from inkdigit.images import Grey, open_grey
from inkdigit.learning.synthesis.hands import Hand
from inkdigit.learning.synthesis.real_hands import RealHands

PUPILS, EPOCHS = 30, 20
# Two pictures of a digit that correlate so well show the same one.
ALIKE = 0.9
# Seconds that the loop may take.
LOOP = 300


@dataclass(frozen=True)
class Setting:
    """Where real handwriting lies."""

    hands: Path | None


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for."""
    measuring.add_parts(parser, PARTS)
    parser.add_argument("--hands", type=Path, help="a folder of real people's handwriting")
    measuring.add_out(parser, RESULTS / "classroom.csv")


def main(options: argparse.Namespace) -> None:
    """Measure, print and keep."""
    measuring.use_cores()
    measuring.measure(PARTS, Setting(options.hands), options)


def measure_loop(setting: Setting) -> Iterator[Figure]:
    """Yield what comes of a class's sheets, and how long it takes."""
    with TemporaryDirectory() as folder:
        yield from measured(Path(folder), setting.hands)


def measured(work: Path, hands: Path | None) -> Iterator[Figure]:
    """Print, write, photograph, collect, learn and judge."""
    written = photographed(work, hands)
    begun, inkdigit = time.perf_counter(), python("-m", "inkdigit")
    run(*inkdigit, "collect", "scans", "-q", "-o", "class", cwd=work)
    collecting = time.perf_counter() - begun
    yield from collected(work / "class", written)
    start = [*inkdigit, "train", "--data", "sample", "--out", "start", "-q"]
    beginning = seconds(lambda: run(*start, cwd=work))
    learn = ["--data", "folder:class", "--init-from", "start", "--epochs", str(EPOCHS)]
    training = seconds(lambda: run(*inkdigit, "train", *learn, "--out", "mine", "-q", cwd=work))
    ask = ["--data", "folder:class", "--by", "writer", "--format", "json", "-q"]
    for model, when in (("start", "before"), ("mine", "after")):
        told = json.loads(run(*inkdigit, "evaluate", model, *ask, cwd=work))
        interval = 100 * told["accuracy_low"], 100 * told["accuracy_high"]
        of = f"{len(told['by_writer'])} pupils never seen, {when}"
        yield Figure("loop", of, 100 * told["accuracy"], "% right", *interval)
    judging = seconds(lambda: run(*inkdigit, "evaluate", "mine", *ask, cwd=work))
    parts = {"collect": collecting, "train": training, "evaluate": judging}
    for name, value in {**parts, "a start of the sample": beginning}.items():
        yield Figure("loop", name, value, "s")
    yield Figure("loop", "collect, train, by writer", sum(parts.values()), "s", most=LOOP)


def photographed(work: Path, hands: Path | None) -> dict[str, Grey]:
    """Fill in and photograph sheets, and return each box as it was written, by its file."""
    names = [f"Pupil {chr(ord('A') + i % 26)}{i // 26}" for i in range(PUPILS)]
    pages, real, written = printed(work / "sheets.pdf", "7b", names), list(_real(hands)), {}
    (work / "scans").mkdir()
    for i, (name, page) in enumerate(zip(names, pages, strict=True)):
        pupil = Pupil(i, real[i] if i < len(real) else None)
        empty, crossed = (str(i % 10), 8), (str((i + 3) % 10), 2)
        sheet = filled(pupil, page, empty=[empty], crossed=[crossed])
        for digit, number, box in boxes():
            if (digit, number) not in (empty, crossed):
                written[f"{name}/{digit}/{number}.png"] = inside(sheet, box)
        cv2.imwrite(str(work / "scans" / f"{(7 * i) % PUPILS:02}.jpg"), warp(i, sheet)[0])
    return written


def _real(hands: Path | None) -> Iterator[Hand]:
    """Yield real hands that taught no network and have written each digit."""
    kinds = RealHands.load(hands, held_out=True).writers
    for writer in [one for some in kinds.values() for one in some]:
        if len([digit for digit in writer.samples if digit.isdecimal()]) == 10:
            yield writer


def collected(folder: Path, written: dict[str, Grey]) -> Iterator[Figure]:
    """Hold what was collected against what was written."""
    found = {
        path.relative_to(folder).as_posix(): open_grey(path)
        for path in folder.glob("Pupil*/*/*.png")
    }
    right = [
        name
        for name, picture in written.items()
        if name in found and alike(found[name], picture) > ALIKE
    ]
    unlike, crossed = found.keys() & written.keys() - {*right}, found.keys() - written.keys()
    share = 100 * len(right) / len(written)
    yield Figure("loop", "boxes", len(written), "boxes")
    yield Figure("loop", "collected rightly", share, "%", least=99)
    yield Figure("loop", "under a wrong name or digit", len(unlike), "boxes", most=0)
    yield Figure("loop", "crossed out, and kept", len(crossed), f"of {PUPILS}")


PARTS = {"loop": measure_loop}
