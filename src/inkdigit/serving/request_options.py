"""What a request asks for: options in its query, in the fields of its form and in its JSON.

Each is a field of `ReadOptions`, wherever it stands, `shown` or `form`. An empty value is none.
"""

from collections.abc import Iterable
from dataclasses import fields
from difflib import get_close_matches
from math import isnan
from numbers import Integral, Real
from typing import Any

from inkdigit.errors import is_a, shown
from inkdigit.reading.options import ReadOptions
from inkdigit.serving.problems import Problem

# Where an option may stand several times: what was said, by name.
Pairs = Iterable[tuple[str, Any]]

SHOWN, FORM = "shown", "form"
# The members and fields that hold pictures.
FILES = {"file", "files"}
# The service sets the other one.
_OPTIONS = {known.name: known for known in fields(ReadOptions) if known.name != "max_pixels"}
_KINDS = {
    SHOWN: bool,
    FORM: str,
    **{name: known.metadata["kind"] for name, known in _OPTIONS.items()},
}
_BOOLEANS = {"true": True, "1": True, "yes": True, "on": True,
             "false": False, "0": False, "no": False, "off": False}  # fmt: skip
_EXPECTED = {bool: "true or false", Integral: "a whole number", Real: "a number", str: "text"}
_TYPES = {bool: "boolean", Integral: "integer", Real: "number", str: "string"}


def is_option(name: str) -> bool:
    """Return whether a field or member of this name says how to read."""
    return name in _KINDS


def schemas() -> dict[str, dict[str, Any]]:
    """Return the JSON schema of each option, by name, as the OpenAPI shows them."""
    told = {SHOWN: "add what the network was shown, as a PNG in base64"}
    told |= {FORM: "read the fields of this form: the name of a template, or its JSON"}
    told |= {name: known.metadata["help"] for name, known in _OPTIONS.items()}
    kinds = _KINDS.items()
    return {name: {"type": _TYPES[kind], "description": told[name]} for name, kind in kinds}


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
            if name not in _KINDS:
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
    near = get_close_matches(name[:60], _KINDS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(_KINDS)}"
    return f"there is no option {_shown(name)}: {hint}"


def _valued(name: str, said: Any) -> Any:
    """Return a value as its option has it, be it said as text or as JSON."""
    kind = _KINDS[name]
    value = said
    if isinstance(said, str) and kind is not str:
        value = _parsed(kind, said.strip())
    if not is_a(value, kind) or (isinstance(value, float) and isnan(value)):
        raise Problem(422, f"{name} is {_EXPECTED[kind]}, received {_shown(said)}")
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
