"""How pictures are to be read: every option once, checked before anything is opened.

The flags of `inkdigit read`, the query of the service and the table of the documents are made from
the fields of `ReadOptions`.
"""

import inspect
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cached_property
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Literal, Self, TypedDict, TypeVar, get_args

from inkdigit.errors import SettingError, check_number, is_a, shown
from inkdigit.reading.alphabet import DIGITS
from inkdigit.reading.checks import Check, find_check

if TYPE_CHECKING:
    from inkdigit.reading.patterns import Pattern

DecimalMark = Literal["dot", "comma"]
_MOST_COLUMNS = 10_000


def _option(default: Any, kind: type, what: str, metavar: str = "") -> Any:
    return field(default=default, metadata={"kind": kind, "help": what, "metavar": metavar})


@dataclass(frozen=True, kw_only=True)
class ReadOptions:
    r"""The options of `Reader.read` and its siblings; `SettingError` for what makes no sense.

    Raises `MissingExtraError` for a check without python-stdnum.

    >>> ReadOptions(pattern=r"\d{5}").passes("08544")
    True
    """

    pattern: str | None = _option(
        None, str, r"what the number looks like, such as '\d{5}'", "PATTERN"
    )
    check: str | None = _option(None, str, "the check that the number passes, such as luhn", "NAME")
    single: bool = _option(False, bool, "there is exactly one digit")
    decimal: DecimalMark | None = _option(
        None, str, "what stands before decimals, dot or comma: settles 1.500", "MARK"
    )
    min_confidence: float | None = _option(
        None, Real, "review what is less sure, 0 to 1 (default: the model's)", "P"
    )
    pattern_column: str | None = _option(
        None,
        str,
        r"what the numbers of a page's column look like, such as '3=\d{4}'; several with ;",
        "PATTERN",
    )
    total_column: str | None = _option(
        None,
        str,
        "columns of a page whose last number is the sum of those above: '3' or '3;4'",
        "C",
    )
    page: int | None = _option(
        None, Integral, "only this page, counted from 1 (default: every page)", "N"
    )
    rotate: int | None = _option(
        None, Integral, "turn the picture clockwise by 0, 90, 180 or 270 degrees first", "N"
    )
    max_pixels: int | None = _option(
        None, Integral, "refuse larger pictures (default: 64,000,000)", "N"
    )

    @classmethod
    def from_mapping(cls, options: Mapping[str, Any]) -> Self:
        """Return the options of a mapping; `SettingError` for a name that is none."""
        if unknown := options.keys() - {known.name for known in fields(cls)}:
            raise SettingError(f"there is no option {', '.join(sorted(unknown))}")
        return cls(**options)

    def __post_init__(self) -> None:
        for known in fields(self):
            value, kind = getattr(self, known.name), known.metadata["kind"]
            if value is None and known.name == "single":
                object.__setattr__(self, "single", False)
            elif value is not None and not is_a(value, kind):
                raise SettingError(f"the option {known.name} cannot be {shown(value)}")
        if self.min_confidence is not None:
            check_number("min_confidence", self.min_confidence, 0, 1, Real)
        if self.decimal not in (None, *get_args(DecimalMark)):
            raise SettingError(f"decimal is dot or comma, received {shown(self.decimal)}")
        if self.rotate not in (None, 0, 90, 180, 270):
            raise SettingError(
                f"rotate is 0, 90, 180 or 270 degrees, received {shown(self.rotate)}"
            )
        if self.max_pixels is not None:
            check_number("max_pixels", self.max_pixels)
        if self.page is not None:
            # The command line should not wait for numpy where no page is chosen.
            from inkdigit.images import MAX_PAGES

            check_number("the page", self.page, most=MAX_PAGES)
        pattern, *_ = self.compiled_pattern, self.validator, self.by_column, self.totals
        if self.single and pattern and not any(map(pattern.fits, DIGITS)):
            raise SettingError(
                f"there is exactly one digit, and none fits the pattern {shown(self.pattern)}"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the options that differ from their defaults, by name."""
        defaults = {known.name: known.default for known in fields(self)}
        return {name: value for name, value in asdict(self).items() if value != defaults[name]}

    @cached_property
    def compiled_pattern(self) -> "Pattern | None":
        """The pattern, compiled."""
        if self.pattern is None:
            return None
        # The command line makes its flags from the options, and should not wait for numpy.
        from inkdigit.reading.patterns import Pattern

        return Pattern.parse(self.pattern)

    @cached_property
    def by_column(self) -> dict[int, Self]:
        """The options of a page's columns that have a pattern of their own, by number."""
        found = dict[int, Self]()
        for one in () if self.pattern_column is None else self.pattern_column.split(";"):
            number, _, pattern = one.partition("=")
            if not pattern:
                raise SettingError(
                    rf"pattern_column is a column and its pattern, such as 3=\d{{4}}, "
                    f"received {shown(one)}"
                )
            column = _column(number)
            if column in found:
                raise SettingError(f"pattern_column has two patterns for column {column}")
            try:
                found[column] = replace(self.of_crops(), pattern=pattern)
            except SettingError as error:
                raise SettingError(f"column {column}: {error}") from None
        return found

    @cached_property
    def totals(self) -> set[int]:
        """The columns of a page that end with their sum."""
        columns = () if self.total_column is None else self.total_column.split(";")
        return {_column(one) for one in columns}

    def check_of_pages(self) -> None:
        """Raise `SettingError` for what makes no sense where numbers are found on pages."""
        if self.single:
            raise SettingError(
                r"on pages numbers of any length are found: leave out single, or find "
                r"(the pattern \d keeps numbers of one digit)"
            )

    def of_crops(self) -> Self:
        """Return the options for what is cut out of a page."""
        return replace(self, page=None, rotate=0, pattern_column=None, total_column=None)

    @cached_property
    def validator(self) -> Check | None:
        """What says whether a text passes the check."""
        return None if self.check is None else find_check(self.check)

    @property
    def symbols(self) -> str:
        """What is decoded: digits, and the marks that the pattern writes."""
        return self.compiled_pattern.symbols if self.compiled_pattern else DIGITS

    @property
    def constrained(self) -> bool:
        """Whether a pattern or a check says what may be read."""
        return self.pattern is not None or self.check is not None

    def fits(self, text: str) -> bool:
        """Return whether a text fits the pattern."""
        return self.compiled_pattern is None or self.compiled_pattern.fits(text)

    def passes(self, text: str) -> bool:
        """Return whether a text fits the pattern and passes the check."""
        return self.fits(text) and (self.validator is None or self.validator(text))

    def __getstate__(self) -> dict[str, Any]:
        # What was compiled is compiled again in another process.
        return asdict(self)


def _column(text: str) -> int:
    if not (re.fullmatch(r"\s*[0-9]{1,5}\s*", text) and 0 < int(text) <= _MOST_COLUMNS):
        raise SettingError(f"columns of a page are counted from 1, received {shown(text)}")
    return int(text)


class Options(TypedDict, total=False):
    """The fields of `ReadOptions` as keyword arguments, for editors and type checkers."""

    pattern: str | None
    check: str | None
    single: bool
    decimal: DecimalMark | None
    min_confidence: float | None
    pattern_column: str | None
    total_column: str | None
    page: int | None
    rotate: int | None
    max_pixels: int | None


_Method = TypeVar("_Method", bound=Callable[..., Any])


def with_read_options(method: _Method) -> _Method:
    """Show the fields of `ReadOptions` in the signature of a method that takes them as options."""
    own = [p for p in inspect.signature(method).parameters.values() if p.kind != p.VAR_KEYWORD]
    options = inspect.signature(ReadOptions).parameters.values()
    method.__signature__ = inspect.Signature([*own, *options])  # type: ignore[attr-defined]
    return method
