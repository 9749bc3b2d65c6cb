"""The grammar of patterns: from a text to its positions, within bounds.

A pattern is cut into symbols, repeats and groups. That they go together is checked by Python's own
expressions, of which patterns are a part.
"""

import re
from collections.abc import Iterator
from functools import reduce

from inkdigit.errors import SettingError
from inkdigit.reading.alphabet import DIGITS, MARKS
from inkdigit.reading.patterns.automata import ALPHABET, Part

MAX_LENGTH = 200
MAX_REPEAT = 100
MAX_POSITIONS = 512

_SIGNS = {"?": (0, 1), "*": (0, None), "+": (1, None)}
# One symbol outside of sets and in them, where a - before another symbol is of a range of digits.
_ONE = rf"\\d|\\?[{re.escape(MARKS)}]|[{DIGITS}]"
_TOKEN = re.compile(
    rf"(?P<symbol>(?!\.)(?:{_ONE})|\[\^?(?:[{DIGITS}]-[{DIGITS}]|(?:{_ONE})(?!-[^\]]))*\])"
    r"|(?P<repeat>[?*+]|\{(?P<least>\d{1,9})(?:(?P<comma>,)(?P<most>\d{0,9}))?\})(?![?*+{])"
    r"|\((?:\?:|(?!\?))|[|)]",
    re.ASCII,
)
# What Python says of symbols that do not go together, in our words.
_TOGETHER = {
    "unterminated character set": "a set is not empty: write in it what may stand there",
    "min repeat greater than max repeat": "the least comes first, as in {2,5}",
    "missing ), unterminated subpattern": "this group is not closed: write )",
    "unbalanced parenthesis": "no group was open here",
    "nothing to repeat": "there is nothing here to repeat",
}
_FOREIGN = {
    ".": r"write \. for the dot, \d for any digit",
    "[": "a set holds digits, marks and ranges from digit to digit, and ends with ]",
    "\\": "a backslash stands before d or a mark only",
    "(": "a group begins with ( or (?:",
    **dict.fromkeys("^$", "a pattern always fits the whole text: leave ^ and $ out"),
    **dict.fromkeys("?*+", "a repeat cannot follow a repeat: put a group around the first"),
    "{": "expected {n}, {n,m} or {n,}, and no other repeat behind it",
}


def parsed(text: str) -> Part:
    """Return a pattern's positions; `SettingError` where it is none, or too large."""
    if len(text) > MAX_LENGTH:
        raise SettingError(f"a pattern has at most {MAX_LENGTH} characters, received {len(text)}")
    if not text:
        raise SettingError(r"the pattern is empty: write for instance \d{5}, or leave it out")
    tokens = list(_tokens(text))
    for token in tokens:
        if (repeats := max(int(token["least"] or 0), int(token["most"] or 0))) > MAX_REPEAT:
            reason = f"at most {MAX_REPEAT} repeats, received {repeats}"
            raise _error(text, token.start(), reason)
    try:
        re.compile(text, re.ASCII)
    except re.error as error:
        raise _error(text, error.pos or 0, _TOGETHER.get(error.msg, error.msg)) from None
    # Of each group that is open, its branches, and of each branch what follows each other.
    groups: list[list[list[Part]]] = [[[]]]
    for token in tokens:
        branch = groups[-1][-1]
        if token["symbol"]:
            branch.append(_symbol(token))
        elif token["repeat"]:
            branch[-1] = _repeated(branch[-1], token)
        elif token[0] == "|":
            groups[-1].append([])
        elif token[0] == ")":
            part = _joined(groups.pop(), token)
            groups[-1][-1].append(part)
        else:
            groups.append([[]])
    return _joined(groups.pop(), tokens[-1])


def _tokens(text: str) -> Iterator[re.Match[str]]:
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if not token:
            symbol = text[at]
            among = f"{symbol!r} is neither a digit, nor one of the marks {' '.join(MARKS)}"
            raise _error(text, at, _FOREIGN.get(symbol, f"{among}, nor a sign"))
        yield token
        at = token.end()


def _error(text: str, at: int, reason: str) -> SettingError:
    return SettingError(f"pattern {text!r}, character {at + 1}: {reason}")


def _symbol(token: re.Match[str]) -> Part:
    fitting = [one for one in ALPHABET if re.fullmatch(token[0], one, re.ASCII)]
    if not fitting:
        raise _error(token.string, token.start(), "nothing is in this set")
    symbols = sum(1 << ALPHABET.index(one) for one in fitting)
    return Part((symbols,), (0,), first=1, last=1, empty=False)


def _repeated(part: Part, token: re.Match[str]) -> Part:
    """Return a part as often as the token says: at least and at most."""
    if token["least"]:
        least = int(token["least"])
        most = int(token["most"] or least)
        bounds = least, None if token["comma"] and not token["most"] else most
    else:
        least = most = 1
        bounds = _SIGNS[token[0]]
    _check_size(len(part) * most, token)
    return part.times(*bounds)


def _joined(branches: list[list[Part]], token: re.Match[str]) -> Part:
    _check_size(sum(len(part) for branch in branches for part in branch), token)
    return reduce(Part.either, (reduce(Part.then, branch, Part()) for branch in branches))


def _check_size(size: int, token: re.Match[str]) -> None:
    if size > MAX_POSITIONS:
        reason = f"with its repeats written out, this takes more than {MAX_POSITIONS} symbols"
        raise _error(token.string, token.start(), reason)
