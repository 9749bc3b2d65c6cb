from dataclasses import fields

import pytest

from inkdigit.reading.options import ReadOptions
from inkdigit.serving.problems import Problem
from inkdigit.serving.request_options import gathered, schemas


def test_every_option_of_the_reader_but_the_services_own_is_one() -> None:
    known = {field.name for field in fields(ReadOptions)} - {"max_pixels"}
    assert schemas().keys() == known | {"shown", "form", "find"}
    assert all(about["type"] and about["description"] for about in schemas().values())


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (("single", "True"), True), (("single", "off"), False), (("single", True), True),
        (("shown", " 1 "), True), (("page", "2"), 2), (("page", 2), 2),
        (("min_confidence", "0.5"), 0.5), (("min_confidence", 1), 1),
        (("pattern", " \\d"), " \\d"), (("check", "luhn"), "luhn"),
    ],
)  # fmt: skip
def test_text_and_json_mean_the_same(said: tuple[str, object], meant: object) -> None:
    assert gathered([said]) == {said[0]: meant}
    assert type(gathered([said])[said[0]]) is type(meant)


def test_an_empty_value_is_none() -> None:
    assert gathered([("pattern", ""), ("check", None), ("page", "")]) == {}


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ([("singel", "true")], "there is no option 'singel': did you mean single?"),
        (
            [("max_pixels", "9")],
            "there is no option 'max_pixels': there are shown, form, find, pattern, ",
        ),
        ([("x" * 500, "9")], "there is no option 'xxx"),
        ([("single", "maybe")], "single is true or false, received 'maybe'"),
        ([("single", 1)], "single is true or false, received 1"),
        ([("page", True)], "page is a whole number, received true"),
        ([("page", "1.0")], "page is a whole number, received '1.0'"),
        ([("page", 1.0)], "page is a whole number, received 1.0"),
        ([("min_confidence", "much")], "min_confidence is a number, received 'much'"),
        ([("min_confidence", "nan")], "min_confidence is a number, received 'nan'"),
        ([("min_confidence", float("nan"))], "min_confidence is a number, received nan"),
        ([("file", "a.png")], "file is no option: the picture goes into the body"),
        ([("page", "9" * 9000)], "page is a whole number, received '999"),
        ([("pattern", 5)], "pattern is text, received 5"),
        ([("pattern", ["\\d"])], "pattern is text, received a list or an object"),
        ([("page", "1"), ("page", 2)], "page is asked for twice: 1 and 2"),
        ([("pattern", "a"), ("pattern", "b")], "pattern is asked for twice: 'a' and 'b'"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(said: list[tuple[str, object]], sentence: str) -> None:
    with pytest.raises(Problem) as caught:
        gathered(said[:1], said[1:])
    assert caught.value.status_code == 422
    assert caught.value.detail.startswith(sentence)
    assert len(caught.value.detail) < 250


def test_the_same_may_be_said_twice() -> None:
    assert gathered([("page", "2")], [("page", 2)], [("page", "02")]) == {"page": 2}
