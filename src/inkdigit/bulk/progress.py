"""How far a reading is, and how a person sees it: a bar on a terminal, or lines."""

import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread
from typing import Any

from inkdigit.bulk.rows import Record, Tally
from inkdigit.bulk.sources import STDIN
from inkdigit.errors import escape_controls
from inkdigit.reading.result import FAILED

# Seconds between two lines where there is no terminal.
_EVERY = 10
_MOST_COMPLAINTS = 20


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a reading is, and what came since the last time.

    `pictures` are done, those of an earlier run as well; `tally` counts their rows. `rows` are new.
    `count` says how many pictures there are in all, which may take long; `None` where nobody waits.
    `note` is a sentence for people.
    """

    tally: Tally
    pictures: int = 0
    rows: Sequence[Record] = ()
    count: Callable[[], int] | None = None
    note: str = ""


class Display:
    """Shows progress on stderr: rate, time left and counts, failures, notes."""

    def __init__(self) -> None:
        self._first: Progress | None = None
        self._began = self._told = time.monotonic()
        self._total, self._complaints = 0, 0
        self._bar: Any = None

    def show(self, progress: Progress) -> None:
        """Show how far it is, and what failed."""
        if progress.count and not self._first:
            self._begin(progress, progress.count)
        for record in progress.rows:
            if record["status"] == FAILED:
                self._complain(record)
        if progress.note:
            self.close()
            say(progress.note)
        elif self._first:
            self._update(progress, self._first)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()

    def _begin(self, first: Progress, count: Callable[[], int]) -> None:
        self._first = first
        self._began = self._told = time.monotonic()
        self.counting = Thread(target=self._count, args=(count,), daemon=True)
        self.counting.start()
        if sys.stderr is not None and sys.stderr.isatty():
            from tqdm import tqdm

            how = {"unit": " pictures", "leave": False, "dynamic_ncols": True}
            self._bar = tqdm(initial=first.pictures, **how)

    def _count(self, count: Callable[[], int]) -> None:
        # What is wrong with the input is said where it is read.
        with suppress(Exception):
            self._total = count()

    def _update(self, progress: Progress, first: Progress) -> None:
        if self._bar is not None:
            self._bar.total = self._total or None
            self._bar.set_postfix_str(str(progress.tally), refresh=False)
            self._bar.update(progress.pictures - self._bar.n)
        elif time.monotonic() - self._told >= _EVERY:
            self._told = time.monotonic()
            rate = (progress.pictures - first.pictures) / max(self._told - self._began, 1e-9)
            total, left = "?", "?"
            if self._total:
                total = f"{self._total:,}"
                left = duration((self._total - progress.pictures) / rate) if rate else "?"
            done = f"{progress.pictures:,} of {total} pictures"
            say(f"{done}, {rate:,.0f} a second, {left} left: {progress.tally}")

    def _complain(self, record: Record) -> None:
        self._complaints += 1
        if self._complaints > _MOST_COMPLAINTS + 1:
            return
        last = self._complaints > _MOST_COMPLAINTS
        told = "further errors are in the table alone" if last else complaint(record)
        if self._bar is None:
            say(told)
        else:
            self._bar.write(told, file=sys.stderr)


def summary(done: int, new: int, seconds: float, tally: Tally) -> str:
    """Return the last lines: how many of each kind, how fast, and what wants review."""
    again = f" ({done - new:,} of them before)" if done > new else ""
    rows = f"{tally.rows:,} rows of " if tally.rows > done else ""
    rate = new / max(seconds, 1e-9)
    told = f"{rows}{done:,} pictures{again} in {duration(seconds)}, {rate:,.0f} a second: {tally}"
    most = [f"{count:,} × {reason}" for reason, count in tally.reasons.most_common(3)]
    return f"{told}\nfor review: {'; '.join(most)}" if most else told


def complaint(record: Record) -> str:
    """Return a failure's sentence on one line, with the picture's name if it is not there yet."""
    source, sentence = record["source"], record["error"]
    named = source != STDIN and source in sentence
    return escape_controls(sentence if named else f"{source}: {sentence}")


def duration(seconds: float) -> str:
    """Return a time in words short enough for a line."""
    minutes, seconds = divmod(round(seconds, 1 if seconds < 10 else None), 60)
    hours, minutes = divmod(int(minutes), 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds:.0f} s" if minutes else f"{seconds:g} s"


def say(message: str) -> None:
    """Print lines to stderr; whoever read them may have gone, and the work goes on."""
    with suppress(BrokenPipeError, AttributeError):
        print("\n".join(map(escape_controls, message.split("\n"))), file=sys.stderr)  # noqa: T201
