"""How safely forms are registered, found on blanks, and read.

    python -m benchmarks forms --data-dir DIR

Draws 8 blanks with known fields, and of them
- warped copies (all turns, 60 to 140 %, perspective 6 %, an edge cropped by up to 8 %, shadow,
  blur, noise, JPEG): how many are registered, how far fields then lie off, how many by over 2 mm;
- pages of other forms of the same layouts: how many are accepted;
- fields found by `inkdigit form new`, within 1.5 mm at each edge;
- forms that are filled in with digits of MNIST's test half, whose writers taught no network, and
  scanned: ten marks and their total in combs, a comb of seven, an open field, four check boxes;
  each read with the rule that the total is the sum, and without.

Writes `results/forms.csv`. A run that is stopped goes on with its log, `--log`: remove that after a
change of the code. `--real DIR` reads folders of filled forms as well, each with a template
`form.form.json`, and `labels.csv` of file, field and text; they are compared without zeros ahead.
"""

import argparse
import csv
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import pandas as pd

from benchmarks.form_pages import DrawnForm, draw_form, fill, warp
from benchmarks.measuring import RESULTS, ROOT, Figure, add_data, keep
from inkdigit import Reader, ReadOptions
from inkdigit.documents.blank import found_fields
from inkdigit.documents.fields import read_fields
from inkdigit.documents.forms import FormReader, decide
from inkdigit.documents.registration import Registrar, Registration
from inkdigit.documents.template import PER_MM, Template
from inkdigit.errors import ImageError, InkdigitError
from inkdigit.learning.datasets import Digits, load_dataset

BLANKS = 8
LOG = ROOT / "runs" / "benchmarks" / "forms.jsonl"
# A field that is taken to lie so many mm away is read in the wrong place.
_WRONG_MM = 2.0
_Forms = list[tuple[DrawnForm, Template]]


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for."""
    add_data(parser)
    parser.add_argument("--copies", type=int, default=2000, metavar="N", help="warped copies")
    parser.add_argument("--others", type=int, default=500, metavar="N", help="pages of other forms")
    parser.add_argument("--filled", type=int, default=300, metavar="N", help="filled forms")
    parser.add_argument("--real", type=Path, nargs="*", default=[], metavar="DIR")
    parser.add_argument("--log", type=Path, default=LOG, help="where a run goes on")
    parser.add_argument("--out", type=Path, default=RESULTS / "forms.csv")


def main(options: argparse.Namespace) -> None:
    """Measure, print and keep."""
    figures, log = list[Figure](), _Log(options.log)
    with TemporaryDirectory() as folder:
        drawn = [draw_form(seed) for seed in range(BLANKS)]
        forms = [(form, form.save(Path(folder), f"form{i}")) for i, form in enumerate(drawn)]
        digits = load_dataset("mnist", data_dir=options.data_dir).test
        for part in (
            read(log, forms, options.filled, digits),
            registered(log, forms, options.copies),
            refused(log, forms, options.others),
            found(drawn),
            *map(read_real, options.real),
        ):
            for figure in part:
                print(figure, flush=True)
                figures.append(figure)
    keep(pd.DataFrame(map(asdict, figures)), options.out)


class _Log:
    """What was measured of each case, a line each, so that a run that was stopped goes on."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        self._known = {(part, seed): found for part, seed, found in map(json.loads, lines)}

    def cases(self, part: str, count: int, measure: Callable[[int], Any]) -> list[Any]:
        """Return what is measured of so many cases, by their seeds."""
        for seed in range(count):
            if (part, seed) not in self._known:
                found = self._known[part, seed] = measure(seed)
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps([part, seed, found]) + "\n")
        return [self._known[part, seed] for seed in range(count)]


def registered(log: _Log, forms: _Forms, count: int) -> Iterator[Figure]:
    """Register warped copies, each with its blank, and compare where each field lies."""
    registrars = [Registrar([template]) for _, template in forms]

    def measure(seed: int) -> dict[str, Any]:
        form, template = forms[seed % BLANKS]
        scan, matrix = warp(seed, form.print)
        began, worked = time.perf_counter(), time.process_time()
        try:
            place = registrars[seed % BLANKS].register(scan)
        except ImageError as error:
            return {"refused": str(error)}
        took = {"seconds": time.perf_counter() - began, "cpu": time.process_time() - worked}
        apart = np.concatenate([_apart(place, matrix, one.box) for one in template.fields])
        off = {"p95": float(np.percentile(apart, 95)), "most": float(apart.max())}
        return took | off

    cases = pd.DataFrame(log.cases("copies", count, measure))
    yield Figure("register", "copies", count, "pages")
    share = float(cases["p95"].notna().mean())
    yield Figure("register", "copies registered", share, "share", least=0.99)
    p95 = float(cases["p95"].quantile(0.95))
    yield Figure("register", "fields of a page off, p95 of pages", p95, "mm", most=0.5)
    wrong = int((cases["most"] > _WRONG_MM).sum())
    yield Figure("register", "pages with a field off by 2 mm", wrong, "of pages", most=0)
    ms = 1000 * cases[["seconds", "cpu"]].median()
    yield Figure("register", "time of a page, median", float(ms["seconds"]), "ms", most=200)
    yield Figure("register", "time of all processors, median", float(ms["cpu"]), "ms")


def _apart(place: Registration, matrix: np.ndarray, box: tuple[float, ...]) -> np.ndarray:
    """Return how many mm the corners of a field lie from where they are, on the page."""
    if place.doubt_at(box):  # type: ignore[arg-type]
        return np.zeros(0)
    corners = place.corners(box)  # type: ignore[arg-type]
    back = cv2.perspectiveTransform(corners[None], np.linalg.inv(matrix))[0] / PER_MM
    left, top, width, height = box
    true = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * (width, height) + (left, top)
    return np.hypot(*(back - true).T)


def refused(log: _Log, forms: _Forms, count: int) -> Iterator[Figure]:
    """Look for blanks in pages of other forms."""
    registrars = [Registrar([template]) for _, template in forms]

    def measure(seed: int) -> bool:
        other = draw_form(BLANKS + seed, marks=5 + seed % 6)
        try:
            registrars[seed % BLANKS].register(warp(seed, other.print)[0])
        except ImageError:
            return False
        return True

    yield Figure("register", "pages of other forms", count, "pages")
    accepted = sum(log.cases("others", count, measure))
    yield Figure("register", "pages of other forms accepted", accepted, "pages", most=0)


def found(drawn: list[DrawnForm]) -> Iterator[Figure]:
    """Find the fields of blanks, and compare their boxes and kinds."""
    right = total = extra = 0
    began = time.perf_counter()
    for form in drawn:
        fields = found_fields(form.print)
        left = {one.name: one for one in form.fields}
        for one in fields:
            same = [
                known.name
                for known in left.values()
                if known.kind == one.kind
                and known.cells == one.cells
                and np.abs(np.subtract(known.box, one.box)).max() <= 1.5
            ]
            extra += not same
            for name in same:
                del left[name]
        total += len(form.fields)
        right += len(form.fields) - len(left)
    yield Figure("blank", "fields found", right / total, "share", least=0.95)
    yield Figure("blank", "fields found that are none", extra / total, "share", most=0.05)
    yield Figure("blank", "time of a page", (time.perf_counter() - began) / len(drawn), "s", most=5)


def read(log: _Log, forms: _Forms, count: int, digits: Digits) -> Iterator[Figure]:
    """Read filled forms, with the rule and without."""
    reader = Reader.load()
    least = reader.model_for(ReadOptions()).info.reject_threshold
    registrars = [Registrar([template]) for _, template in forms]

    def measure(seed: int) -> dict[str, Counter[str]]:
        form, template = forms[seed % BLANKS]
        filled, texts = fill(seed, form, digits)
        found = registrars[seed % BLANKS].register(warp(seed, filled, hard=False)[0])
        said, counts = read_fields(reader, [found], least), {}
        for part, rules in (("no rule", []), ("rule", template.parsed_rules)):
            decided = dict(said)
            decide(decided, rules, least)
            counts[part] = _counted(
                (texts[name], one.text, one.status == "accepted", name)
                for name, one in decided.items()
            )
        return counts

    cases = log.cases("filled", count, measure)
    for part in ("no rule", "rule"):
        counts = sum((Counter(case[part]) for case in cases), Counter[str]())
        yield from _figures(part, counts)
        whole = counts["marks accepted"] / max(1, counts["forms"])
        least = 0.9 if part == "rule" else None
        yield Figure(part, "forms with all marks accepted", whole, "share", least=least)


def read_real(folder: Path) -> Iterator[Figure]:
    """Read a folder of filled forms."""
    texts: dict[str, dict[str, str]] = {}
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        for line in csv.DictReader(file):
            texts.setdefault(line["file"], {})[line["field"]] = line["text"]
    reader = FormReader(Reader.load(), [Template.load(folder / "form.form.json")])
    counts = Counter[str]()
    for name, known in texts.items():
        said = []
        for row in reader.read(str(folder / name), "form", ReadOptions()):
            field = str(row.id).rpartition("/")[2]
            if isinstance(row.result, InkdigitError):
                counts["refused"] += 1
                print(row.result)
            elif field in known:
                true, text = known[field].lstrip("0"), row.result.text.lstrip("0")
                said.append((true, text, row.result.status == "accepted", field))
        counts += _counted(said)
    yield from _figures(folder.name, counts)


def _counted(said: Iterable[tuple[str, str, bool, str]]) -> Counter[str]:
    """Count what became of a form's fields: of each its text, what was read, if accepted, name."""
    counts, marks = Counter[str](), True
    for true, text, accepted, name in said:
        counts["fields"] += 1
        counts["right"] += text == true
        counts["accepted"] += accepted
        counts["wrong"] += accepted and text != true
        marks &= accepted or not name.startswith(("q", "total"))
    if counts["fields"]:
        counts["forms"] += 1
        counts["marks accepted"] += marks
    return counts


def _figures(part: str, counts: Counter[str]) -> Iterator[Figure]:
    fields = max(1, counts["fields"])
    yield Figure(part, "forms registered", counts["forms"], "forms")
    yield Figure(part, "pages refused", counts["refused"], "pages")
    yield Figure(part, "fields", counts["fields"], "fields")
    yield Figure(part, "fields right", counts["right"] / fields, "share", least=0.97)
    yield Figure(part, "fields accepted", counts["accepted"] / fields, "share")
    wrong = counts["wrong"] / max(1, counts["accepted"])
    yield Figure(part, "accepted fields wrong", wrong, "share", most=0.001)
