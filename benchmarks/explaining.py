"""How fast the explainer follows a stroke, and whether its explanations hold.

    page      the size of the page of each run, and milliseconds from opening it to its first answer
    stroke    milliseconds from a stroke to all maps: normalised, computed and painted, on one core
    deletion  how many times as far an answer falls without the pixels that an explanation names as
              without random ones, of the picture and of the ink
    watch     how much longer an epoch takes while a page watches, in every other epoch of a
              training, and how often the page is told something new

Each of `--runs RUN...`, finished runs of digit networks, is opened in Chromium. Prints every figure
with its bar and writes `results/explaining.csv`. A machine that does something else makes all times
longer: run it alone.
"""

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import measuring
from benchmarks.measuring import MEGABYTE, RESULTS, Figure
from inkdigit import learning
from inkdigit.serving.local import served_beside
from inkdigit.watching.app import PAGE, create_api
from inkdigit.watching.watch import Watch

OPENINGS = 5
# Of them the first, which compiles, is left out.
WATCHED_EPOCHS = 21
# Reads a page's events until they end, and prints how many told of a step.
READ = """import sys, urllib.request
answer = urllib.request.urlopen(sys.argv[1] + "events")
print(sum(b'"step": {' in line for line in answer))
"""
# A page of its own: each callback of a frame is timed, and so is the first answer.
WATCH = """() => {
  window.frames_ms = [];
  const ask = window.requestAnimationFrame.bind(window);
  window.requestAnimationFrame = (callback) => ask((now) => {
    const start = performance.now();
    callback(now);
    window.frames_ms.push(performance.now() - start);
  });
  new MutationObserver(() => {
    if (document.querySelector("#answers h2")?.textContent) window.usable ??= performance.now();
  }).observe(document, { childList: true, subtree: true });
}"""


@dataclass(frozen=True)
class Setting:
    """The page of each run, by the name of its network."""

    pages: dict[str, Path]


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for."""
    measuring.add_parts(parser, PARTS)
    parser.add_argument("--runs", type=Path, nargs="+", required=True, metavar="RUN")
    measuring.add_out(parser, RESULTS / "explaining.csv")


def main(options: argparse.Namespace) -> None:
    """Write the pages, measure the parts that are asked for, and write the table."""
    with tempfile.TemporaryDirectory() as folder:
        pages = {}
        for run in options.runs:
            name = learning.Run.open(run).settings.network
            pages[name] = learning.explain(run, Path(folder, f"{name}.html"))
        load = os.getloadavg()[0]
        measuring.measure(PARTS, Setting(pages), options, f", load {load:.1f} before")


def measure_page(setting: Setting) -> Iterator[Figure]:
    """Yield how large each page is, and how soon it can be used."""
    for name, path in setting.pages.items():
        most = 1.5 if name == "classic" else None
        yield Figure("page", f"{name}, size", path.stat().st_size / MEGABYTE, "MB", most=most)
        waits = []
        for _ in range(OPENINGS):
            with opened(path) as page:
                page.wait_for_function("window.usable")
                waits.append(float(page.evaluate("window.usable")))
        yield measuring.spread("page", f"{name}, open to usable", waits, "ms", most=1000)


def measure_stroke(setting: Setting) -> Iterator[Figure]:
    """Yield what a piece of a stroke takes until all maps are painted."""
    for name, path in setting.pages.items():
        with opened(path) as page:
            page.wait_for_function("window.usable")
            page.wait_for_timeout(10_000)  # the training digits are behind it
            box = page.locator("#pad").bounding_box()
            page.evaluate("window.frames_ms.length = 0")
            page.mouse.move(box["x"] + 100, box["y"] + 60)
            page.mouse.down()
            for angle in np.linspace(0, 4 * np.pi, 200):
                down = 130 + 10 * angle
                page.mouse.move(box["x"] + 150 + 60 * np.sin(angle), box["y"] + down)
            page.mouse.up()
            times = page.evaluate("window.frames_ms")
        yield Figure("stroke", f"{name}, p50 of {len(times)}", statistics.median(times), "ms")
        most = 16 if name == "classic" else None
        yield Figure("stroke", f"{name}, p95", float(np.percentile(times, 95)), "ms", most=most)


def measure_deletion(setting: Setting) -> Iterator[Figure]:
    """Yield how far answers fall, beside random pixels."""
    for name, path in setting.pages.items():
        (facts,) = re.findall(r'id="facts">(.*?)</script>', path.read_text("utf-8"), re.DOTALL)
        found = json.loads(facts)["networks"][0]["deletion"]
        for explanation, fall in found["explanations"].items():
            for pixels, bar in (("random", 3.0), ("ink", None)):
                times = fall / max(found[pixels], 1e-9)
                what = f"{name}, {explanation} beside {pixels}"
                yield Figure("deletion", what, times, "times", least=bar)


class EveryOther(Watch):
    """A watch that looks at every other epoch only, and counts the seconds that it takes."""

    shown = 0.0

    def _show_step(self, batch: int, logs: dict[str, float]) -> None:
        start = time.perf_counter()
        super()._show_step(batch, logs)
        self.shown += time.perf_counter() - start

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        """Tell of a step, or not."""
        if len(self.loop.history) % 2:
            super().on_train_batch_end(batch, logs)


def measure_watch(_: Setting) -> Iterator[Figure]:
    """Yield what watching costs, and how often the page is told something."""
    said: list[str] = []
    watch = EveryOther(said.append)
    with (
        tempfile.TemporaryDirectory() as folder,
        served_beside(create_api(watch), PAGE, said.append),
    ):
        address = said[0].split()[4]
        command = [sys.executable, "-c", READ, address]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as reader:  # noqa: S603
            how: dict[str, Any] = {"epochs": WATCHED_EPOCHS, "out": Path(folder, "run")}
            run = learning.train("sample", network="classic", watch=watch, **how)
            seconds = [row["seconds"] for row in run.history]
            watch.told["ended"] = True
            updates = int(reader.communicate()[0])
    slower = [
        100 * (watched / alone - 1)
        for watched, alone in zip(seconds[1::2], seconds[2::2], strict=False)
    ]
    yield measuring.spread("watch", "classic, an epoch is longer by", slower, "%", most=10)
    watched = sum(seconds[1::2])
    share = 100 * watch.shown / (watched - watch.shown)
    yield Figure("watch", "classic, pictures alone make it longer by", share, "%", most=10)
    yield Figure("watch", "updates", updates / watched, "a second", least=5)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a page in a Chromium on one core."""
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    cores = os.sched_getaffinity(0)
    with sync_playwright() as playwright:
        os.sched_setaffinity(0, {min(cores)})  # what it starts has the same
        options = {"executable_path": chromium, "args": ["--no-sandbox", "--disable-gpu"]}
        with playwright.chromium.launch(**options) as browser:
            os.sched_setaffinity(0, cores)
            # Playwright waits by code that the page would not run.
            page = browser.new_page(bypass_csp=True)
            page.add_init_script(f"({WATCH})()")
            page.goto(path.as_uri())
            yield page


PARTS = {
    "page": measure_page,
    "stroke": measure_stroke,
    "deletion": measure_deletion,
    "watch": measure_watch,
}
