"""A load generator for `serving.py`: connections that ask and note how long it took.

Why none of the well-known ones: each request here is another picture whose answer must hold the
digits that the model reads in it, a 503 must be a clean one, and the rate changes within a run. Of
those that are packaged, hey posts one picture over and over (which reads faster than many, as all
have one width), wrk holds no rate, autocannon's comes in bursts, one a second, and Locust takes six
times the processor that it shares with the service: 0.42 ms a request, where this takes 0.07, hey
0.08 and wrk 0.02.
"""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import cycle

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Question:
    """A request, and the digits that its answer must hold; `None` where it must be refused."""

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


async def ask(stream: Stream, question: Question) -> Answer:
    """Send a request and take its whole answer."""
    reader, writer = stream
    start = time.perf_counter()
    writer.write(question.request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    body = await reader.readexactly(length)
    took = time.perf_counter() - start
    status = int(head[9:12])
    return Answer(start, took, status, is_right(status, head, json.loads(body), question.expected))


def is_right(status: int, head: bytes, answer: dict[str, object], expected: str | None) -> bool:
    """Return whether an answer is the right reading, a clean refusal, or a clean 503."""
    if status == 200:
        return answer.get("digits") == expected
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
        stream = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            answers.append(await ask(stream, next(turns)))
        stream[1].close()

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
    idle: list[tuple[float, Stream]] = []
    answers: list[Answer] = []

    async def one(due: float, question: Question) -> None:
        try:
            stream = _young(idle) or await asyncio.open_connection("127.0.0.1", port)
            answer = await ask(stream, question)
        except (ConnectionError, asyncio.IncompleteReadError):
            answers.append(Answer(due - start, time.perf_counter() - due, 0, False))
            return
        late = answer.asked - due
        answers.append(replace(answer, asked=due - start, took=answer.took + late))
        idle.append((time.perf_counter(), stream))

    async with asyncio.TaskGroup() as group:
        for due in _moments(start, rate, seconds):
            await asyncio.sleep(max(0, due - time.perf_counter()))
            group.create_task(one(due, next(turns)))
    for _, (_, writer) in idle:
        writer.close()
    return answers


def _young(idle: list[tuple[float, Stream]]) -> Stream | None:
    """Return an idle connection that a client's pool would still trust, and hang up on others."""
    while idle:
        used, stream = idle.pop()
        if time.perf_counter() - used < 4 and not stream[0].at_eof():
            return stream
        stream[1].close()
    return None


def _moments(start: float, rate: Callable[[float], float], seconds: float) -> Iterator[float]:
    due = 0.0
    while due < seconds:
        yield start + due
        due += 1 / rate(due)
