"""What a request asks for: options in its query, in the fields of its form and in its JSON.

Each is a field of `ReadOptions`, wherever it stands, `shown`, `form` or `find`. An empty value is
none.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from difflib import get_close_matches
from math import isnan
from numbers import Integral, Real
from typing import Any, Self

from inkdigit.documents.forms import check_form_options
from inkdigit.errors import SettingError, is_a, shown
from inkdigit.reading.options import ReadOptions
from inkdigit.serving.problems import Problem

# Where an option may stand several times: what was said, by name.
Pairs = Iterable[tuple[str, Any]]

# The members and fields that hold pictures.
FILES = {"file", "files"}
# Of each option its kind, and what it means: those of the service alone, and the reader's.
_OWN = {
    "shown": (bool, "add what the network was shown, as a PNG in base64"),
    "form": (str, "read the fields of this form: the name of a template, or its JSON"),
    "find": (bool, "find the handwritten numbers on the page, and read each"),
}
_OPTIONS = _OWN | {
    known.name: (known.metadata["kind"], known.metadata["help"])
    for known in fields(ReadOptions)
    if known.name != "max_pixels"  # the service sets it
}
_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True,
             "false": False, "0": False, "no": False, "off": False}  # fmt: skip
# How a sentence calls a kind, and how JSON schema does.
_KINDS = {
    bool: ("true or false", "boolean"),
    Integral: ("a whole number", "integer"),
    Real: ("a number", "number"),
    str: ("text", "string"),
}


@dataclass(frozen=True)
class Asked:
    """What is asked of the service: how to read, and what.

    `shown` adds what the network was shown, as a PNG in base64. Of a `form` the fields are read,
    each as a row, and with `find` the numbers of pages. Raises `SettingError` for what makes no
    sense together.
    """

    options: ReadOptions
    shown: bool = False
    form: str = ""
    find: bool = False

    def __post_init__(self) -> None:
        if self.form:
            check_form_options(self.options)
        if (self.form or self.find) and self.shown:
            raise SettingError("of a form or a page nothing is shown: leave out shown")
        if self.form and self.find:
            raise SettingError("a form says where its numbers stand: leave out find")
        if self.find:
            self.options.check_of_pages()
        if (self.options.by_column or self.options.totals) and not self.find:
            raise SettingError("pattern_column and total_column are of pages: add find")

    @classmethod
    def of(cls, said: dict[str, Any], max_pixels: int) -> Self:
        """Return what is asked by what `gathered` returns."""
        own = {name: said[name] for name in said.keys() & _OWN}
        options = {name: said[name] for name in said.keys() - _OWN}
        return cls(ReadOptions(**options, max_pixels=max_pixels), **own)


def is_option(name: str) -> bool:
    """Return whether a field or member of this name says how to read."""
    return name in _OPTIONS


def schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON schema of each option, by name, as the OpenAPI shows them."""
    return {
        name: {"type": _KINDS[kind][1], "description": told}
        for name, (kind, told) in _OPTIONS.items()
    }


def gathered(*sources: Pairs) -> dict[str, Any]:
    """Return what was asked for, by name.

    Raises `Problem` 422 for a name that is none, a value that is none, and for two that contradict
    each other.

    >>> gathered([("single", "yes"), ("page", "2")], [("page", 2)])
    {'single': True, 'page': 2}
    """
    found: dict[str, Any] = {}
    for source in sources:
        for name, said in source:
            if name not in _OPTIONS:
                raise Problem(422, _unknown(name))
            if said is None or said == "":
                continue
            value = _valued(name, said)
            if found.setdefault(name, value) != value:
                raise Problem(
                    422, f"{name} is asked for twice: {_shown(found[name])} and {_shown(value)}"
                )
    return found


def _unknown(name: str) -> str:
    if name in FILES:
        return f"{name} is no option: the picture goes into the body of the request"
    near = get_close_matches(name[:60], _OPTIONS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_OPTIONS)}"
    return f"there is no option {_shown(name)}: {hint}"


def _valued(name: str, said: Any) -> Any:
    """Return a value as its option has it, be it said as text or as JSON."""
    kind, _ = _OPTIONS[name]
    value = said
    if isinstance(said, str) and kind is not str:
        value = _parsed(kind, said.strip())
    if not is_a(value, kind) or (isinstance(value, float) and isnan(value)):
        raise Problem(422, f"{name} is {_KINDS[kind][0]}, received {_shown(said)}")
    return value


def _parsed(kind: type, text: str) -> Any:
    if kind is bool:
        return _BOOLEANS.get(text.lower())
    try:
        return int(text) if kind is Integral else float(text)
    except ValueError:
        return None


def _shown(value: object) -> str:
    if isinstance(value, list | dict):
        return "a list or an object"
    return shown(value) if isinstance(value, str) else shown(value).lower()  # true, as in JSON
