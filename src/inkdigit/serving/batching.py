"""Pictures of concurrent requests, read together by a few threads behind a bounded queue."""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from inkdigit.reading.options import ReadOptions
from inkdigit.reading.reader import Result
from inkdigit.serving.settings import Settings

_T = TypeVar("_T")
ReadBatch = Callable[[Sequence[bytes], ReadOptions], list[Result]]


class Unavailable(Exception):  # noqa: N818  (no error of the service)
    """What cannot be had now, and may well be a moment later."""


class QueueFull(Unavailable):
    """The queue has no place left."""


@dataclass(frozen=True, eq=False)
class _Job:
    source: bytes
    options: ReadOptions
    result: asyncio.Future[Result]


class Batcher:
    """Reads pictures in threads, those together that wait together under the same options.

    Nobody waits for a batch to fill: whatever waits when a thread is free goes at once, so batches
    grow with the load. To be used within one event loop.
    """

    def __init__(
        self,
        settings: Settings,
        read_batch: ReadBatch,
        on_change: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._settings, self._read_batch, self._on_change = settings, read_batch, on_change
        self._pool = ThreadPoolExecutor(settings.threads, thread_name_prefix="reading")
        self._idle = settings.threads
        self._waiting: deque[_Job] = deque()
        self.taken = 0

    def check_room(self, count: int = 1) -> None:
        """Raise `QueueFull` unless so many places are free."""
        if self.taken + count > self._settings.queue:
            raise QueueFull("the service is busy: try again in a moment")

    @contextmanager
    def places(self, count: int = 1) -> Iterator[None]:
        """Take places in the queue, one for each file, until it is answered or its client gone.

        Raises `QueueFull` where there are not so many.
        """
        self.check_room(count)
        self._take(count)
        try:
            yield
        finally:
            self._take(-count)

    async def read(self, source: bytes, options: ReadOptions) -> Result:
        """Return the reading of a picture, or the error that it met; needs a place."""
        job = _Job(source, options, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        self._start()
        return await job.result

    async def run(self, work: Callable[[], _T]) -> _T:
        """Return what other work of a reading gives, done by the same threads."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Wait for what is being read."""
        self._pool.shutdown()

    def _take(self, count: int) -> None:
        self.taken += count
        self._on_change(self.taken)

    def _start(self) -> None:
        while self._idle and (jobs := self._next()):
            self._idle -= 1
            read = partial(self._read_batch, [job.source for job in jobs], jobs[0].options)
            running = asyncio.get_running_loop().run_in_executor(self._pool, read)
            running.add_done_callback(partial(self._finish, jobs))

    def _next(self) -> list[_Job]:
        """Take the job that has waited longest, and others that can be read with it."""
        waiting = [job for job in self._waiting if not job.result.done()]
        alike = [job for job in waiting if job.options == waiting[0].options]
        alike = alike[: self._settings.batch]
        chosen = set(map(id, alike))
        self._waiting = deque(job for job in waiting if id(job) not in chosen)
        return alike

    def _finish(self, jobs: list[_Job], running: asyncio.Future[list[Result]]) -> None:
        self._idle += 1
        error = running.exception()
        for i, job in enumerate(jobs):
            if job.result.done():  # its client has gone
                continue
            if error:
                job.result.set_exception(error)
            else:
                job.result.set_result(running.result()[i])
        self._start()
