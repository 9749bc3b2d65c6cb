"""How fast doubtful readings are settled in a browser, and whether anything is ever lost.

    keys    a scripted person settles 1,000 doubtful cheques of `--hands DIR` in Chromium: keys a
            field, and milliseconds from a key to the next picture
    open    seconds, those of the processor, and memory until a table of 100,000 rows, all of them
            doubtful, is open
    kills   a review is killed at 20 random moments: what had been answered and is not there
    audit   4,000 accepted rows of which 20 are wrong, audited 100 times: how often the 95 %
            interval holds the true share

Prints every figure with its bar and writes `results/review.csv`; with `--parts`, the other parts
keep the figures that they have there. `keys` needs Chromium and Playwright.
"""

import argparse
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from threading import Timer
from typing import Any

import httpx
import numpy as np
import pandas as pd
import psutil

from benchmarks import measuring
from benchmarks.measuring import MEGABYTE, RESULTS, Figure, python
from benchmarks.pictures import drawn_lines
from inkdigit import read_to
from inkdigit.bulk.readers import read_table
from inkdigit.bulk.rows import Record
from inkdigit.bulk.writers import Output
from inkdigit.images import as_png
from inkdigit.reading.alphabet import only_digits
from inkdigit.review.audit import interval, sample_size
from inkdigit.review.journal import Journal

FIELDS, ROWS, KILLS, AUDITS = 1_000, 100_000, 20, 100
# Notes when a key was pressed, and when the picture behind it is there.
WATCH = """() => {
  window.waits = [];
  let pressed = 0;
  addEventListener("keydown", () => (pressed = performance.now()), true);
  new MutationObserver(async () => {
    const from = pressed;
    await document.querySelector("#crop img").decode();
    window.waits.push(performance.now() - from);
  }).observe(document.querySelector("#crop"), {childList: true});
}"""


@dataclass(frozen=True)
class Setting:
    """Where tables and pictures are made, and where real ones lie."""

    folder: Path
    hands: Path | None


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Add what can be asked for."""
    measuring.add_parts(parser, PARTS)
    parser.add_argument("--hands", type=Path, metavar="DIR")
    measuring.add_out(parser, RESULTS / "review.csv")


def main(options: argparse.Namespace) -> None:
    """Measure the parts that are asked for, and write the table."""
    measuring.use_cores()
    with tempfile.TemporaryDirectory() as folder:
        measuring.measure(PARTS, Setting(Path(folder), options.hands), options)


def measure_keys(setting: Setting) -> Iterator[Figure]:
    """Yield how a scripted person in a browser does."""
    if setting.hands is None:
        raise SystemExit("keys needs real cheques: name the folder of hands with --hands")
    cheques = setting.hands / "cheques"
    labels = pd.read_csv(cheques / "labels.csv", dtype=str).set_index("file")["text"]
    source = setting.folder / "cheques.jsonl"
    read_to(sorted(map(str, cheques.glob("*.jpg"))), source, jobs=1)
    for statuses, what in (({"review"}, "for review"), ({"review", "rejected"}, "and rejected")):
        rows = [row for row in read_table(source) if row["status"] in statuses]
        table = setting.folder / f"{len(statuses)}.jsonl"
        Output(table, "jsonl").write(repeated(rows, FIELDS), several=True)
        keys, waits, seconds = settle(table, labels)
        bar = 1.2 if len(statuses) == 1 else None
        yield Figure("keys", f"keys a field, cheques {what}", keys / FIELDS, "keys", most=bar)
        yield Figure("keys", f"to the next picture, {what}, p50", float(np.median(waits)), "ms")
        late = float(np.percentile(waits, 99))
        yield Figure("keys", f"to the next picture, {what}, p99", late, "ms", most=50)
        yield Figure("keys", f"fields settled in a second, {what}", FIELDS / seconds, "fields/s")


def repeated(rows: list[Record], count: int) -> Iterator[Record]:
    """Yield so many rows, the same over and over."""
    return (rows[number % len(rows)] for number in range(count))


def settle(table: Path, labels: "pd.Series[str]") -> tuple[int, list[float], float]:
    """Settle a table in a browser; return keys pressed, waits in milliseconds and seconds."""
    from playwright.sync_api import sync_playwright

    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    fields = {
        row["source"]: only_digits(labels[Path(row["source"]).name]) for row in read_table(table)
    }
    with reviewing(table) as (url, _), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(url)
        page.evaluate(WATCH)
        page.get_by_label("Your name").fill("script")
        page.keyboard.press("Enter")
        keys, began = 0, time.monotonic()
        for done in range(FIELDS):
            page.wait_for_function("n => window.waits.length === n", arg=done + 1, polling=1)
            source = str(page.locator("#source").text_content())
            pressed = answer(page, fields[source])
            keys += len(pressed)
            for key in pressed:
                page.keyboard.press(key)
        page.locator("#end").wait_for()
        waits = page.evaluate("window.waits")
        seconds = time.monotonic() - began
        browser.close()
    journal = Journal(table)
    right = [only_digits(str(one.new)) == fields[one.field] for one in journal.decisions]
    assert len(right) == FIELDS
    assert all(right)
    return keys, waits[1:], seconds


def answer(page: Any, digits: str) -> list[str]:
    """Return the fewest keys that settle the field that is shown."""
    text, second = page.evaluate(
        "[text.value, document.getElementById('second').firstChild?.textContent ?? '']"
    )
    if only_digits(text) == digits:
        return ["Enter"]
    if only_digits(second) == digits:
        return ["Tab"]
    ways = mendings(text, digits, page.evaluate("text.selectionStart"))
    return min([["Control+a", *digits, "Enter"], *ways], key=len)


def mendings(text: str, digits: str, stands: int) -> Iterator[list[str]]:
    """Yield the ways to overwrite a part of a text, so that its digits are these."""
    for place in range(len(text) + 1):
        arrow = "ArrowLeft" if place < stands else "ArrowRight"
        there = {0: ["Home"], len(text): ["End"]}.get(place, [arrow] * abs(place - stands))
        before = only_digits(text[:place])
        for end in range(len(before) + 1, len(digits) + 1):
            typed = digits[len(before) : end]
            # The page takes it for the whole number.
            if place < len(text) <= len(typed) < len(digits):
                continue
            if before + typed + only_digits(text[place + len(typed) :]) == digits:
                yield [*([] if place == stands else there), *typed, "Enter"]


def measure_open(setting: Setting) -> Iterator[Figure]:
    """Yield what it takes to open a large table."""
    (setting.folder / "line.png").write_bytes(as_png(drawn_lines(1)[0]))
    first = setting.folder / "line.jsonl"
    read_to(str(setting.folder / "line.png"), first, format="jsonl")
    (row,) = read_table(first)
    row |= {"status": "review", "reason": "confidence 0.8741 is below 0.8911"}
    for suffix in ("csv", "jsonl", "parquet"):
        table = setting.folder / f"large.{suffix}"
        Output(table, suffix).write(repeated([row], ROWS), several=True)
        began = time.monotonic()
        with reviewing(table) as (_, process):
            took, known = time.monotonic() - began, psutil.Process(process.pid)
            spent, peak = sum(known.cpu_times()[:2]), known.memory_info().rss / MEGABYTE
        yield Figure("open", f"100,000 rows of {suffix}", took, "s", most=3)
        yield Figure("open", f"100,000 rows of {suffix}, processor", spent, "s")
        yield Figure("open", f"100,000 rows of {suffix}, memory", peak, "MB", most=300)


def measure_kills(setting: Setting) -> Iterator[Figure]:
    """Yield how many answered keys a kill loses."""
    (setting.folder / "a.png").write_bytes(as_png(drawn_lines(1)[0]))
    known = {"page": 1, "text": "17", "status": "review", "confidence": 0.5, "characters": []}
    table, draw = setting.folder / "kills.jsonl", Random(8)  # noqa: S311
    rows = [{"source": "a.png", **known}] * ROWS
    Output(table, "jsonl").write(rows, several=True)
    answered = list[int]()
    for _ in range(KILLS):
        with reviewing(table) as (url, process):
            Timer(draw.uniform(0.05, 1.5), process.kill).start()
            answered += decided(url)
    kept = {one.row for one in Journal(table).decisions}
    yield Figure("kills", f"answered before {KILLS} kills", len(answered), "keys", least=KILLS)
    yield Figure("kills", "answered and lost", len(set(answered) - kept), "keys", most=0)


def decided(url: str) -> list[int]:
    """Settle fields until nobody answers any more, and return those that were answered."""
    rows = list[int]()
    with httpx.Client() as client:
        try:
            while True:
                fields = client.post(f"{url}take", json={"who": "script"}).json()["fields"]
                for one in fields:
                    said = {"who": "script", "said": {one["row"]: "17"}, "ms": 1}
                    client.post(f"{url}decide", json=said).raise_for_status()
                    rows.append(one["row"])
        except httpx.TransportError:
            return rows


def measure_audit(_: Setting) -> Iterator[Figure]:
    """Yield how often the interval of an audit holds the true share."""
    wrong, accepted, draw = 20, 4_000, Random(5)  # noqa: S311
    held = 0
    for _ in range(AUDITS):
        found = sum(row < wrong for row in draw.sample(range(accepted), sample_size(0.005)))
        low, high = interval(found, sample_size(0.005))
        held += low <= wrong / accepted <= high
    yield Figure("audit", f"intervals of {AUDITS} that hold the true share", held, "runs", least=95)


@contextmanager
def reviewing(table: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Review a table in a process of its own; yields the address and the process."""
    command = python("-m", "inkdigit", "review", table)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        try:
            line = process.stderr.readline() if process.stderr else ""
            found = re.search(r"http://\S+", line)
            if not found:
                raise SystemExit(f"the review did not start: {line}")
            yield found[0], process
        finally:
            process.kill()


PARTS: dict[str, Callable[[Setting], Iterator[Figure]]] = {
    "keys": measure_keys, "open": measure_open, "kills": measure_kills, "audit": measure_audit,
}  # fmt: skip
