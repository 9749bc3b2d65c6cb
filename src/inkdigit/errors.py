"""The exception tree: every error a user can meet, with its exit code and HTTP status.

    InkdigitError            1  500  something Inkdigit refuses to go on with
    ├── SettingError         2  422  a value that was asked for makes no sense
    ├── DataError            3  422  labelled digits that are missing, broken or mismatched
    │   └── DownloadError    4  502  a data set that could not be fetched
    ├── ImageError           5  422  a picture that cannot be opened or is no picture
    ├── ModelError           6  422  a model file that is missing, broken, foreign or unsafe
    ├── RunError             7  409  a run folder in the wrong state
    ├── OutputError          8  507  a result that could not be written
    ├── MissingExtraError    9  501  a part of Inkdigit that is not installed
    ├── SourceError         10  422  a folder, bucket or manifest whose pictures cannot be listed
    └── ClusterError        11  503  a cluster that is not there, or has gone

Each message is one sentence that says what was received and what to do. Ctrl-C exits with 130.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from math import inf
from numbers import Integral
from reprlib import Repr
from typing import Any, ClassVar

INTERRUPTED = 130
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_SHORT = Repr()
_SHORT.maxstring, _SHORT.maxother, _SHORT.maxlevel = 80, 80, 2
_LONGEST = 120


def escape_controls(text: str) -> str:
    """Return a text on one line and without commands to a terminal: names may come from anyone."""
    return _CONTROLS.sub(lambda found: repr(found[0])[1:-1], text)


def shown(value: object) -> str:
    """Return what was received as a message shows it: on one line, and cut where it is long.

    >>> shown("abc"), len(shown("a" * 10_000))
    ("'abc'", 80)
    """
    try:
        text = escape_controls(" ".join(_SHORT.repr(value).split("\n")))
    except ValueError:  # Python writes no such number
        return "a number of thousands of digits"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


class InkdigitError(Exception):
    """Base of every error that Inkdigit raises on purpose.

    >>> ImageError.exit_code, ImageError.http_status, issubclass(ImageError, InkdigitError)
    (5, 422, True)
    """

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500


class SettingError(InkdigitError):
    """A value that was asked for makes no sense."""

    exit_code, http_status = 2, 422


class DataError(InkdigitError):
    """Labelled digits that are missing, broken or do not match."""

    exit_code, http_status = 3, 422


class DownloadError(DataError):
    """A data set that no mirror gave."""

    exit_code, http_status = 4, 502


class ImageError(InkdigitError):
    """A picture that cannot be opened, or is no picture."""

    exit_code, http_status = 5, 422


class ModelError(InkdigitError):
    """A model file that is missing, broken, of another kind, or unsafe."""

    exit_code, http_status = 6, 422


class RunError(InkdigitError):
    """A run that is not there, is another one, has ended or is still going on."""

    exit_code, http_status = 7, 409


class OutputError(InkdigitError):
    """A result that could not be written."""

    exit_code, http_status = 8, 507


class MissingExtraError(InkdigitError):
    """A part of Inkdigit that is not installed."""

    exit_code, http_status = 9, 501

    def __init__(self, extra: str, missing: str) -> None:
        super().__init__(f"this needs {missing}: run  pip install 'inkdigit[{extra}]'")
        self._given = extra, missing

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        """Let it come back from another process."""
        return type(self), self._given


class SourceError(InkdigitError):
    """A folder, bucket or manifest whose pictures cannot be listed."""

    exit_code, http_status = 10, 422


class ClusterError(InkdigitError):
    """A cluster that is not there, or has gone."""

    exit_code, http_status = 11, 503


def is_a(value: object, kind: type) -> bool:
    """Return whether a value is of a kind; to Python True is the number 1, which nobody meant."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def check_number(
    what: str, value: Any, least: float = 1, most: float = inf, kind: type = Integral
) -> None:
    """Raise `SettingError` for what is no whole number, or none of a kind, or beyond its limits.

    >>> check_number("the page", 0)
    Traceback (most recent call last):
    inkdigit.errors.SettingError: the page must be at least 1, received 0
    """
    allowed = "a whole number" if kind is Integral else "a number"
    if is_a(value, kind):
        if least <= value <= most:
            return
        allowed = f"at least {least}" if most == inf else f"between {least} and {most:,}"
    raise SettingError(f"{what} must be {allowed}, received {shown(value)}")


@contextmanager
def needing(extra: str) -> Iterator[None]:
    """Say how to install what the imports inside need, where it is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtraError(extra, str(error.name)) from None


def need(extra: str, *modules: str) -> None:
    """Raise `MissingExtraError` where a module of an extra is not installed."""
    with needing(extra):
        for module in modules:
            import_module(module)


def error_of(code: int, sentence: str) -> InkdigitError:
    """Return the error of this exit code, with the sentence of one that another process met."""
    kinds: list[type[InkdigitError]] = [InkdigitError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    kind = next((kind for kind in kinds if kind.exit_code == code), InkdigitError)
    return kind.__new__(kind, sentence)
