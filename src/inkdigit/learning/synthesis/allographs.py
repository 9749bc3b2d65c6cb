"""The shapes that hands give to digits, marks, signs and letters, as strokes to be drawn.

They stand in `allographs.svg`: any browser shows them and any editor changes them. MNIST was
written in one country; these are shapes that it lacks as well as those that it has.
"""

from importlib.resources import files
from xml.etree import ElementTree

# A stroke is a list of points `(x, y)` that a smooth curve runs through, `y` from 0 at the top of
# the line to 1 on the baseline. A point given twice is a corner.
Stroke = tuple[tuple[float, float], ...]
Allograph = tuple[Stroke, ...]

_SVG = "{http://www.w3.org/2000/svg}"


def _load() -> dict[str, dict[str, tuple[Allograph, ...]]]:
    drawing = files("inkdigit.learning.synthesis").joinpath("allographs.svg").read_text("utf-8")
    return {
        kind.attrib["id"]: {
            character.attrib["data-character"]: tuple(map(_shape, character)) for character in kind
        }
        for kind in ElementTree.fromstring(drawing).iter(f"{_SVG}g")  # noqa: S314  (our own file)
        if "id" in kind.attrib
    }


def _shape(group: ElementTree.Element) -> Allograph:
    strokes = ([point.split(",") for point in line.attrib["points"].split()] for line in group)
    return tuple(tuple((float(x), float(y)) for x, y in points) for points in strokes)


_SHAPES = _load()
DIGITS = _SHAPES["digits"]
MARKS = _SHAPES["marks"]
WRITTEN = DIGITS | MARKS
# Signs that stand beside numbers, and are none of the marks that are told apart.
SIGNS = _SHAPES["signs"]
# Letters that stand alone, and that an attentive reader takes for no digit.
LETTERS = _SHAPES["letters"]
