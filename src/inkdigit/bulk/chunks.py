"""The unit of work of every engine, a chunk of pictures, and the engine of one machine."""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from itertools import chain, islice
from typing import TYPE_CHECKING

from inkdigit.bulk.rows import ReadJob, Record
from inkdigit.bulk.sources import Picture
from inkdigit.errors import RunError
from inkdigit.processes import WorkerPool, cores, ordered_map, use_one_core

if TYPE_CHECKING:
    from inkdigit.documents.forms import FormReader
    from inkdigit.reading.reader import Reader

# Pictures that are read together, sent to another process and noted as done: enough to fill the
# network, few enough to hold. An input is cut at the same places whatever the engine.
CHUNK = 64


@dataclass(frozen=True)
class Position:
    """How far the input has been gone through, and a digest of all of it up to there."""

    pictures: int = 0
    digest: str = ""


@dataclass(frozen=True)
class Chunk:
    """Some pictures that follow each other in the input, and the position behind them."""

    pictures: tuple[Picture, ...]
    end: Position


@dataclass(frozen=True)
class ChunkResult:
    """What a chunk says: its rows as plain types, and of each the exit code of its failure or 0.

    The input goes on at `end`.
    """

    records: list[Record]
    codes: list[int]
    end: Position


# What engines give; to close it ends what they have started.
Results = Generator[ChunkResult, None, None]


def chunks(pictures: Iterable[Picture], after: Position = Position()) -> Iterator[Chunk]:
    """Yield the pictures behind a position by the chunk, lazily.

    Raises `RunError` where the input up to that position is not what it was.
    """
    changed = RunError(
        f"the input has changed since its first {after.pictures:,} pictures were read: "
        "start anew with --overwrite"
    )
    count, digest = 0, blake2b(digest_size=16)
    for some in _cut(pictures):
        is_new = count >= after.pictures
        count += len(some)
        for picture in some:
            digest.update(picture.key)
        end = Position(count, digest.hexdigest())
        if is_new:
            yield Chunk(some, end)
        elif count >= after.pictures and end != after:
            raise changed
    if count < after.pictures:
        raise changed


def _cut(pictures: Iterable[Picture]) -> Iterator[tuple[Picture, ...]]:
    """Yield so many pictures together, and those of one id, as they are pages of one form."""
    pictures, ahead = iter(pictures), list[Picture]()
    while some := [*ahead, *islice(pictures, CHUNK - len(ahead))]:
        ahead = []
        while some[-1].id is not None and (ahead := list(islice(pictures, 1))):
            if ahead[0].id != some[-1].id:
                break
            some += ahead
        yield tuple(some)


def read_chunk(reader: "Reader | FormReader", job: ReadJob, chunk: Chunk) -> ChunkResult:
    """Read the pictures of a chunk, in order."""
    rows = list(job.rows(reader, chunk.pictures))
    return ChunkResult(
        [row.to_dict(job.columns) for row in rows], [row.code for row in rows], chunk.end
    )


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
