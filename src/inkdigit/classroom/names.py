"""Names of pupils: each is also that of a folder, on any system, and told from each other."""

import re
import unicodedata
from pathlib import Path

from inkdigit.errors import SettingError, shown
from inkdigit.files import open_plain, reason

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
    if not (is_seen and is_written) or _TAKEN.fullmatch(name):
        raise SettingError(
            f"a name has a letter, {_LONGEST} characters at most and no dot ahead, received "
            f"{shown(given)}"
        )
    return name


def key_of(name: str) -> str:
    """Return what two names share that are the same folder on some systems."""
    return unicodedata.normalize("NFC", name).casefold()


def read_names(path: Path) -> list[str]:
    """Return the names in a list, one a line, below the heading `name` or none.

    Raises `SettingError` for what is no such list, and for two names that are the same.
    """
    try:
        with open_plain(path) as file:
            lines = [line.strip(' "') for line in file.read().decode("utf-8-sig").splitlines()]
    except OSError as error:
        raise SettingError(f"{path} cannot be read: {reason(error)}") from None
    except UnicodeDecodeError:
        raise SettingError(f"{path} is no text in UTF-8: save it as CSV UTF-8") from None
    names = [as_name(line) for line in lines if line and key_of(line) != "name"]
    if not names:
        raise SettingError(f"{path} holds no names: write one a line")
    keys = list(map(key_of, names))
    if twice := [name for name in names if keys.count(key_of(name)) > 1]:
        raise SettingError(f"{path} holds {twice[0]} twice: add a letter of the surname to each")
    return names
