"""Inkdigit: handwritten digit recognition.

Two halves that meet in one model file: `inkdigit.learning` trains, evaluates, compares and exports
digit networks with Keras (extra `learn`); `inkdigit.reading` uses them through ONNX Runtime.

    reader = inkdigit.Reader.load()
    reading = reader.read("cheque.png")
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inkdigit.reading import Reader, Reading

__all__ = ["Reader", "Reading", "__version__"]

__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    # The command line asks for the version alone, and should not wait for the runtime.
    if name in {"Reader", "Reading"}:
        from inkdigit import reading

        return getattr(reading, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
