import os
import signal
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

import pytest

from inkdigit.bulk.chunks import CHUNK, Chunk, Position, chunks, read_locally
from inkdigit.bulk.rows import ReadJob
from inkdigit.bulk.sources import Picture
from inkdigit.errors import InkdigitError, RunError, SettingError
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.reader import LINE_MODEL


def named(first: int, last: int) -> list[Picture]:
    return [Picture(f"{number}.png", f"{number}.png") for number in range(first, last)]


def test_chunks_follow_each_other_lazily() -> None:
    endless = (Picture(f"{number}.png", "x") for number in count())
    first, second = islice(chunks(endless), 2)
    assert (len(first.pictures), len(second.pictures)) == (CHUNK, CHUNK)
    assert next(endless).name == f"{2 * CHUNK}.png"
    assert second.end.pictures == 2 * CHUNK


def test_what_is_done_is_left_out() -> None:
    pictures = named(0, 3 * CHUNK + 5)
    whole = list(chunks(pictures))
    for number, chunk in enumerate(whole, start=1):
        assert list(chunks(pictures, chunk.end)) == whole[number:]


@pytest.mark.parametrize(
    "changed", [named(1, 3 * CHUNK), named(0, 10), [], [*named(0, 5), *named(6, 3 * CHUNK)]]
)
def test_an_input_that_has_changed_is_refused(changed: list[Picture]) -> None:
    _, second, _ = chunks(named(0, 3 * CHUNK))
    with pytest.raises(RunError, match="the input has changed since its first 128 pictures"):
        list(chunks(changed, second.end))


def test_an_input_that_has_grown_within_a_chunk_is_refused() -> None:
    *_, last = chunks(named(0, CHUNK + 5))
    with pytest.raises(RunError, match="has changed"):
        list(chunks(named(0, CHUNK + 6), last.end))


def test_what_is_asked_of_a_picture_belongs_to_it() -> None:
    (chunk,) = chunks([Picture("a", "a", page=1)])
    (other,) = chunks([Picture("a", "a", page=2)])
    assert chunk.end != other.end
    assert chunk.end != Position(1)


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
