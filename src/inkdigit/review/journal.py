"""The journal of a table: every answer on a line of its own, on the disk before it is answered.

The table itself is never changed. Its journal lies beside it, and names it by a digest, so that it
is not taken for another's. A last line that is not whole was not answered, and counts for nothing.
"""

import json
import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from inkdigit.bulk.readers import digest_of
from inkdigit.bulk.stores import LocalStore, locked
from inkdigit.errors import OutputError, RunError, SettingError, shown
from inkdigit.files import writing
from inkdigit.reading.alphabet import DIGITS, MARKS

_SUFFIX = ".review.jsonl"
CROSSED_OUT, BLANK, UNREADABLE = "/", "-", "?"
# What a single key says in the place of a text.
WORDS = {CROSSED_OUT: "crossed out", BLANK: "blank", UNREADABLE: "unreadable"}


def table_of(journal: Path) -> Path:
    """Return the table that a journal is of, by its name; `SettingError` for another file.

    >>> table_of(Path("results.csv.review.jsonl")).name
    'results.csv'
    """
    if not journal.name.endswith(_SUFFIX):
        raise SettingError(f"{journal} is no journal of a review: its name ends in {_SUFFIX}")
    return journal.with_name(journal.name.removesuffix(_SUFFIX))


def as_keyed(text: str) -> str:
    """Return what was keyed, a text of digits and marks or a key of `WORDS`, without spaces.

    Raises `SettingError` for anything else.

    >>> as_keyed(" 12.50"), as_keyed("?")
    ('12.50', '?')
    """
    keyed = "".join(text.split())
    if keyed in WORDS or (set(keyed) & set(DIGITS) and set(keyed) <= set(DIGITS + MARKS)):
        return keyed
    raise SettingError(f"type digits and marks ({MARKS}), or one of / - ?: received {shown(keyed)}")


@dataclass(frozen=True)
class Decision:
    """What a person says of a row, counted from 1: `new` in the place of `old`, what was read.

    Both are as they are keyed; `old` is `None` where nothing was read, and `new` where the person
    takes back what they said of the row last. `ms` are the milliseconds that it took, `blind` says
    that the person did not see what was read. `when` is in UTC.

    >>> Decision("2030-01-01T00:00:00Z", "anna", 1, "a.png", "17", "11", 900, "line 0.1.0").new
    '11'
    """

    when: str
    who: str
    row: int
    field: str
    old: str | None
    new: str | None
    ms: int
    model: str
    blind: bool = False


class Journal:
    """What people said of a table's rows, in memory and on the disk.

    What was said of one row are its looks. A look that saw what was read settles the row; a blind
    one does where it agrees with what was read, or with another look. `is_cut` says that the last
    line was not whole.

    Raises `RunError` where the journal beside the table is another table's or broken, and
    `SourceError` where the table is not there.
    """

    def __init__(self, table: Path) -> None:
        # A folder that is named by no name of its own has its journal beside it all the same.
        self.table = table = table if table.name.strip(".") else table.resolve()
        self.path, self.digest = table.parent / f"{table.name}{_SUFFIX}", digest_of(table)
        self._load()

    def _load(self) -> None:
        self.decisions = list[Decision]()
        self._looks = defaultdict[int, list[Decision]](list)
        content = self.path.read_bytes() if self.path.exists() else b""
        *lines, rest = content.split(b"\n")
        self.is_cut, self._size = bool(rest), len(content) - len(rest)
        for number, line in enumerate(lines, start=1):
            try:
                said: Any = json.loads(line) if line.strip() else []
                if number > 1:
                    for one in said if isinstance(said, list) else [said]:
                        self._add(Decision(**one))
                elif said["digest"] != self.digest:
                    raise RunError(
                        f"{self.path} is the journal of another table, or of {self.table.name} "
                        "before it was written anew: move it away, or bring that table back"
                    )
            except (ValueError, TypeError, KeyError):
                raise RunError(f"{self.path} is broken: line {number} is no decision") from None

    @contextmanager
    def held(self) -> Iterator[Self]:
        """Keep other processes from writing meanwhile; `RunError` where one does."""
        with writing(self.path), locked(self.path.with_suffix(".lock"), str(self.path)):
            self._load()  # another process may have written since
            yield self

    def append(self, *decisions: Decision) -> None:
        """Add decisions; they are on the disk when this returns.

        Raises `OutputError` where they cannot be written: then it is as if none had been said.
        """
        store = LocalStore(str(self.path.parent))
        # Several are one line, which is there whole or counts for nothing.
        said = [asdict(decision) for decision in decisions]
        line = _line(said[0] if len(said) == 1 else said)
        if not self._size:
            head = _line({"table": self.table.name, "digest": self.digest})
            store.write(self.path.name, head)
            self._size = len(head)
        self._drop_rest()
        try:
            store.append(self.path.name, line)
        except OutputError:
            self._drop_rest()
            raise
        self._size += len(line)
        for decision in decisions:
            self._add(decision)

    def _drop_rest(self) -> None:
        """Take away what a kill or a full disk left of a line, or a line that was not answered."""
        with writing(self.path):
            os.truncate(self.path, self._size)

    def _add(self, decision: Decision) -> None:
        self.decisions.append(decision)
        looks = self._looks[decision.row]
        if decision.new is not None:
            looks.append(decision)
        elif mine := [look for look in looks if look.who == decision.who]:
            looks.remove(mine[-1])

    def looks(self, row: int) -> list[Decision]:
        """Return what people said of a row and did not take back, in order."""
        return self._looks.get(row, [])

    def last(self, who: str) -> Decision | None:
        """Return what a person said last and did not take back."""
        mine = (one for one in reversed(self.decisions) if one.who == who)
        return next((one for one in mine if one in self.looks(one.row)), None)

    def answer(self, row: int) -> Decision | None:
        """Return the look that settles a row, `None` where there is none yet."""
        looks = self.looks(row)
        for number, look in enumerate(looks):
            others = (look.old, *(before.new for before in looks[:number]))
            if not look.blind or look.new in others:
                return look
        return None

    def is_open(self, row: int) -> bool:
        """Return whether a row was looked at, and is not settled."""
        return bool(self.looks(row)) and not self.answer(row)


def _line(known: Any) -> bytes:
    return json.dumps(known).encode() + b"\n"
