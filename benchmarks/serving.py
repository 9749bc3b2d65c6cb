"""How the service bears load, on two cores that it shares with who asks.

    speed      single crops a second at 32 connections, read in batches and one by one turn about;
               how long an answer takes at 100 requests a second
    overload   five times the requests that it can take, for a minute, and how soon it is itself
               again
    hostile    the attacks of tests/serving/test_hostile.py over and over, and schemathesis on the
               OpenAPI (`--schemathesis PATH`, where it is not beside this Python)
    steady     ten minutes of lines, digits, documents and what cannot be read: what it holds

All requests go to a service that is started here, on this machine. `--brief` takes a few seconds of
each, to see that it works, and writes nothing. Prints every figure with its bar and writes
`results/serving.csv`; with `--parts`, the other parts keep the figures that they have there.
"""

import argparse
import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import psutil

from benchmarks import measuring
from benchmarks.http_load import Answer, Question, closed_loop, open_loop, post
from benchmarks.measuring import MEGABYTE, RESULTS, ROOT, Figure, spread
from benchmarks.pictures import drawn_lines
from inkdigit import Reader
from inkdigit.images import as_png

CONNECTIONS, CROPS = 32, 256
# A slice of so many seconds is normal if its median is within so many times that of before.
SLICE, NORMAL = 0.5, 2


@dataclass(frozen=True)
class Setting:
    """What is measured with: requests, and seconds of each part."""

    lines: list[Question]
    digits: list[Question]
    mixed: list[Question]
    speed: float
    overload: float
    steady: float
    rounds: int
    attacks: int
    schemathesis: str | None


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for."""
    measuring.add_parts(parser, PARTS)
    parser.add_argument("--brief", action="store_true")
    parser.add_argument("--schemathesis", type=os.path.abspath, metavar="PATH")
    measuring.add_out(parser, RESULTS / "serving.csv")


def main(options: argparse.Namespace) -> None:
    """Measure the parts that are asked for, and write the table."""
    measuring.use_cores()
    if options.brief:
        options.out = None
    measuring.measure(PARTS, setting_of(options), options, " with the load generator")


def setting_of(options: argparse.Namespace) -> Setting:
    """Draw the pictures, and read them once without a service to know what is right."""
    reader, pngs = Reader.load(), [as_png(page) for page in drawn_lines(CROPS)]
    lines, digits = (
        [
            Question(post(f"/v1/read?single={single}", content, "image/png"), reading.digits)
            for content, reading in zip(pngs, reader.read_batch(pngs, single=single), strict=True)
        ]
        for single in (False, True)
    )
    brief = options.brief
    return Setting(
        lines=lines,
        digits=digits,
        mixed=[*lines, *digits, *refused(pngs)],
        speed=3 if brief else 7,
        overload=3 if brief else 60,
        steady=6 if brief else 600,
        rounds=1 if brief else 3,
        attacks=1 if brief else 100,
        schemathesis=options.schemathesis or shutil.which("schemathesis"),
    )


def refused(pngs: list[bytes]) -> list[Question]:
    """Return requests that must be refused: cut, no pictures, options without sense."""
    return [
        *(Question(post("/v1/read", png[: len(png) // 2], "image/png"), None) for png in pngs[:16]),
        Question(post("/v1/read", b"nothing", "image/png"), None),
        Question(post("/v1/read", pngs[0], "text/plain"), None),
        Question(post("/v1/read?pattern=%5Cd%7B", pngs[0], "image/png"), None),
    ]


@dataclass(frozen=True)
class Service:
    """A service that runs."""

    port: int
    process: subprocess.Popen[str]
    log: Path

    def held(self) -> float:
        """Return the megabytes of memory that it holds."""
        return psutil.Process(self.process.pid).memory_info().rss / MEGABYTE

    def requests(self, statuses: str) -> int:
        """Return how many requests it answered with statuses of this pattern."""
        text = self.get("/metrics")
        found = re.findall(rf'^inkdigit_requests_total{{.*status="{statuses}"}} (\S+)', text, re.M)
        return int(sum(map(float, found)))

    def ready(self) -> bool:
        """Return whether its models are warm."""
        try:
            return bool(self.get("/ready"))
        except OSError:
            return False

    def get(self, path: str) -> str:
        """Return what it answers."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return str(answer.read().decode())


@contextmanager
def service(*flags: str) -> Iterator[Service]:
    """Start a service on a free port of this machine, ready and warm, and end it afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        with log.open("w") as stream:
            command = measuring.python("-m", "inkdigit", "serve", "--port", "0", *flags)
            process = subprocess.Popen(command, stderr=stream, text=True)  # noqa: S603
        try:
            while not (found := re.search(r"http://127.0.0.1:(\d+)", log.read_text())):
                time.sleep(0.05)
            started = Service(int(found[1]), process, log)
            while not started.ready():
                time.sleep(0.05)
            yield started
        finally:
            process.terminate()
            process.wait(60)


def run_closed(flags: list[str], questions: list[Question], seconds: float) -> list[Answer]:
    """Ask a new service on 32 connections, after a second to grow warm."""
    with service(*flags) as started:
        asyncio.run(closed_loop(started.port, questions, CONNECTIONS, min(1, seconds)))
        return asyncio.run(closed_loop(started.port, questions, CONNECTIONS, seconds))


def measure_speed(setting: Setting) -> Iterator[Figure]:
    """Yield requests a second, in batches and one by one, and the latency at 100 a second."""
    for name, questions in (("lines", setting.lines), ("digits", setting.digits)):
        took: dict[str, list[float]] = {"16": [], "1": []}
        wrong = 0
        for _ in range(setting.rounds):
            for batch, rates in took.items():
                answers = run_closed(["--batch", batch], questions, setting.speed)
                rates.append(len(answers) / setting.speed)
                wrong += sum(answer.status != 200 or not answer.right for answer in answers)
        rates = took["16"]
        yield spread("speed", f"{name}, 32 connections", rates, "requests/s", least=300)
        yield spread("speed", f"{name}, the same one by one", took["1"], "requests/s")
        ratio = [ours / theirs for ours, theirs in zip(rates, took["1"], strict=True)]
        yield spread("speed", f"{name}, in batches as many times", ratio, "times")
        yield Figure("speed", f"{name}, errors and wrong texts", wrong, "requests", most=0)
        yield from latency(name, questions, setting.speed)


def latency(name: str, questions: list[Question], seconds: float) -> Iterator[Figure]:
    """Yield how long an answer takes at 100 requests a second."""
    with service() as started:
        asyncio.run(open_loop(started.port, questions, lambda _: 50, min(2, seconds)))
        answers = asyncio.run(open_loop(started.port, questions, lambda _: 100, seconds))
    took = [1000 * answer.took for answer in answers]
    yield spread("speed", f"{name}, median at 100 requests/s", took, "ms", most=15)
    for share in (95, 99):
        value = float(np.percentile(took, share))
        yield Figure("speed", f"{name}, {share}th percentile at 100 requests/s", value, "ms")


def measure_overload(setting: Setting) -> Iterator[Figure]:
    """Yield what becomes of five times the capacity, and of the seconds after it."""
    before, after = min(10, setting.overload), 10.0
    rush_ends = before + setting.overload
    with service() as started:
        closed = closed_loop(started.port, setting.lines, CONNECTIONS, before)
        capacity = len(asyncio.run(closed)) / before
        calm = started.held()

        def rate(moment: float) -> float:
            return 5 * capacity if before <= moment < rush_ends else min(50, capacity / 3)

        async def with_memory() -> tuple[list[Answer], float]:
            asking = asyncio.create_task(
                open_loop(started.port, setting.lines, rate, rush_ends + after)
            )
            most = 0.0
            while not asking.done():
                most = max(most, started.held())
                await asyncio.sleep(0.2)
            return await asking, most

        answers, most = asyncio.run(with_memory())
    rush = [answer for answer in answers if before <= answer.asked < rush_ends]
    yield Figure("overload", "capacity", capacity, "requests/s")
    yield Figure("overload", "asked", len(rush) / setting.overload, "requests/s")
    read = sum(answer.status == 200 for answer in rush) / setting.overload
    yield Figure("overload", "read meanwhile", read, "requests/s")
    unclean = sum(not answer.right for answer in answers)
    yield Figure("overload", "neither right nor a clean 503", unclean, "requests", most=0)
    yield Figure("overload", "held before", calm, "MB")
    yield Figure("overload", "held at most", most, "MB", most=round(calm) + 400)
    yield Figure(
        "overload", "normal again after", recovery(answers, before, rush_ends), "s", most=2
    )


def recovery(answers: list[Answer], before: float, rush_ends: float) -> float:
    """Return the seconds from the rush's end until nothing is refused and all is as quick again."""
    usual = median(answer.took for answer in answers if answer.asked < before)
    slices: defaultdict[int, list[Answer]] = defaultdict(list)
    for answer in answers:
        if answer.asked >= rush_ends:
            slices[int((answer.asked - rush_ends) / SLICE)].append(answer)
    rough = [
        number
        for number, some in slices.items()
        if any(answer.status != 200 for answer in some)
        or median(answer.took for answer in some) > NORMAL * usual
    ]
    return SLICE * (max(rough, default=-1) + 1)


def measure_hostile(setting: Setting) -> Iterator[Figure]:
    """Yield what became of attacks."""
    sys.path.insert(0, str(ROOT / "tests" / "serving"))
    from test_hostile import ATTACKS, received, send  # type: ignore[import-not-found]

    with service() as started:
        for _ in range(setting.attacks):
            for sent, _ in ATTACKS.values():
                with socket.create_connection(("127.0.0.1", started.port), timeout=60) as client:
                    send(client, sent)
                    received(client)
        if setting.schemathesis:
            count = "50" if setting.attacks == 1 else "2000"
            address = f"http://127.0.0.1:{started.port}/openapi.json"
            command = [setting.schemathesis, "run", address, "--max-examples", count]
            command += ["--checks", "not_a_server_error", "--continue-on-failure", "--no-color"]
            # It leaves what it found where it runs.
            with tempfile.TemporaryDirectory() as folder:
                subprocess.run(command, check=False, timeout=3600, cwd=folder)  # noqa: S603
        else:
            print("schemathesis is left out: it is not installed")
        sample = closed_loop(started.port, setting.lines, 4, 2)
        wrong = sum(not answer.right for answer in asyncio.run(sample))
        yield Figure("hostile", "requests", started.requests(r"\d+"), "requests", least=2000)
        bad = started.requests(r"5\d\d") - started.requests("503")
        yield Figure("hostile", "answered 5xx but 503", bad, "requests", most=0)
        traces = started.log.read_text().count("Traceback")
        yield Figure("hostile", "tracebacks in the log", traces, "requests", most=0)
        yield Figure("hostile", "wrong readings afterwards", wrong, "requests", most=0)


def measure_steady(setting: Setting) -> Iterator[Figure]:
    """Yield what the service holds after a tenth of the time, and at its end."""
    with service() as started:
        early_for = setting.steady / 10
        answers = asyncio.run(closed_loop(started.port, setting.mixed, 8, early_for))
        early = started.held()
        rest = closed_loop(started.port, setting.mixed, 8, setting.steady - early_for)
        answers += asyncio.run(rest)
        late = started.held()
    yield Figure("steady", "requests", len(answers), "requests")
    unclean = sum(not answer.right for answer in answers)
    yield Figure("steady", "neither right nor cleanly refused", unclean, "requests", most=0)
    yield Figure("steady", "held after a tenth of the time", early, "MB")
    yield Figure("steady", "held at the end", late, "MB")
    yield Figure("steady", "growth between", 100 * (late / early - 1), "%", most=5)


PARTS: dict[str, Callable[[Setting], Iterator[Figure]]] = {
    "speed": measure_speed,
    "overload": measure_overload,
    "hostile": measure_hostile,
    "steady": measure_steady,
}
