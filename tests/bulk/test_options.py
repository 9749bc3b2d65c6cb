from typing import Any

import pytest

from inkdigit.bulk.options import check_options
from inkdigit.errors import SettingError


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"min_confidence": 1.5}, "must lie between 0 and 1, received 1.5"),
        ({"min_confidence": -0.1}, "received -0.1"),
        ({"min_confidence": float("nan")}, "received nan"),
        ({"page": 0}, "the page must be at least 1, received 0"),
        ({"max_pixels": -1}, "the limit on pixels must be at least 1, received -1"),
        ({"pattern": r"\d{5"}, "character 3: expected {n}"),
        ({"pattern": ""}, "the pattern is empty"),
        ({"pattern": r"\d\d", "single": True}, "exactly one digit, and none fits the pattern"),
        ({"check": "lunh"}, "did you mean luhn"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingError) as refused:
        check_options(**options)
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"min_confidence": 0.0, "page": 1, "max_pixels": 1, "separators": "ignore"},
        {"min_confidence": 1.0, "pattern": r"\d+\.\d\d", "check": "luhn"},
        {"pattern": "[0-4]", "single": True},
        {"pattern": r"\d{1,3}", "single": True},
    ],
)
def test_what_makes_sense_passes(options: dict[str, Any]) -> None:
    check_options(**options)
