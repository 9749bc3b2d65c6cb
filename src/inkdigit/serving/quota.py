"""What requests share, each up to a limit: places to be read, and memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Unavailable(Exception):  # noqa: N818  (no error of the service)
    """What cannot be had now, and may well be a moment later."""


class QuotaFull(Unavailable):
    """So much is not left."""


class Quota:
    """So much of something, of which each request takes its share until its end."""

    def __init__(
        self, limit: int, busy: str, on_change: Callable[[int], object] = lambda _: None
    ) -> None:
        self._limit, self._busy, self._on_change, self.taken = limit, busy, on_change, 0

    def check(self, count: int = 1) -> None:
        """Raise `QuotaFull`, which says that the service is busy, unless so much is left."""
        if self.taken + count > self._limit:
            raise QuotaFull(self._busy)

    @contextmanager
    def share(self, count: int = 0) -> Iterator[Callable[[int], None]]:
        """Take so much, and yield what takes more; all of it is given back at the end.

        Raises `QuotaFull` where so much is not left.
        """
        mine = 0

        def take(more: int) -> None:
            nonlocal mine
            self.check(more)
            mine += more
            self._add(more)

        take(count)
        try:
            yield take
        finally:
            self._add(-mine)

    def _add(self, count: int) -> None:
        self.taken += count
        self._on_change(self.taken)
