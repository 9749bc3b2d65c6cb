import subprocess
import sys
from typing import Any, get_args

import numpy as np
import pytest

from inkdigit.errors import SettingError
from inkdigit.reading.options import Options, Rules, Separators


def rules(**options: Any) -> Rules:
    return Rules.of(options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"min_confidence": 1.5}, "must lie between 0 and 1, received 1.5"),
        ({"min_confidence": -0.1}, "received -0.1"),
        ({"min_confidence": float("nan")}, "received nan"),
        ({"min_confidence": "0.9"}, "the option min_confidence cannot be '0.9'"),
        ({"page": 0}, "the page must be at least 1, received 0"),
        ({"page": 1.5}, "the option page cannot be 1.5"),
        ({"page": "2"}, "the option page cannot be '2'"),
        ({"max_pixels": -1}, "the limit on pixels must be at least 1, received -1"),
        ({"pattern": r"\d{5"}, "character 3: expected {n}"),
        ({"pattern": ""}, "the pattern is empty"),
        ({"pattern": 5}, "the option pattern cannot be 5"),
        ({"pattern": r"\d\d", "single": True}, "exactly one digit, and none fits the pattern"),
        ({"pattern": r"\.", "single": True}, "exactly one digit, and none fits the pattern"),
        ({"check": "lunh"}, "did you mean luhn"),
        ({"check": ""}, "there is no check ''"),
        ({"check": len}, "the option check cannot be"),
        ({"separators": "keep"}, "separators are review or ignore, received 'keep'"),
        ({"patern": r"\d", "ceck": "luhn"}, "there is no option ceck, patern"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingError) as refused:
        rules(**options)
    assert sentence in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


@pytest.mark.parametrize(
    "options",
    [
        {"min_confidence": 0.0, "page": 1, "max_pixels": 1, "separators": "ignore"},
        {"min_confidence": 1, "pattern": r"\d+\.\d\d", "check": "luhn"},
        {"min_confidence": np.float32(0.5), "page": np.int64(2)},
        {"pattern": "[0-4]", "single": True},
        {"pattern": r"\d{1,3}", "single": True},
    ],
)
def test_what_makes_sense_passes(options: dict[str, Any]) -> None:
    found = rules(**options)
    kept = options.keys() - {"pattern", "check"}
    assert {name: getattr(found, name) for name in kept} == {n: options[n] for n in kept}
    assert (found.pattern.text if found.pattern else None) == options.get("pattern")
    assert found.check_name == options.get("check", "")


def test_nothing_is_the_same_as_what_is_left_out() -> None:
    assert rules(**dict.fromkeys(Options.__optional_keys__)) == rules() == Rules()
    assert not rules().constrained
    assert rules().separators in get_args(Separators)


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
    found = rules(**options)
    assert found.constrained == bool(options)
    assert all(map(found.passes, passing))
    assert not any(map(found.passes, failing))


def test_options_are_known_without_numpy() -> None:
    code = "import sys, inkdigit.reading.options; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"numpy", "onnxruntime", "stdnum"} & set(done.stdout.split())
