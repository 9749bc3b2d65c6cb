"""Rows and columns: which numbers of a page stand beside and below each other."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.reading.calibration import Floats
from inkdigit.reading.pages.places import RULE, STRIDE

# Left, top, width and height on the levelled page.
LevelBox = tuple[float, float, float, float]
_Sides = npt.NDArray[np.float64]
_Numbers = npt.NDArray[np.int64]
_Mask = npt.NDArray[np.bool_]
# A rule goes along so much of the numbers of a page, at least.
_RULED = 0.45
# What goes down for so many places is a rule of a table.
_DOWN = np.ones((5, 1), np.uint8)
# Numbers whose middles are closer than this share of a height stand in one row.
_IN_ROW = 0.6
# Between rules that are closer than so many heights stands nothing: they are one.
_DOUBLE = 0.5


def laid_out(boxes: Sequence[LevelBox], said: Floats) -> list[tuple[int, int]]:
    """Return row and column of each number, counted from 1, in the order of the boxes.

    `said` is what the network says of the page's places, rules among them. Each table has its own
    columns, and so has what stands between tables. Where rules part a table into columns they
    decide: an empty column stays one, and two numbers may stand in one cell. Else numbers whose
    boxes lie above each other are a column. A ruled row that is empty stays one.
    """
    if not boxes:
        return []
    sides, rules = np.array(boxes), said[..., RULE] > 0.5
    places = np.zeros((len(sides), 2), np.int64)
    for own in _tables(sides, rules):
        last = int(places[:, 0].max())
        places[own] = _table(sides[own], rules)
        places[own, 0] += last
    return [(int(row), int(column)) for row, column in places]


def _tables(sides: _Sides, rules: _Mask) -> list[_Numbers]:
    """Return which numbers are of each table, or between two, from the top to the bottom.

    A table is as high as rules go down it.
    """
    upright = cv2.morphologyEx(rules.astype(np.uint8), cv2.MORPH_OPEN, _DOWN)
    ruled = (upright.sum(axis=1, keepdims=True) > 1).astype(np.uint8)
    gap = np.ones((round(float(np.median(sides[:, 3])) / STRIDE), 1), np.uint8)
    ruled = cv2.morphologyEx(ruled, cv2.MORPH_CLOSE, gap)[:, 0]
    table = np.cumsum(np.diff(ruled, prepend=ruled[:1]) != 0)
    middles = ((sides[:, 1] + sides[:, 3] / 2) / STRIDE).astype(int)
    own = table[np.clip(middles, 0, len(table) - 1)]
    return [np.flatnonzero(own == one) for one in np.unique(own)]


def _table(sides: _Sides, rules: _Mask) -> _Numbers:
    """Return row and column `(n, 2)` of the numbers of a table."""
    low, high = sides[:, :2].min(axis=0), (sides[:, :2] + sides[:, 2:]).max(axis=0)
    left, top = np.maximum(low / STRIDE, 0).astype(int)
    right, bottom = (high / STRIDE).astype(int) + 1
    close = _DOUBLE * float(np.median(sides[:, 3]))
    rows = _rows(sides, _edges(rules[:, left:right].mean(axis=1), close))
    middles, edges = sides[:, 0] + sides[:, 2] / 2, _edges(rules[top:bottom].mean(axis=0), close)
    is_ruled = len(edges) > 1
    columns = np.searchsorted(edges if is_ruled else _gaps(sides), middles)
    columns += 1 - columns.min()
    if not is_ruled:
        _side_by_side(rows, columns, middles)
    return np.stack([rows, columns], axis=1)


def _rows(sides: _Sides, edges: list[float]) -> _Numbers:
    """Return the row of each box: those that follow closely on the way down share one.

    Rules (`edges`) between two rows say how many stand empty there.
    """
    middles, height = sides[:, 1] + sides[:, 3] / 2, float(np.median(sides[:, 3]))
    order = np.argsort(middles)
    rows, row, start = np.ones(len(sides), np.int64), 1, float(middles[order[0]])
    for number in order:
        if middles[number] - start > _IN_ROW * height:
            row += max(1, int(np.diff(np.searchsorted(edges, [start, middles[number]]))[0]))
            start = float(middles[number])
        # The middle of a row is that of its numbers so far.
        start += 0.5 * (float(middles[number]) - start)
        rows[number] = row
    return rows


def _edges(ruled: Floats, close: float) -> list[float]:
    """Return where rules go along a page, of the share of each line of places that is ruled."""
    along = np.flatnonzero(ruled > _RULED)
    if not len(along):
        return []
    groups = np.split(along, np.flatnonzero(np.diff(along) * STRIDE > max(2 * STRIDE, close)) + 1)
    return [float(group.mean() + 0.5) * STRIDE for group in groups]


def _gaps(sides: _Sides) -> list[float]:
    """Return where no number stands, between those that do."""
    order = np.argsort(sides[:, 0])
    ends = np.maximum.accumulate(sides[order, 0] + sides[order, 2])
    starts = sides[order, 0]
    return [float(end + start) / 2 for (end, start) in zip(ends[:-1], starts[1:], strict=True)
            if start > end]  # fmt: skip


def _side_by_side(rows: _Numbers, columns: _Numbers, middles: _Sides) -> None:
    """Let what stands further right in one place go on to the right."""
    taken: set[tuple[int, int]] = set()
    for number in np.lexsort((middles, rows)):
        while (int(rows[number]), int(columns[number])) in taken:
            columns[number] += 1
        taken.add((int(rows[number]), int(columns[number])))
