"""Names of pupils: each is also that of a folder, on any system, and told from each other."""

import csv
import io
import re
import unicodedata
from pathlib import Path

from inkdigit.errors import SettingError, shown
from inkdigit.files import open_plain, reason

_LONGEST = 40
# What no folder on Windows has in its name, and what none is called there.
_FORBIDDEN = re.compile(r'[/\\:*?"<>|]')
_TAKEN = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


def as_name(given: str) -> str:
    """Return a name as its folder is called; `SettingError` for what can be none.

    >>> as_name("  Anna  M. ")
    'Anna M'
    """
    name = " ".join(unicodedata.normalize("NFC", given).split()).rstrip(". ")
    if found := _FORBIDDEN.search(name):
        raise SettingError(f"a name holds no {found[0]}: write {shown(given)} in another way")
    invisible = any(unicodedata.category(character)[0] == "C" for character in name)
    written = any(map(str.isalpha, name)) and name[0] not in "._" and len(name) <= _LONGEST
    if invisible or not written or _TAKEN.fullmatch(name):
        raise SettingError(
            f"a name has at least one letter and at most {_LONGEST} characters, and begins with no "
            f"dot, received {shown(given)}"
        )
    return name


def key_of(name: str) -> str:
    """Return what two names share that are the same folder on some systems."""
    return unicodedata.normalize("NFC", name).casefold()


def read_names(path: Path) -> list[str]:
    """Return the names in a CSV: its only column, or the one that is headed `name`.

    Raises `SettingError` for what is no such list, and for two names that are the same.
    """
    try:
        with open_plain(path) as file:
            text = file.read().decode("utf-8-sig")
        separator = max(",;\t", key=text.partition("\n")[0].count)
        rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if any(row)]
    except OSError as error:
        raise SettingError(f"{path} cannot be read: {reason(error)}") from None
    except (UnicodeDecodeError, csv.Error):
        raise SettingError(f"{path} is no CSV in UTF-8: save it as one") from None
    heading = [cell.strip().casefold() for cell in rows[0]] if rows else []
    column = heading.index("name") if "name" in heading else 0
    names = dict[str, str]()
    for row in rows[1:] if "name" in heading else rows:
        if len(row) > 1 and "name" not in heading:
            raise SettingError(
                f"{path} holds several columns, as in {shown(separator.join(row))}: keep one name "
                "a line, or head the column of the whole names with name"
            )
        name = as_name(row[column] if column < len(row) else "")
        if other := names.setdefault(key_of(name), name) if key_of(name) in names else "":
            raise SettingError(f"{path} holds {other} twice: tell them apart, as by a surname")
        names[key_of(name)] = name
    if not names:
        raise SettingError(f"{path} holds no names: write one a line")
    return list(names.values())
