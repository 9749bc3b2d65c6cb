"""How far a reading is, and how a person sees it: a bar on a terminal, or lines."""

import sys
from collections.abc import Callable, Mapping, Sequence
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


class _Lines:
    """Where there is no terminal: each state of a bar is a line."""

    def write(self, state: str) -> None:
        if line := state.strip():
            say(line)

    def flush(self) -> None:
        pass


class Display:
    """Shows progress on stderr: rate, time left and counts, failures, notes.

    `worded` puts a sentence of the library into the words of whoever shows it.
    """

    def __init__(self, worded: Callable[[str], str] = str) -> None:
        self._worded = worded
        self._complaints, self._last = 0, ""
        self._bar: Any = None
        self.counting: Thread | None = None

    def show(self, progress: Progress) -> None:
        """Show how far it is, and what failed."""
        if progress.count and not self.counting:
            self._begin(progress.pictures, progress.count)
        for record in progress.rows:
            if record["status"] == FAILED:
                self._complain(record)
        if progress.note:
            self.close()
            say(self._worded(progress.note))
        elif self.counting:
            self._update(progress)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()

    def _begin(self, pictures: int, count: Callable[[], int]) -> None:
        from tqdm import tqdm

        is_terminal = sys.stderr is not None and sys.stderr.isatty()
        lines = {"file": _Lines(), "ncols": 0, "mininterval": _EVERY, "delay": _EVERY}
        how: dict[str, Any] = {"dynamic_ncols": True} if is_terminal else lines
        self._bar = tqdm(initial=pictures, unit=" pictures", leave=False, **how)
        self.counting = Thread(target=self._count, args=(count,), daemon=True)
        self.counting.start()

    def _count(self, count: Callable[[], int]) -> None:
        # What is wrong with the input is said where it is read.
        with suppress(Exception):
            self._bar.total = count()

    def _update(self, progress: Progress) -> None:
        self._bar.set_postfix_str(str(progress.tally), refresh=False)
        self._bar.update(progress.pictures - self._bar.n)

    def _complain(self, record: Record) -> None:
        if (told := complaint(record)) == self._last:
            return  # each field of a page that is missing says so
        self._complaints, self._last = self._complaints + 1, told
        if self._complaints > _MOST_COMPLAINTS + 1:
            return
        last = self._complaints > _MOST_COMPLAINTS
        told = "further errors are in the table alone" if last else self._worded(told)
        if self._bar is not None:
            self._bar.clear()
        say(told)


def summary(done: int, new: int, seconds: float, tally: Tally, made: Mapping[str, int]) -> str:
    """Return the last lines: how many of each kind, how fast, and what wants review.

    Where something else was made of the rows, it is `made` that is told, by its names.
    """
    from tqdm import tqdm

    again = f" ({done - new:,} of them before)" if done > new else ""
    several = f"{tally.rows:,} rows" if tally.rows > done else ""
    rows = f"{named(made) or several} of " if made or several else ""
    rate, took = new / max(seconds, 1e-9), tqdm.format_interval(seconds)
    fast = f"{rate:,.0f} a second" if rate >= 1 or not new else f"{1 / rate:,.1f} seconds each"
    return counted(f"{rows}{done:,} pictures{again} in {took}, {fast}", tally)


def named(made: Mapping[str, int]) -> str:
    """Return how many there are of what was made, by its names: `2 forms with 14 fields`."""
    return " with ".join(f"{count:,} {name}" for name, count in made.items())


def counted(what: str, tally: Tally) -> str:
    """Return what was read, how many of it have each status, and why some are for review."""
    told = f"{what}: {tally}"
    most = [f"{count:,} × {reason}" for reason, count in tally.reasons.most_common(3)]
    return f"{told}\nfor review: {'; '.join(most)}" if most else told


def complaint(record: Record) -> str:
    """Return a failure's sentence on one line, with the picture's name if it is not there yet."""
    source, sentence = record["source"], record["error"]
    named = source != STDIN and source in sentence
    return escape_controls(sentence if named else f"{source}: {sentence}")


def say(message: str) -> None:
    """Print lines to stderr; whoever read them may have gone, and the work goes on."""
    with suppress(BrokenPipeError, AttributeError):
        print("\n".join(map(escape_controls, message.split("\n"))), file=sys.stderr)  # noqa: T201
