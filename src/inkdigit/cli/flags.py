"""The flags of the verbs, which stand in `verbs.toml`, as argparse takes them."""

import argparse
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

# What a value is, by the word that stands for it in `--help`; any other is text.
KINDS: dict[str, Callable[[str], object]] = {
    "N": int, "P": float, "CSV": Path, "DIR": Path, "FILE": Path, "MODEL": Path, "RUN": Path,
    "TABLE": Path, "TEMPLATE": Path,
}  # fmt: skip
# By name, in the order of `--help`.
VERBS: dict[str, dict[str, Any]] = tomllib.loads(
    Path(__file__).with_name("verbs.toml").read_text("utf-8")
)
_SHARED, SENTENCES = VERBS.pop("shared"), VERBS.pop("sentences")


def add_flags(parser: argparse.ArgumentParser, verb: str, known: Mapping[str, Any]) -> None:
    """Add the flags of a verb; `known` are those of its module, or what it knows of some."""
    told, more = VERBS[verb], dict(known)
    groups = told.get("groups", {}).items()
    titled = [(parser.add_argument_group(title), flags) for title, flags in groups]
    shared = [(parser, _SHARED[name]) for name in told.get("uses", ())]
    for group, flags in ((parser, told.get("flags", {})), *titled, *shared):
        for flag, about in flags.items():
            add_flag(group, flag, about, **more.pop(flag, {}))
    for flag, about in more.items():
        add_flag(parser, flag, about)


def add_flag(group: Any, flag: str, about: str | Mapping[str, Any], **more: Any) -> None:
    """Add a flag to a parser or a group of it: its sentence, or all that argparse is to know."""
    *names, value = flag.split()
    known = {"help": about} if isinstance(about, str) else dict(about)
    if value.isupper():
        usual: dict[str, Any] = {"metavar": value, "type": KINDS.get(value, str)}
    else:
        names.append(value)
        usual = {} if "choices" in known | more else {"action": "store_true"}
    group.add_argument(*names, **usual | known | more)
