"""Checks of a number's own check digits, by the validators of python-stdnum.

A check is named as python-stdnum names its modules: `luhn`, `iso7064.mod_97_10`, `isbn`, `de.idnr`.
Nothing but modules of that package is ever imported, and only when a check is asked for. None of
them asks the network: that takes other functions than `is_valid`.
"""

import difflib
import importlib
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

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
    # By their files, without importing any.
    root = Path(package.__path__[0])
    modules = (path.relative_to(root).with_suffix("") for path in root.rglob("[!_]*.py"))
    return tuple(sorted({".".join(module.parts) for module in modules} - _NO_CHECKS))


def find_check(name: str) -> Check:
    """Return the check of that name, which says whether a text is valid.

    Raises `SettingError` where there is none, `MissingExtraError` without python-stdnum.
    """
    known = name[:60].strip().lower().replace("-", "_").removeprefix(f"{_PACKAGE}.")
    if known not in check_names():
        raise SettingError(f"there is no check {name[:60]!r}: {_near(known)}")
    check: Check = importlib.import_module(f"{_PACKAGE}.{known}").is_valid
    return check


def _near(name: str) -> str:
    if near := difflib.get_close_matches(name, check_names()):
        return f"did you mean {' or '.join(near)}?"
    return "write luhn, iso7064.mod_97_10, or another module of python-stdnum"
