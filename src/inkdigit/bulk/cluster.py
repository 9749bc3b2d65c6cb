"""The engine of a cluster: Ray Data, with a warm reader as its actor (extra `ray`).

The pictures' names go out, each actor opens the pictures where it runs, and records come back in
order. Scheduling, back-pressure and retries are Ray's.
"""

import logging
import os
import pickle
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from inkdigit.bulk.chunks import Chunk, ChunkResult, Results, read_chunk
from inkdigit.bulk.rows import ReadJob
from inkdigit.errors import ClusterError, InkdigitError, need
from inkdigit.processes import use_one_core

if TYPE_CHECKING:
    from ray.data import Dataset

need("ray", "pyarrow", "ray.data")

# Chunks that are handed to Ray at a time: a million pictures' names, so that a folder of any size
# fits, and the actors are started anew seldom.
_PORTION = 16_384
# Chunks of one task at most: long enough that what Ray does for each is little beside it.
_TASK = 4
# Tasks for each reader at least, where there are chunks enough, so that they end together.
_SHARES = 4
# Seconds within which the head of a cluster takes a connection.
_ANSWERS_WITHIN = 10


def read_on_ray(
    chunks: Iterator[Chunk], job: ReadJob, address: str | None = None, jobs: int | None = None
) -> Results:
    """Yield what each chunk says, in order, read by a Ray cluster.

    `address` is its head's, `auto` the cluster that this machine is in, and without one a cluster
    of this machine alone is started. `jobs` is the most readers, by default one a core. Raises
    `ClusterError` where the cluster is not there, or has gone.
    """
    with _cluster(address):
        while portion := list(islice(chunks, _PORTION)):
            for row in _dataset(portion, job, jobs).iter_rows():
                done: ChunkResult = pickle.loads(row["done"])  # noqa: S301  (our own actor wrote it)
                yield done


def _dataset(portion: list[Chunk], job: ReadJob, jobs: int | None) -> "Dataset":
    import ray.data

    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    cores = max(int(ray.cluster_resources().get("CPU", 1)), 1)  # type: ignore[no-untyped-call]
    readers = min(jobs or cores, cores, len(portion))
    tasks = max(-(-len(portion) // _TASK), min(len(portion), _SHARES * readers))
    rows = [{"chunk": pickle.dumps(chunk)} for chunk in portion]
    dataset = ray.data.from_items(rows, override_num_blocks=tasks)
    return dataset.map(
        _Actor,  # type: ignore[arg-type]
        fn_constructor_args=(job,),
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=readers, initial_size=readers),
        num_cpus=1,
    )


class _Actor:
    """A reader that stays warm between tasks."""

    def __init__(self, job: ReadJob) -> None:
        use_one_core()
        self._reader, self._job = job.reader(), job

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        chunk: Chunk = pickle.loads(row["chunk"])  # noqa: S301  (the driver wrote it)
        return {"done": pickle.dumps(read_chunk(self._reader, self._job, chunk))}


@contextmanager
def _cluster(address: str | None) -> Iterator[None]:
    """Be connected to a cluster, and turn its errors into ours."""
    # Nothing is sent anywhere.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    named = address or "this machine"
    try:
        _check_answers(address or "")
        ray.init(
            # Without an address Ray would look for a cluster, also for one that has gone.
            address or "local",
            include_dashboard=None if address else False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    except Exception as error:  # noqa: BLE001  (Ray raises what its layers happen to)
        raise ClusterError(
            f"there is no Ray cluster at {named}, start one with  ray start --head: {_short(error)}"
        ) from None
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield
    except InkdigitError:
        raise
    except ray.exceptions.RayError as error:
        raise ClusterError(f"the Ray cluster at {named} failed: {_short(error)}") from None
    finally:
        ray.shutdown()


def _check_answers(address: str) -> None:
    """Raise `OSError` where nothing answers at HOST:PORT; Ray itself would wait for minutes."""
    host, _, port = address.rpartition(":")
    if host and port.isdecimal() and "://" not in host:
        socket.create_connection((host, int(port)), timeout=_ANSWERS_WITHIN).close()


def _short(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return lines[-1].strip()[:200]
