"""How pictures are to be read, checked before anything is opened."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING, Literal, Self, TypedDict, get_args

from inkdigit.errors import SettingError
from inkdigit.reading.alphabet import DIGITS
from inkdigit.reading.checks import Check, find_check

if TYPE_CHECKING:
    from inkdigit.reading.patterns import Pattern

Separators = Literal["review", "ignore"]


class Options(TypedDict, total=False):
    """The options of `Reader.read` and its siblings.

    `pattern`
        what the number looks like (see `inkdigit.reading.patterns`); the likeliest text that fits
        is read.
    `check`
        a validator of python-stdnum (extra `check`) that the number passes, such as `luhn`.
    `single`
        there is exactly one digit.
    `min_confidence`
        what is less sure is for review; by default the model's own threshold, chosen from a
        measured error rate.
    `separators`
        `review`: marks that may change the number, as a dot before cents or a dash ahead, and
        raised digits at its end make a reading one for review; or `ignore`.
    `page`
        which page of a document, counted from 1.
    `max_pixels`
        larger pictures are refused.
    """

    pattern: str | None
    check: str | None
    single: bool
    min_confidence: float | None
    separators: Separators
    page: int | None
    max_pixels: int | None


_KINDS: dict[str, type] = {
    "pattern": str,
    "check": str,
    "single": bool,
    "min_confidence": Real,
    "page": Integral,
    "max_pixels": Integral,
}


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Options that make sense, with the pattern compiled and the check found."""

    pattern: "Pattern | None" = None
    check: Check | None = None
    check_name: str = ""
    single: bool = False
    min_confidence: float | None = None
    separators: Separators = "review"
    page: int | None = None
    max_pixels: int | None = None

    @classmethod
    def of(cls, options: Options) -> Self:
        """Check the options.

        Raises `SettingError` for a name or a value that makes no sense, and `MissingExtraError` for
        a check without python-stdnum.
        """
        if unknown := options.keys() - Options.__optional_keys__:
            raise SettingError(f"there is no option {', '.join(sorted(unknown))}")
        given = {name: value for name, value in options.items() if value is not None}
        for name, kind in _KINDS.items():
            if name in given and not _is_a(given[name], kind):
                raise SettingError(f"the option {name} cannot be {given[name]!r}")
        pattern, check = given.get("pattern"), given.get("check")
        given["pattern"] = _compiled(str(pattern)) if pattern is not None else None
        given["check"] = find_check(str(check)) if check is not None else None
        rules = cls(**given, check_name=str(check or ""))  # type: ignore[arg-type]
        rules._check()
        return rules

    def _check(self) -> None:
        if not 0 <= (self.min_confidence or 0) <= 1:
            raise SettingError(
                f"the least confidence must lie between 0 and 1, received {self.min_confidence}"
            )
        if self.separators not in get_args(Separators):
            raise SettingError(f"separators are review or ignore, received {self.separators!r}")
        for name, count in (("page", self.page), ("limit on pixels", self.max_pixels)):
            if count is not None and count < 1:
                raise SettingError(f"the {name} must be at least 1, received {count}")
        _check_page(self.page)
        if self.single and self.pattern and not any(map(self.pattern.fits, DIGITS)):
            raise SettingError(
                f"there is exactly one digit, and none fits the pattern {self.pattern.text!r}"
            )

    @property
    def symbols(self) -> str:
        """What a text may hold: digits, and the marks that the pattern writes."""
        return self.pattern.symbols if self.pattern else DIGITS

    @property
    def constrained(self) -> bool:
        """Whether a pattern or a check says what may be read."""
        return self.pattern is not None or self.check is not None

    def passes(self, text: str) -> bool:
        """Return whether a text fits the pattern and passes the check."""
        fits = self.pattern is None or self.pattern.fits(text)
        return fits and (self.check is None or self.check(text))


def _is_a(value: object, kind: type) -> bool:
    # To Python True is the number 1, and no number was meant by it.
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _check_page(page: int | None) -> None:
    if page is None:
        return
    # The command line should not wait for numpy where no page is chosen.
    from inkdigit.images import MAX_PAGES

    if page > MAX_PAGES:
        raise SettingError(f"the page must be at most {MAX_PAGES:,}, received {page}")


def _compiled(pattern: str) -> "Pattern":
    # The command line makes its flags from the options, and should not wait for numpy.
    from inkdigit.reading.patterns import Pattern

    return Pattern.parse(pattern)
