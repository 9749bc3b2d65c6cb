"""Pictures of concurrent requests, read together by a few threads."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from inkdigit.reading.options import ReadOptions
from inkdigit.reading.reader import Result
from inkdigit.serving.settings import Settings

_T = TypeVar("_T")
ReadBatch = Callable[[Sequence[bytes], ReadOptions], list[Result]]


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

    def __init__(self, settings: Settings, read_batch: ReadBatch) -> None:
        self._settings, self._read_batch = settings, read_batch
        self._pool = ThreadPoolExecutor(settings.threads, thread_name_prefix="reading")
        self._idle = settings.threads
        self._waiting: list[_Job] = []

    async def read(self, source: bytes, options: ReadOptions) -> Result:
        """Return the reading of a picture, or the error that it met."""
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
        chosen = set(alike)
        self._waiting = [job for job in waiting if job not in chosen]
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
