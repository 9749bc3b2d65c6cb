import base64
import io
import json
import pickle
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import matplotlib
import numpy as np
import pytest
from hand import Grey, Hand, encoded
from PIL import Image

from inkdigit.errors import ImageError, MissingExtraError
from inkdigit.reading import Alternative, Character, Reader, Reading
from inkdigit.reading.result import FIELDS

matplotlib.use("Agg")

CHARACTERS = (
    Character("1", 0.98765432, (30, 20, 10, 40), (Alternative("1", 0.98765432),)),
    Character(".", 0.75, (70, 52, 10, 8), (Alternative(".", 0.75), Alternative("1", 0.25))),
    Character("5", 1.0, (110, 20, 10, 40), (Alternative("5", 1.0),)),
)
PAGE = np.full((80, 160), 230, np.uint8)


def a_reading(**known: Any) -> Reading:
    return Reading(
        **{
            "text": "1.5",
            "confidence": 0.98765432,
            "characters": CHARACTERS,
            "number": Decimal("1.5"),
            "model": "line 1",
            "picture": PAGE.copy,
            **known,
        }
    )


def gone() -> Grey:
    raise ImageError("the picture has gone")


# As text


def test_it_prints_what_matters_and_is_its_text() -> None:
    reading = a_reading(status="review", reason="why", rule="unsure")
    assert repr(reading) == "Reading('1.5', 0.9877, review)"
    assert str(reading) == f"{reading}" == "1.5"
    assert repr([a_reading()]) == "[Reading('1.5', 0.9877, accepted)]"
    assert str(a_reading(text="", characters=())) == ""


def test_its_digits_are_those_of_the_text() -> None:
    for text, digits in {"1.5": "15", "": "", "-12/05": "1205", "007": "007"}.items():
        assert a_reading(text=text).digits == digits


def test_a_dictionary_has_the_documented_fields_in_their_order() -> None:
    plain = a_reading().to_dict()
    assert list(plain) == [name for name in FIELDS if name not in {"source", "page", "error"}]
    assert plain == {
        "text": "1.5",
        "confidence": 0.987654,
        "status": "accepted",
        "reason": "",
        "digits": "15",
        "number": "1.5",
        "characters": [
            {
                "value": "1",
                "confidence": 0.987654,
                "box": [30, 20, 10, 40],
                "alternatives": [{"value": "1", "confidence": 0.987654}],
            },
            {
                "value": ".",
                "confidence": 0.75,
                "box": [70, 52, 10, 8],
                "alternatives": [
                    {"value": ".", "confidence": 0.75},
                    {"value": "1", "confidence": 0.25},
                ],
            },
            {
                "value": "5",
                "confidence": 1.0,
                "box": [110, 20, 10, 40],
                "alternatives": [{"value": "5", "confidence": 1.0}],
            },
        ],
        "unconstrained": None,
        "model": "line 1",
    }


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, None),
        (Decimal("1500.75"), "1500.75"),
        (Decimal("1.500"), "1.500"),
        (Decimal("-0.5"), "-0.5"),
        (Decimal("1E+3"), "1000"),
        (Decimal("1E-9"), "0.000000001"),
        (Decimal(7), "7"),
    ],
)
def test_a_number_is_a_plain_decimal(number: Decimal | None, text: str | None) -> None:
    assert a_reading(number=number).to_dict()["number"] == text


def test_json_and_back() -> None:
    reading = a_reading(status="review", reason="a “reason”", unconstrained="15")
    content = reading.to_json()
    assert json.loads(content) == reading.to_dict()
    assert content.isascii()
    assert list(json.loads(content)) == list(reading.to_dict())


def test_readings_are_values_whatever_their_picture() -> None:
    assert a_reading() == a_reading(picture=None) == a_reading(picture=gone)
    assert a_reading() != a_reading(rule="unsure")
    with pytest.raises(AttributeError):
        a_reading().text = "2"  # type: ignore[misc]


# As a picture


def parsed(reading: Reading) -> ElementTree.Element:
    return ElementTree.fromstring(reading._repr_html_())


def test_in_a_notebook_it_is_the_picture_with_boxes() -> None:
    figure = parsed(a_reading())
    (svg,) = figure.iter("svg")
    assert svg.attrib["viewBox"] == "0 0 160 80"
    (image,) = figure.iter("image")
    kind, _, content = image.attrib["href"].partition(",")
    assert kind == "data:image/png;base64"
    assert (np.asarray(Image.open(io.BytesIO(base64.b64decode(content)))) == PAGE).all()
    assert (image.attrib["width"], image.attrib["height"]) == ("160", "80")
    boxes = [
        tuple(int(box.attrib[side]) for side in ("x", "y", "width", "height"))
        for box in figure.iter("rect")
    ]
    assert boxes == [one.box for one in CHARACTERS]
    assert [title.text for title in figure.iter("title")] == ["1 0.9877", ". 0.7500", "5 1.0000"]
    (caption,) = figure.iter("figcaption")
    assert caption.text == "1.5 · 98.77 % · accepted"


def test_its_words_are_safe_and_say_why() -> None:
    reason = 'nothing here fits the pattern <b onload="x">&\''
    (caption,) = parsed(a_reading(status="rejected", reason=reason)).iter("figcaption")
    assert caption.text == f"1.5 · 98.77 % · rejected: {reason}"
    (nothing,) = parsed(a_reading(text="", characters=())).iter("figcaption")
    assert nothing.text == "nothing · 98.77 % · accepted"


@pytest.mark.parametrize("picture", [None, gone])
def test_without_the_picture_it_is_words(picture: Callable[[], Grey] | None) -> None:
    figure = parsed(a_reading(picture=picture))
    assert [part.tag for part in figure] == ["figcaption"]
    assert figure[0].text == "1.5 · 98.77 % · accepted"


@pytest.mark.parametrize("status", ["accepted", "review", "rejected"])
def test_a_plot_has_the_picture_and_a_rectangle_for_each_character(status: str) -> None:
    axes = a_reading(status=status).plot()
    (shown,) = axes.images
    assert (np.asarray(shown.get_array()) == PAGE).all()
    drawn = [(*p.get_xy(), p.get_width(), p.get_height()) for p in axes.patches]
    assert drawn == [one.box for one in CHARACTERS]
    assert [text.get_text() for text in axes.texts] == ["1", ".", "5"]
    assert axes.get_title() == f"1.5 · 98.77 % · {status}"
    stream = io.BytesIO()
    axes.figure.savefig(stream, format="png")
    assert Image.open(io.BytesIO(stream.getvalue())).size[0] > 100


def test_a_plot_goes_into_axes_that_are_given() -> None:
    from matplotlib.figure import Figure

    first, second = Figure().subplots(1, 2)
    assert a_reading().plot(second) is second
    assert len(second.patches) == 3
    assert len(first.patches) == 0


def test_a_plot_without_the_picture_has_the_boxes_or_says_that_it_has_gone() -> None:
    axes = a_reading(picture=None).plot()
    assert (len(axes.images), len(axes.patches)) == (0, 3)
    with pytest.raises(ImageError, match="the picture has gone"):
        a_reading(picture=gone).plot()


def test_without_matplotlib_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"matplotlib.*inkdigit\[learn\]"):
        a_reading().plot()


# As they come from a reader


def test_what_was_read_can_be_looked_at_again(reader: Reader, hand: Hand, tmp_path: Path) -> None:
    page = hand.write("407")
    path = tmp_path / "407.png"
    path.write_bytes(encoded(page))
    for source in (path, page, encoded(page), Image.fromarray(page)):
        reading = reader.read(source)
        assert reading.picture is not None
        assert (reading.picture() == page).all()
        assert len([*parsed(reading).iter("rect")]) == len(reading.characters) == 3
        assert len(reading.plot().patches) == 3
    stream = reader.read(io.BytesIO(encoded(page)))
    assert stream.picture is None
    assert not [*parsed(stream).iter("image")]
    assert stream == reader.read(path)
    reading = reader.read(path)
    path.unlink()
    assert [part.tag for part in parsed(reading)] == ["figcaption"]
    with pytest.raises(ImageError, match="cannot be opened"):
        reading.plot()


def test_a_reading_of_a_page_shows_that_page_and_does_not_keep_it(
    reader: Reader, hand: Hand, tmp_path: Path
) -> None:
    pages = [hand.write(text) for text in ("07", "4096")]
    path = tmp_path / "pages.tif"
    images = [Image.fromarray(page) for page in pages]
    images[0].save(path, save_all=True, append_images=images[1:])
    chosen = [reader.read(path, page=number) for number in (1, 2)]
    for readings in (chosen, [*reader.read_pages(path)]):
        for reading, page in zip(readings, pages, strict=True):
            assert isinstance(reading, Reading)
            assert reading.picture is not None
            assert (reading.picture() == page).all()
            # It goes to another process as it is, and weighs little.
            content = pickle.dumps(reading)
            assert len(content) < page.size / 2
            again = pickle.loads(content)
            assert again == reading
            assert (again.picture() == page).all()
