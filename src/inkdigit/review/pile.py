"""A pile of fields that several people work through: each is handed to one of them at a time."""

import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain, islice
from math import ceil
from threading import Lock
from typing import Any

from inkdigit.errors import RunError, SettingError
from inkdigit.review.fields import Field
from inkdigit.review.journal import Decision, Journal, as_keyed

# Who has not been heard of for so many seconds has gone, and what they held is free again.
_GONE = 300


class Pile:
    """Fields in the order in which they are handed out, and the journal that they are settled in.

    If `blind`, what was read is hidden. Where a person agrees with it, or two persons agree, a
    field is settled; where not, it comes back last, and all is shown. Safe for several threads.
    """

    def __init__(self, fields: Sequence[Field], journal: Journal, *, blind: bool = False) -> None:
        self._journal, self.blind = journal, blind
        self._fields = {field.row: field for field in fields}
        left = [row for row in self._fields if not journal.answer(row)]
        self._left = OrderedDict.fromkeys(sorted(left, key=journal.is_open))
        # Who holds a field; the first of each person is what they look at.
        self._held = dict[int, str]()
        # Who looks at all that they hold, in a grid.
        self._in_grid = set[str]()
        self._heard = dict[str, float]()
        self._lock = Lock()

    @property
    def counts(self) -> dict[str, int]:
        """How many fields there are in `total`, and how many are `left`."""
        return {"total": len(self._fields), "left": len(self._left)}

    def field(self, row: int) -> Field:
        """Return a field by its row; `SettingError` where it is none of the pile."""
        if row not in self._fields:
            raise SettingError(f"row {row} is not for review")
        return self._fields[row]

    def take(self, who: str, count: int, *, alike: bool = False) -> list[dict[str, Any]]:
        """Return at most so many fields that a person holds from now on, as the page needs them.

        Nor are they more than a fair share of what is left. The first is the one that they look at.
        If `alike`, all were read as the first was, but where that is hidden. Where nothing is free,
        they come from the end of what others hold and do not look at yet.
        """
        alike = alike and not self.blind
        with self._lock:
            self._heard[who] = time.monotonic()
            (self._in_grid.add if alike else self._in_grid.discard)(who)
            rows = self._open_to(who)
            if alike:
                rows = self._open_to(who, next(rows, None))
            people = max(1, sum(map(self._is_here, self._heard)))
            most = min(count, ceil(len(self._left) / people))
            mine = list(islice(rows, most)) or self._spare(who)[-most:]
            if alike:
                mine = [row for row in mine if self._are_alike(row, mine[0])]
            others = {r: one for r, one in self._held.items() if one != who and r not in mine}
            self._held = others | dict.fromkeys(mine, who)
            return [self._shown(row) for row in mine]

    def decide(self, who: str, said: Mapping[int, str], ms: int) -> None:
        """Write down what a person says of fields that they hold, by row, and how long it took.

        Raises `RunError` where one is not theirs any more, and `OutputError` where it cannot be
        written: then all are still theirs.
        """
        with self._lock:
            if any(self._held.get(row) != who for row in said):
                raise RunError("somebody else has this field now")
            looks = [self._look(who, row, new, ms // len(said)) for row, new in said.items()]
            self._journal.append(*looks)
            for row in said:
                del self._held[row]
                self._left.move_to_end(row)
                if self._journal.answer(row):
                    del self._left[row]

    def back(self, who: str) -> None:
        """Take back what a person said last, and hand them that field; `RunError` if nothing."""
        with self._lock:
            last = self._journal.last(who)
            # A blind look belongs to an audit, or to a review that is blind.
            if last is None or last.row not in self._fields or last.blind > self.blind:
                raise RunError("there is nothing to take back")
            self._journal.append(replace(last, when=_now(), new=None, ms=0))
            self._left[last.row] = None
            self._left.move_to_end(last.row, last=False)
            self._held.pop(last.row, None)
            self._held = {last.row: who} | self._held

    def _look(self, who: str, row: int, new: str, ms: int) -> Decision:
        field, blind = self._fields[row], self._is_blind(row, who)
        said = (field.title, field.proposal, as_keyed(new), ms, field.model, blind)
        return Decision(_now(), who, row, *said)

    def _open_to(self, who: str, like: int | None = None) -> Iterator[int]:
        """Yield what a person holds, then what is free: all, or what was read like some field."""
        hand = {row: holder for row, holder in self._held.items() if holder == who}
        for row in chain(hand, (row for row in self._left if row not in hand)):
            alike = like is None or self._are_alike(row, like)
            if alike and (row in hand or self._is_free(row, who)):
                yield row

    def _spare(self, who: str) -> list[int]:
        """Return what a person may have of what others hold: nothing that these look at."""
        looked_at = {holder: row for row, holder in reversed(self._held.items())}
        return [
            row
            for row, holder in self._held.items()
            if holder not in {who, *self._in_grid}
            and row != looked_at[holder]
            and self._may_look(row, who)
        ]

    def _are_alike(self, *rows: int) -> bool:
        return len({self._fields[row].proposal for row in rows}) == 1

    def _is_here(self, who: str) -> bool:
        return time.monotonic() - self._heard.get(who, -_GONE) < _GONE

    def _is_free(self, row: int, who: str) -> bool:
        return not self._is_here(self._held.get(row, "")) and self._may_look(row, who)

    def _may_look(self, row: int, who: str) -> bool:
        """Return whether a field may be a person's: a second look is another's, if there is one."""
        alone = not any(other != who and self._is_here(other) for other in self._heard)
        return not self.blind or alone or len(self._seen(row)) != 1 or who not in self._seen(row)

    def _is_blind(self, row: int, who: str) -> bool:
        return self.blind and len(self._seen(row)) < 2 and who not in self._seen(row)

    def _seen(self, row: int) -> list[str]:
        return [look.who for look in self._journal.looks(row)]

    def _shown(self, row: int) -> dict[str, Any]:
        field, blind = self._fields[row], self._is_blind(row, self._held[row])
        known = {"row": row, "name": field.title, "blind": blind, "boxed": field.box is not None}
        if blind:
            return known
        others = [look.new for look in self._journal.looks(row) if look.new != field.proposal]
        return known | {
            "proposal": field.proposal,
            "second": others[-1] if others else field.second,
            "weakest": field.weakest,
            "reason": f"it was keyed as {others[-1]}" if others else field.reason,
        }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
