"""Readers that Inkdigit is held against; what others made runs as a program of its own."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from benchmarks.measuring import CORES, run
from benchmarks.rivals.segmenting import read_segments
from inkdigit.images import Source, open_grey
from inkdigit.reading import DigitModel
from inkdigit.reading.alphabet import only_digits
from inkdigit.reading.reader import SINGLE_MODEL

RIVALS = ("segments", "rapidocr", "tesseract")
_WORKER = Path(__file__).parent / "rapidocr_worker.py"
_PATIENCE = 60


class Answer(NamedTuple):
    """The digits that are read, and what else a reader tells; `text` is what is written there."""

    digits: str
    confidence: float | None = None
    status: str | None = None
    rule: str = ""
    text: str = ""


class NamedReader(Protocol):
    """A reader with its name and the version of what it reads with."""

    name: str
    version: str

    def read(self, sources: Sequence[Any], *, single: bool) -> list[Answer] | None:
        """Return an answer to each picture; `None` where it does not read such pictures."""


def installed(chosen: Sequence[str], rapidocr_python: str | None) -> Iterator[NamedReader]:
    """Yield each rival that is chosen and installed."""
    if "segments" in chosen:
        yield Segments()
    if "rapidocr" in chosen:
        if rapidocr_python or find_spec("rapidocr_onnxruntime"):
            engine = RapidOCR(rapidocr_python or sys.executable)
            yield engine
            engine.close()
        else:
            print("rapidocr is left out: rapidocr-onnxruntime is not installed")
    if "tesseract" in chosen:
        if shutil.which("tesseract"):
            yield Tesseract()
        else:
            print("tesseract is left out: it is not installed")


class Segments:
    """The baseline: cut at gaps, name each piece; it has no other way with a single digit."""

    name = "segments"

    def __init__(self) -> None:
        self._model = DigitModel.load(SINGLE_MODEL)
        self.version = self._model.name

    def read(self, sources: Sequence[Source], *, single: bool) -> list[Answer] | None:
        """Return what is read in lines."""
        if single:
            return None
        return [Answer(*read_segments(open_grey(source), self._model)) for source in sources]


class Tesseract:
    """Tesseract, as many processes as cores, each with one thread."""

    name = "tesseract"

    def __init__(self) -> None:
        self.version = run("tesseract", "--version").split()[1]

    def read(self, sources: Sequence[Path], *, single: bool) -> list[Answer]:
        """Return the digits in each picture, nothing where it fails."""
        flags = ["--psm", "10" if single else "7", "-c", "tessedit_char_whitelist=0123456789"]
        one = {**os.environ, "OMP_THREAD_LIMIT": "1"}

        def read(path: Path) -> Answer:
            command = ["tesseract", str(path), "stdout", *flags]
            try:
                done = subprocess.run(  # noqa: S603
                    command, capture_output=True, text=True, timeout=_PATIENCE, env=one, check=True
                )
            except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
                return Answer("")
            return Answer(only_digits(done.stdout))

        with ThreadPoolExecutor(CORES) as pool:
            return list(pool.map(read, sources))


class RapidOCR:
    """RapidOCR's recognition in a process of its own."""

    name = "rapidocr"

    def __init__(self, python: str, *, batch: bool = False) -> None:
        flags = ["--batch"] if batch else []
        self._process = subprocess.Popen(  # noqa: S603
            [python, str(_WORKER), *flags],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self.version = str(self._answer()["version"])

    def read(self, sources: Sequence[Path], *, single: bool) -> list[Answer]:  # noqa: ARG002
        """Return what is read, single digits as short lines."""
        return [Answer(only_digits(text), score) for text, score in self.timed(sources)[0]]

    def timed(self, paths: Sequence[Path]) -> tuple[list[tuple[str, float]], float]:
        """Return text and score of each picture, and the seconds that recognition took."""
        assert self._process.stdin is not None
        print(json.dumps([str(path) for path in paths]), file=self._process.stdin, flush=True)
        answer = self._answer()
        return answer["found"], answer["seconds"]

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("RapidOCR ended: see above for what it says")
        answer: dict[str, Any] = json.loads(line)
        return answer
