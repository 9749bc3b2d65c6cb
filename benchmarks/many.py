"""How fast and how flat many pictures are read, on two cores.

    jobs      pictures a second by one job and by two, from PNG files on a disk to a CSV
    sizes     milliseconds a picture and peak memory of all processes, for folders of growing size
    ray       pictures a second by a Ray cluster of two cores and by two jobs, without their start
    start     seconds until the first rows are on the disk, by each engine

All is measured through the command line, as it is used. The pictures are drawn lines, written anew
as files. Prints every figure with its bar and writes `results/many.csv`; with `--parts`, the other
parts keep the figures that they have there. The cluster is one of this machine alone.
"""

import argparse
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks import measuring
from benchmarks.measuring import MEGABYTE, RESULTS, Figure, spread
from benchmarks.pictures import drawn_lines
from inkdigit.images import as_png

# Different pictures; a larger folder has each of them several times.
DRAWN = 1_000
# Ray turns 127.0.0.1 into the machine's address for others; any other loopback address stays.
HEAD = ("127.0.0.2", "6399")


@dataclass(frozen=True)
class Setting:
    """How much is measured, and where the pictures are made."""

    folder: Path
    pngs: list[bytes]
    pictures: int
    sizes: list[int]
    rounds: int

    def scans(self, count: int) -> Path:
        """Return a folder of so many PNG files, made when it is first asked for."""
        folder = self.folder / f"{count}"
        if not folder.exists():
            folder.mkdir()
            for number in range(count):
                (folder / f"{number:07}.png").write_bytes(self.pngs[number % len(self.pngs)])
        return folder


@dataclass(frozen=True)
class Run:
    """What one command took: seconds in all, seconds and pictures of its start, peak bytes."""

    pictures: int
    seconds: float
    start_seconds: float
    start_pictures: int
    peak: int

    @property
    def rate(self) -> float:
        """Pictures a second, its start included."""
        return self.pictures / self.seconds

    @property
    def warm_rate(self) -> float:
        """Pictures a second from when the first rows were on the disk."""
        return (self.pictures - self.start_pictures) / (self.seconds - self.start_seconds)


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for."""
    measuring.add_parts(parser, PARTS)
    parser.add_argument("--pictures", type=int, default=20_000, metavar="N")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=3)
    measuring.add_out(parser, RESULTS / "many.csv")


def main(options: argparse.Namespace) -> None:
    """Measure the parts that are asked for, and write the table."""
    measuring.use_cores()
    pngs = [as_png(page) for page in drawn_lines(DRAWN)]
    with tempfile.TemporaryDirectory() as folder:
        setting = Setting(Path(folder), pngs, options.pictures, options.sizes, options.rounds)
        measuring.measure(PARTS, setting, options)


def measure_jobs(setting: Setting) -> Iterator[Figure]:
    """Yield pictures a second by one job and by two, turn about, and how many times as many."""
    scans = setting.scans(setting.pictures)
    one, two = [], []
    for _ in range(setting.rounds):
        one.append(read(scans, "--jobs", "1").rate)
        two.append(read(scans, "--jobs", "2").rate)
    yield spread("jobs", "one job, PNG files to CSV", one, "pictures/s")
    yield spread("jobs", "two jobs, PNG files to CSV", two, "pictures/s", least=400)
    ratios = [many / alone for alone, many in zip(one, two, strict=True)]
    yield spread("jobs", "two jobs, as many times one", ratios, "times", least=1.8)


def measure_sizes(setting: Setting) -> Iterator[Figure]:
    """Yield milliseconds a picture and peak memory for each size, and how they grow."""
    runs = []
    for size in setting.sizes:
        runs.append(run := read(setting.scans(size), "--jobs", "2"))
        name = f"{size:,} pictures"
        yield Figure("sizes", f"{name}, each", 1000 * run.seconds / size, "ms")
        yield Figure("sizes", f"{name}, each, warm", 1000 / run.warm_rate, "ms")
        yield Figure("sizes", f"{name}, peak memory", run.peak / MEGABYTE, "MB")
    first, last = runs[0], runs[-1]
    costs = 100 * (first.warm_rate / last.warm_rate - 1)
    yield Figure("sizes", "cost of each, most against fewest", costs, "%", most=10)
    yield Figure(
        "sizes", "peak, most against fewest", 100 * (last.peak / first.peak - 1), "%", most=20
    )


def measure_ray(setting: Setting) -> Iterator[Figure]:
    """Yield pictures a second by Ray and by two jobs, turn about, each without its start."""
    scans = setting.scans(setting.pictures)
    here, there = [], []
    with ray_cluster() as address:
        for _ in range(setting.rounds):
            here.append(read(scans, "--jobs", "2").warm_rate)
            there.append(read(scans, "--engine", "ray", "--address", address).warm_rate)
    yield spread("ray", "two jobs, warm", here, "pictures/s")
    yield spread("ray", "Ray on two cores, warm", there, "pictures/s")
    ratios = [100 * ray / local for local, ray in zip(here, there, strict=True)]
    yield spread("ray", "Ray, of the local rate", ratios, "%", least=70)


def measure_start(setting: Setting) -> Iterator[Figure]:
    """Yield the seconds until the first rows are on the disk."""
    scans = setting.scans(setting.sizes[0])
    engines = {"one job": ["--jobs", "1"], "two jobs": ["--jobs", "2"]}
    with ray_cluster() as address:
        engines["Ray, its cluster running"] = ["--engine", "ray", "--address", address]
        for name, flags in engines.items():
            took = [read(scans, *flags).start_seconds for _ in range(setting.rounds)]
            yield spread("start", f"first rows, {name}", took, "s")


@contextmanager
def ray_cluster() -> Iterator[str]:
    """Run a Ray cluster of this machine with as many cores as are measured on."""
    host, port = HEAD
    command = measuring.python("-m", "ray.scripts.scripts", "start", "--head", "--block")
    command += ["--node-ip-address", host, "--port", port, "--num-cpus", str(measuring.CORES)]
    command += ["--include-dashboard", "false", "--disable-usage-stats"]
    # It asks for no token, which an earlier cluster may have left here, and ends at once.
    alone = {"RAY_AUTH_MODE": "disabled", "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0"}
    environment = {**os.environ, **alone}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as node:  # noqa: S603
        try:
            if not any("Ray runtime started" in line for line in node.stdout or ()):
                raise SystemExit("Ray did not start")
            yield f"{host}:{port}"
        finally:
            node.terminate()


def read(scans: Path, *flags: str) -> Run:
    """Read a folder to a CSV by the command line, watched."""
    count = sum(1 for _ in os.scandir(scans))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out.csv")
        command = measuring.python("-m", "inkdigit", "read", scans, "-o", out, *flags)
        began = time.perf_counter()
        with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
            said: list[str] = []
            listening = threading.Thread(target=lambda: said.extend(process.stderr or ()))
            listening.start()
            start_seconds, start_pictures = until_first_rows(process, out, began)
            peak = peak_memory(process)
            seconds = time.perf_counter() - began
            listening.join()
        if process.returncode:
            raise SystemExit(f"{' '.join(command)} failed:\n{''.join(said)}")
    return Run(count, seconds, start_seconds, start_pictures, peak)


def until_first_rows(
    process: "subprocess.Popen[str]", out: Path, began: float
) -> tuple[float, int]:
    """Wait until rows are on the disk; return when that was, and how many there were."""
    while process.poll() is None:
        if rows := rows_on_disk(out):
            return time.perf_counter() - began, rows
        time.sleep(0.01)
    return 0.0, 0


def rows_on_disk(out: Path) -> int:
    """Return how many rows lie in the parts that a file is made from."""
    with suppress(FileNotFoundError):
        parts = [part.read_bytes() for part in Path(f"{out}.part").glob("part-*.jsonl")]
        return sum(line.startswith(b'{"source"') for part in parts for line in part.splitlines())
    return 0


def peak_memory(process: "subprocess.Popen[str]") -> int:
    """Wait for a process to end; return the most bytes that it and its children held together.

    What they share, most of it libraries, counts once: as much as one process has of it.
    """
    peak, parent = 0, psutil.Process(process.pid)
    while process.poll() is None:
        with suppress(psutil.NoSuchProcess):
            held = [one.memory_info() for one in (parent, *parent.children(recursive=True))]
            shared = [memory.shared for memory in held]
            peak = max(peak, sum(memory.rss for memory in held) - sum(shared) + max(shared))
        time.sleep(0.05)
    return peak


PARTS: dict[str, Callable[[Setting], Iterator[Figure]]] = {
    "jobs": measure_jobs,
    "sizes": measure_sizes,
    "ray": measure_ray,
    "start": measure_start,
}
