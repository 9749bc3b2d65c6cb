"""Published sets of handwriting, made into the folder that `inkdigit train --hands` takes.

    python -m benchmarks hands SETS OUT

docs/readers.md says where each set is published, and how its file in SETS is made.
"""

import argparse
import csv
import re
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.errors import DataError
from inkdigit.images import Grey
from inkdigit.learning.synthesis.pixels import Ink, inked, resized
from inkdigit.reading.alphabet import LINE_ALPHABET, NOT_A_DIGIT
from inkdigit.reading.preprocessing.layout import crop, find_digit
from inkdigit.reading.preprocessing.paper import find_ink

# Samples are kept no higher, which is half as high again as they are drawn.
HEIGHT = 64
# Ones and nines of unknown writers come in the writers' order, about so many of each.
OF_ONE = 60
# Points of a stroke that lie closer to the line between others are left out, in heights of a digit.
BEND = 0.015
# Characters of the alphabets that are taken which look like a digit, by their numbers.
DIGIT_LIKE = {
    "Balinese": "05 14", "Greek": "02 04 08 09 15 17 18", "Tagalog": "03 05 07 16",
    "Latin": "01 02 07 08 09 10 12 15 17 19 25 26", "Sanskrit": "05 11 12 13 37",
}  # fmt: skip
# A text as it is written in a register, digits one above the other excepted.
WRITTEN = re.compile(rf"[{re.escape(LINE_ALPHABET)} ]+")

REGISTERS = "lectaurep-strings/labels.csv"

Points = npt.NDArray[np.float64]
Strokes = list[Points]


class Sample(NamedTuple):
    """A character as ink, or as strokes; `top` is where it begins above the baseline, 0 the usual.

    `group` says with whom it is held out.
    """

    writer: str
    group: str
    character: str
    shape: Ink | Strokes
    top: float = 0.0


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add where the sets are, and where the folder goes."""
    parser.add_argument("sets", type=Path, metavar="SETS", help="the folder of the sets")
    parser.add_argument("out", type=Path, metavar="OUT", help="the folder to make")


def main(options: argparse.Namespace) -> None:
    """Write what is there of each kind."""
    sets, out = options.sets, options.out
    registers, names = sets / REGISTERS, [name for names, _ in KINDS.values() for name in names]
    if not any((sets / name).exists() for name in (*names, REGISTERS)):
        raise DataError(f"{sets} holds none of the sets: expected {', '.join((*names, REGISTERS))}")
    out.mkdir(parents=True, exist_ok=True)
    for kind, (names, read) in KINDS.items():
        paths = [sets / name for name in names]
        samples = [one for path in paths if path.exists() for one in read(path)]
        if samples:
            save(out / f"{kind}.npz", samples)
            print(f"{kind}: {len(samples):,} characters")
    if registers.exists():
        print(f"lines: {copy_lines(registers, out):,}")


def save(path: Path, samples: list[Sample]) -> None:
    """Write the samples of a kind."""
    names = {name: [getattr(one, name) for one in samples] for name in Sample._fields[:3]}
    shapes = [one.shape for one in samples]
    if isinstance(shapes[0], list):
        lengths = [(sum(map(len, strokes)), 1) for strokes in shapes]
        numbers = [np.full(len(s), i) for strokes in shapes for i, s in enumerate(strokes)]
        points = np.concatenate([stroke for strokes in shapes for stroke in strokes])
        of_kind = {"size": lengths, "points": points, "stroke": np.concatenate(numbers)}
    else:
        ink = np.concatenate([ink.ravel() for ink in shapes])
        of_kind = {"size": [ink.shape for ink in shapes], "ink": ink}
        of_kind["top"] = np.array([one.top for one in samples])
    np.savez_compressed(path, **names, **of_kind)


def of_writers(path: Path) -> Iterator[Sample]:
    """Yield digits on paper by known writers, each as large as he wrote it beside his others."""
    table = columns(path)
    return on_paper(table["writer"].tolist(), table["label"], pictures(table))


def of_ones_and_nines(path: Path) -> Iterator[Sample]:
    """Yield ones and nines, of which each sixty in their order are taken to be by one writer."""
    table = columns(path)
    writers = [str(int(Path(name).stem) // OF_ONE) for name in table["name"].tolist()]
    return on_paper(writers, table["label"], map(enlarged, table["image"]))


def of_forms(path: Path) -> Iterator[Sample]:
    """Yield digits by many writers, of whom no other is known, cut to their boxes."""
    table = columns(path)
    named = zip(table["name"].tolist(), table["label"], pictures(table), strict=True)
    for name, label, picture in named:
        if (ink := inked(255 - picture, 128)).size:
            yield Sample("", name, str(int(label)), low(ink))


def columns(path: Path) -> dict[str, Any]:
    """Return the arrays of a file."""
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def pictures(table: dict[str, Any]) -> Iterator[Grey]:
    """Yield the pictures that lie one behind the other."""
    shapes = zip(table["offset"], table["height"], table["width"], strict=False)
    for start, height, width in shapes:
        yield table["pixels"][start : start + int(height) * int(width)].reshape(height, width)


def on_paper(writers: list[str], labels: Iterable[int], shown: Iterable[Grey]) -> Iterator[Sample]:
    """Yield each digit as high as it is beside its writer's others, all on the baseline."""
    written = [
        (writer, str(int(label)), ink)
        for writer, label, picture in zip(writers, labels, shown, strict=True)
        if len(ink := digit(picture))
    ]
    heights = defaultdict(list)
    for writer, _, ink in written:
        heights[writer].append(len(ink))
    usual = {writer: float(np.median(of_one)) for writer, of_one in heights.items()}
    for writer, label, ink in written:
        yield Sample(writer, writer, label, ink, 1 - len(ink) / usual[writer])


def enlarged(image: Grey) -> Grey:
    """Return a picture of a few pixels as if it were of many: large, and not blurred."""
    large = resized(image.astype(np.float32), HEIGHT * 2, HEIGHT * 2, cv2.INTER_CUBIC)
    lowest, highest = large.min(), large.max()
    share = 2 * (large - lowest) / (highest - lowest + 1) - 0.5
    return np.asarray(255 * share.clip(0, 1), np.uint8)


def digit(picture: Grey) -> Ink:
    """Return the ink of the digit in a cell, without what else reaches into it."""
    found = find_digit(find_ink(picture))
    if found is None:
        return np.zeros((0, 0), np.uint8)
    box = (found.left, found.top, found.right, found.bottom)
    ink = crop(found.ink, *(round(side) for side in box))
    return low(np.asarray(ink * (255 / max(1.0, float(ink.max()))), np.uint8))


def low(ink: Ink) -> Ink:
    """Return ink no higher than samples are kept."""
    if len(ink) <= HEIGHT:
        return ink
    return resized(ink, max(1, ink.shape[1] * HEIGHT // len(ink)), HEIGHT, cv2.INTER_AREA)


def of_tablet(path: Path) -> Iterator[Sample]:
    """Yield digits drawn on a tablet, each where its writer put it on his baseline."""
    table = columns(path)
    written: dict[str, list[tuple[str, Strokes]]] = defaultdict(list)
    ends = table["offset"][1:]
    for number, (start, end) in enumerate(zip(table["offset"], ends, strict=False)):
        points = table["points"][start:end] * (1.0, -1.0)  # y grew upwards
        strokes = np.split(points, 1 + np.flatnonzero(np.diff(table["stroke"][start:end])))
        written[str(table["writer"][number])].append((str(int(table["label"][number])), strokes))
    for writer, of_one in written.items():
        for label, strokes in on_baseline(of_one):
            yield Sample(writer, writer, label, strokes)


def on_baseline(written: list[tuple[str, Strokes]]) -> Iterator[tuple[str, Strokes]]:
    """Yield a writer's digits with the usual top of all of them at 0 and the bottom at 1."""
    extents = [(np.concatenate(s).min(axis=0), np.concatenate(s).max(axis=0)) for _, s in written]
    top, bottom = np.median([(least[1], most[1]) for least, most in extents], axis=0)
    for (label, strokes), (least, _) in zip(written, extents, strict=True):
        placed = [(stroke - (least[0], top)) / (bottom - top) for stroke in strokes]
        yield label, [simplified(stroke) for stroke in placed]


def simplified(stroke: Points) -> Points:
    """Return a stroke of fewer points; a dot is one of two."""
    points = cv2.approxPolyDP(stroke.astype(np.float32), BEND, False)[:, 0].astype(np.float64)
    return np.repeat(points, 2, axis=0) if len(points) == 1 else points


def of_alphabets(path: Path) -> Iterator[Sample]:
    """Yield characters of other alphabets that look like no digit, held out by who drew them."""
    with ZipFile(path) as archive:
        for name in archive.namelist():
            alphabet, character, file = ("", "", *name.split("/"))[-3:]
            number = character.removeprefix("character")
            if file.endswith(".png") and number not in DIGIT_LIKE.get(alphabet, number):
                drawer = file.removesuffix(".png").rpartition("_")[2]
                coded = np.frombuffer(archive.read(name), np.uint8)
                ink = inked(255 - cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), 128)
                yield Sample(drawer, drawer, NOT_A_DIGIT, low(ink), 1 - len(ink) / HEIGHT)


def copy_lines(labels: Path, out: Path) -> int:
    """Copy the lines of registers that a reader could write, and return how many."""
    with labels.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if WRITTEN.fullmatch(row["transcription"])]
    (out / "lines").mkdir(exist_ok=True)
    with (out / "lines.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "text", "outline", "set", "group"])
        count = 0
        for row in rows:
            if "/" in row["transcription"]:  # a fraction: one above the other
                continue
            left, top, *_ = map(int, row["box"].split())
            points = (map(int, pair.split(",")) for pair in row["polygon"].split())
            outline = " ".join(f"{x - left},{y - top}" for x, y in points)
            name = f"lines/{Path(row['file']).name}"
            shutil.copyfile(labels.parent / row["file"], out / name)
            text = row["transcription"].replace(" ", "")
            # One hand wrote all of one set; in the other few hands wrote in several registers.
            register = row["page"].rpartition("_")[0]
            hand = row["set"] if "dufour" in row["set"] else register
            table.writerow([name, text, outline, hand, hand])
            count += 1
    return count


Read = Callable[[Path], Iterator[Sample]]
KINDS: dict[str, tuple[tuple[str, ...], Read]] = {
    "writers": (("kensanata-numbers/writers.npz",), of_writers),
    "forms": (("kensanata-numbers/forms.npz",), of_forms),
    "ones and nines": (("kensanata-numbers/ones_nines_16px.npz",), of_ones_and_nines),
    "tablet": (("pendigits-strokes/pendigits.npz",), of_tablet),
    "others": (
        tuple(f"omniglot-small/images_background_small{n}.zip" for n in (1, 2)), of_alphabets
    ),
}  # fmt: skip
