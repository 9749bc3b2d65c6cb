"""What a person sees while many pictures are read: a bar on a terminal, else lines."""

import sys
import time
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from typing import Any

from inkdigit.bulk.chunks import ChunkResult
from inkdigit.bulk.plain import plain
from inkdigit.bulk.rows import Record
from inkdigit.bulk.sources import STDIN
from inkdigit.bulk.tally import Tally
from inkdigit.reading.row import FAILED

# Seconds between two lines where there is no terminal.
_EVERY = 10
_MOST_COMPLAINTS = 20


class Progress:
    """Rate, time left and counts on stderr, silent if asked to be."""

    def __init__(self, count: Callable[[], int], done: int, tally: Tally, *, quiet: bool) -> None:
        """Begin with so many pictures `done`; `count` tells how many there are, and may be slow."""
        self._tally, self._quiet = tally, quiet
        self._first, self._began, self._told = done, time.monotonic(), time.monotonic()
        self._done, self._total, self._complaints = done, 0, 0
        self._bar = self._make_bar() if not quiet and _is_terminal() else None
        self.counting = Thread(target=self._count, args=(count,), daemon=True)
        if not quiet:
            self.counting.start()

    @property
    def seconds(self) -> float:
        """How long this has been going on."""
        return time.monotonic() - self._began

    @property
    def rate(self) -> float:
        """Pictures a second."""
        return (self._done - self._first) / max(self.seconds, 1e-9)

    def reached(self, done: ChunkResult) -> None:
        """Show how far it is with this chunk, and what failed in it."""
        self._done = done.end.pictures
        if self._quiet:
            return
        for record in done.records:
            if record["status"] == FAILED:
                self._complain(record)
        if self._bar is not None:
            self._bar.total = self._total or None
            self._bar.set_postfix_str(str(self._tally), refresh=False)
            self._bar.update(self._done - self._bar.n)
        elif time.monotonic() - self._told >= _EVERY:
            self._told = time.monotonic()
            say(self._line())

    def _complain(self, record: Record) -> None:
        self._complaints += 1
        if self._complaints <= _MOST_COMPLAINTS:
            self._say(complaint(record))
        elif self._complaints == _MOST_COMPLAINTS + 1:
            self._say("what else cannot be read is told by the table alone")

    def _say(self, message: str) -> None:
        if self._bar is None:
            say(message)
        else:
            self._bar.write(message, file=sys.stderr)

    def close(self) -> None:
        """Take the bar away."""
        if self._bar is not None:
            self._bar.close()

    def _count(self, count: Callable[[], int]) -> None:
        # What is wrong with the input is said where it is read.
        with suppress(Exception):
            self._total = count()

    def _line(self) -> str:
        left = "?"
        if self._total and self.rate:
            left = duration((self._total - self._done) / self.rate)
        total = f"{self._total:,}" if self._total else "?"
        return (
            f"{self._done:,} of {total} pictures, {self.rate:,.0f} a second, {left} left: "
            f"{self._tally}"
        )

    def _make_bar(self) -> Any:
        from tqdm import tqdm

        return tqdm(initial=self._first, unit=" pictures", leave=False, dynamic_ncols=True)


def summary(done: int, new: int, seconds: float, tally: Tally) -> list[str]:
    """Return the last lines: how many of each kind, how fast, and what wants review."""
    again = f" ({done - new:,} of them before)" if done > new else ""
    rate = new / max(seconds, 1e-9)
    lines = [
        f"{done:,} pictures{again} in {duration(seconds)}, {rate:,.0f} a second: {tally}",
    ]
    if tally.rows > done:
        lines[0] = f"{tally.rows:,} rows of " + lines[0]
    if tally.reasons:
        most = "; ".join(f"{count:,} × {reason}" for reason, count in tally.reasons.most_common(3))
        lines.append(f"for review: {most}")
    return lines


def complaint(record: Record) -> str:
    """Return a failure's sentence on one line, with the picture's name if it is not there yet."""
    source, sentence = record["source"], record["error"]
    named = source != STDIN and source in sentence
    return plain(sentence if named else f"{source}: {sentence}")


def duration(seconds: float) -> str:
    """Return a time in words short enough for a line."""
    minutes, seconds = divmod(round(seconds, 1 if seconds < 10 else None), 60)
    hours, minutes = divmod(int(minutes), 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds:.0f} s" if minutes else f"{seconds:g} s"


def say(message: str) -> None:
    """Print a line to stderr; whoever read it may have gone, and the work goes on."""
    with suppress(BrokenPipeError, AttributeError):
        print(plain(message), file=sys.stderr)  # noqa: T201


def _is_terminal() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()
