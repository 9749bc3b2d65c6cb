"""Reading numbers: from a picture to a text and how sure it is.

`reader` is the door, `options` what may be asked, `result` what comes out. `preprocessing` finds
the writing on a page, `model_file` runs a network on it, `tta` in several views, and `decoding`
makes text of that, under `patterns` and `checks`. `line_reader` and `digit_reader` gather the
evidence, and `review_rules` decides what to do with it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inkdigit.reading.model_file import DigitModel, LineModel, ModelInfo
    from inkdigit.reading.options import ReadOptions
    from inkdigit.reading.reader import Reader
    from inkdigit.reading.result import Alternative, Character, Reading

__all__ = [
    "Alternative", "Character", "DigitModel", "LineModel", "ModelInfo", "ReadOptions", "Reader",
    "Reading",
]  # fmt: skip

_HOMES = {"Reader": "reader", "ReadOptions": "options"}
_HOMES |= dict.fromkeys(("DigitModel", "LineModel", "ModelInfo"), "model_file")


def __getattr__(name: str) -> Any:
    # Options are checked before the time of the runtime's import is spent.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'result')}"), name)
