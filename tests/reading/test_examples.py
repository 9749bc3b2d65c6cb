"""The examples in the docstrings of reading do what they say."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

from inkdigit import reading

ROOT = Path(__file__).parents[2]
MODULES = [
    reading.__name__,
    *(found.name for found in pkgutil.walk_packages(reading.__path__, f"{reading.__name__}.")),
]


@pytest.mark.parametrize("name", MODULES)
def test_examples(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # They read docs/amount.png.
    monkeypatch.chdir(ROOT)
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_there_are_examples_of_what_is_used_most() -> None:
    finder = doctest.DocTestFinder()
    found = {
        test.name.removeprefix(f"{reading.__name__}.")
        for name in MODULES
        for test in finder.find(importlib.import_module(name))
        if test.examples
    }
    assert found >= {
        "options.ReadOptions", "number.meanings", "result.Reading", "reader.Reader",
        "reader.Reader.read", "reader.Reader.read_batch", "reader.Reader.read_pages",
        "reader.Reader.preprocess",
    }  # fmt: skip
