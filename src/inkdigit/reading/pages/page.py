"""What a page says: its handwritten numbers, in the order in which people read them."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from inkdigit.errors import needing
from inkdigit.images import Grey
from inkdigit.reading.result import COLOURS, Box, Reading

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@dataclass(frozen=True, kw_only=True, repr=False)
class PageNumber(Reading):
    """A number that was found on a page.

    `box` is the upright box `(x, y, w, h)` around it, in pixels of the page as it was opened, and
    `angle` by how many degrees its line falls to the right there. `found` is the probability that a
    handwritten number stands there at all; `confidence` that this is so, and its text right. `row`
    and `column` are its place in the table that the page's numbers make, counted from 1.
    """

    box: Box
    angle: float = 0.0
    found: float = 1.0
    row: int = 1
    column: int = 1

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only."""
        place = {
            "box": list(self.box),
            "angle": round(self.angle, 1),
            "found": round(self.found, 4),
        }
        return super().to_dict() | place | {"row": self.row, "column": self.column}


def with_columns(
    numbers: Sequence[PageNumber], named: Collection[int], totals: Collection[int]
) -> list[PageNumber]:
    """Return numbers in order; those of columns that do not end with their sum are for review.

    Where a number cannot be understood, the sum is not known either. Where a column that was named
    is not on the page, the columns are not those that were meant, and all are for review. So are
    numbers that stand in one cell: they may be one.
    """
    there = {one.column for one in numbers}
    missing = min({*named} - there, default=None)
    why = "" if missing is None else f"there is no column {missing} on this page"
    wrong = dict.fromkeys(there, ("total", why))
    cells = Counter((one.row, one.column) for one in numbers)
    shared = {place for place, count in cells.items() if count > 1}
    for column in totals:
        own = [one for one in numbers if one.column == column]
        if not _adds_up([None if (one.row, column) in shared else one.number for one in own]):
            why = f"column {column} does not end with the sum of the numbers above"
            wrong[column] = "total", why
    told = list[PageNumber]()
    for one in numbers:
        rule, why = wrong[one.column]
        if (one.row, one.column) in shared:
            rule, why = "cell", "several numbers stand in this cell: are they one?"
        doubted = why and (one.status == "accepted" or (rule == "cell" and one.status == "review"))
        told.append(replace(one, status="review", rule=rule, reason=why) if doubted else one)
    return told


def _adds_up(column: Sequence[Decimal | None]) -> bool:
    known = [number for number in column if number is not None]
    return len(known) == len(column) and (not known or sum(known[:-1]) == known[-1])


def _in_one_cell(one: PageNumber, other: PageNumber) -> PageNumber:
    """Return what stands in a cell that two numbers share, which is no number."""
    (x, y, w, h), (left, top, width, height) = one.box, other.box
    right, bottom = max(x + w, left + width), max(y + h, top + height)
    x, y = min(x, left), min(y, top)
    return replace(
        one,
        text=f"{one.text} {other.text}",
        confidence=one.confidence * other.confidence,
        status="review",
        characters=one.characters + other.characters,
        number=None,
        unconstrained=None,
        box=(x, y, right - x, bottom - y),
        found=min(one.found, other.found),
    )


@dataclass(frozen=True)
class Page:
    """The numbers of a page, from its top to its bottom and along each line.

    `rotate` is by how many degrees it was turned clockwise to stand upright, and `angle` by how
    many its lines then fell to the right. `unfit` more numbers were found that do not fit the
    pattern.

    >>> import inkdigit
    >>> page = inkdigit.Reader.load().read_page("docs/register.jpg")
    >>> "19051" in [number.text for number in page.numbers]
    True
    """

    numbers: tuple[PageNumber, ...]
    rotate: int = 0
    angle: float = 0.0
    model: str = ""
    unfit: int = 0
    picture: Callable[[], Grey] | None = field(default=None, compare=False, repr=False)

    @property
    def table(self) -> list[list[PageNumber | None]]:
        """The numbers in rows and columns as they stand, `None` where there is none.

        Where several stand in one cell, their texts are one there, with a space between.
        """
        columns = max((one.column for one in self.numbers), default=0)
        rows = max((one.row for one in self.numbers), default=0)
        table: list[list[PageNumber | None]] = [[None] * columns for _ in range(rows)]
        for one in self.numbers:
            before = table[one.row - 1][one.column - 1]
            table[one.row - 1][one.column - 1] = _in_one_cell(before, one) if before else one
        return table

    def plot(self, axes: "Axes | None" = None) -> "Axes":
        """Draw the page with a box around each number, and return the axes (matplotlib).

        Raises `MissingExtraError` without matplotlib, `ImageError` where the picture has gone.
        """
        with needing("learn"):
            from matplotlib.figure import Figure
            from matplotlib.patches import Rectangle
        if axes is None:
            axes = Figure(layout="constrained").subplots()
        if self.picture is not None:
            axes.imshow(self.picture(), cmap="gray", vmin=0, vmax=255)
        for one in self.numbers:
            (x, y, width, height), colour = one.box, COLOURS[one.status]
            axes.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor=colour))
            axes.annotate(one.text or "?", (x, y), color=colour, ha="left", va="bottom")
        axes.set_axis_off()
        return axes
