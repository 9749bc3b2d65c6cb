"""The sheet: a form with a row of boxes for each digit, and a page of it for each pupil."""

import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.patches import Rectangle

from inkdigit.classroom.names import as_name
from inkdigit.documents.markers import Code, marker
from inkdigit.documents.registration import Registrar, Registration
from inkdigit.documents.template import DPI, BoxMm, Field, Page, Template
from inkdigit.errors import SettingError
from inkdigit.files import write_atomically
from inkdigit.images import Grey
from inkdigit.reading.alphabet import DIGITS

TIMES = 8
# In mm: the page, the first row of boxes, how far the next ones lie below and boxes apart, and
# where markers and the code stand, which is there twice as photographs lack an edge now and then.
_WIDTH, _HEIGHT, _INCH = 210.0, 297.0, 25.4
_LEFT, _TOP, _ACROSS, _DOWN, _PITCH, _GAP = 24.0, 42.0, 162.0, 18.0, 22.0, 3.0
_CODES: tuple[BoxMm, ...] = ((152.0, 6.0, 34.0, 34.0), (91.0, 261.0, 28.0, 28.0))
_CORNERS = tuple((x, y, 10.0, 10.0) for y in (8.0, 277.0) for x in (8.0, 192.0))
_SIDES = tuple(
    (x, _TOP - 4.5 + _PITCH * row, 5.0, 5.0) for row in range(1, 10) for x in (13.5, 191.5)
)
_MARKERS: tuple[BoxMm, ...] = _CORNERS + _SIDES
_ROOM = 4.0
# The fonts that names are printed in; a letter comes from the first that has it.
_FONTS = (
    "DejaVu Sans", "Noto Sans", "Arial Unicode MS", "Nirmala UI", "Noto Sans Devanagari",
    "Noto Sans CJK SC", "Microsoft YaHei", "Malgun Gothic", "Yu Gothic", "Hiragino Sans",
)  # fmt: skip

TEMPLATE = Template(
    name="class",
    pages=(Page(width=_WIDTH, height=_HEIGHT, print="sheet.png"),),
    fields=tuple(
        Field(
            name=f"d{digit}",
            page=1,
            box=(_LEFT, _TOP + row * _PITCH, _ACROSS, _DOWN),
            kind="comb",
            cells=TIMES,
            gap=_GAP,
        )
        for row, digit in enumerate(DIGITS)
    ),
)


def sheet_registrar() -> Registrar:
    """Return what finds sheets in scans."""
    with TemporaryDirectory() as folder, _blank() as (figure, _):
        figure.savefig(Path(folder, TEMPLATE.pages[0].print), dpi=DPI)
        return Registrar([replace(TEMPLATE, folder=Path(folder))])


def write_sheets(path: Path, class_: str, names: Iterable[str], count: int = 1) -> None:
    """Write a PDF with `count` sheets for each pupil of a class, A4.

    Raises `SettingError` for a name that no font here can print, `OutputError` for a path that
    can't be written.
    """
    write_atomically(path, lambda file: _write(file, class_, names, count))


def _write(file: Path, class_: str, names: Iterable[str], count: int) -> None:
    with PdfPages(file) as pages:
        for name in names:
            for number in range(1, count + 1):
                with _blank() as (figure, axes):
                    code = Code(TEMPLATE.name, 1, f"{class_}/{name}/{number}")
                    for box in _CODES:
                        _picture(axes, code.picture(), box)
                    axes.text(_LEFT, 17, name, size=22, va="center")
                    axes.text(_LEFT, 25, f"Class {class_}, sheet {number}", size=9, va="center")
                    try:
                        pages.savefig(figure)
                    except UserWarning:  # of a letter that no font has
                        raise SettingError(
                            f"no font here has the letters of {name}: install one, as Noto Sans"
                        ) from None


def code_of(found: Registration) -> tuple[str, str, int]:
    """Return class, pupil and number of a sheet; `ImageError` where its code can't be read."""
    around = [
        (x - _ROOM, y - _ROOM, side + 2 * _ROOM, side + 2 * _ROOM) for x, y, side, _ in _CODES
    ]
    class_, name, number = found.code(*around).copy.rsplit("/", 2)
    return class_, as_name(name), int(number)


@contextmanager
def _blank() -> Iterator[tuple[Figure, Axes]]:
    """Yield the sheet as all pupils have it, and axes in mm from the top left corner."""
    here = set(fontManager.get_font_names())
    with warnings.catch_warnings(), mpl.rc_context(mpl.rcParamsDefault):
        warnings.simplefilter("error", UserWarning)
        mpl.rcParams["font.family"] = [font for font in _FONTS if font in here]
        figure = Figure(figsize=(_WIDTH / _INCH, _HEIGHT / _INCH))
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        for number, box in enumerate(_MARKERS):
            _picture(axes, marker(number), box)
        for field in TEMPLATE.fields:
            for x, y, width, height in field.cell_boxes:
                axes.add_patch(Rectangle((x, y), width, height, fill=False, lw=0.8, ec="0.35"))
            for x in (16, 194):
                middle = field.box[1] + field.box[3] / 2
                axes.text(x, middle, field.name[1:], size=22, ha="center", va="center")
        axes.text(
            _LEFT, 32, "Write the digit of each row into its boxes, as you always do.", size=9
        )
        axes.text(_LEFT, 36.5, "A digit that went wrong: cross it out, and go on.", size=9)
        axes.set(xlim=(0, _WIDTH), ylim=(_HEIGHT, 0))
        yield figure, axes


def _picture(axes: Axes, picture: Grey, box: BoxMm) -> None:
    x, y, width, height = box
    where = (x, x + width, y + height, y)
    axes.imshow(picture, cmap="gray", extent=where, aspect="auto", interpolation="nearest")
    axes.set(xlim=(0, _WIDTH), ylim=(_HEIGHT, 0))
