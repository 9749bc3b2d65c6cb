"""Servers on this machine that tests start, and nothing but 127.0.0.0/8 is asked."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True)
class Bucket:
    """A bucket of an S3-compatible server on this machine, and how a URI in it ends."""

    name: str
    server: str

    def uri(self, path: str) -> str:
        query = f"endpoint_override={self.server}&scheme=http&region=us-east-1"
        return f"s3://{self.name}/{path}?{query}"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    """Wait until a server answers; fail if it ends before."""
    for _ in range(1200):
        assert server.poll() is None
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the server does not answer")


@pytest.fixture(scope="session")
def s3_port() -> Iterator[int]:
    """The port of a moto server of its own."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, server)
        yield port
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def bucket(s3_port: int, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Bucket:
    """An empty bucket."""
    from pyarrow.fs import S3FileSystem

    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    name = f"bucket-{abs(hash(request.node.nodeid))}"
    server = f"127.0.0.1:{s3_port}"
    store = S3FileSystem(endpoint_override=server, scheme="http", allow_bucket_creation=True)
    store.create_dir(name)
    return Bucket(name, server)
