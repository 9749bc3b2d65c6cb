import subprocess
import sys
from collections.abc import Iterator

import pytest
from servers import CREDENTIALS, Bucket, free_port, wait_for


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
