"""The shapes are a drawing that people edit: it is held to be well-formed."""

import re
from importlib.resources import files
from xml.etree import ElementTree

import pytest

from inkdigit.learning.synthesis import allographs

DRAWING = files("inkdigit.learning.synthesis").joinpath("allographs.svg").read_text("utf-8")
KINDS = {
    "digits": allographs.DIGITS,
    "marks": allographs.MARKS,
    "signs": allographs.SIGNS,
    "letters": allographs.LETTERS,
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_shape_is_strokes_of_points_near_the_line(kind: str) -> None:
    for character, shapes in KINDS[kind].items():
        assert len(character) == 1
        assert shapes, character
        assert len(set(shapes)) == len(shapes), f"{character} has the same shape twice"
        for stroke in (stroke for shape in shapes for stroke in shape):
            assert len(stroke) >= 2, (character, stroke)
            assert all(-0.5 <= x <= 2 and -0.5 <= y <= 1.6 for x, y in stroke), (character, stroke)


def test_all_that_is_drawn_is_loaded_and_a_stroke_is_a_line_of_the_file() -> None:
    strokes = sum(len(shape) for kind in KINDS.values() for some in kind.values() for shape in some)
    assert strokes == DRAWING.count("<polyline points=")
    assert strokes == len(re.findall(r'^ *<polyline points="[-\d., ]+"/>$', DRAWING, re.M))


def test_every_shape_has_a_place_of_its_own_on_the_page() -> None:
    root = ElementTree.fromstring(DRAWING)
    places = [group.attrib["transform"] for group in root.iter() if "transform" in group.attrib]
    assert len(places) == sum(len(shapes) for kind in KINDS.values() for shapes in kind.values())
    assert len(set(places)) == len(places)
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for place in places:
        x, y = map(float, re.findall(r"[\d.]+", place)[:2])
        assert x < width
        assert y < height
