"""Readers that Inkdigit is held against, each run as a program of its own."""

import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_WORKER = Path(__file__).parent / "rapidocr_worker.py"
_PROCESSES = 2
_PATIENCE = 60


def digits_only(text: str) -> str:
    """Return the digits 0 to 9 in a text."""
    return "".join(character for character in text if character in "0123456789")


def tesseract_version() -> str | None:
    """Return Tesseract's version, `None` where it is not installed."""
    if not shutil.which("tesseract"):
        return None
    told = subprocess.run(["tesseract", "--version"], capture_output=True, text=True, check=True)  # noqa: S607
    return told.stdout.split()[1]


def read_with_tesseract(paths: list[Path], *, single: bool) -> list[str]:
    """Return the digits that Tesseract reads in each picture, nothing where it fails."""

    def read(path: Path) -> str:
        mode = "10" if single else "7"
        whitelist = "tessedit_char_whitelist=0123456789"
        command = ["tesseract", str(path), "stdout", "--psm", mode, "-c", whitelist]
        try:
            done = subprocess.run(  # noqa: S603
                command, capture_output=True, text=True, timeout=_PATIENCE, env=one, check=False
            )
        except subprocess.TimeoutExpired:
            return ""
        return digits_only(done.stdout) if done.returncode == 0 else ""

    one = {**os.environ, "OMP_THREAD_LIMIT": "1"}
    with ThreadPoolExecutor(_PROCESSES) as pool:
        return list(pool.map(read, paths))


class RapidOCR:
    """RapidOCR's recognition in a process of its own."""

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

    def read(self, paths: list[Path]) -> tuple[list[tuple[str, float]], float]:
        """Return text and score of each picture, and the seconds that recognition took."""
        assert self._process.stdin is not None
        print(json.dumps([str(path) for path in paths]), file=self._process.stdin, flush=True)
        answer = self._answer()
        return [(digits_only(text), score) for text, score in answer["found"]], answer["seconds"]

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("RapidOCR ended: see above for what it says")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()
