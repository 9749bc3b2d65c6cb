"""A real Ray cluster on this machine: a head without cores, and two workers with one each."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pyarrow.fs import S3FileSystem
from pyarrow.parquet import read_table
from servers import CREDENTIALS, Bucket, free_port

from benchmarks.form_pages import draw_form, fill
from inkdigit import read_to
from inkdigit.cli import main
from inkdigit.errors import MissingExtraError
from inkdigit.learning.datasets import Dataset

# Ray turns 127.0.0.1 into the machine's address for others; any other loopback address stays.
HOST = "127.0.0.2"
COUNT = 400
Crops = Callable[[Path, int], Path]
Rows = list[dict[str, Any]]
ENVIRONMENT = {
    **os.environ,
    **CREDENTIALS,
    "RAY_USAGE_STATS_ENABLED": "0",
    # A cluster that Ray has started by itself leaves a token, which others would ask for.
    "RAY_AUTH_MODE": "disabled",
}


class Node:
    """A node of the cluster, which ends with the process that it is."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block"]
        command += ["--node-ip-address", HOST, "--disable-usage-stats", *arguments]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=ENVIRONMENT, text=True
        )
        told = []
        for line in self._process.stdout or ():
            told.append(line)
            if "Ray runtime started" in line:
                return
        raise AssertionError("".join(told))

    def kill(self) -> None:
        """End it, and what it has started, as a power cut does; Ray takes half a minute else."""
        self._process.kill()
        if self._process.returncode is None:
            self._process.communicate()


@dataclass(frozen=True)
class Cluster:
    """Where the head is, and the workers."""

    address: str
    workers: list[Node]


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A head and two workers, one of which is killed by a test."""
    folder = tempfile.mkdtemp(prefix="ray-")  # a short name, as sockets in it need
    address = f"{HOST}:{free_port()}"
    head = ["--head", "--num-cpus", "0", "--include-dashboard", "false", "--temp-dir", folder]
    nodes = [Node(*head, "--port", address.partition(":")[2])]
    try:
        nodes += [Node("--address", address, "--num-cpus", "1") for _ in range(2)]
        yield Cluster(address, nodes[1:])
    finally:
        for node in reversed(nodes):
            node.kill()
        shutil.rmtree(folder, ignore_errors=True)


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "inkdigit", "read", *map(str, arguments)]


def read(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), capture_output=True, text=True, env=ENVIRONMENT)


def rows_of(path: Path) -> Rows:
    return [json.loads(line) for line in path.read_text().splitlines()]


def assert_alike(rows: Rows, expected: Rows) -> None:
    assert len(rows) == len(expected)
    for row, other in zip(rows, expected, strict=True):
        assert (row["source"], row["text"], row["status"]) == (
            other["source"],
            other["text"],
            other["status"],
        )
        assert row["confidence"] == pytest.approx(other["confidence"], abs=1e-4)


def test_a_bucket_is_read_and_written_by_the_cluster(
    cluster: Cluster, bucket: Bucket, some_crops: list[Path], tmp_path: Path
) -> None:
    store = S3FileSystem(endpoint_override=bucket.server, scheme="http")
    for path in some_crops:
        with store.open_output_stream(f"{bucket.name}/scans/{path.name}") as stream:
            stream.write(path.read_bytes())
    scans, results = bucket.uri("scans/"), bucket.uri("results/")
    ray = ["--engine", "ray", "--address", cluster.address]
    done = read(scans, *ray, "-o", results)
    assert done.returncode == 0, done.stderr
    rows = read_table(f"{bucket.name}/results", filesystem=store).to_pylist()
    here = tmp_path / "here.jsonl"
    assert main(["read", str(some_crops[0].parent), "-o", str(here), "-q"]) == 0
    expected = rows_of(here)
    for row in expected:
        row["source"] = f"s3://{bucket.name}/scans/{Path(row['source']).name}"
    assert_alike(rows, expected)
    again = read(scans, *ray, "-o", results)
    assert again.returncode == 8
    assert "holds what an earlier run has done" in again.stderr


def test_forms_are_read_by_the_cluster(cluster: Cluster, sample: Dataset, tmp_path: Path) -> None:
    drawn = draw_form(1)
    drawn.save(tmp_path, "claim")
    (tmp_path / "scans").mkdir()
    for seed in (1, 2):
        Image.fromarray(fill(seed, drawn, sample.test)[0]).save(tmp_path / "scans" / f"{seed}.png")
    forms = [tmp_path / "scans", "--form", tmp_path / "claim.form.json", "-q"]
    tables = tmp_path / "ray.csv", tmp_path / "here.csv"
    done = read(*forms, "--engine", "ray", "--address", cluster.address, "-o", tables[0])
    assert done.returncode == 0, done.stderr
    assert main(["read", *map(str, forms), "-o", str(tables[1])]) == 0
    assert tables[0].read_text("utf-8") == tables[1].read_text("utf-8")


@pytest.mark.slow
def test_a_worker_that_is_killed_costs_no_row(
    cluster: Cluster, crops: Crops, tmp_path: Path
) -> None:
    scans, out, here = (
        crops(tmp_path / "scans", COUNT),
        tmp_path / "ray.jsonl",
        tmp_path / "a.jsonl",
    )
    (scans / "00100_broken.png").write_text("no picture")
    ray = ["--engine", "ray", "--address", cluster.address]
    process = subprocess.Popen(
        command(scans, *ray, "-o", out), stderr=subprocess.PIPE, env=ENVIRONMENT, text=True
    )
    part = tmp_path / "ray.jsonl.part" / "part-000000.jsonl"
    while process.poll() is None and not part.exists():
        time.sleep(0.05)
    assert process.poll() is None
    cluster.workers[-1].kill()
    _, said = process.communicate()
    assert process.returncode == 5, said
    assert "Traceback" not in said
    assert main(["read", str(scans), "-o", str(here), "-q", "--jobs", "1"]) == 5
    assert_alike(rows_of(out), rows_of(here))


def test_a_cluster_that_is_not_there_is_one_sentence(some_crops: list[Path]) -> None:
    done = read(some_crops[0].parent, "--engine", "ray", "--address", f"{HOST}:{free_port()}")
    assert done.returncode == 11
    assert done.stderr.startswith(f"inkdigit: there is no Ray cluster at {HOST}:")
    assert len(done.stderr.splitlines()) == 1


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray.data", None)
    monkeypatch.delitem(sys.modules, "inkdigit.bulk.cluster", raising=False)
    with pytest.raises(MissingExtraError, match=r"pip install 'inkdigit\[ray\]'"):
        read_to("docs/amount.png", engine="ray")
