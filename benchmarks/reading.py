"""How well handwriting is read, and what each review rule earns.

    python -m benchmarks reading --hands DIR --fonts fonts/node_modules

Reads every picture of the sets in DIR (see `pictures.py`) with `inkdigit.Reader`, and beside it
with what is installed of Tesseract, RapidOCR and a plain segment-and-classify baseline. Prints a
table with the bar and the aim of each set, and writes a row for each set and reader to
`results/reading.csv`, and what share is wrong among the surest to `results/reading_coverage.csv`.

The real sets are labelled with digits alone: the digits of what is read are compared with them. A
picture without a digit is read right where nothing is read, or what is read is rejected; how well
these are told apart from digits is the area under the ROC curve of the confidence, where reading
nothing counts as 0. A reading that is accepted is wrong unless its digits are what stands there,
which is nothing where there is no digit. Texts with pattern or check are not measured here.

For each review rule it counts the readings that it keeps from being accepted: how many right ones
it defers and how many wrong ones it catches, of the real pictures and, with `--fonts`, of as many
drawn lines and single digits as `--drawn` says, whose whole text must be right. They go to
`results/review_rules.csv`. In a minute: `--readers inkdigit`. With `--fonts` it also draws
numbers that are easily read as others (with `--drawing-hands` by real hands too), and says in
`results/reading_hard.csv` how many of each kind are accepted.

    --worst DIR   contact sheets of the surest mistakes; they show the pictures, so keep them away
                  from the repository
    --rapidocr-python PATH   a Python that has rapidocr-onnxruntime, where this one has not
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.measuring import RESULTS, ROOT, add_data, keep
from benchmarks.pictures import (
    DRAWN,
    HARD,
    REGISTERS,
    SETS,
    HandSet,
    Picture,
    draw,
    draw_hard,
    load_sets,
)
from benchmarks.reading_figures import (
    calibration_error,
    character_error,
    coverage_at,
    risk,
    risk_at,
    told_apart,
    wilson,
)
from benchmarks.rivals.readers import RIVALS, Answer, NamedReader, installed
from benchmarks.sheets import mistake, sheet
from inkdigit import Reader, Reading
from inkdigit.errors import SettingError
from inkdigit.files import make_folder
from inkdigit.images import Source
from inkdigit.learning.datasets import load_dataset
from inkdigit.reading import DigitModel, LineModel
from inkdigit.reading.alphabet import only_digits
from inkdigit.reading.reader import LINE_MODEL, SINGLE_MODEL
from inkdigit.reading.review_rules import RULES

TOGETHER = "all"
# What pictures without a digit are told apart from.
DIGITS_TOLD_APART = ("own-hands", "writers")
COVERAGES = tuple(share / 100 for share in range(50, 101, 5))
# Sets taken together: what share is to be accepted at least, and of those wrong at most.
ACCEPTED = {
    TOGETHER: (tuple(SETS), "", ""),
    "all but cells-sheets, registers": (
        tuple(name for name in SETS if name not in {"cells-sheets", "registers"}),
        "accepted 0.78, wrong 0.005",
        "accepted 0.85, wrong 0.003",
    ),
    "cheques, photo, years": (
        ("cheques", "photo-0-to-100", "years"),
        "accepted 0.62, wrong 0.008",
        "accepted 0.72, wrong 0.005",
    ),
}
SHOWN = 60
READERS = ("inkdigit", *RIVALS)
KNOWN: dict[str, HandSet] = {
    **SETS,
    **DRAWN,
    **{name: HandSet(name, single=False) for name in (*HARD, REGISTERS)},
}
Row = dict[str, Any]


class Inkdigit:
    """The packaged models, by the public face."""

    name = "inkdigit"

    def __init__(self) -> None:
        self._reader = Reader.load()
        self.version = f"{LineModel.load(LINE_MODEL).name}, {DigitModel.load(SINGLE_MODEL).name}"

    def read(self, sources: Sequence[Source], *, single: bool) -> list[Answer]:
        """Return what is read; what cannot be opened is an answer too."""
        found = self._reader.read_batch(sources, single=single, errors="return")
        return [
            Answer(one.digits, one.confidence, one.status, one.rule, one.text)
            if isinstance(one, Reading)
            else Answer("", 0.0, "error")
            for one in found
        ]


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for."""
    add_data(parser)
    parser.add_argument("--hands", type=Path, required=True, metavar="DIR")
    parser.add_argument("--only", nargs="+", choices=tuple(SETS), metavar="SET")
    parser.add_argument("--readers", nargs="+", choices=READERS, default=READERS)
    parser.add_argument("--limit", type=int, metavar="N", help="pictures of each set at most")
    parser.add_argument("--fonts", type=Path, metavar="DIR", help="draw pictures as well, with")
    parser.add_argument("--drawn", type=int, default=2000, metavar="N")
    parser.add_argument("--hard", type=int, default=400, metavar="N", help="of each hard kind")
    parser.add_argument("--drawing-hands", type=Path, metavar="DIR", help="real hands to draw with")
    parser.add_argument("--out", type=Path, help="default: benchmarks/results where all is read")
    parser.add_argument("--worst", type=Path, metavar="DIR")
    parser.add_argument("--rapidocr-python", metavar="PATH")


def main(options: argparse.Namespace) -> None:
    """Read all sets with all readers; print the tables, and keep those of which all was read."""
    if options.worst and options.worst.resolve().is_relative_to(ROOT):
        raise SettingError("--worst shows pictures that may not be kept in the repository")
    sets = load_sets(options.hands, options.only)
    if not sets:
        raise SettingError(f"{options.hands} holds none of the sets {', '.join(SETS)}")
    sets = {name: pictures[: options.limit] for name, pictures in sets.items()}
    whole = len(sets) == len(SETS) and not options.limit
    rows, curves = [], []
    rivals = installed(options.readers, options.rapidocr_python)
    ours = [Inkdigit()] if Inkdigit.name in options.readers else []
    for reader in chain[NamedReader](ours, rivals):
        found = answers(reader, sets)
        named = {"reader": reader.name, "model": reader.version}
        rows += [{**named, **row} for row in figures(found)]
        curves += [{**named, **row} for row in curve(found)]
        if isinstance(reader, Inkdigit):
            earned = of_rules({"real": found, "drawn": drawn_answers(reader, options)})
            print(earned.drop(columns=["status"]).to_string(index=False))
            keep_if(earned, options, "review_rules.csv", whole and options.fonts is not None)
            if options.fonts:
                hard = of_hard(reader, options)
                print(hard.to_string(index=False))
                keep_if(
                    hard, options, "reading_hard.csv", whole and options.drawing_hands is not None
                )
            if options.worst:
                write_worst(found, sets, options.worst)
    show(pd.DataFrame(rows), pd.DataFrame(curves))
    whole = whole and set(options.readers) == set(READERS)
    keep_if(pd.DataFrame(rows), options, "reading.csv", whole)
    keep_if(pd.DataFrame(curves), options, "reading_coverage.csv", whole)


def keep_if(table: pd.DataFrame, options: argparse.Namespace, name: str, whole: bool) -> None:
    """Write a table; what is read only in part replaces no results unless told where to."""
    if folder := options.out or (RESULTS if whole else None):
        make_folder(folder)
        keep(table, folder / name)


def answers(reader: NamedReader, sets: dict[str, list[Picture]]) -> pd.DataFrame:
    """Return a row a picture of the sets that a reader reads.

    `set`, `truth` and `single`, what stands there; `read`, `confidence`, `status` and `rule`, what
    is said of it; `right`, whether that is what stands there, and `passed`, whether it is right or
    kept out where there is no digit.
    """
    tables = []
    for name, pictures in sets.items():
        print(f"{reader.name}: {name}", file=sys.stderr)
        found = reader.read([picture.source for picture in pictures], single=KNOWN[name].single)
        if found is not None:
            table = pd.DataFrame(found)
            table["read"] = table["text" if KNOWN[name].as_written else "digits"]
            tables.append(table.assign(set=name, truth=[picture.text for picture in pictures]))
    return judged(pd.concat(tables, ignore_index=True))


def judged(found: pd.DataFrame) -> pd.DataFrame:
    """Return answers with what they are worth."""
    right = found["read"] == found["truth"]
    kept_out = (found["truth"] == "") & (found["status"] == "rejected")
    single = found["set"].map(lambda name: KNOWN[name].single)
    return found.assign(single=single, right=right, passed=right | kept_out)


def drawn_answers(reader: NamedReader, options: argparse.Namespace) -> pd.DataFrame | None:
    """Return the answers to drawn pictures, where fonts are there to draw them with."""
    if options.fonts is None:
        print("drawn pictures are left out: name the fonts (--fonts)")
        return None
    count = min(options.drawn, options.limit or options.drawn)
    sets = {
        name: draw(options.fonts, count, single=known.single, data_dir=options.data_dir)
        for name, known in DRAWN.items()
    }
    return answers(reader, sets)


def of_hard(reader: NamedReader, options: argparse.Namespace) -> pd.DataFrame:
    """Return what is made of numbers that are easily read as others: a row for each kind.

    `right` compares the digits, `as_written` the marks as well.
    """
    test = load_dataset("mnist", data_dir=options.data_dir).test
    sets = draw_hard(test, options.fonts, options.drawing_hands, options.hard)
    found = answers(reader, {name: [*map(_digits_of, drawn)] for name, drawn in sets.items()})
    rows = []
    for name, drawn in sets.items():
        part = found[found["set"] == name]
        row = {"kind": name, "n": len(part), "right": int(part["right"].sum())}
        row["as_written"] = int((part["text"] == [picture.text for picture in drawn]).sum())
        rows.append(row | of_status(part))
    return pd.DataFrame(rows)


def _digits_of(picture: Picture) -> Picture:
    return replace(picture, text=only_digits(picture.text))


def of_rules(found: dict[str, pd.DataFrame | None]) -> pd.DataFrame:
    """Return for each rule, in order, the right readings it deferred and the wrong ones it caught.

    A reading counts under the rule that decided. `found` are answers by the kind of picture.
    """
    rules = pd.DataFrame([{"rule": r.name, "kind": r.kind, "status": r.status} for r in RULES])
    tables = []
    for pictures, those in found.items():
        if those is not None:
            counts = pd.crosstab(those["rule"], those["right"])
            counts = counts.reindex(index=rules["rule"], columns=[True, False], fill_value=0)
            counted = dict(zip(("deferred", "caught"), counts.to_numpy().T, strict=True))
            tables.append(rules.assign(pictures=pictures, n=len(those), **counted))
    return pd.concat(tables, ignore_index=True)


def figures(found: pd.DataFrame) -> Iterator[Row]:
    """Yield a row for each set, one for what is no digit, and some for several together."""
    told_by = found[found["set"].isin(DIGITS_TOLD_APART)]
    groups = {name: [name] for name in dict.fromkeys(found["set"])}
    others = [name for name in groups if not SETS[name].digits]
    every = len(groups) == len(SETS)
    if len(others) > 1:
        groups["+".join(others)] = others
    for name, sets in groups.items():
        part, known = found[found["set"].isin(sets)], SETS[sets[0]]
        bars = {"bar": f"{known.bar:g}", "aim": f"{known.aim:g}"}
        cer = None if known.single else character_error(part["read"], part["truth"])
        auroc = None if known.digits else apart(told_by, part)
        yield row(name, part) | bars | {"cer": cer, "auroc": auroc}
    if every:
        for name, (sets, bar, aim) in ACCEPTED.items():
            yield row(name, found[found["set"].isin(sets)]) | {"bar": bar, "aim": aim}


def row(name: str, part: pd.DataFrame) -> Row:
    """Return what some answers of one reader are worth."""
    right, passed = part["right"], part["passed"]
    low, high = wilson(int(passed.sum()), len(part))
    shares = {"share": passed.mean(), "low": low, "high": high}
    empty = dict.fromkeys(("bar", "aim", "cer", "auroc"))
    return {
        "set": name, "n": len(part), "right": int(passed.sum()), **shares, **empty,
        **of_status(part), "calibration_error": calibration(part["confidence"], right),
    }  # fmt: skip


def of_status(part: pd.DataFrame) -> Row:
    """Return how many readings were accepted, and how many of those are wrong, if it is told."""
    if part["status"].isna().any():
        return {"accepted": None, "accepted_wrong": None}
    taken = part["status"] == "accepted"
    return {"accepted": int(taken.sum()), "accepted_wrong": int((taken & ~part["right"]).sum())}


def calibration(confidences: "pd.Series[float]", right: "pd.Series[bool]") -> float | None:
    """Return the calibration error where the reader tells how sure it is."""
    return None if confidences.isna().any() else calibration_error(confidences, right)


def apart(digits: pd.DataFrame, others: pd.DataFrame) -> float | None:
    """Return how well pictures without a digit are told apart from digits, if that is known."""
    sure = [part["confidence"].where(part["read"] != "", 0.0) for part in (digits, others)]
    known = len(digits) and not any(confidences.isna().any() for confidences in sure)
    return told_apart(*sure) if known else None


def curve(found: pd.DataFrame) -> Iterator[Row]:
    """Yield what is wrong of the surest lines, singles and all, as a share, by how many are taken.

    Then, the other way round, how many can be taken if so many may be wrong.
    """
    every = found if found["set"].nunique() == len(SETS) else found[:0]
    parts = {"lines": found[~found["single"]], "singles": found[found["single"]], TOGETHER: every}
    for kind, part in parts.items():
        if not len(part) or part["confidence"].isna().any():
            continue
        errors = risk(part["confidence"], part["right"])
        for coverage in COVERAGES:
            wrong = risk_at(errors, coverage)
            yield {"kind": kind, "given": "coverage", "coverage": coverage, "wrong": wrong}
        for wrong in (0.01, 0.005):
            taken = coverage_at(errors, wrong)
            yield {"kind": kind, "given": "wrong", "coverage": taken, "wrong": wrong}


def show(table: pd.DataFrame, curves: pd.DataFrame) -> None:
    """Print the readers beside each other, set by set, and the curves."""
    order = {name: place for place, name in enumerate(dict.fromkeys(table["set"]))}
    shown = table.sort_values("set", key=lambda names: names.map(order), kind="stable")
    accepted = shown["accepted"].astype(float)
    shown = shown.assign(
        accepted=accepted / shown["n"], wrong=shown["accepted_wrong"].astype(float) / accepted
    ).drop(columns=["model", "right", "accepted_wrong"])
    print(shown.to_string(index=False, float_format="{:.4f}".format, na_rep=""))
    print("accepted is of all readings, wrong of those accepted\n")
    for given, sought in (("coverage", "wrong"), ("wrong", "coverage")) if len(curves) else ():
        print(f"{sought}, where the surest are taken, by {given}:")
        part = curves[curves["given"] == given]
        wide = part.pivot_table(index=["reader", "kind"], columns=given, values=sought, sort=False)
        print(wide.to_string(float_format="{:.4f}".format))


def write_worst(found: pd.DataFrame, sets: dict[str, list[Picture]], folder: Path) -> None:
    """Write a contact sheet of each set's mistakes, the surest first."""
    make_folder(folder)
    for name, pictures in sets.items():
        part = found[found["set"] == name].assign(picture=pictures)
        wrong = part[~part["passed"]].sort_values("confidence", ascending=False, kind="stable")
        rows = wrong[:SHOWN].itertuples()
        tiles = [mistake(r.picture, r.read, r.confidence, single=r.single) for r in rows]
        sheet(tiles).save(folder / f"{name}.png")
        print(f"{name}: {len(wrong)} mistakes, the surest in {folder / name}.png")
