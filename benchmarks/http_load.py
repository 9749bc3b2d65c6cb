"""A load generator for `benchmarks/serving.py`: connections that ask and note how long it took.

Requests are bytes that were made before, and answers are parsed by hand, so that it takes little
of the processor that it shares with the service.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from typing import Self

_QUIET = 4


@dataclass(frozen=True)
class Question:
    """A request, and the text that its answer must hold; `None` where it must be refused."""

    request: bytes
    expected: str | None


@dataclass(frozen=True)
class Answer:
    """When it was asked, how long the answer took (both in seconds), and what it was worth."""

    asked: float
    took: float
    status: int
    right: bool


def post(path: str, body: bytes, kind: str) -> bytes:
    """Return a request as bytes."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


class Connection:
    """One connection that is kept alive."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._used = time.perf_counter()

    @classmethod
    async def open(cls, port: int) -> Self:
        """Connect to a service on this machine."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def ask(self, question: Question) -> Answer:
        """Send a request and take its whole answer."""
        start = time.perf_counter()
        self._writer.write(question.request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = await self._reader.readexactly(length)
        self._used = time.perf_counter()
        took = self._used - start
        status = int(head[9:12])
        return Answer(start, took, status, _is_right(status, head, body, question.expected))

    @property
    def old(self) -> bool:
        """Whether it was quiet so long that a client's pool would not trust it any more."""
        return self._reader.at_eof() or time.perf_counter() - self._used > _QUIET

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


def _is_right(status: int, head: bytes, body: bytes, expected: str | None) -> bool:
    """Return whether an answer is the right reading, a clean refusal, or a clean 503."""
    answer = json.loads(body)
    if status == 200:
        return bool(answer.get("text") == expected)
    clean = answer["status"] == status and bool(answer["detail"]) and b"problem+json" in head
    if status == 503:
        return clean and b"retry-after:" in head.lower()
    return clean and expected is None


async def closed_loop(
    port: int, questions: list[Question], connections: int, seconds: float
) -> list[Answer]:
    """Ask on so many connections, on each as soon as the last answer is there."""
    turns, end = cycle(questions), time.perf_counter() + seconds
    answers: list[Answer] = []

    async def one() -> None:
        connection = await Connection.open(port)
        while time.perf_counter() < end:
            answers.append(await connection.ask(next(turns)))
        connection.close()

    await asyncio.gather(*(one() for _ in range(connections)))
    return answers


async def open_loop(
    port: int, questions: list[Question], rate: Callable[[float], float], seconds: float
) -> list[Answer]:
    """Ask at a rate (a second, by the seconds since the start), whether answers come or not.

    A request that is late because all connections wait counts from when it was due; one whose
    connection is lost has no status and is not right.
    """
    turns, start = cycle(questions), time.perf_counter()
    idle: list[Connection] = []
    answers: list[Answer] = []

    async def one(due: float, question: Question) -> None:
        while idle and idle[-1].old:
            idle.pop().close()
        try:
            connection = idle.pop() if idle else await Connection.open(port)
            answer = await connection.ask(question)
        except (ConnectionError, asyncio.IncompleteReadError):
            answers.append(Answer(due - start, time.perf_counter() - due, 0, False))
            return
        waited = answer.asked - due
        answers.append(Answer(due - start, answer.took + waited, answer.status, answer.right))
        idle.append(connection)

    async with asyncio.TaskGroup() as group:
        for due in _moments(start, rate, seconds):
            await asyncio.sleep(max(0, due - time.perf_counter()))
            group.create_task(one(due, next(turns)))
    for connection in idle:
        connection.close()
    return answers


def _moments(start: float, rate: Callable[[float], float], seconds: float) -> Iterator[float]:
    due = 0.0
    while due < seconds:
        yield start + due
        due += 1 / rate(due)
