"""The engine of one machine: processes that each hold a warm reader, results in input order."""

from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING

from inkdigit.bulk.chunks import Chunk, ChunkResult, Results, read_chunk
from inkdigit.bulk.rows import ReadJob
from inkdigit.processes import WorkerPool, cores, ordered_map, use_one_core

if TYPE_CHECKING:
    from inkdigit.documents.forms import FormReader
    from inkdigit.reading.reader import Reader

# Chunks that are asked for ahead of the one that is waited for, for each process: enough that
# none runs dry, few enough to hold.
_AHEAD = 3
_BROKEN = (
    "a process that reads came to an end, perhaps for want of memory: use fewer --jobs or a lower "
    "--max-pixels"
)


def read_locally(chunks: Iterator[Chunk], job: ReadJob, jobs: int | None = None) -> Results:
    """Yield what each chunk says, in order, read by so many processes: by default one a core.

    A single chunk or a single job is read by this process. Raises `InkdigitError` where a process
    comes to an end, as for want of memory.
    """
    jobs = jobs or cores()
    first = list(islice(chunks, 2))
    chunks = chain(first, chunks)
    if jobs == 1 or len(first) < 2:
        reader = job.reader()
        for chunk in chunks:
            yield read_chunk(reader, job, chunk)
        return
    pool = WorkerPool(jobs, _start, job)
    try:
        yield from ordered_map(pool, _read, chunks, ahead=_AHEAD * jobs, broken=_BROKEN)
        pool.shutdown()
    finally:
        pool.end()


_reader: "Reader | FormReader"
_job: ReadJob


def _start(job: ReadJob) -> None:
    """Make a process ready to read."""
    global _reader, _job  # what a pool's worker keeps between tasks
    use_one_core()
    _reader, _job = job.reader(), job


def _read(chunk: Chunk) -> ChunkResult:
    return read_chunk(_reader, _job, chunk)
