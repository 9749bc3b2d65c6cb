"""How well real handwriting is read: `python benchmarks/reading.py --hands DIR`, some minutes.

Reads every picture of the sets in DIR (see `reading_sets.py`) with `inkdigit.Reader`, and beside it
with what is installed of Tesseract, RapidOCR and a plain segment-and-classify baseline. Prints a
table with the bar and the aim of each set, and writes a row for each set and reader to
`results/reading.csv`, and what share is wrong among the surest to `results/reading_coverage.csv`.

A picture without a digit is read right where nothing is read, or what is read is rejected; how well
these are told apart from digits is the area under the ROC curve of the confidence, where reading
nothing counts as 0. A reading that is accepted is wrong unless its text is what stands there, which
is nothing where there is no digit. Texts with pattern or check are not measured here.

    --worst DIR   contact sheets of the surest mistakes; they show the pictures, so keep them away
                  from the repository
    --rapidocr-python PATH   a Python that has rapidocr-onnxruntime, where this one has not
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from contact_sheets import Mistake, write_sheet
from inkdigit import Reader
from inkdigit.errors import InkdigitError
from inkdigit.files import make_folder, write_text
from inkdigit.images import open_grey
from inkdigit.reading import DigitModel
from inkdigit.reading.reader import SINGLE_MODEL
from other_readers import RapidOCR, read_with_tesseract, tesseract_version
from reading_figures import (
    calibration_error,
    character_error,
    coverage_at,
    risk,
    risk_at,
    told_apart,
    wilson,
)
from reading_sets import DIGITS_TOLD_APART, SETS, HandSet, Picture, load_sets
from segmenting import read_segments

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
READERS = ("inkdigit", "segments", "rapidocr", "tesseract")
TOGETHER = "all"
COVERAGES = tuple(share / 100 for share in range(50, 101, 5))
ACCEPTED_BAR = "accepted 0.70, wrong 0.01"
ACCEPTED_AIM = "accepted 0.85, wrong 0.005"


@dataclass(frozen=True)
class Answer:
    """What a reader says of a picture, and how sure it is, if it tells."""

    text: str
    confidence: float | None = None
    status: str | None = None


@dataclass(frozen=True)
class Answered:
    """The pictures of a set, with the answers of one reader."""

    hand_set: HandSet
    pictures: list[Picture]
    answers: list[Answer]

    @property
    def right(self) -> list[bool]:
        """Whether each text is what stands there."""
        return [a.text == p.text for a, p in zip(self.answers, self.pictures, strict=True)]

    @property
    def passed(self) -> list[bool]:
        """Whether each picture was read right, or kept out where it shows no digit."""
        if self.hand_set.digits:
            return self.right
        return [not a.text or a.status == "rejected" for a in self.answers]

    @property
    def digitness(self) -> list[float]:
        """How sure it is that there is a digit."""
        return [(a.confidence or 0.0) if a.text else 0.0 for a in self.answers]

    @property
    def confidences(self) -> list[float]:
        """How sure it is of each text."""
        return [a.confidence or 0.0 for a in self.answers]

    @property
    def tells_confidence(self) -> bool:
        """Whether the reader says how sure it is."""
        return all(a.confidence is not None for a in self.answers)

    @property
    def tells_status(self) -> bool:
        """Whether the reader says what to do with a reading."""
        return all(a.status is not None for a in self.answers)


Read = Callable[[HandSet, list[Picture]], list[Answer] | None]
Row = dict[str, Any]


def main() -> None:
    """Read all sets with all readers; print the table, and keep it where everything was read."""
    options = parse()
    sets = load_sets(options.hands, options.only)
    if not sets:
        raise SystemExit(f"{options.hands} holds none of the sets {', '.join(SETS)}")
    rows: list[Row] = []
    curves: list[Row] = []
    for reader, model, read in readers(options.readers, options.rapidocr_python):
        answered = list(answers(reader, read, sets))
        told = [{"reader": reader, "model": model, **row} for row in figures(answered)]
        rows += told
        curves += [{"reader": reader, "model": model, **row} for row in curve(answered)]
        if reader == "inkdigit" and options.worst:
            write_worst(answered, options.worst)
    table = pd.DataFrame(rows)
    show(table, pd.DataFrame(curves))
    if options.out:
        make_folder(options.out)
        keep(table, options.out / "reading.csv")
        keep(pd.DataFrame(curves), options.out / "reading_coverage.csv")


def parse() -> argparse.Namespace:
    """Return the options; what is read only in part replaces no results unless told where to."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hands", type=Path, required=True, metavar="DIR")
    parser.add_argument("--only", nargs="+", choices=tuple(SETS), metavar="SET")
    parser.add_argument("--readers", nargs="+", choices=READERS, default=READERS)
    parser.add_argument("--out", type=Path, help="default: benchmarks/results if all is read")
    parser.add_argument("--worst", type=Path, metavar="DIR")
    parser.add_argument("--rapidocr-python", metavar="PATH")
    options = parser.parse_args()
    if options.out is None and not options.only and set(options.readers) == set(READERS):
        options.out = RESULTS
    if options.worst and options.worst.resolve().is_relative_to(ROOT):
        parser.error("--worst shows pictures that may not be kept in the repository")
    return options


def keep(table: pd.DataFrame, path: Path) -> None:
    """Write a table."""
    write_text(path, table.round(6).to_csv(index=False))
    print(f"wrote {path}")


def readers(chosen: list[str], rapidocr_python: str | None) -> Iterator[tuple[str, str, Read]]:
    """Yield name, model and function of each reader that is chosen and installed."""
    if "inkdigit" in chosen:
        yield "inkdigit", inkdigit_models(), read_with_inkdigit(Reader.load())
    if "segments" in chosen:
        model = DigitModel.load(SINGLE_MODEL)
        yield "segments", model.name, read_with_segments(model)
    if "rapidocr" in chosen:
        if rapidocr_python or find_spec("rapidocr_onnxruntime"):
            with RapidOCR(rapidocr_python or sys.executable) as engine:
                yield "rapidocr", engine.version, read_with_rapidocr(engine)
        else:
            print("rapidocr is left out: rapidocr-onnxruntime is not installed")
    if "tesseract" in chosen:
        version = tesseract_version()
        if version:
            yield "tesseract", version, read_as_tesseract
        else:
            print("tesseract is left out: it is not installed")


def inkdigit_models() -> str:
    """Return the names of the two models in the package."""
    return f"{Reader.load().model}, {DigitModel.load(SINGLE_MODEL).name}"


def read_with_inkdigit(reader: Reader) -> Read:
    """Return what reads a set through the public door."""

    def read(hand_set: HandSet, pictures: list[Picture]) -> list[Answer]:
        paths = [picture.path for picture in pictures]
        return [
            Answer("", 0.0, "error")
            if isinstance(found, InkdigitError)
            else Answer(found.text, found.confidence, found.status)
            for found in reader.read_batch(paths, single=hand_set.single)
        ]

    return read


def read_with_segments(model: DigitModel) -> Read:
    """Return the baseline; it reads lines only, as it has no other way with a single digit."""

    def read(hand_set: HandSet, pictures: list[Picture]) -> list[Answer] | None:
        if hand_set.single:
            return None
        pages = (open_grey(picture.path) for picture in pictures)
        return [Answer(*read_segments(page, model)) for page in pages]

    return read


def read_with_rapidocr(engine: RapidOCR) -> Read:
    """Return what reads a set with RapidOCR's recognition, single digits as short lines."""

    def read(_: HandSet, pictures: list[Picture]) -> list[Answer]:
        found, _seconds = engine.read([picture.path for picture in pictures])
        return [Answer(text, score) for text, score in found]

    return read


def read_as_tesseract(hand_set: HandSet, pictures: list[Picture]) -> list[Answer]:
    """Read a set with Tesseract."""
    paths = [picture.path for picture in pictures]
    return [Answer(text) for text in read_with_tesseract(paths, single=hand_set.single)]


def answers(reader: str, read: Read, sets: dict[str, list[Picture]]) -> Iterator[Answered]:
    """Yield the answers of a reader to each set that it reads."""
    for name, pictures in sets.items():
        print(f"{reader}: {name}", file=sys.stderr)
        found = read(SETS[name], pictures)
        if found is not None:
            yield Answered(SETS[name], pictures, found)


def figures(answered: list[Answered]) -> Iterator[Row]:
    """Yield a row for each set, and one for all together."""
    digits = [s for a in answered if a.hand_set.name in DIGITS_TOLD_APART for s in a.digitness]
    others = [a for a in answered if not a.hand_set.digits]
    for one in answered:
        yield {**_row(one.hand_set.name, [one]), **_bars(one.hand_set), **_apart(digits, [one])}
    if len(others) > 1:
        name = "+".join(one.hand_set.name for one in others)
        yield {**_row(name, others), **_bars(others[0].hand_set), **_apart(digits, others)}
    if len(answered) == len(SETS):
        yield {**_row(TOGETHER, answered), "bar": ACCEPTED_BAR, "aim": ACCEPTED_AIM}


def _row(name: str, answered: list[Answered]) -> Row:
    passed = [flag for one in answered for flag in one.passed]
    right = [flag for one in answered for flag in one.right]
    low, high = wilson(sum(passed), len(passed))
    row: Row = {"set": name, "n": len(passed), "right": sum(passed)}
    row |= {"share": sum(passed) / len(passed), "low": low, "high": high, "bar": "", "aim": ""}
    lines = [one for one in answered if not one.hand_set.single]
    row["cer"] = _character_error(lines[0]) if len(answered) == len(lines) == 1 else None
    row["auroc"] = row["accepted"] = row["accepted_wrong"] = row["calibration_error"] = None
    if all(one.tells_status for one in answered):
        taken = [a.status == "accepted" for one in answered for a in one.answers]
        row["accepted"] = sum(taken)
        row["accepted_wrong"] = sum(t and not r for t, r in zip(taken, right, strict=True))
    if all(one.tells_confidence for one in answered):
        confidences = [c for one in answered for c in one.confidences]
        row["calibration_error"] = calibration_error(confidences, right)
    return row


def _character_error(one: Answered) -> float:
    return character_error([a.text for a in one.answers], [p.text for p in one.pictures])


def _bars(hand_set: HandSet) -> Row:
    return {"bar": f"{hand_set.bar:g}", "aim": f"{hand_set.aim:g}"}


def _apart(digits: list[float], answered: list[Answered]) -> Row:
    tells = all(one.tells_confidence and not one.hand_set.digits for one in answered)
    if not (tells and digits):
        return {}
    return {"auroc": told_apart(digits, [s for one in answered for s in one.digitness])}


def curve(answered: list[Answered]) -> Iterator[Row]:
    """Yield what is wrong of the surest lines, singles and all, as a share, by how many are taken.

    Then, the other way round, how many can be taken if so many may be wrong.
    """
    kinds = {
        "lines": [one for one in answered if not one.hand_set.single],
        "singles": [one for one in answered if one.hand_set.single],
        TOGETHER: answered if len(answered) == len(SETS) else [],
    }
    for kind, sets in kinds.items():
        if not sets or not all(one.tells_confidence for one in sets):
            continue
        confidences = [c for one in sets for c in one.confidences]
        errors = risk(confidences, [flag for one in sets for flag in one.right])
        for coverage in COVERAGES:
            wrong = risk_at(errors, coverage)
            yield {"kind": kind, "given": "coverage", "coverage": coverage, "wrong": wrong}
        for wrong in (0.01, 0.005):
            taken = coverage_at(errors, wrong)
            yield {"kind": kind, "given": "wrong", "coverage": taken, "wrong": wrong}


HEADER = (
    f"{'set':18} {'reader':9} {'n':>5} {'right':>6} {'95 %':>14}  {'bar':>5} {'aim':>5} "
    f"{'CER':>6} {'AUROC':>6} {'accepted':>8} {'wrong':>6} {'ECE':>6}"
)


def show(table: pd.DataFrame, curves: pd.DataFrame) -> None:
    """Print the readers beside each other, set by set, and the curves."""
    print(HEADER)
    order = list(dict.fromkeys(table["set"]))
    for name in order:
        for row in table[table["set"] == name].to_dict("records"):
            print(_line(row))
    print("accepted is of all readings, wrong of those accepted; the bar of `all` is for these:")
    print(f"bar {ACCEPTED_BAR}; aim {ACCEPTED_AIM}\n")
    for given, sought in (("coverage", "wrong"), ("wrong", "coverage")) if len(curves) else ():
        print(f"{sought}, where the surest are taken, by {given}:")
        part = curves[curves["given"] == given]
        wide = part.pivot_table(index=["reader", "kind"], columns=given, values=sought, sort=False)
        print(wide.to_string(float_format="{:.4f}".format))


def _line(row: Row) -> str:
    interval = f"{row['low']:.4f}-{row['high']:.4f}"
    bar, aim = ("", "") if row["set"] == TOGETHER else (row["bar"], row["aim"])
    accepted = wrong = ""
    if pd.notna(row["accepted"]):
        accepted = f"{row['accepted'] / row['n']:.3f}"
        wrong = f"{row['accepted_wrong'] / row['accepted']:.4f}" if row["accepted"] else ""
    return (
        f"{row['set']:18} {row['reader']:9} {row['n']:5} {row['share']:6.4f} {interval:>14}  "
        f"{bar:>5} {aim:>5} {_number(row['cer'])} {_number(row['auroc'])} {accepted:>8} "
        f"{wrong:>6} {_number(row['calibration_error'])}"
    )


def _number(value: float | None) -> str:
    return f"{value:6.4f}" if pd.notna(value) else " " * 6


def write_worst(answered: list[Answered], folder: Path) -> None:
    """Write a contact sheet of each set's mistakes, the surest first."""
    make_folder(folder)
    for one in answered:
        mistakes = [
            Mistake(picture.path, picture.text, answer.text, answer.confidence or 0.0)
            for picture, answer, passed in zip(one.pictures, one.answers, one.passed, strict=True)
            if not passed
        ]
        name = one.hand_set.name
        write_sheet(mistakes, folder / f"{name}.png", single=one.hand_set.single)
        print(f"{name}: {len(mistakes)} mistakes, the surest in {folder / name}.png")


if __name__ == "__main__":
    main()
