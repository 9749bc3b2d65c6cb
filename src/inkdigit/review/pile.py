"""A pile of fields that several people work through: each is handed to one of them at a time."""

import time
from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
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
        self._journal, self._blind = journal, blind
        self._fields = {field.row: field for field in fields}
        left = [row for row in self._fields if not journal.answer(row)]
        self._left = OrderedDict.fromkeys(sorted(left, key=journal.is_open))
        # Who holds a field, and whether they look at it blind.
        self._held = dict[int, tuple[str, bool]]()
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

    def take(self, who: str, count: int) -> list[dict[str, Any]]:
        """Return the fields that a person holds, filled up to a count, as the page needs them."""
        with self._lock:
            self._heard[who] = time.monotonic()
            mine = [row for row, (holder, _) in self._held.items() if holder == who]
            free = (row for row in self._left if self._is_free(row, who))
            for row in islice(free, max(0, count - len(mine))):
                self._held[row] = (who, self._is_blind(row, who))
                mine.append(row)
            return [self._shown(row) for row in mine]

    def decide(self, who: str, row: int, new: str, ms: int) -> None:
        """Write down what a person says of a field that they hold.

        Raises `RunError` where it is not theirs any more, and `OutputError` where it cannot be
        written: then it is still theirs.
        """
        keyed = as_keyed(new)
        with self._lock:
            holder, blind = self._held.get(row, ("", False))
            if holder != who:
                raise RunError("somebody else has this field now, as nothing was heard from you")
            self._write(who, row, keyed, ms, blind=blind)
            del self._held[row]
            self._left.move_to_end(row)
            if self._journal.answer(row):
                del self._left[row]

    def back(self, who: str) -> dict[str, Any]:
        """Take back what a person said last, and hand them that field; `RunError` if nothing."""
        with self._lock:
            last = self._journal.last(who)
            if last is None or last.row not in self._fields:
                raise RunError("there is nothing to take back")
            self._write(who, last.row, None, 0, blind=last.blind)
            self._left[last.row] = None
            self._left.move_to_end(last.row, last=False)
            self._held[last.row] = (who, last.blind)
            return self._shown(last.row)

    def _write(self, who: str, row: int, new: str | None, ms: int, *, blind: bool) -> None:
        self._heard[who] = time.monotonic()
        field, when = self._fields[row], datetime.now(UTC).isoformat(timespec="milliseconds")
        said = (field.name, field.proposal, new, ms, field.model, blind)
        self._journal.append(Decision(when, who, row, *said))

    def _is_here(self, who: str) -> bool:
        return time.monotonic() - self._heard.get(who, -_GONE) < _GONE

    def _is_free(self, row: int, who: str) -> bool:
        """Return whether a person may have a field: a second look is another's, if there is one."""
        if self._is_here(self._held.get(row, ("", False))[0]):
            return False
        alone = not any(other != who and self._is_here(other) for other in self._heard)
        return not self._blind or alone or len(self._seen(row)) != 1 or who not in self._seen(row)

    def _is_blind(self, row: int, who: str) -> bool:
        return self._blind and len(self._seen(row)) < 2 and who not in self._seen(row)

    def _seen(self, row: int) -> list[str]:
        return [look.who for look in self._journal.looks(row)]

    def _shown(self, row: int) -> dict[str, Any]:
        field, (_, blind) = self._fields[row], self._held[row]
        known = {"row": row, "name": field.name, "blind": blind, "boxed": field.box is not None}
        if blind:
            return known
        others = [look.new for look in self._journal.looks(row) if look.new != field.proposal]
        return known | {
            "proposal": field.proposal,
            "second": others[-1] if others else field.second,
            "weakest": field.weakest,
            "reason": f"it was keyed as {others[-1]}" if others else field.reason,
        }
