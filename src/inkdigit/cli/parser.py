"""argparse with values that may begin with a dash, and errors that are one sentence of our own."""

import argparse
import os
import re
import sys
from collections import deque
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from inkdigit.cli.flags import SENTENCES
from inkdigit.errors import escape_controls


def worded(message: str) -> str:
    """Return a message in the words of the command line."""
    for pattern, ours in SENTENCES.items():
        message = re.sub(pattern, ours, message)
    return message


class Parser(argparse.ArgumentParser):
    """A parser that tells what is wrong in one sentence, behind its usage."""

    def error(self, message: str) -> NoReturn:
        """Exit with 2."""
        self.print_usage(sys.stderr)
        self.exit(2, f"inkdigit: {escape_controls(worded(message))}\n")


class VerbParser(Parser):
    """The parser of a verb.

    A flag that takes a value takes what follows, unless that is a flag itself. Names may stand
    anywhere, and one that is there may begin with a dash.
    """

    def __init__(self, **given: Any) -> None:
        super().__init__(allow_abbrev=False, **given)

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str], namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse all; what is too much is this verb's to tell."""
        found, unknown = super().parse_known_args(self._sorted(args), namespace)
        if unknown:
            self.error(f"there is no place for {' '.join(unknown).removeprefix('-- ')}")
        return found, []

    def _sorted(self, args: Sequence[str]) -> list[str]:
        """Return the flags, each in one word with its value, and then the names behind `--`."""
        flags, names, left = list[str](), list[str](), deque(args)
        known = self._option_string_actions
        while left:
            word = left.popleft()
            flag, told, value = word.partition("=")
            if word == "--":
                names += left
                break
            if flag in known:
                takes_one = known[flag].nargs is None
                if takes_one and not told and left and left[0] not in (*known, "--"):
                    told, value = "=", left.popleft()
                if told and not value:
                    self.error(f"{flag} needs a value, received an empty one")
                flags.append(f"{flag}{told}{value}")
                while not takes_one and known[flag].nargs and left and left[0][:1] != "-":
                    flags.append(left.popleft())
            elif word == "-" or not word.startswith("-") or os.path.lexists(word):
                names.append(word)
            elif word[:2] in known:
                flags.append(word)
            else:
                near = get_close_matches(flag, known, n=1)
                hint = f"did you mean {near[0]}?" if near else f"a file of that name is ./{word}"
                self.error(f"there is no flag {flag}: {hint}")
        return [*flags, "--", *names] if names else flags
