"""What a reader gains that learns from a pile of real hands, and what it loses of others.

A pile is half of the bank cheques, both halves in turn, or 200 of another set: of registers any,
whose pages are not known, of cells those of three sheets of five. The others of that set (of cells
those of the other two sheets) are read before and after, and so are sets that were not learned
from, all as lines. Each pile is learned from with labels, without, and the cheques also with one
label in twenty wrong. Prints a line each and adds it to `results/adapting.csv`; what is there
already is not done again. Model files and pages stay in `runs/adapting`. `thousand` is about time
and memory alone. Settings were chosen with seed 0, which is none of those here.
"""

import argparse
import csv
import re
import resource
import shutil
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.measuring import RESULTS, ROOT
from benchmarks.pictures import SEED, Picture, load_sets
from inkdigit import Reader, learning
from inkdigit.errors import DataError
from inkdigit.files import write_text
from inkdigit.learning.datasets import load_dataset
from inkdigit.learning.synthesis.stream import Generator
from inkdigit.reading.alphabet import only_digits

OTHERS = ("cheques", "years", "photo-0-to-100", "own-hands")
PILES = ("cheques", "registers", "cells-sheets")
LABELS = ("all", "none", "some wrong")
THOUSAND = ("cheques", "registers", "years")
OUT = RESULTS / "adapting.csv"
RUNS = ROOT / "runs" / "adapting"
# So many of a set are learned from, if it is not cut into halves.
_LEARNED = 200
# Of so many sheets of cells.
_SHEETS = 3
_DRAWN = 300
# One label in so many is wrong.
_WRONG_OF = 20


@dataclass(frozen=True)
class Trial:
    """A pile and what of it is known: a set, its half, the seed, and which labels there are."""

    pile: str
    labels: str
    seed: int
    half: int = 0

    @property
    def name(self) -> str:
        """A name for its files."""
        return f"{self.pile}-{self.labels.replace(' ', '-')}-{self.seed}-{self.half}"

    def split(self, pictures: list[Picture]) -> tuple[list[Picture], list[Picture]]:
        """Return the pictures to learn from, and the others."""
        rng = np.random.default_rng(self.seed)
        order = rng.permutation(len(pictures)).tolist()
        if self.pile == "cells-sheets":
            sheets = rng.permutation(sorted({_group(picture) for picture in pictures}))[:_SHEETS]
            inside = [i for i in order if _group(pictures[i]) in sheets]
            outside = [i for i in order if _group(pictures[i]) not in sheets]
            return [pictures[i] for i in inside[:_LEARNED]], [pictures[i] for i in outside]
        cut = len(order) // 2 if self.pile == "cheques" else _LEARNED
        halves = [pictures[i] for i in order[:cut]], [pictures[i] for i in order[cut:]]
        return halves[self.half], halves[1 - self.half]

    def known(self, pictures: list[Picture]) -> dict[str, str] | None:
        """Return the labels by the pictures' names, or that there are none."""
        if self.labels == "none":
            return None
        labels = {str(picture.source): picture.text for picture in pictures}
        if self.labels == "some wrong":
            for name in sorted(labels)[::_WRONG_OF]:
                labels[name] = labels[name][:-1] + str((int(labels[name][-1]) + 3) % 10)
        return labels


def _group(picture: Picture) -> str:
    """Return the sheet of a cell, and nothing where it is not known."""
    name = Path(str(picture.source))
    return "_".join(name.name.split("_")[:2]) if name.parent.name == "cells-sheets" else ""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for."""
    parser.add_argument("--hands", type=Path, required=True, help="the folder of the real sets")
    parser.add_argument("--piles", nargs="+", choices=PILES, default=PILES, metavar="SET")
    parser.add_argument("--labels", nargs="+", choices=LABELS, default=LABELS, metavar="WHICH")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--thousand", action="store_true", help="1,012 lines, timed")


def main(args: argparse.Namespace) -> None:
    """Make the trials that are not in the table yet."""
    sets = load_sets(args.hands, sorted({*OTHERS, *PILES}))
    if args.thousand:
        _thousand(sets)
        return
    for trial in _trials(args):
        if not _is_done(trial):
            _add(_tried(trial, sets))


def _trials(args: argparse.Namespace) -> Iterable[Trial]:
    for seed in range(1, args.seeds + 1):
        for labels in args.labels:
            for pile in args.piles:
                if pile == "cheques":
                    yield Trial(pile, labels, seed, 0)
                    yield Trial(pile, labels, seed, 1)
                elif labels != "some wrong":
                    yield Trial(pile, labels, seed)


def _is_done(trial: Trial) -> bool:
    if not OUT.exists():
        return False
    table = pd.read_csv(OUT)
    same = [table[name] == value for name, value in asdict(trial).items()]
    return bool(np.logical_and.reduce(same).any())


def _add(row: dict[str, object]) -> None:
    print(*(f"{name} {value}" for name, value in row.items()), sep=" | ", flush=True)
    known = [pd.read_csv(OUT)] if OUT.exists() else []
    table = pd.concat([*known, pd.DataFrame([row])])
    write_text(OUT, table.to_csv(index=False))


def _tried(trial: Trial, sets: dict[str, list[Picture]]) -> dict[str, object]:
    learned, others = trial.split(sets[trial.pile])
    judged = {"rest": others} | {name: sets[name] for name in OTHERS if name != trial.pile}
    judged["drawn"] = _drawn()
    before = Reader.load()
    began = time.monotonic()
    after, figures = _adapted(before, learned, trial.known(learned), trial.name)
    figures["seconds"] = round(time.monotonic() - began)
    figures["MB at most so far"] = _peak()
    for name, pictures in judged.items():
        for when, reader in (("before", before), ("after", after)):
            figures |= {f"{name} {what} {when}": n for what, n in _counted(reader, pictures)}
        figures[f"{name} of"] = len(pictures)
    return asdict(trial) | figures


def _drawn() -> list[Picture]:
    """Return drawn lines by other digits than those that are drawn beside a pile."""
    drawn = Generator(load_dataset("sample").test, None).pictures()
    pages = (drawn(np.random.default_rng([SEED, number])) for number in range(_DRAWN))
    return [Picture(page, only_digits(text)) for page, text in pages]


def _adapted(
    reader: Reader, pictures: list[Picture], labels: dict[str, str] | None, name: str
) -> tuple[Reader, dict[str, object]]:
    """Return the adapted reader; whether the command would have kept it, and labels it doubts."""
    out, table = RUNS / f"{name}.onnx", RUNS / f"{name}.csv"
    shutil.rmtree(out.with_name(f"{out.name}.adapting"), ignore_errors=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    for old in (out, out.with_suffix(".html")):
        old.unlink(missing_ok=True)
    sources = {str(picture.source): picture.source for picture in pictures}
    with table.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["file", "text", "group"])
        for picture in pictures:
            text = (labels or {}).get(str(picture.source), "")
            rows.writerow([str(picture.source), text, _group(picture)])
    group = "group" if any(map(_group, pictures)) else None
    told: list[str] = []
    kept = True
    for force in (False, True):
        try:
            adapted = learning.adapt(
                reader, sources, table, group=group, out=out, force=force, tell=told.append
            )
            break
        except DataError:
            kept = False
    print(*told, sep="\n")
    doubts = re.search(r"^labels that may be wrong \((\d+)\)", "\n".join(told), re.MULTILINE)
    return adapted, {"kept": kept, "suspects": int(doubts[1]) if doubts else 0}


def _counted(reader: Reader, pictures: list[Picture]) -> list[tuple[str, int]]:
    readings = reader.read_batch([picture.source for picture in pictures])
    right = np.array([a.digits == b.text for a, b in zip(readings, pictures, strict=True)])
    accepted = np.array([reading.status == "accepted" for reading in readings])
    figures = {"right": right, "accepted": accepted, "wrong": accepted & ~right}
    return [(what, int(which.sum())) for what, which in figures.items()]


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _thousand(sets: dict[str, list[Picture]]) -> None:
    pictures = [picture for name in THOUSAND for picture in sets[name]]
    began = time.monotonic()
    _adapted(Reader.load(), pictures, Trial("", "all", 0).known(pictures), "thousand")
    print(f"{len(pictures)} lines: {time.monotonic() - began:.0f} s, {_peak()} MB")
