"""Handwriting of real people, from a folder: digits and strokes by writer, lines, other characters.

docs/readers.md says where each set is published and how its file is made.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, cast
from zipfile import BadZipFile, ZipFile

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.errors import DataError, ImageError
from inkdigit.images import Grey, open_grey
from inkdigit.learning.synthesis.allographs import Allograph, Stroke
from inkdigit.learning.synthesis.glyphs import Glyph
from inkdigit.learning.synthesis.hands import Sample, Writer
from inkdigit.learning.synthesis.pixels import Ink, Random, inked, resized
from inkdigit.reading.alphabet import LINE_ALPHABET
from inkdigit.reading.preprocessing.layout import crop, find_digit
from inkdigit.reading.preprocessing.paper import find_ink

# One writer or register in eight is held out, this one of each eight: the first and the 25th writer
# of `writers.npz` are the only ones of known ones and nines, and are learnt from.
_HELD_OUT, _WHICH = 8, 1
# Samples are kept no higher, which is half as high again as they are drawn.
_HEIGHT = 64
# Ones and nines of unknown writers come in the writers' order, about so many of each.
_OF_ONE = 60
# Points of a stroke that lie closer to the line between others are left out, in heights of a digit.
_BEND = 0.015
# Characters of the alphabets that are taken which look like a digit, by their numbers.
_DIGIT_LIKE = {
    "Balinese": "05 14", "Greek": "02 04 08 09 15 17 18", "Tagalog": "03 05 07 16",
    "Latin": "01 02 07 08 09 10 12 15 17 19 25 26", "Sanskrit": "05 11 12 13 37",
}  # fmt: skip
# A text as it is written in a register, digits one above the other excepted.
_WRITTEN = re.compile(rf"[{re.escape(LINE_ALPHABET)} ]+")

Points = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """A line of a register: a picture, the outline of the line in it, and what is written."""

    picture: Path
    outline: npt.NDArray[np.int32]
    text: str

    def open(self) -> Grey:
        """Return the picture, `uint8 (h, w)`; `DataError` if it cannot be opened."""
        try:
            return open_grey(self.picture)
        except ImageError as error:
            raise DataError(f"a line of handwriting cannot be opened: {error}") from None


@dataclass
class RealHands:
    """What real people wrote, those held out or the others.

    `writers` by kind, `lines` by set and text, and `others`, characters that are no digits.
    """

    writers: dict[str, list[Writer]] = field(default_factory=dict)
    lines: list[list[Line]] = field(default_factory=list)
    others: list[Glyph] = field(default_factory=list)

    @classmethod
    def load(cls, folder: str | Path | None, *, held_out: bool = False) -> "RealHands":
        """Take what lies in a folder; `DataError` where there is nothing. `None`: nobody."""
        hands = cls()
        if folder is None:
            return hands
        for name, add in _SETS.items():
            if (path := Path(folder, name)).exists():
                try:
                    add(hands, path, partial(_part, held_out=held_out))
                except (OSError, ValueError, KeyError, BadZipFile, cv2.error):
                    raise DataError(
                        f"{path} is damaged, or not as docs/readers.md has it"
                    ) from None
        if not (hands.writers or hands.lines or hands.others):
            raise DataError(f"{folder} holds no real hands: expected {', '.join(_SETS)}")
        return hands

    @property
    def counts(self) -> dict[str, int]:
        """How many writers there are of each kind, how many lines and how many other characters."""
        writers = {kind: len(of_kind) for kind, of_kind in self.writers.items()}
        return {**writers, "lines": sum(map(len, self.lines)), "others": len(self.others)}

    def line(self, rng: Random) -> Line:
        """Return a line: the frequent texts of a large set no oftener than others."""
        same = self.lines[rng.integers(len(self.lines))]
        return same[rng.integers(len(same))]


def _part(names: Iterable[str], *, held_out: bool) -> set[str]:
    return {n for i, n in enumerate(sorted({*names})) if (i % _HELD_OUT == _WHICH) == held_out}


def _columns(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _written_by(samples: Iterable[tuple[str, int, Sample]]) -> list[Writer]:
    by_writer: dict[str, dict[str, list[Sample]]] = defaultdict(lambda: defaultdict(list))
    for writer, label, sample in samples:
        by_writer[writer][str(label)].append(sample)
    return [Writer(samples) for samples in by_writer.values()]


def _add_writers(hands: RealHands, path: Path, part: Any) -> None:
    """Add digits on paper by known writers, each as large as he wrote it beside his others."""
    table = _columns(path)
    writers, kept = table["writer"].tolist(), part(table["writer"].tolist())
    pictures = [
        (writer, int(label), ink)
        for writer, label, picture in zip(writers, table["label"], _pictures(table), strict=True)
        if writer in kept and len(ink := _digit(picture))
    ]
    hands.writers["writers"] = _written_by(_sized(pictures))


def _add_ones_and_nines(hands: RealHands, path: Path, part: Any) -> None:
    table = _columns(path)
    numbers = [int(Path(name).stem) // _OF_ONE for name in table["name"].tolist()]
    kept = part(map(str, numbers))
    pictures = [
        (str(number), int(label), ink)
        for number, label, image in zip(numbers, table["label"], table["image"], strict=True)
        if str(number) in kept and len(ink := _digit(_enlarged(image)))
    ]
    hands.writers["ones and nines"] = _written_by(_sized(pictures))


def _enlarged(image: Grey) -> Grey:
    """Return a picture of a few pixels as if it were of many: large, and not blurred."""
    large = resized(image.astype(np.float32), _HEIGHT * 2, _HEIGHT * 2, cv2.INTER_CUBIC)
    low, high = large.min(), large.max()
    share = 2 * (large - low) / (high - low + 1) - 0.5
    return np.asarray(255 * share.clip(0, 1), np.uint8)


def _add_forms(hands: RealHands, path: Path, part: Any) -> None:
    """Add digits by many writers, of whom no other is known, cut to their boxes."""
    table = _columns(path)
    kept = part(table["name"].tolist())
    named = zip(table["name"].tolist(), table["label"], _pictures(table), strict=True)
    digits = ((label, inked(255 - picture, 128)) for name, label, picture in named if name in kept)
    samples = (("", int(label), Glyph(_low(ink), 0.0, 1.0)) for label, ink in digits if ink.size)
    hands.writers["forms"] = _written_by(samples)


def _pictures(table: dict[str, Any]) -> Iterator[Grey]:
    shapes = zip(table["offset"], table["height"], table["width"], strict=False)
    for start, height, width in shapes:
        yield table["pixels"][start : start + int(height) * int(width)].reshape(height, width)


def _digit(picture: Grey) -> Ink:
    """Return the ink of the digit in a cell, without what else reaches into it."""
    found = find_digit(find_ink(picture))
    if found is None:
        return np.zeros((0, 0), np.uint8)
    box = (found.left, found.top, found.right, found.bottom)
    ink = crop(found.ink, *(round(side) for side in box))
    return _low(np.asarray(ink * (255 / max(1.0, float(ink.max()))), np.uint8))


def _low(ink: Ink) -> Ink:
    if len(ink) <= _HEIGHT:
        return ink
    return resized(ink, max(1, ink.shape[1] * _HEIGHT // len(ink)), _HEIGHT, cv2.INTER_AREA)


def _sized(pictures: list[tuple[str, int, Ink]]) -> Iterator[tuple[str, int, Glyph]]:
    """Let each digit be as high as it is beside its writer's others, all on the baseline."""
    heights = defaultdict(list)
    for writer, _, ink in pictures:
        heights[writer].append(len(ink))
    usual = {writer: float(np.median(of_one)) for writer, of_one in heights.items()}
    for writer, label, ink in pictures:
        yield writer, label, Glyph(ink, 1 - len(ink) / usual[writer], 1.0)


def _add_tablet(hands: RealHands, path: Path, part: Any) -> None:
    """Add digits drawn on a tablet, each where its writer put it on his baseline."""
    table = _columns(path)
    kept, digits = part(table["writer"].tolist()), defaultdict(list)
    ends = table["offset"][1:]
    for number, (start, end) in enumerate(zip(table["offset"], ends, strict=False)):
        points = table["points"][start:end] * (1.0, -1.0)  # y grew upwards
        if (writer := str(table["writer"][number])) in kept:
            strokes = np.split(points, 1 + np.flatnonzero(np.diff(table["stroke"][start:end])))
            digits[writer].append((int(table["label"][number]), strokes))
    hands.writers["tablet"] = _written_by(
        (writer, label, shape)
        for writer, written in digits.items()
        for label, shape in _on_baseline(written)
    )


def _on_baseline(written: list[tuple[int, list[Points]]]) -> Iterator[tuple[int, Allograph]]:
    """Yield a writer's digits with the usual top of all of them at 0 and the bottom at 1."""
    extents = [(np.concatenate(s).min(axis=0), np.concatenate(s).max(axis=0)) for _, s in written]
    top, bottom = np.median([(low[1], high[1]) for low, high in extents], axis=0)
    for (label, strokes), (low, _) in zip(written, extents, strict=True):
        placed = [(stroke - (low[0], top)) / (bottom - top) for stroke in strokes]
        yield label, tuple(_simplified(stroke) for stroke in placed)


def _simplified(stroke: Points) -> Stroke:
    points = cv2.approxPolyDP(stroke.astype(np.float32), _BEND, False)[:, 0]
    dot = len(points) == 1
    return tuple((float(x), float(y)) for x, y in (np.repeat(points, 2, axis=0) if dot else points))


def _add_lines(hands: RealHands, path: Path, part: Any) -> None:
    """Add whole lines of registers, held out by register."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if _WRITTEN.fullmatch(row["transcription"])]
    registers = [row["page"].rpartition("_")[0] for row in rows]
    kept, same = part(registers), defaultdict(list)
    for row, register in zip(rows, registers, strict=True):
        if register in kept and "/" not in row["transcription"]:  # a fraction: one above the other
            points = [pair.split(",") for pair in row["polygon"].split()]
            corner = [int(side) for side in row["box"].split()[:2]]
            outline = np.asarray(np.array(points, np.int32) - corner, np.int32)
            text = row["transcription"].replace(" ", "")
            same[row["set"], text].append(Line(path.parent / row["file"], outline, text))
    hands.lines = list(same.values())


def _add_others(hands: RealHands, path: Path, part: Any) -> None:
    """Add characters of other alphabets that look like no digit, held out by who drew them."""
    kept = part(_DRAWERS)
    with ZipFile(path) as archive:
        for name in archive.namelist():
            alphabet, character, file = ("", "", *name.split("/"))[-3:]
            number = character.removeprefix("character")
            drawer = file.removesuffix(".png").rpartition("_")[2]
            unlike = number not in _DIGIT_LIKE.get(alphabet, number)
            if not (file.endswith(".png") and unlike and drawer in kept):
                continue
            coded = np.frombuffer(archive.read(name), np.uint8)
            ink = inked(255 - cast("Ink", cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE)), 128)
            hands.others.append(Glyph(_low(ink), 1 - len(ink) / _HEIGHT, 1.0))


_DRAWERS = [f"{number:02}" for number in range(1, 21)]
_SETS = {
    "kensanata-numbers/writers.npz": _add_writers,
    "kensanata-numbers/forms.npz": _add_forms,
    "kensanata-numbers/ones_nines_16px.npz": _add_ones_and_nines,
    "pendigits-strokes/pendigits.npz": _add_tablet,
    "lectaurep-strings/labels.csv": _add_lines,
    "omniglot-small/images_background_small1.zip": _add_others,
    "omniglot-small/images_background_small2.zip": _add_others,
}
