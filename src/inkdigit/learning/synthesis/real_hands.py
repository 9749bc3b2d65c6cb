"""Handwriting of real people, from a folder as docs/readers.md describes it."""

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from inkdigit.errors import DataError, ImageError
from inkdigit.files import open_plain
from inkdigit.images import Grey, open_grey
from inkdigit.learning.synthesis.glyphs import Glyph
from inkdigit.learning.synthesis.hands import Sample, Writer
from inkdigit.learning.synthesis.pixels import Random
from inkdigit.reading.alphabet import NOT_A_DIGIT

# One writer or register in eight is held out, this one of each eight.
_HELD_OUT, _WHICH = 8, 1


@dataclass(frozen=True)
class Line:
    """A line of writing: a picture, the outline of the line in it, and what is written."""

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

    `writers` by kind, `lines` by set and by text, and `others`, characters that are no digits.
    """

    writers: dict[str, list[Writer]] = field(default_factory=dict)
    lines: list[list[list[Line]]] = field(default_factory=list)
    others: list[Glyph] = field(default_factory=list)

    @classmethod
    def load(cls, folder: str | Path | None, *, held_out: bool = False) -> "RealHands":
        """Take what lies in a folder; `DataError` where there is nothing. `None`: nobody."""
        hands = cls()
        if folder is None:
            return hands
        for path in sorted((*Path(folder).glob("*.npz"), *Path(folder).glob("lines.csv"))):
            try:
                add = hands._add_samples if path.suffix == ".npz" else hands._add_lines
                add(path, held_out)
            except (OSError, ValueError, KeyError, IndexError, BadZipFile):
                raise DataError(f"{path} is damaged, or not as docs/readers.md has it") from None
        if not (hands.writers or hands.lines or hands.others):
            raise DataError(
                f"{folder} holds no real hands: expected KIND.npz or lines.csv, as docs/readers.md "
                "has them"
            )
        return hands

    def _add_samples(self, path: Path, held_out: bool) -> None:
        with open_plain(path) as opened, np.load(opened, allow_pickle=False) as file:
            table: dict[str, Any] = {name: file[name] for name in file.files}
        kept = _part(table["group"].tolist(), held_out)
        by_writer: dict[str, dict[str, list[Sample]]] = defaultdict(lambda: defaultdict(list))
        named = zip(table["writer"].tolist(), table["character"].tolist(), strict=True)
        for (writer, character), sample, is_kept in zip(named, _samples(table), kept, strict=True):
            if is_kept and character == NOT_A_DIGIT and isinstance(sample, Glyph):
                self.others.append(sample)
            elif is_kept:
                by_writer[writer][character].append(sample)
        if by_writer:
            self.writers[path.stem] = [Writer(samples) for samples in by_writer.values()]

    def _add_lines(self, path: Path, held_out: bool) -> None:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        by_set: dict[str, dict[str, list[Line]]] = defaultdict(lambda: defaultdict(list))
        for row, is_kept in zip(rows, _part([row["group"] for row in rows], held_out), strict=True):
            if is_kept:
                points = [pair.split(",") for pair in row["outline"].split()]
                line = Line(path.parent / row["file"], np.array(points, np.int32), row["text"])
                by_set[row["set"]][line.text].append(line)
        self.lines = [list(texts.values()) for texts in by_set.values()]

    @property
    def counts(self) -> dict[str, int]:
        """How many writers there are of each kind, how many lines and how many other characters."""
        writers = {kind: len(of_kind) for kind, of_kind in self.writers.items()}
        return {
            **writers,
            "lines": sum(len(same) for of_set in self.lines for same in of_set),
            "others": len(self.others),
        }

    def line(self, rng: Random) -> Line:
        """Return a line: no set comes oftener than another, and in it no text."""
        of_set = self.lines[rng.integers(len(self.lines))]
        same = of_set[rng.integers(len(of_set))]
        return same[rng.integers(len(same))]


def _part(groups: Iterable[str], held_out: bool) -> list[bool]:
    """Return which samples are of the groups that are held out, or of the others."""
    groups = list(groups)
    chosen = set(sorted({*groups})[_WHICH::_HELD_OUT])
    return [(group in chosen) == held_out for group in groups]


def _samples(table: dict[str, Any]) -> Iterator[Sample]:
    """Yield ink, each with its top, or where there are `points` the strokes that it is made of."""
    ends = pairwise(np.cumsum([0, *table["size"].prod(axis=1)]).tolist())
    if "points" in table:
        for start, end in ends:
            points = table["points"][start:end].tolist()
            cuts = 1 + np.flatnonzero(np.diff(table["stroke"][start:end]))
            strokes = pairwise([0, *cuts.tolist(), end - start])
            yield tuple(tuple((x, y) for x, y in points[one:other]) for one, other in strokes)
    else:
        for (start, end), size, top in zip(ends, table["size"], table["top"].tolist(), strict=True):
            yield Glyph(table["ink"][start:end].reshape(size), top, 1.0)
