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

Writes `results/forms.csv`. `--real DIR` reads folders of filled forms as well, each with a template
`form.form.json`, and `labels.csv` of file, field and text; they are compared without zeros ahead.
"""

import argparse
import csv
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import pandas as pd

from benchmarks.form_pages import DrawnForm, draw_form, fill, warp
from benchmarks.measuring import RESULTS, Figure, add_data, keep
from inkdigit import Reader, ReadOptions
from inkdigit.documents.blank import found_fields
from inkdigit.documents.forms import FormReader
from inkdigit.documents.registration import Registrar, Registration
from inkdigit.documents.template import PER_MM, Template
from inkdigit.errors import ImageError, InkdigitError
from inkdigit.images import Grey, Source
from inkdigit.learning.datasets import Digits, load_dataset

BLANKS = 8
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
    parser.add_argument("--out", type=Path, default=RESULTS / "forms.csv")


def main(options: argparse.Namespace) -> None:
    """Measure, print and keep."""
    figures = list[Figure]()
    with TemporaryDirectory() as folder:
        drawn = [draw_form(seed) for seed in range(BLANKS)]
        forms = [(form, form.save(Path(folder), f"form{i}")) for i, form in enumerate(drawn)]
        digits = load_dataset("mnist", data_dir=options.data_dir).test
        for part in (
            registered(forms, options.copies),
            refused(forms, options.others),
            found(drawn),
            read(forms, options.filled, digits),
            *map(read_real, options.real),
        ):
            for figure in part:
                print(figure)
                figures.append(figure)
    keep(pd.DataFrame(map(asdict, figures)), options.out)


def registered(forms: _Forms, count: int) -> Iterator[Figure]:
    """Register warped copies, each with its blank, and compare where each field lies."""
    registrars = [Registrar([template]) for _, template in forms]
    errors, seconds, wrong = list[float](), list[float](), 0
    for seed in range(count):
        form, template = forms[seed % BLANKS]
        scan, matrix = warp(seed, form.print)
        began = time.perf_counter()
        try:
            place = registrars[seed % BLANKS].register(scan)
        except ImageError as error:
            print(f"copy {seed}: {error}")
            continue
        finally:
            seconds.append(time.perf_counter() - began)
        apart = np.concatenate([_apart(place, matrix, one.box) for one in template.fields])
        errors.append(float(np.percentile(apart, 95)))
        wrong += bool((apart > _WRONG_MM).any())
    yield Figure("register", "copies registered", len(errors) / count, "share", least=0.99)
    p95 = float(np.percentile(errors, 95))
    yield Figure("register", "fields of a page off, p95 of pages", p95, "mm", most=0.5)
    yield Figure("register", "pages with a field off by 2 mm", wrong, "of pages", most=0)
    ms = 1000 * float(np.median(seconds))
    yield Figure("register", "time of a page, median", ms, "ms", most=200)


def _apart(place: Registration, matrix: np.ndarray, box: tuple[float, ...]) -> np.ndarray:
    """Return how many mm the corners of a field lie from where they are, on the page."""
    if place.doubt_at(box):  # type: ignore[arg-type]
        return np.zeros(0)
    corners = place.corners(box)  # type: ignore[arg-type]
    back = cv2.perspectiveTransform(corners[None], np.linalg.inv(matrix))[0] / PER_MM
    left, top, width, height = box
    true = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * (width, height) + (left, top)
    return np.hypot(*(back - true).T)


def refused(forms: _Forms, count: int) -> Iterator[Figure]:
    """Look for blanks in pages of other forms."""
    registrars, accepted = [Registrar([template]) for _, template in forms], 0
    for seed in range(count):
        other = draw_form(BLANKS + seed, marks=5 + seed % 6)
        try:
            registrars[seed % BLANKS].register(warp(seed, other.print)[0])
            accepted += 1
            print(f"other {seed} is accepted")
        except ImageError:
            pass
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


def read(forms: _Forms, count: int, digits: Digits) -> Iterator[Figure]:
    """Read filled forms, with the rule and without."""
    reader = Reader.load()
    pages = []
    for seed in range(count):
        filled, texts = fill(seed, forms[seed % BLANKS][0], digits)
        pages.append((seed % BLANKS, warp(seed, filled, hard=False)[0], texts))
    for name, rules in (("no rule", False), ("rule", True)):
        readers = [
            FormReader(reader, [template if rules else replace(template, rules=())])
            for _, template in forms
        ]
        counts = Counter[str]()
        for number, page, texts in pages:
            counts += _counted(readers[number], page, texts, lambda a, b: a == b)
        yield from _figures(name, counts)
        whole = counts["marks accepted"] / max(1, counts["forms"])
        least = 0.9 if rules else None
        yield Figure(name, "forms with all marks accepted", whole, "share", least=least)


def read_real(folder: Path) -> Iterator[Figure]:
    """Read a folder of filled forms."""
    texts: dict[str, dict[str, str]] = {}
    with (folder / "labels.csv").open(encoding="utf-8") as file:
        for line in csv.DictReader(file):
            texts.setdefault(line["file"], {})[line["field"]] = line["text"]
    reader = FormReader(Reader.load(), [Template.load(folder / "form.form.json")])
    counts = Counter[str]()
    for name, known in texts.items():
        counts += _counted(
            reader, str(folder / name), known, lambda a, b: a.lstrip("0") == b.lstrip("0")
        )
    yield from _figures(folder.name, counts)


def _counted(reader: FormReader, page: Grey | Source, texts: dict[str, str], same) -> Counter[str]:  # type: ignore[no-untyped-def]
    """Count what became of the fields of one form whose texts are known."""
    counts, marks = Counter[str](), True
    for row in reader.read(page, "form", ReadOptions()):
        if isinstance(row.result, InkdigitError):
            counts["refused"] += 1
            print(row.result)
            continue
        name = str(row.id).rpartition("/")[2]
        if name not in texts:
            continue
        right, accepted = same(row.result.text, texts[name]), row.result.status == "accepted"
        counts["fields"] += 1
        counts["right"] += right
        counts["accepted"] += accepted
        counts["wrong"] += accepted and not right
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
