"""Names of pupils: each is also that of a folder, on any system, and told from each other."""

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

from inkdigit.errors import SettingError, shown
from inkdigit.files import open_plain, reading

_LONGEST = 40
# What no folder on Windows has in its name, or what parts columns; and what none is called there.
_FORBIDDEN = re.compile(r'[/\\:*?"<>|,;\t]')
_TAKEN = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def as_name(given: str) -> str:
    """Return a name as its folder is called; `SettingError` for what can be none.

    >>> as_name("  Anna  M. ")
    'Anna M'
    """
    name = " ".join(unicodedata.normalize("NFC", given).split()).rstrip(". ")
    if found := _FORBIDDEN.search(given):
        raise SettingError(f"a name holds no {shown(found[0])}: write {shown(given)} otherwise")
    is_seen = all(unicodedata.category(character)[0] != "C" for character in name)
    is_written = any(map(str.isalpha, name)) and name[0] not in "._" and len(name) <= _LONGEST
    if _TAKEN.fullmatch(name):
        raise SettingError(f"Windows has no folder called {name}: add a letter of the surname")
    if not (is_seen and is_written):
        raise SettingError(
            f"a name has a letter, {_LONGEST} characters at most and no dot ahead, received "
            f"{shown(given)}"
        )
    return name


def key_of(name: str) -> str:
    """Return what two names share that are the same folder on some systems."""
    return unicodedata.normalize("NFC", name).casefold()


def read_names(path: Path, tell: Callable[[str], object] = lambda _: None) -> list[str]:
    """Return the names in a list, one a line, below the heading `name` or none.

    `tell` is told of each that is written otherwise here. Raises `SettingError` for what is no such
    list, and for two names that are the same.
    """
    try:
        with reading(path, SettingError), open_plain(path) as file:
            lines = [line.strip(' "') for line in file.read().decode("utf-8-sig").splitlines()]
    except UnicodeDecodeError:
        raise SettingError(f"{path} is no text in UTF-8: save it as CSV UTF-8") from None
    names = dict[str, tuple[str, int]]()
    for number, line in enumerate(lines, start=1):
        if not line or key_of(line) == "name":
            continue
        try:
            name = as_name(line)
        except SettingError as error:
            raise SettingError(f"{path}, line {number}: {error}") from None
        if name != unicodedata.normalize("NFC", line):
            tell(f"{path}, line {number}: {shown(line)} becomes {shown(name)}")
        first, where = names.setdefault(key_of(name), (name, number))
        if where != number:
            raise SettingError(
                f"{path} holds {first} twice, in lines {where} and {number}: add a letter of the "
                "surname to each"
            )
    if not names:
        raise SettingError(f"{path} holds no names: write one a line")
    return [name for name, _ in names.values()]
