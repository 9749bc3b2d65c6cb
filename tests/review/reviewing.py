"""A review in a process of its own."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx


@dataclass
class Reviewing:
    """A review that runs: the address of its page without the last slash, and its process."""

    url: str
    process: subprocess.Popen[str]

    def post(self, path: str, **asked: object) -> httpx.Response:
        return httpx.post(f"{self.url}/{path}", json=asked, timeout=60)

    def stop(self) -> str:
        """End it as Ctrl-C does, and return what it prints."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, err
        return out


@contextmanager
def serving_page(*words: str, warnings: str = "error") -> Iterator[Reviewing]:
    """Start a command with a page; it answers when it is yielded, and is killed afterwards."""
    command = [sys.executable, "-W", warnings, "-m", "inkdigit", *words]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as process:
        try:
            told = ""
            while not (found := re.search(r"(http://\S+)/ ", told)):
                told = process.stderr.readline()
                assert told, process.wait()
            yield Reviewing(found[1], process)
        finally:
            process.kill()


@contextmanager
def reviewing(table: Path, *flags: str, verb: str = "review") -> Iterator[Reviewing]:
    """Start a review or an audit."""
    with serving_page(verb, str(table), *flags) as review:
        yield review
