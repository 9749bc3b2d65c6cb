"""What the parts share: flags, figures with their bars, tables of results, and the machine."""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import pandas as pd

from inkdigit.files import write_text

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
CORES = 2
MEGABYTE = 1_000_000
PACKAGES = ("inkdigit", "onnxruntime", "numpy", "opencv-python-headless", "pillow")
Setting = TypeVar("Setting")


@dataclass(frozen=True)
class Figure:
    """A median with the range of what was measured, and the bar it has to reach."""

    part: str
    figure: str
    value: float
    unit: str
    low: float | None = None
    high: float | None = None
    least: float | None = None
    most: float | None = None

    @property
    def met(self) -> str:
        """Whether it reaches its bar, nothing where it has none."""
        if self.least is None and self.most is None:
            return ""
        enough = self.least is None or self.value >= self.least
        return "yes" if enough and (self.most is None or self.value <= self.most) else "no"

    def __str__(self) -> str:
        span = "" if self.low is None else f"{self.low:.3f} to {self.high:.3f}"
        bar = "" if self.least is None else f"at least {self.least:g}"
        bar = bar if self.most is None else f"at most {self.most:g}"
        return (
            f"{self.part:8} {self.figure:40} {self.value:10.3f} {self.unit:10} {span:24} {bar:14} "
            f"{self.met}"
        )


def spread(
    part: str,
    figure: str,
    values: list[float],
    unit: str,
    *,
    least: float | None = None,
    most: float | None = None,
) -> Figure:
    """Return the median of what was measured, with its range."""
    middle = statistics.median(values)
    return Figure(part, figure, middle, unit, min(values), max(values), least, most)


def bar(what: str, value: float, least: float) -> str:
    """Return the line of a figure that has to be at least so much."""
    met = "yes" if value >= least else "no"
    return f"{what:56} {value:12,.4f}  at least {least:,g}  {met}"


def add_out(parser: argparse.ArgumentParser, results: Path) -> None:
    """Add --out."""
    parser.add_argument("--out", type=Path, default=results, metavar="FILE")


def add_parts(parser: argparse.ArgumentParser, parts: Iterable[str]) -> None:
    """Add --parts; the others keep the figures that they have."""
    names = tuple(parts)
    parser.add_argument("--parts", nargs="+", choices=names, default=names, metavar="PART")


def add_data(parser: argparse.ArgumentParser, work: str = "") -> None:
    """Add --data-dir, and --work where trainings are kept."""
    parser.add_argument("--data-dir", type=Path, help="where MNIST lies, as for inkdigit train")
    if work:
        parser.add_argument("--work", type=Path, default=Path(work), help="where trainings lie")


def measure(
    parts: dict[str, Callable[[Setting], Iterator[Figure]]],
    setting: Setting,
    options: argparse.Namespace,
    note: str = "",
) -> None:
    """Measure the parts that are asked for, print each figure, and keep them where there is out."""
    figures = []
    for part in options.parts:
        for figure in parts[part](setting):
            figures.append({**asdict(figure), "met": figure.met})
            print(figure, flush=True)
    if options.out:
        table = pd.DataFrame(figures).assign(hardware=hardware() + note, versions=versions())
        keep(with_others(table, options.out, parts), options.out)


def keep(table: pd.DataFrame, path: Path) -> None:
    """Write a table."""
    write_text(path, table.round(6).to_csv(index=False))
    print(f"wrote {path}")


def with_others(
    table: pd.DataFrame, path: Path, order: Iterable[str], by: str = "part", *also: str
) -> pd.DataFrame:
    """Return the table with the parts that were measured before and not now, in this order.

    What is one part has one value `by` this column, and one in each of those that are named also.
    """
    if path.exists():
        before, keys = pd.read_csv(path), [by, *also]
        now = pd.MultiIndex.from_frame(table[keys])
        table = pd.concat([before[~pd.MultiIndex.from_frame(before[keys]).isin(now)], table])
    return in_order(table, order, by)


def in_order(table: pd.DataFrame, order: Iterable[str], by: str) -> pd.DataFrame:
    """Return the table with its rows in the order that the values of a column are given in."""
    places = {part: number for number, part in enumerate(order)}
    return table.sort_values(by, key=lambda parts: parts.map(places), kind="stable")


def seconds(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """Run a command and return what it prints; what fails ends all with what it says."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, cwd=cwd)  # noqa: PLW1510, S603
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stderr or done.stdout}")
    return done.stdout


def hardware() -> str:
    """Return the processor's name, where the system tells it, and how many cores are used."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{names[0] if names else platform.machine()}, {cores} cores"


def use_cores(count: int = CORES) -> None:
    """Keep this process and those that it starts to so many cores, where the system can."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def versions() -> str:
    """Return the versions of Python and of what reading depends on."""
    named = [f"{package} {version(package)}" for package in PACKAGES]
    return f"python {platform.python_version()} {' '.join(named)}"


def python(*arguments: str | Path) -> list[str]:
    """Return the command that runs this Python."""
    return [sys.executable, *map(str, arguments)]
