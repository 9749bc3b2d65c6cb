import copy
import inspect
import pickle
import subprocess
import sys
from dataclasses import fields, replace
from typing import Any, get_type_hints

import numpy as np
import pytest

from inkdigit.errors import SettingError
from inkdigit.reading.alphabet import DIGITS
from inkdigit.reading.options import Options, ReadOptions, with_read_options
from inkdigit.reading.patterns import Pattern


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"min_confidence": 1.5}, "min_confidence must be between 0 and 1, received 1.5"),
        ({"min_confidence": -0.1}, "received -0.1"),
        ({"min_confidence": float("nan")}, "received nan"),
        ({"min_confidence": "0.9"}, "the option min_confidence cannot be '0.9'"),
        ({"page": 0}, "the page must be between 1 and 10,000, received 0"),
        ({"page": 1.5}, "the option page cannot be 1.5"),
        ({"page": "2"}, "the option page cannot be '2'"),
        ({"max_pixels": -1}, "max_pixels must be at least 1, received -1"),
        ({"pattern": r"\d{5"}, "character 3: expected {n}"),
        ({"pattern": ""}, "the pattern is empty"),
        ({"pattern": 5}, "the option pattern cannot be 5"),
        ({"pattern": r"\d\d", "single": True}, "exactly one digit, and none fits the pattern"),
        ({"pattern": r"\.", "single": True}, "exactly one digit, and none fits the pattern"),
        ({"check": "lunh"}, "did you mean luhn"),
        ({"check": ""}, "there is no check ''"),
        ({"check": len}, "the option check cannot be"),
        ({"decimal": "point"}, "decimal is dot or comma, received 'point'"),
        ({"decimal": "."}, "decimal is dot or comma, received '.'"),
        ({"decimal": 1}, "the option decimal cannot be 1"),
        ({"single": 1}, "the option single cannot be 1"),
        ({"single": "no"}, "the option single cannot be 'no'"),
        ({"page": True}, "the option page cannot be True"),
        ({"min_confidence": True}, "the option min_confidence cannot be True"),
        ({"rotate": 45}, "rotate is 0, 90, 180 or 270 degrees, received 45"),
        ({"rotate": -90}, "rotate is 0, 90, 180 or 270 degrees, received -90"),
        ({"rotate": 90.0}, "the option rotate cannot be 90.0"),
        ({"page": 10_001}, "the page must be between 1 and 10,000, received 10001"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingError) as refused:
        ReadOptions(**options)
    assert sentence in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"min_confidence": 0.0, "page": 1, "max_pixels": 1, "decimal": "comma"},
        {"min_confidence": 1, "pattern": r"\d+\.\d\d", "check": "luhn"},
        {"min_confidence": np.float32(0.5), "page": np.int64(2)},
        {"pattern": "[0-4]", "single": True},
        {"pattern": r"\d{1,3}", "single": True},
        {"page": 10_000},
        {"rotate": 0},
        {"rotate": 270},
    ],
)
def test_what_makes_sense_passes(options: dict[str, Any]) -> None:
    found = ReadOptions(**options)
    assert {name: getattr(found, name) for name in options} == options
    assert found.to_dict() == options


def test_nothing_is_the_same_as_what_is_left_out() -> None:
    names = [field.name for field in fields(ReadOptions)]
    assert ReadOptions(**dict.fromkeys(names)) == ReadOptions()
    assert not ReadOptions().constrained
    assert ReadOptions().to_dict() == {}
    assert ReadOptions(single=False, page=None).to_dict() == {}


def test_options_come_from_a_mapping() -> None:
    given = {"pattern": r"\d", "page": 3, "check": None}
    assert ReadOptions.from_mapping(given) == ReadOptions(pattern=r"\d", page=3)
    with pytest.raises(SettingError, match="there is no option ceck, patern"):
        ReadOptions.from_mapping({"patern": r"\d", "ceck": "luhn"})
    with pytest.raises(SettingError, match="there is no option separators"):
        ReadOptions.from_mapping({"separators": "ignore"})


def test_options_are_values() -> None:
    first, again = (ReadOptions(pattern=r"\d+", check="luhn", page=2) for _ in range(2))
    assert first == again
    assert hash(first) == hash(again)
    assert {first: 1}[again] == 1
    assert first != replace(first, page=3) == ReadOptions(pattern=r"\d+", check="luhn", page=3)
    with pytest.raises(AttributeError):
        first.page = 4  # type: ignore[misc]
    with pytest.raises(SettingError, match="the page must be between 1 and"):
        replace(first, page=0)
    with pytest.raises(TypeError):
        ReadOptions(r"\d")  # type: ignore[misc]


def test_options_go_to_another_process_and_work_there() -> None:
    options = ReadOptions(pattern=r"\d{2}", check="luhn")
    assert options.passes("18")
    content = pickle.dumps(options)
    # What was compiled is not in there.
    assert len(content) < 500
    there = pickle.loads(content)
    assert there == options
    assert there.passes("18")
    assert not there.passes("17")
    assert copy.deepcopy(options) == options


def test_every_option_says_what_it_is() -> None:
    for field in fields(ReadOptions):
        assert set(field.metadata) == {"kind", "help", "metavar"}
        assert field.metadata["help"]
        assert bool(field.metadata["metavar"]) == (field.metadata["kind"] is not bool)


def test_editors_know_the_same_options() -> None:
    hints = get_type_hints(ReadOptions, {"Pattern": Pattern})
    assert get_type_hints(Options) == {
        field.name: hints[field.name] for field in fields(ReadOptions)
    }


def test_a_method_shows_the_options_in_its_signature() -> None:
    @with_read_options
    def method(source: str, *, errors: str = "raise", **options: Any) -> dict[str, Any]:
        return options

    shown = inspect.signature(method).parameters
    assert list(shown) == ["source", "errors", *(field.name for field in fields(ReadOptions))]
    assert all(shown[f.name].default == f.default for f in fields(ReadOptions))
    assert method("a.png", page=3) == {"page": 3}


def test_what_is_decoded_are_digits_and_the_marks_of_the_pattern() -> None:
    assert ReadOptions().symbols == ReadOptions(check="luhn").symbols == DIGITS
    assert ReadOptions(pattern=r"\d+[.,]\d\d").symbols == DIGITS + ".,"
    assert ReadOptions(pattern=r"\d").symbols == DIGITS
    assert ReadOptions(pattern=r"\d\.\d").fits("1.5")
    assert ReadOptions(check="luhn").fits("17")


@pytest.mark.parametrize(
    ("options", "passing", "failing"),
    [
        ({}, ["", "7", "007"], []),
        ({"pattern": r"\d{3}"}, ["007"], ["", "07", "0077"]),
        ({"pattern": r"\d+\.\d\d"}, ["12.50"], ["1250", "12,50"]),
        ({"check": "luhn"}, ["79927398713"], ["", "79927398710"]),
        ({"check": "luhn", "pattern": r"\d{2}"}, ["18"], ["17", "79927398713"]),
    ],
)
def test_texts_pass_both_the_pattern_and_the_check(
    options: dict[str, Any], passing: list[str], failing: list[str]
) -> None:
    found = ReadOptions(**options)
    assert found.constrained == bool(options)
    assert all(map(found.passes, passing))
    assert not any(map(found.passes, failing))


def test_options_are_known_without_numpy() -> None:
    code = "import sys, inkdigit.reading.options; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "onnxruntime", "stdnum"} & set(done.stdout.split())
