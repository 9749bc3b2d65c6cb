"""How fast and how small reading is, on two cores: `python benchmarks/reading_speed.py`.

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
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable, Generator, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from inkdigit import Reader
from inkdigit.files import write_text
from inkdigit.images import Grey, open_grey
from inkdigit.reading.reader import LINE_MODEL, SINGLE_MODEL
from keeping import with_others
from machine import processor, use_cores, versions
from other_readers import RapidOCR
from reading_sets import SETS, load_sets

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "reading_speed.csv"
CORES = 2
LINES, ROUNDS = 1024, 5
# RapidOCR is slow: this many of the lines are enough to tell how slow.
RAPIDOCR_LINES = 96
CROPS, STARTS = 300, 10
EARLY, LATE, AT_ONCE = 2_000, 20_000, 64
MEGABYTE = 1_000_000


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

    @property
    def bar(self) -> str:
        """The bar in words."""
        if self.least is not None:
            return f"at least {self.least:g}"
        return f"at most {self.most:g}" if self.most is not None else ""


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


@dataclass(frozen=True)
class Setting:
    """What is measured with."""

    pages: list[Grey]
    rapidocr_python: str | None

    @property
    def pngs(self) -> list[bytes]:
        """The pages as PNG files in memory."""
        return [png(page) for page in self.pages]


def main() -> None:
    """Measure the parts that are asked for, and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--parts", nargs="+", choices=tuple(PARTS), default=tuple(PARTS))
    parser.add_argument("--hands", type=Path, metavar="DIR")
    parser.add_argument("--rapidocr-python", metavar="PATH")
    parser.add_argument("--out", type=Path, default=RESULTS, metavar="FILE")
    options = parser.parse_args()
    cores = use_cores(CORES)
    setting = Setting(lines_of(options.hands), options.rapidocr_python)
    figures = []
    for part in options.parts:
        for figure in PARTS[part](setting):
            figures.append(figure)
            print(told(figure), flush=True)
    hardware = f"{processor()}, {cores} cores"
    rows = [{**asdict(f), "met": f.met, "hardware": hardware} for f in figures]
    table = with_others(pd.DataFrame(rows).assign(versions=versions()), options.out, PARTS)
    write_text(options.out, table.round(6).to_csv(index=False))
    print(f"wrote {options.out}")


def lines_of(hands: Path | None) -> list[Grey]:
    """Return lines to read, drawn or by real hands, as many as are read at once."""
    if hands is None:
        return drawn_lines(LINES)
    names = [name for name, known in SETS.items() if not known.single]
    sets = load_sets(hands, names).values()
    found = [open_grey(picture.path) for pictures in sets for picture in pictures]
    if not found:
        raise SystemExit(f"{hands} holds none of the sets {', '.join(names)}")
    return [found[i % len(found)] for i in range(LINES)]


def drawn_lines(count: int) -> list[Grey]:
    """Return pictures of drawn lines, by hands of the sample's digits and of drawn strokes."""
    from inkdigit.learning.datasets import load_dataset
    from inkdigit.learning.synthesis.glyphs import Fonts, Writers
    from inkdigit.learning.synthesis.lines import LineWriter
    from inkdigit.learning.synthesis.paper import Backgrounds

    hands = Writers(load_dataset("sample").train, Fonts(None))
    writer = LineWriter(hands, Backgrounds(np.random.default_rng(0)))
    return [writer.picture(np.random.default_rng([0, number]))[0] for number in range(count)]


def png(page: Grey) -> bytes:
    """Return a page as a PNG file."""
    stream = io.BytesIO()
    Image.fromarray(page).save(stream, "PNG")
    return stream.getvalue()


def measure_lines(setting: Setting) -> Iterator[Figure]:
    """Yield lines a second from arrays and from PNG bytes, and how many times RapidOCR's."""
    reader, pngs = Reader.load(), setting.pngs
    arrays_took, bytes_took = [], []
    rapid = rapidocr_rounds(setting)
    reader.read_batch(setting.pages)
    rival_took = [next(rapid)]
    for _ in range(ROUNDS):
        arrays_took.append(LINES / seconds(lambda: reader.read_batch(setting.pages)))
        bytes_took.append(LINES / seconds(lambda: reader.read_batch(pngs)))
        rival_took.append(next(rapid))
    rapid.close()
    unit = "lines/s"
    yield spread("lines", "read_batch, arrays", arrays_took, unit, least=1000)
    yield spread("lines", "read_batch, PNG bytes", bytes_took, unit, least=1000)
    rivals = [took for took in rival_took[1:] if took is not None]
    if not rivals:
        print("rapidocr is left out: rapidocr-onnxruntime is not installed")
        return
    yield spread("lines", "RapidOCR's recognition, arrays", rivals, unit)
    ratios = [ours / theirs for ours, theirs in zip(arrays_took, rivals, strict=True)]
    yield spread("lines", "arrays, as many times RapidOCR", ratios, "times", least=20)


def rapidocr_rounds(setting: Setting) -> Generator[float | None, None, None]:
    """Yield RapidOCR's lines a second, once each time; `None` where it is not installed."""
    if not (setting.rapidocr_python or find_spec("rapidocr_onnxruntime")):
        while True:
            yield None
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.png") for number in range(RAPIDOCR_LINES)]
        for path, page in zip(paths, setting.pages, strict=False):
            path.write_bytes(png(page))
        with RapidOCR(setting.rapidocr_python or sys.executable, batch=True) as engine:
            while True:
                _, took = engine.read(paths)
                yield len(paths) / took


def measure_one(setting: Setting) -> Iterator[Figure]:
    """Yield the milliseconds from the bytes of a crop to its reading."""
    reader, crops = Reader.load(), setting.pngs[:CROPS]
    for single, name, bar in ((False, "line", 5), (True, "single digit", None)):
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
        picture.write_bytes(png(setting.pages[0]))
        run = [str(command), "read", str(picture)]
        took = [seconds(lambda: quietly(run)) for _ in range(STARTS + 1)]
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
                held[mark] = resident()
    early, late = held[EARLY] / MEGABYTE, held[LATE] / MEGABYTE
    yield Figure("memory", f"held after {EARLY:,} readings", early, "MB")
    yield Figure("memory", f"held after {LATE:,} readings", late, "MB")
    yield Figure("memory", "growth between", 100 * (late / early - 1), "%", most=5)


def resident() -> int:
    """Return the bytes of memory that this process holds (Linux)."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def measure_sizes(_: Setting) -> Iterator[Figure]:
    """Yield the sizes of the model files and of the wheel."""
    for path in (LINE_MODEL, SINGLE_MODEL):
        yield Figure("sizes", path.name, path.stat().st_size / MEGABYTE, "MB", most=2)
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"]
        quietly([*pip, "--wheel-dir", folder, str(ROOT)])
        (wheel,) = Path(folder).glob("*.whl")
        yield Figure("sizes", "wheel", wheel.stat().st_size / MEGABYTE, "MB", most=6)


def measure_install(_: Setting) -> Iterator[Figure]:
    """Yield what the core install adds to a fresh environment."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        before = on_disk(Path(folder))
        python = Path(folder, "bin", "python")
        quietly([str(python), "-m", "pip", "install", "--quiet", str(ROOT)])
        added = on_disk(Path(folder)) - before
    yield Figure("install", "pip install . without extras", added / MEGABYTE, "MB", most=350)


def on_disk(folder: Path) -> int:
    """Return the bytes that a folder's files take, as `du` counts them."""
    return sum(512 * path.lstat().st_blocks for path in folder.rglob("*"))


def quietly(command: list[str]) -> None:
    """Run a command; what it says is shown only if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr or done.stdout}")


def seconds(work: Callable[[], object]) -> float:
    """Return how long something takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def told(figure: Figure) -> str:
    """Return a figure as a line of the table."""
    span = "" if figure.low is None else f"{figure.low:.3f} to {figure.high:.3f}"
    return (
        f"{figure.part:8} {figure.figure:36} {figure.value:10.3f} {figure.unit:8} {span:24} "
        f"{figure.bar:14} {figure.met}"
    )


PARTS: dict[str, Callable[[Setting], Iterator[Figure]]] = {
    "lines": measure_lines,
    "one": measure_one,
    "cold": measure_cold,
    "memory": measure_memory,
    "sizes": measure_sizes,
    "install": measure_install,
}

if __name__ == "__main__":
    main()
