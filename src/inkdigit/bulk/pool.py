"""The engine of one machine: processes that each hold a warm reader, results in input order."""

import os
import signal
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from multiprocessing import get_context
from typing import TYPE_CHECKING

from inkdigit.bulk.chunks import Chunk, ChunkResult, ReadJob, read_chunk
from inkdigit.errors import InkdigitError
from inkdigit.processes import end_with_parent, ignore_sigint_in_children

if TYPE_CHECKING:
    from inkdigit.reading.reader import Reader

# Chunks that are asked for ahead of the one that is waited for, for each process: enough that
# none runs dry, few enough to hold.
_AHEAD = 3


def read_locally(
    chunks: Iterator[Chunk], work: ReadJob, jobs: int | None = None
) -> Iterator[ChunkResult]:
    """Yield what each chunk says, in order, read by so many processes: by default one a core.

    A single chunk or a single job is read by this process. Raises `InkdigitError` where a process
    comes to an end, as for want of memory.
    """
    jobs = jobs or cores()
    first = list(islice(chunks, 2))
    chunks = chain(first, chunks)
    if jobs == 1 or len(first) < 2:
        reader = work.reader()
        for chunk in chunks:
            yield read_chunk(reader, work, chunk)
    else:
        yield from _read_in_processes(chunks, work, jobs)


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _read_in_processes(chunks: Iterator[Chunk], work: ReadJob, jobs: int) -> Iterator[ChunkResult]:
    pool = ProcessPoolExecutor(jobs, get_context("spawn"), _start, (work,))
    waiting: deque[Future[ChunkResult]] = deque()
    try:
        for chunk in chunks:
            with ignore_sigint_in_children():
                waiting.append(pool.submit(_read, chunk))
            if len(waiting) > _AHEAD * jobs:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise InkdigitError(
            "a process that reads came to an end, perhaps for want of memory: use fewer --jobs or "
            "a lower --max-pixels"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


_reader: "Reader"
_work: ReadJob


def _start(work: ReadJob) -> None:
    """Make a process ready to read, for as long as its parent lives."""
    global _reader, _work  # what a pool's worker keeps between tasks
    # Ctrl-C reaches every process of a terminal; the parent says when to stop.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    _reader, _work = work.reader(), work


def _read(chunk: Chunk) -> ChunkResult:
    return read_chunk(_reader, _work, chunk)
