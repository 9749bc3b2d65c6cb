"""The grammar of patterns: from a text to its positions, within bounds."""

import re
from functools import reduce

from inkdigit.errors import SettingError
from inkdigit.reading.alphabet import DIGITS, MARKS
from inkdigit.reading.patterns.automata import ALPHABET, Part

MAX_LENGTH = 200
MAX_REPEAT = 100
MAX_NESTING = 20
MAX_POSITIONS = 512

_SIGNS = {"?": (0, 1), "*": (0, None), "+": (1, None)}
_LITERAL = re.compile(rf"\\d|\\?[{re.escape(MARKS)}]|[{DIGITS}]")
_BRACES = re.compile(r"\{(\d+)(,?)(\d*)\}", re.ASCII)


def _set_of(symbols: str) -> int:
    return sum(1 << ALPHABET.index(symbol) for symbol in set(symbols))


def parsed(text: str) -> Part:
    """Return a pattern's positions; `SettingError` where it is none, or too large."""
    return _Parser(text).parsed()


class _Parser:
    """Recursive descent; each method reads one kind of thing at `self.at` and moves beyond it."""

    def __init__(self, text: str) -> None:
        if len(text) > MAX_LENGTH:
            raise SettingError(
                f"a pattern has at most {MAX_LENGTH} characters, received {len(text)}"
            )
        if not text:
            raise SettingError(r"the pattern is empty: write for instance \d{5}, or leave it out")
        self.text = text
        self.at = 0
        self.depth = 0

    def error(self, reason: str, at: int | None = None) -> SettingError:
        place = (self.at if at is None else at) + 1
        return SettingError(f"pattern {self.text!r}, character {place}: {reason}")

    def next_is(self, characters: str) -> bool:
        return self.at < len(self.text) and self.text[self.at] in characters

    def skip(self, expected: str) -> bool:
        found = self.text.startswith(expected, self.at)
        self.at += len(expected) * found
        return found

    def parsed(self) -> Part:
        whole = self.choice()
        if self.at < len(self.text):
            raise self.error("this closes no group")
        return whole

    def choice(self) -> Part:
        branches = [self.sequence()]
        while self.skip("|"):
            branches.append(self.sequence())
        self.check_size(sum(map(len, branches)))
        return reduce(Part.either, branches)

    def sequence(self) -> Part:
        parts = []
        while self.at < len(self.text) and not self.next_is("|)"):
            parts.append(self.repeated())
        self.check_size(sum(map(len, parts)))
        return reduce(Part.then, parts, Part())

    def check_size(self, size: int, at: int | None = None) -> None:
        if size > MAX_POSITIONS:
            raise self.error(
                f"with its repeats written out, this takes more than {MAX_POSITIONS} symbols", at
            )

    def repeated(self) -> Part:
        part = self.atom()
        start = self.at
        if not self.next_is("?*+{"):
            return part
        least, most = self.bounds()
        if self.next_is("?*+{"):
            raise self.error("a repeat cannot follow a repeat: put a group around the first")
        self.check_size(len(part) * (least if most is None else most), start)
        return part.times(least, most)

    def bounds(self) -> tuple[int, int | None]:
        """Read how often what stands before comes, at least and at most."""
        sign = self.text[self.at]
        if sign in _SIGNS:
            self.at += 1
            return _SIGNS[sign]
        braces = _BRACES.match(self.text, self.at)
        if not braces:
            raise self.error("expected {n}, {n,m} or {n,}")
        least, comma, most = braces.groups()
        bounds = [int(number) for number in (least, most) if number]
        if max(bounds) > MAX_REPEAT:
            raise self.error(f"at most {MAX_REPEAT} repeats, received {max(bounds)}")
        if bounds[-1] < bounds[0]:
            raise self.error(f"{{{least},{most}}} ends below its beginning")
        self.at = braces.end()
        return bounds[0], None if comma and not most else bounds[-1]

    def atom(self) -> Part:
        if self.next_is("("):
            return self.group()
        symbols = self.one_of(self.at - 1) if self.skip("[") else _set_of(self.literal())
        return Part((symbols,), (0,), first=1, last=1, empty=False)

    def group(self) -> Part:
        start = self.at
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise self.error(f"groups go at most {MAX_NESTING} deep")
        if not self.skip("(?:"):
            self.skip("(")
        part = self.choice()
        if not self.skip(")"):
            raise self.error("this group is not closed", start)
        self.depth -= 1
        return part

    def literal(self, *, inside: bool = False) -> str:
        """Read one literal or escape, in brackets or outside them; return what it stands for."""
        literal = _LITERAL.match(self.text, self.at)
        if not literal:
            raise self.error(_foreign(self.text[self.at : self.at + 1]))
        if literal[0] == "." and not inside:
            raise self.error(r"write \. for the dot, \d for any digit")
        self.at = literal.end()
        return DIGITS if literal[0] == r"\d" else literal[0][-1]

    def one_of(self, start: int) -> int:
        """Read a set of symbols behind its opening bracket."""
        negated = self.skip("^")
        found, everything = 0, _set_of(ALPHABET)
        while not self.skip("]"):
            if self.at >= len(self.text):
                raise self.error("this set is not closed", start)
            found |= _set_of(self.range())
        if found in {0, everything * negated}:
            raise self.error("nothing is in this set", start)
        return everything & ~found if negated else found

    def range(self) -> str:
        start = self.at
        first = self.literal(inside=True)
        if not self.next_is("-") or self.text.startswith("-]", self.at):
            return first
        self.skip("-")
        last = self.literal(inside=True) if self.at < len(self.text) else ""
        if not (len(first) == len(last) == 1 and first in DIGITS and last in DIGITS):
            raise self.error("a range goes from digit to digit", start)
        if first > last:
            raise self.error(f"the range {first}-{last} ends below its beginning", start)
        return DIGITS[int(first) : int(last) + 1]


def _foreign(symbol: str) -> str:
    if symbol == "\\":
        return "a backslash stands before d or a mark only"
    if symbol in tuple("^$"):
        return "a pattern always fits the whole text: leave ^ and $ out"
    if symbol in tuple("?*+{"):
        return "there is nothing to repeat here"
    return f"{symbol!r} is neither a digit, nor one of the marks {' '.join(MARKS)}, nor a sign"
