"""The real service in a process of its own."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
from drawing import document

# Enough pages to be still at it when something happens meanwhile.
LONG = document(["38", "47"] * 15, size=250)


@dataclass
class Running:
    """A service that runs: its address, its process, and what it logs."""

    url: str
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, timeout=60)

    def read(self, content: bytes, name: str = "a.png", **query: Any) -> httpx.Response:
        return httpx.post(
            f"{self.url}/v1/read", params=query, files={"file": (name, content)}, timeout=60
        )

    def read_batch(self, *files: tuple[str, bytes], **query: Any) -> httpx.Response:
        form = [("files", file) for file in files]
        return httpx.post(f"{self.url}/v1/read/batch", params=query, files=form, timeout=60)

    def figure(self, name: str) -> float:
        """Return a figure of /metrics, the sum of its labels."""
        found = re.findall(rf"^{name}(?:\{{.*\}})? (\S+)$", self.get("/metrics").text, re.M)
        return sum(map(float, found))

    def logged(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in [*self.lines] if line.startswith("{")]


def problem(response: httpx.Response, status: int) -> str:
    """Return the sentence of a refusal, which is problem JSON in every respect."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert list(body) == ["type", "title", "status", "detail", "instance"]
    assert body["status"] == status
    assert body["instance"] == f"urn:request:{response.headers['x-request-id']}"
    assert "Traceback" not in response.text
    detail: str = body["detail"]
    assert "\n" not in detail
    return detail


def send(client: socket.socket, content: bytes) -> bool:
    """Send bytes, and return whether they were taken."""
    try:
        client.sendall(content)
    except (BrokenPipeError, ConnectionResetError):  # refused before its end
        return False
    return True


def received(client: socket.socket) -> bytes:
    """Return all that comes until the connection ends."""
    try:
        return b"".join(iter(lambda: client.recv(65536), b""))
    except ConnectionResetError:
        return b""


def until(happened: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something, and fail if it does not happen."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def occupy(service: Running, places: int) -> list[socket.socket]:
    """Have long documents read, and return their clients once they have these places."""
    head = (
        "POST /v1/read HTTP/1.1\r\nHost: x\r\nX-API-Key: key\r\nContent-Type: image/tiff\r\n"
        f"Content-Length: {len(LONG)}\r\n\r\n"
    )
    clients = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(places)]
    for client in clients:
        client.sendall(head.encode() + LONG)
    until(lambda: service.figure("inkdigit_queue") == places)
    return clients


@contextmanager
def running(*flags: str, before: str = "", **environment: str) -> Iterator[Running]:
    """Start a service on a free port; it is ready when it is yielded, and ended afterwards.

    `before` is Python that runs first in its process.
    """
    start = f"{before}\nimport sys, inkdigit.cli\nsys.exit(inkdigit.cli.main(sys.argv[1:]))"
    program = ["-c", start] if before else ["-m", "inkdigit"]
    command = [sys.executable, "-W", "error", *program, "serve", "--port", "0", *flags]
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
        start_new_session=True,
    )
    assert process.stderr
    first = process.stderr.readline()
    found = re.search(r"http://\S+", first)
    assert found, first + process.stderr.read()
    service = Running(found[0], process)
    reader = threading.Thread(target=lambda: service.lines.extend(process.stderr or ()))
    reader.start()
    try:
        until(lambda: service.get("/ready").status_code == 200)
        yield service
    finally:
        process.terminate()
        process.wait(60)
        with suppress(ProcessLookupError):  # no worker that a bug has left
            os.killpg(process.pid, signal.SIGKILL)
        reader.join(60)
        process.stderr.close()
