"""Inkdigit: handwritten digit recognition.

Two halves that meet in one model file: `inkdigit.learning` trains, evaluates, compares and exports
digit networks with Keras (extra `learn`); `inkdigit.reading` uses them through ONNX Runtime.

>>> import inkdigit
>>> reader = inkdigit.Reader.load()
>>> reader.read("docs/amount.png").text
'87.32'
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from inkdigit.errors import InkdigitError

if TYPE_CHECKING:
    from inkdigit.bulk.api import read_to
    from inkdigit.reading import Character, Reader, Reading, ReadOptions

__all__ = [
    "Character", "InkdigitError", "ReadOptions", "Reader", "Reading", "__version__", "read_to",
]  # fmt: skip

__version__ = "0.1.0"


def __dir__() -> list[str]:
    return __all__


def __getattr__(name: str) -> Any:
    # The command line asks for the version alone, and should not wait for the runtime.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "inkdigit.bulk.api" if name == "read_to" else "inkdigit.reading"
    return getattr(import_module(home), name)
