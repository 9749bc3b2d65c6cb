"""Rows and columns: which numbers of a page stand beside and below each other."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from inkdigit.reading.calibration import Floats
from inkdigit.reading.pages.places import RULE, STRIDE

# Left, top, width and height on the levelled page.
LevelBox = tuple[float, float, float, float]
# A rule goes along so much of the numbers of a page, at least.
_RULED = 0.45
# Numbers whose middles are closer than this share of a height stand in one row.
_IN_ROW = 0.6


def laid_out(boxes: Sequence[LevelBox], said: Floats) -> list[tuple[int, int]]:
    """Return row and column of each number, counted from 1, in the order of the boxes.

    `said` is what the network says of the page's places, rules among them. Where rules part a page
    into columns they decide, so an empty column stays one; else numbers whose boxes lie above each
    other are a column.
    """
    if not boxes:
        return []
    sides = np.array(boxes)
    rules = said[..., RULE] > 0.5
    rows = _rows(sides)
    low, high = sides[:, :2].min(axis=0), (sides[:, :2] + sides[:, 2:]).max(axis=0)
    around = rules[max(0, int(low[1] / STRIDE)) : int(high[1] / STRIDE) + 1]
    edges = _edges(around.mean(axis=0))
    columns = _columns(sides, edges)
    # Two in one place stand side by side in a cell: the later ones go on to the right.
    taken: set[tuple[int, int]] = set()
    for number in np.lexsort((sides[:, 0], rows)):
        while (int(rows[number]), int(columns[number])) in taken:
            columns[number] += 1
        taken.add((int(rows[number]), int(columns[number])))
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True)]


def _rows(sides: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return the row of each box: those that follow closely on the way down share one."""
    middles, height = sides[:, 1] + sides[:, 3] / 2, float(np.median(sides[:, 3]))
    order = np.argsort(middles)
    rows, row, start = np.ones(len(sides), np.int64), 1, float(middles[order[0]])
    for number in order:
        if middles[number] - start > _IN_ROW * height:
            row += 1
            start = float(middles[number])
        # The middle of a row is that of its numbers so far.
        start += 0.5 * (float(middles[number]) - start)
        rows[number] = row
    return rows


def _edges(ruled: Floats) -> list[float]:
    """Return where rules go down a page, of the share of each column of places that is ruled."""
    along = np.flatnonzero(np.concatenate([[False], ruled > _RULED, [False]]))
    if not len(along):
        return []
    groups = np.split(along - 1, np.flatnonzero(np.diff(along) > 2) + 1)
    return [float(group.mean() + 0.5) * STRIDE for group in groups]


def _columns(sides: npt.NDArray[np.float64], edges: list[float]) -> npt.NDArray[np.int64]:
    middles = sides[:, 0] + sides[:, 2] / 2
    if len(edges) < 2:
        edges = _gaps(sides)
    columns = np.searchsorted(edges, middles)
    return np.asarray(columns - columns.min() + 1, np.int64)


def _gaps(sides: npt.NDArray[np.float64]) -> list[float]:
    """Return where no number stands, between those that do."""
    order = np.argsort(sides[:, 0])
    ends = np.maximum.accumulate(sides[order, 0] + sides[order, 2])
    starts = sides[order, 0]
    return [float(end + start) / 2 for (end, start) in zip(ends[:-1], starts[1:], strict=True)
            if start > end]  # fmt: skip
