"""Reading numbers: from a picture to a text and how sure it is.

`reader` is the door. `ink` finds the writing on a page, `model_file` runs a network on it, `lines`
and `singles` make readings of what it says, with `decoding` under `patterns` and `checks`, and
`verdict` says what to do with them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inkdigit.reading.model_file import DigitModel, LineModel, ModelInfo
    from inkdigit.reading.reader import Reader
    from inkdigit.reading.result import Alternative, Character, Mark, Reading

__all__ = [
    "Alternative", "Character", "DigitModel", "LineModel", "Mark", "ModelInfo", "Reader", "Reading",
]  # fmt: skip

_HOMES = {"Reader": "reader", "DigitModel": "model_file", "LineModel": "model_file"}
_HOMES |= {"ModelInfo": "model_file"}


def __getattr__(name: str) -> Any:
    # Options are checked before the time of the runtime's import is spent.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'result')}"), name)
