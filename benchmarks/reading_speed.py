"""How fast and how small reading is, on two cores.

    lines     lines a second through `read_batch`, from arrays and from PNG bytes, turn about with
              RapidOCR's recognition of the same lines (`--rapidocr-python`, where this Python has
              not got it)
    one       one crop from bytes to a reading, a line and a single digit
    cold      `inkdigit read one.png` from nothing to its end
    memory    what the process holds after 2,000 and after 20,000 readings
    sizes     the model files and the wheel
    install   a fresh environment with the core install alone; needs a package index

The lines are drawn, so that no pictures are needed; `--hands DIR` takes the lines of real hands
instead. Prints every figure with its bar and writes `results/reading_speed.csv`; with `--parts`,
the other parts keep the figures that they have there.
"""

import argparse
import gc
import sys
import tempfile
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import psutil

from benchmarks import measuring
from benchmarks.measuring import MEGABYTE, RESULTS, ROOT, Figure, run, seconds, spread
from benchmarks.pictures import SETS, drawn_lines, load_sets
from benchmarks.rivals.readers import RapidOCR
from inkdigit import Reader
from inkdigit.images import Grey, as_png, open_grey
from inkdigit.reading.reader import LINE_MODEL, PAGE_MODEL, SINGLE_MODEL

LINES, ROUNDS = 1024, 5
# RapidOCR is slow: this many of the lines are enough to tell how slow.
RAPIDOCR_LINES = 96
CROPS, STARTS = 300, 10
EARLY, LATE, AT_ONCE = 2_000, 20_000, 64


@dataclass(frozen=True)
class Setting:
    """What is measured with."""

    pages: list[Grey]
    rapidocr_python: str | None

    @cached_property
    def pngs(self) -> list[bytes]:
        """The pages as PNG files in memory."""
        return [as_png(page) for page in self.pages]


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for."""
    measuring.add_parts(parser, PARTS)
    parser.add_argument("--hands", type=Path, metavar="DIR")
    parser.add_argument("--rapidocr-python", metavar="PATH")
    measuring.add_out(parser, RESULTS / "reading_speed.csv")


def main(options: argparse.Namespace) -> None:
    """Measure the parts that are asked for, and write the table."""
    measuring.use_cores()
    measuring.measure(PARTS, Setting(lines_of(options.hands), options.rapidocr_python), options)


def lines_of(hands: Path | None) -> list[Grey]:
    """Return lines to read, drawn or by real hands, as many as are read at once."""
    if hands is None:
        return drawn_lines(LINES)
    names = [name for name, known in SETS.items() if not known.single]
    sets = load_sets(hands, names).values()
    found = [open_grey(picture.source) for pictures in sets for picture in pictures]
    if not found:
        raise SystemExit(f"{hands} holds none of the sets {', '.join(names)}")
    return [found[i % len(found)] for i in range(LINES)]


def measure_lines(setting: Setting) -> Iterator[Figure]:
    """Yield lines a second from arrays and from PNG bytes, and how many times RapidOCR's."""
    reader, sources = Reader.load(), {"arrays": setting.pages, "PNG bytes": setting.pngs}
    rates: dict[str, list[float]] = {name: [] for name in (*sources, "rapidocr")}
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.png") for number in range(RAPIDOCR_LINES)]
        for path, content in zip(paths, setting.pngs, strict=False):
            path.write_bytes(content)
        rival = rapidocr(setting)
        for _ in range(1 + ROUNDS):  # the first round is to grow warm
            for name, lines in sources.items():
                rates[name].append(LINES / seconds(partial(reader.read_batch, lines)))
            if rival:
                rates["rapidocr"].append(len(paths) / rival.timed(paths)[1])
        if rival:
            rival.close()
    ours = rates["arrays"][1:]
    for name in sources:
        yield spread("lines", f"read_batch, {name}", rates[name][1:], "lines/s", least=600)
    if theirs := rates["rapidocr"][1:]:
        yield spread("lines", "RapidOCR's recognition, arrays", theirs, "lines/s")
        ratios = [mine / its for mine, its in zip(ours, theirs, strict=True)]
        yield spread("lines", "arrays, as many times RapidOCR", ratios, "times", least=20)


def rapidocr(setting: Setting) -> RapidOCR | None:
    """Return RapidOCR, `None` where it is not installed."""
    if setting.rapidocr_python or find_spec("rapidocr_onnxruntime"):
        return RapidOCR(setting.rapidocr_python or sys.executable, batch=True)
    print("rapidocr is left out: rapidocr-onnxruntime is not installed")
    return None


def measure_one(setting: Setting) -> Iterator[Figure]:
    """Yield the milliseconds from the bytes of a crop to its reading."""
    reader, crops = Reader.load(), setting.pngs[:CROPS]
    for single, name, bar in ((False, "line", 6), (True, "single digit", None)):
        read = partial(reader.read, single=single)
        for crop in crops[:20]:
            read(crop)
        took = [1000 * seconds(partial(read, crop)) for crop in crops]
        yield spread("one", f"{name}, bytes to reading, median", took, "ms", most=bar)
        yield Figure("one", f"{name}, 95th percentile", float(np.percentile(took, 95)), "ms")


def measure_cold(setting: Setting) -> Iterator[Figure]:
    """Yield the seconds that the command takes for one picture, with nothing loaded before."""
    command = Path(sys.executable).with_name("inkdigit")
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder, "one.png")
        picture.write_bytes(setting.pngs[0])
        took = [seconds(lambda: run(command, "read", picture)) for _ in range(STARTS + 1)]
    yield spread("cold", "inkdigit read one.png", took[1:], "s", most=0.6)


def measure_memory(setting: Setting) -> Iterator[Figure]:
    """Yield what the process holds after some readings, and what many more add."""
    reader, pngs = Reader.load(), setting.pngs
    held = {}
    for done in range(AT_ONCE, LATE + AT_ONCE, AT_ONCE):
        start = done % LINES
        reader.read_batch((pngs[start:] + pngs[:start])[:AT_ONCE])
        for mark in (EARLY, LATE):
            if done >= mark and mark not in held:
                gc.collect()
                held[mark] = psutil.Process().memory_info().rss / MEGABYTE
    early, late = held[EARLY], held[LATE]
    yield Figure("memory", f"held after {EARLY:,} readings", early, "MB")
    yield Figure("memory", f"held after {LATE:,} readings", late, "MB")
    yield Figure("memory", "growth between", 100 * (late / early - 1), "%", most=5)


def measure_sizes(_: Setting) -> Iterator[Figure]:
    """Yield the sizes of the model files and of the wheel."""
    sizes = {
        path: path.stat().st_size / MEGABYTE for path in (LINE_MODEL, SINGLE_MODEL, PAGE_MODEL)
    }
    for path, size in sizes.items():
        yield Figure("sizes", path.name, size, "MB")
    yield Figure("sizes", "model files together", sum(sizes.values()), "MB", most=3)
    with tempfile.TemporaryDirectory() as folder:
        flags = ["--quiet", "--no-deps", "--wheel-dir", folder]
        run(sys.executable, "-m", "pip", "wheel", *flags, ROOT)
        (wheel,) = Path(folder).glob("*.whl")
        yield Figure("sizes", "wheel", wheel.stat().st_size / MEGABYTE, "MB", most=5)


def measure_install(_: Setting) -> Iterator[Figure]:
    """Yield what the core install adds to a fresh environment."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        before = on_disk(Path(folder))
        run(Path(folder, "bin", "python"), "-m", "pip", "install", "--quiet", ROOT)
        added = on_disk(Path(folder)) - before
    yield Figure("install", "pip install . without extras", added / MEGABYTE, "MB", most=350)


def on_disk(folder: Path) -> int:
    """Return the bytes that a folder's files take, as `du` counts them."""
    return sum(512 * path.lstat().st_blocks for path in folder.rglob("*"))


PARTS: dict[str, Callable[[Setting], Iterator[Figure]]] = {
    "lines": measure_lines,
    "one": measure_one,
    "cold": measure_cold,
    "memory": measure_memory,
    "sizes": measure_sizes,
    "install": measure_install,
}
