"""The blank of a class's sheet: draws `src/inkdigit/classroom/sheet.form.json` and its print.

    python -m benchmarks class-blank

A row of boxes for each digit, markers at the corners and between the rows, and white room for the
name and for the code, which stands there twice as photographs lack an edge now and then.
"""

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from inkdigit.documents.markers import DICTIONARY
from inkdigit.documents.template import BoxMm, Field, Page, Template
from inkdigit.images import Grey
from inkdigit.reading.alphabet import DIGITS

OUT = Path(__file__).parents[1] / "src" / "inkdigit" / "classroom"
# In dots an inch, and in mm.
FINE, INCH = 300, 25.4
# Of a marker along each side, its border counted.
MODULES = 6
WIDTH, HEIGHT = 210.0, 297.0
LEFT, TOP, ACROSS, DOWN, PITCH, GAP, TIMES = 24.0, 42.0, 162.0, 18.0, 22.0, 3.0, 8
CORNERS = tuple((x, y, 10.0, 10.0) for y in (8.0, 277.0) for x in (8.0, 192.0))
SIDES = tuple((x, TOP - 4.5 + PITCH * row, 5.0, 5.0) for row in range(1, 10) for x in (13.5, 191.5))
INK: dict[str, BoxMm] = {
    "name": (24.0, 7.0, 122.0, 21.0),
    "code_1": (148.0, 2.0, 42.0, 38.0),
    "code_2": (87.0, 258.0, 36.0, 34.0),
}


def template() -> Template:
    """Return the sheet as a form."""
    rows = [
        Field(
            name=f"d{digit}",
            page=1,
            box=(LEFT, TOP + row * PITCH, ACROSS, DOWN),
            kind="comb",
            cells=TIMES,
            gap=GAP,
        )
        for row, digit in enumerate(DIGITS)
    ]
    printed = [Field(name=name, page=1, box=box, kind="ink") for name, box in INK.items()]
    page = Page(width=WIDTH, height=HEIGHT, print="sheet.form.1.png")
    return Template(name="class", pages=(page,), fields=(*rows, *printed))


def blank() -> Grey:
    """Return the print of the blank: black and white, as finely as it is printed."""
    figure = Figure(figsize=(WIDTH / INCH, HEIGHT / INCH), dpi=FINE)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    for number, box in enumerate(CORNERS + SIDES):
        _place(axes, cv2.aruco.generateImageMarker(DICTIONARY, number, MODULES), box)
    for field in template().fields[: len(DIGITS)]:
        for x, y, width, height in field.cell_boxes:
            axes.add_patch(Rectangle((x, y), width, height, fill=False, lw=0.6))
        for x in (16, 194):
            middle = field.box[1] + field.box[3] / 2
            axes.text(x, middle, field.name[1:], size=22, ha="center", va="center")
    axes.text(LEFT, 32, "Write the digit of each row into its boxes, as you always do.", size=9)
    axes.text(LEFT, 36.5, "A digit that went wrong: cross it out, and go on.", size=9)
    axes.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.where(np.asarray(canvas.buffer_rgba())[..., 0] < 128, 0, 255).astype(np.uint8)


def _place(axes: Axes, picture: npt.NDArray[Any], box: BoxMm) -> None:
    x, y, width, height = box
    where = (x, x + width, y + height, y)
    axes.imshow(picture, cmap="gray", extent=where, aspect="auto", interpolation="nearest")


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for."""
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR")


def main(options: argparse.Namespace) -> None:
    """Draw, and write both files."""
    template().save(options.out / "sheet.form.json", [blank()])
