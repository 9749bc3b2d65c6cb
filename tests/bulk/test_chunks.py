from itertools import count, islice

import pytest

from inkdigit.bulk.chunks import CHUNK, Position, chunks
from inkdigit.bulk.sources import Picture
from inkdigit.errors import RunError


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
