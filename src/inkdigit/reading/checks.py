"""Checks of a number's own check digits, by the validators of python-stdnum.

A check is named as python-stdnum names its modules: `luhn`, `iso7064.mod_97_10`, `isbn`, `de.idnr`.
Nothing but modules of that package is ever imported, and only when a check is asked for. None of
them asks the network: that takes other functions than `is_valid`.
"""

import difflib
import importlib
import pkgutil
from collections.abc import Callable, Iterable
from functools import lru_cache

from inkdigit.errors import MissingExtraError, SettingError

Check = Callable[[str], bool]

_PACKAGE = "stdnum"
# Modules of the package that validate nothing, and the old name of another.
_NO_CHECKS = {"exceptions", "iso9362", "numdb", "util"}


@lru_cache(maxsize=1)
def check_names() -> tuple[str, ...]:
    """Return the name of every check, sorted; `MissingExtraError` without python-stdnum."""
    try:
        package = importlib.import_module(_PACKAGE)
    except ModuleNotFoundError:
        raise MissingExtraError("check", "python-stdnum") from None
    return tuple(sorted(set(_modules(package.__path__)) - _NO_CHECKS))


def find_check(name: str) -> Check:
    """Return the check of that name, which says whether a text is valid.

    Raises `SettingError` where there is none, `MissingExtraError` without python-stdnum.
    """
    known = name[:60].strip().lower().replace("-", "_").removeprefix(f"{_PACKAGE}.")
    if known not in check_names():
        raise SettingError(f"there is no check {name[:60]!r}: {_near(known)}")
    check: Check = importlib.import_module(f"{_PACKAGE}.{known}").is_valid
    return check


def _modules(paths: Iterable[str], prefix: str = "") -> Iterable[str]:
    """List modules by their files, without importing any."""
    for path in paths:
        for module in pkgutil.iter_modules([path]):
            if module.ispkg:
                yield from _modules([f"{path}/{module.name}"], f"{prefix}{module.name}.")
            else:
                yield prefix + module.name


def _near(name: str) -> str:
    names = check_names()
    last = name.rpartition(".")[2]
    same = [known for known in names if known.rpartition(".")[2] == last]
    near = same or difflib.get_close_matches(name, names)
    if not near:
        return "write luhn, iso7064.mod_97_10, or another module of python-stdnum"
    return f"did you mean {' or '.join(near[:3])}?"
