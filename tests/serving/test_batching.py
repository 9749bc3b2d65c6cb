import asyncio
import threading
from collections.abc import Sequence

import pytest

from inkdigit.errors import ImageError
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.reader import Result
from inkdigit.serving.batching import Batcher
from inkdigit.serving.settings import Settings

FIVE, SIX = ReadOptions(pattern=r"\d{5}"), ReadOptions(pattern=r"\d{6}")


class Reading:
    """Notes what it is asked to read together, once it may go on."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[bytes], ReadOptions]] = []
        self.go = threading.Event()

    def __call__(self, sources: Sequence[bytes], options: ReadOptions) -> list[Result]:
        self.asked.append((list(sources), options))
        assert self.go.wait(60)
        if b"bug" in sources:
            raise ZeroDivisionError
        return [ImageError(source.decode()) for source in sources]


async def busy(batcher: Batcher, reading: Reading) -> asyncio.Task[Result]:
    """Return the task that keeps the only thread busy."""
    task = asyncio.create_task(batcher.read(b"first", FIVE))
    while not reading.asked:
        await asyncio.sleep(0.001)
    return task


def test_what_waits_under_the_same_rules_is_read_together_in_order() -> None:
    async def check() -> None:
        reading = Reading()
        batcher = Batcher(Settings(max_files=1, queue=9, batch=3), reading)
        tasks = [await busy(batcher, reading)]
        for source, options in (
            (b"a", FIVE),
            (b"b", SIX),
            (b"c", FIVE),
            (b"d", FIVE),
            (b"e", FIVE),
        ):
            tasks.append(asyncio.create_task(batcher.read(source, options)))
        await asyncio.sleep(0)
        reading.go.set()
        results = await asyncio.gather(*tasks)
        assert [str(result) for result in results] == ["first", "a", "b", "c", "d", "e"]
        together = [([*map(bytes.decode, sources)], options) for sources, options in reading.asked]
        assert together == [
            (["first"], FIVE), (["a", "c", "d"], FIVE), (["b"], SIX), (["e"], FIVE),
        ]  # fmt: skip
        batcher.close()

    asyncio.run(check())


def test_other_work_waits_for_the_same_threads() -> None:
    async def check() -> None:
        reading = Reading()
        batcher = Batcher(Settings(max_files=1, queue=9, batch=1), reading)
        first = await busy(batcher, reading)
        other = asyncio.create_task(batcher.run(lambda: [*reading.asked]))
        await asyncio.sleep(0.05)
        assert not other.done()
        reading.go.set()
        assert await other == [([b"first"], FIVE)]
        await first
        batcher.close()

    asyncio.run(check())


def test_what_nobody_waits_for_any_more_is_not_read() -> None:
    async def check() -> None:
        reading = Reading()
        batcher = Batcher(Settings(max_files=1, queue=9, batch=1), reading)
        first = await busy(batcher, reading)
        gone, waiting = (asyncio.create_task(batcher.read(s, FIVE)) for s in (b"gone", b"waiting"))
        await asyncio.sleep(0)
        gone.cancel()
        first.cancel()
        await asyncio.sleep(0)
        reading.go.set()
        assert str(await waiting) == "waiting"
        assert [sources for sources, _ in reading.asked] == [[b"first"], [b"waiting"]]
        batcher.close()

    asyncio.run(check())


def test_a_bug_reaches_who_waits_and_the_next_is_read() -> None:
    async def check() -> None:
        reading = Reading()
        reading.go.set()
        batcher = Batcher(Settings(max_files=1, queue=9, batch=1), reading)
        with pytest.raises(ZeroDivisionError):
            await batcher.read(b"bug", FIVE)
        assert str(await batcher.read(b"next", FIVE)) == "next"
        batcher.close()

    asyncio.run(check())
