"""How many handwritten numbers are found on pages, how many are false, and how they are read.

    python -m benchmarks pages --fonts fonts/node_modules --hands HANDS [--real PAGES]

Draws pages with the fonts and hands, and the digits of MNIST's test half, that the network did not
learn from, and pages of words or print alone. `--real` reads the registers, tallies and the
register of rainfall in a folder as well. Tesseract and RapidOCR (`--rapidocr-python`) look at the
same drawn pages: what they find is counted as found where it overlaps a number by half, and as
false where it reads as a number and is none. Writes `results/pages.csv`.
"""

import argparse
import csv
import json
import os
import shutil
import subprocess
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import cv2
import numpy as np

from benchmarks.measuring import (
    RESULTS,
    Figure,
    add_data,
    add_out,
    add_parts,
    measure,
    python,
    run,
    use_cores,
)
from inkdigit import Reader
from inkdigit.images import Grey
from inkdigit.learning.datasets import load_dataset
from inkdigit.learning.readers.page_loop import matched
from inkdigit.learning.synthesis.pages import Truth
from inkdigit.learning.synthesis.stream import PageGenerator
from inkdigit.reading.alphabet import only_digits
from inkdigit.reading.pages.looking import see
from inkdigit.reading.result import Box

# Seeds that no training has.
_SEED, _SEED_ALONE, _SEED_ADDRESS = 500, 501, 502
# Of fewer numbers it is often not known which way up they lie.
_FEW = 3
_WORKER = Path(__file__).parent / "rivals" / "rapidocr_pages.py"
# What a rival finds on a page: boxes, with the text that it reads in each.
_Finding = Callable[[Path], list[tuple[Box, str]]]


class Setting(NamedTuple):
    """Drawn pages with their numbers, others without, envelopes, and where real ones lie."""

    pages: list[tuple[Grey, list[Truth]]]
    alone: list[Grey]
    envelopes: list[tuple[Grey, list[Truth]]]
    real: Path | None
    rapidocr_python: str | None


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add what is drawn, and what is looked at."""
    add_data(parser)
    add_out(parser, RESULTS / "pages.csv")
    add_parts(parser, PARTS)
    parser.add_argument("--fonts", type=Path, required=True, metavar="DIR")
    parser.add_argument("--hands", type=Path, metavar="DIR")
    parser.add_argument("--pages", type=int, default=60, metavar="N", help="pages with numbers")
    parser.add_argument("--alone", type=int, default=50, metavar="N", help="pages without numbers")
    parser.add_argument("--envelopes", type=int, default=100, metavar="N")
    parser.add_argument("--real", type=Path, metavar="DIR", help="folder of real pages")
    parser.add_argument("--rapidocr-python", metavar="PYTHON")


def main(options: argparse.Namespace) -> None:
    """Draw, and measure each part."""
    use_cores()
    digits = load_dataset("mnist", data_dir=options.data_dir).test
    writer = PageGenerator(digits, options.fonts, held_out=True, hands=options.hands).writer()
    pages = [writer.picture([_SEED, number]) for number in range(options.pages)]
    kinds = (("words",), ("print_only",))
    alone = [writer.picture([_SEED_ALONE, n], kinds[n % 2])[0] for n in range(options.alone)]
    envelopes = [writer.envelope([_SEED_ADDRESS, n]) for n in range(options.envelopes)]
    load = f", load {os.getloadavg()[0]:.1f}"
    measure(
        PARTS,
        Setting(pages, alone, envelopes, options.real, options.rapidocr_python),
        options,
        load,
    )


def drawn(setting: Setting) -> Iterator[Figure]:
    """Yield what is found on drawn pages, and how it is read."""
    reader, counts = Reader.load(), Counter[str]()
    for picture, truths in setting.pages:
        numbers = reader.read_page(picture, rotate=0).numbers
        true = matched([one.box for one in numbers], [one.box for one in truths])
        found = {true[place]: one for place, one in enumerate(numbers) if place in true}
        counts["numbers"] += len(truths)
        counts["found"] += len(found)
        counts["false"] += len(numbers) - len(found)
        for place, truth in enumerate(truths):
            lone = len(truth.text) == 1
            counts["lone"] += lone
            counts["lone found"] += lone and place in found
            counts["right"] += place in found and found[place].digits == only_digits(truth.text)
        for place, one in enumerate(numbers):
            text = truths[true[place]].text if place in true else ""
            accepted = one.status == "accepted"
            counts["accepted"] += accepted
            counts["accepted wrong"] += accepted and one.digits != only_digits(text)
    pages = len(setting.pages)
    yield Figure("drawn", "numbers found", counts["found"] / counts["numbers"], "share", least=0.97)
    lone = counts["lone found"] / counts["lone"]
    yield Figure("drawn", "lone digits found", lone, "share", least=0.95)
    yield Figure("drawn", "false", counts["false"] / pages, "a page", most=0.05)
    yield Figure("drawn", "read right, of all", counts["right"] / counts["numbers"], "share")
    yield Figure("drawn", "accepted, of all", counts["accepted"] / counts["numbers"], "share")
    wrong = counts["accepted wrong"] / max(1, counts["accepted"])
    yield Figure("drawn", "accepted and wrong, of accepted", wrong, "share", most=0.01)


def turned(setting: Setting) -> Iterator[Figure]:
    """Yield how many drawn pages are turned upright, a quarter of them lying each way."""
    reader, upright = Reader.load(), Counter[str]()
    for number, (picture, truths) in enumerate(setting.pages):
        quarters, several = number % 4, len(truths) > _FEW
        way = reader.read_page(np.ascontiguousarray(np.rot90(picture, quarters))).rotate
        upright[f"{several} {way == 90 * quarters}"] += 1
    for several, which in ((True, f"more than {_FEW}"), (False, f"{_FEW} or less")):
        if of := upright[f"{several} True"] + upright[f"{several} False"]:
            name = f"turned upright, of {of} pages with {which} numbers"
            yield Figure("turned", name, upright[f"{several} True"] / of, "share")


def alone(setting: Setting) -> Iterator[Figure]:
    """Yield what is found on pages without numbers."""
    reader = Reader.load()
    numbers = [one for page in setting.alone for one in reader.read_page(page, rotate=0).numbers]
    accepted = sum(one.status == "accepted" for one in numbers)
    yield Figure("alone", "found", len(numbers) / len(setting.alone), "a page")
    yield Figure("alone", "accepted in all", accepted, "numbers", most=len(setting.alone) / 50)


def envelopes(setting: Setting) -> Iterator[Figure]:
    """Yield what is read of drawn addresses where only five digits fit."""
    reader, counts = Reader.load(), Counter[str]()
    for picture, truths in setting.envelopes:
        numbers = reader.read_page(picture, rotate=0, pattern=r"\d{5}").numbers
        true = matched([one.box for one in numbers], [one.box for one in truths], 0.3)
        for place, one in enumerate(numbers):
            text = truths[true[place]].text if place in true else ""
            counts["right"] += one.digits == text
            counts["no postcode"] += len(only_digits(text)) != 5
            counts["accepted"] += one.status == "accepted"
            counts["accepted wrong"] += one.status == "accepted" and one.digits != text
        counts["postcodes"] += sum(len(only_digits(truth.text)) == 5 for truth in truths)
    of = f"of {counts['postcodes']} postcodes"
    yield Figure("envelopes", f"read right, {of}", counts["right"] / counts["postcodes"], "share")
    yield Figure("envelopes", "accepted", counts["accepted"], "postcodes")
    yield Figure("envelopes", "accepted and wrong", counts["accepted wrong"], "postcodes")
    yield Figure("envelopes", "no postcode, but fits", counts["no postcode"], "numbers")


def real(setting: Setting) -> Iterator[Figure]:
    """Yield what is found on real pages, and read right end to end."""
    if setting.real is None:
        return
    reader, counts = Reader.load(), Counter[str]()
    for kind, file, wanted in _real_pages(setting.real):
        numbers, left = list(reader.read_page(file).numbers), set[int]()
        for text, area in wanted:
            inside = [n for n, one in enumerate(numbers) if _lies_in(one.box, area)]
            right = [n for n in inside if n not in left and numbers[n].digits == text]
            free = [n for n in inside if n not in left]
            left |= {*(right or free)[:1]}
            counts[f"{kind} wanted"] += 1
            counts[f"{kind} found"] += bool(free)
            counts[f"{kind} right"] += bool(right)
        accepted = [n for n, one in enumerate(numbers) if one.status == "accepted"]
        known = {text for text, _ in wanted}
        if kind != "rainfall":  # of which the daily figures are not known
            counts["accepted"] += len(accepted)
            counts["accepted wrong"] += sum(numbers[n].digits not in known for n in accepted)
    for kind in ("registers", "tallies", "rainfall"):
        total = counts[f"{kind} wanted"]
        if kind != "rainfall":  # where only the totals are known
            share = counts[f"{kind} found"] / total
            yield Figure(kind, "numbers found", share, "share", least=0.85)
        yield Figure(kind, "right end to end", counts[f"{kind} right"] / total, "share", least=0.7)
    wrong = counts["accepted wrong"] / max(1, counts["accepted"])
    yield Figure("real", "accepted", counts["accepted"], "numbers")
    yield Figure("real", "accepted and wrong, of accepted", wrong, "share", most=0.01)


def _real_pages(folder: Path) -> Iterator[tuple[str, Path, list[tuple[str, Box | None]]]]:
    """Yield the kind of each page, its file, and its numbers with the box each lies in, if known.

    Of the registers those are taken that stand alone in a column.
    """
    for page in json.loads((folder / "registers" / "lines.json").read_text("utf-8")):
        wanted = list[tuple[str, Box | None]]()
        for line in page["lines"]:
            alone = not line["printed"] and only_digits(line["text"])
            if alone and not line["text"].strip("0123456789 .,-"):
                outline = np.array(line["polygon"], np.int32)
                x, y, width, height = cv2.boundingRect(outline)
                wanted.append((alone, (x, y, width, height)))
        yield "registers", folder / "registers" / page["file"], wanted
    for kind in ("tallies", "rainfall"):
        texts = defaultdict(list)
        with (folder / kind / "labels.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                texts[row["file"]].append((row["text"], None))
        for name, found in texts.items():
            yield kind, folder / kind / name, found


def _lies_in(box: Box, area: Box | None) -> bool:
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    return area is None or (0 <= x - area[0] <= area[2] and 0 <= y - area[1] <= area[3])


def speed(setting: Setting) -> Iterator[Figure]:
    """Yield seconds to find, and to read 30 numbers, on 12 megapixels; memory at 50.

    Beside other work the clock says little, so the processor's seconds are told as well.
    """
    reader, times = Reader.load(), defaultdict[str, list[float]](list)
    picture = max(setting.pages, key=lambda page: -abs(len(page[1]) - 30))[0]
    large = np.asarray(cv2.resize(picture, (3000, 4000), interpolation=cv2.INTER_LINEAR), np.uint8)
    numbers = len(see(reader.finder, large, 0).spots)
    for _ in range(8):
        for name, work in (("find", lambda: see(reader.finder, large)),
                           ("read", lambda: reader.read_page(large))):  # fmt: skip
            clock, processor = time.perf_counter(), time.process_time()
            work()
            times[name].append(time.perf_counter() - clock)
            times[f"{name}, processor"].append(time.process_time() - processor)
    bars = {"find": 0.15, "read": 0.5}
    for name, found in times.items():
        what = f"{name} on 12 megapixels, {numbers} numbers"
        yield Figure("speed", what, median(found), "s", most=bars.get(name))
    with TemporaryDirectory() as folder:
        path = Path(folder, "page.png")
        cv2.imwrite(str(path), cv2.resize(picture, (6200, 8100)))
        yield Figure("speed", "peak memory at 50 megapixels", _peak(path), "MB", most=400)


def _peak(path: Path) -> float:
    """Return the megabytes that a process takes at most that reads a page."""
    code = (
        "import sys, inkdigit; inkdigit.Reader.load().read_page(sys.argv[1]); "
        "print(next(line.split()[1] for line in open('/proc/self/status') if 'VmHWM' in line))"
    )
    return float(run(*python("-c", code, path))) / 1000


def memory(setting: Setting) -> Iterator[Figure]:
    """Yield the megabytes of a process after 100 pages, and after 1,000."""
    code = (
        "import sys, inkdigit; read = inkdigit.Reader.load().read_page\n"
        "for n in range(1, 1001):\n"
        "    read(sys.argv[1 + n % (len(sys.argv) - 1)])\n"
        "    if n in (100, 1000):\n"
        "        print(next(l.split()[1] for l in open('/proc/self/status') if 'VmRSS' in l))"
    )
    with TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.png") for number, _ in enumerate(setting.pages)]
        for path, (picture, _) in zip(paths, setting.pages, strict=True):
            cv2.imwrite(str(path), cv2.resize(picture, None, fx=0.5, fy=0.5))
        told = run(*python("-c", code, *paths)).split()
    for pages, kilobytes in zip((100, 1000), told, strict=True):
        yield Figure("memory", f"after {pages} pages", float(kilobytes) / 1000, "MB")


def rivals(setting: Setting) -> Iterator[Figure]:
    """Yield what others find on the same drawn pages."""
    found: dict[str, _Finding] = {"inkdigit": _by_inkdigit(Reader.load())}
    if shutil.which("tesseract"):
        found["tesseract"] = _by_tesseract
    if setting.rapidocr_python:
        found["rapidocr"] = _by_rapidocr(setting.rapidocr_python)
    with TemporaryDirectory() as folder:
        path = Path(folder, "page.png")
        for name, find in found.items():
            counts, times = Counter[str](), list[float]()
            for picture, truths in setting.pages[:_FOR_RIVALS]:
                cv2.imwrite(str(path), picture)
                start = time.perf_counter()
                boxes = find(path)
                times.append(time.perf_counter() - start)
                true = matched([box for box, _ in boxes], [one.box for one in truths])
                counts["all"] += len(truths)
                counts["found"] += len(true)
                counts["false"] += sum(
                    n not in true and text.strip(".,-/ ").isdigit()
                    for n, (_, text) in enumerate(boxes)
                )
            pages = len(setting.pages[:_FOR_RIVALS])
            yield Figure(name, "numbers found", counts["found"] / counts["all"], "share")
            yield Figure(name, "false numbers", counts["false"] / pages, "a page")
            yield Figure(name, "time", median(times), "s a page")


_FOR_RIVALS = 10


def _by_inkdigit(reader: Reader) -> _Finding:
    def find(path: Path) -> list[tuple[Box, str]]:
        return [(one.box, one.text) for one in reader.read_page(path, rotate=0).numbers]

    return find


def _by_tesseract(path: Path) -> list[tuple[Box, str]]:
    command = ["tesseract", str(path), "stdout", "--psm", "11", "tsv"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout  # noqa: S603
    rows = [line.split("\t") for line in told.splitlines()[1:]]
    words = [row for row in rows if len(row) == 12 and row[11].strip()]
    return [(tuple(map(int, row[6:10])), row[11]) for row in words]  # type: ignore[misc]


def _by_rapidocr(python: str) -> _Finding:
    worker: Any = subprocess.Popen(  # noqa: S603
        [python, str(_WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )

    def find(path: Path) -> list[tuple[Box, str]]:
        print(path, file=worker.stdin, flush=True)
        return [(tuple(box), text) for box, text in json.loads(worker.stdout.readline())]

    return find


PARTS = {
    "drawn": drawn,
    "turned": turned,
    "alone": alone,
    "envelopes": envelopes,
    "real": real,
    "speed": speed,
    "memory": memory,
    "rivals": rivals,
}
