import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from inkdigit.bulk.chunks import CHUNK, Chunk, chunks
from inkdigit.bulk.pool import read_locally
from inkdigit.bulk.rows import ReadJob
from inkdigit.bulk.sources import Picture
from inkdigit.errors import InkdigitError, SettingError
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.reader import LINE_MODEL

WORK = ReadJob()


def unopened(count: int, taken: list[Chunk]) -> Iterator[Chunk]:
    """Chunks of pictures that are not there, noted when they are taken up."""
    names = (Picture(f"{number}.png", "/nowhere.png") for number in range(count))
    for chunk in chunks(names):
        taken.append(chunk)
        yield chunk


def test_no_more_is_taken_up_than_the_processes_have_use_for() -> None:
    taken: list[Chunk] = []
    done = read_locally(unopened(50 * CHUNK, taken), WORK, jobs=2)
    assert next(done).end.pictures == CHUNK
    assert len(taken) <= 8
    assert [next(done).end.pictures for _ in range(9)] == [n * CHUNK for n in range(2, 12)][:9]
    assert len(taken) <= 17
    done.close()


def test_a_process_that_dies_is_one_sentence() -> None:
    done = read_locally(unopened(50 * CHUNK, []), WORK, jobs=2)
    next(done)
    (victim, *_) = children()
    os.kill(victim, signal.SIGKILL)
    with pytest.raises(InkdigitError, match="a process that reads came to an end"):
        list(done)


def children() -> list[int]:
    """Processes that read for this one (Linux)."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        state = path.read_text().rpartition(")")[2].split()
        if int(state[1]) == os.getpid() and b"spawn_main" in path.with_name("cmdline").read_bytes():
            found.append(int(path.parent.name))
    return found


def test_what_a_model_does_not_read_is_told() -> None:
    job = ReadJob(LINE_MODEL, ReadOptions(single=True))
    with pytest.raises(SettingError, match="reads lines, and no single digits"):
        list(read_locally(unopened(3 * CHUNK, []), job, jobs=2))
