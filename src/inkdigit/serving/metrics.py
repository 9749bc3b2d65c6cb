"""The figures that `/metrics` tells, for one process or for all workers together."""

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import REGISTRY

# Where several workers lay down their figures; prometheus-client reads it when it is imported.
SHARED_DIR = "PROMETHEUS_MULTIPROC_DIR"

_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)

REQUESTS = Counter("inkdigit_requests", "Requests answered.", ["method", "route", "status"])
SECONDS = Histogram(
    "inkdigit_request_seconds", "From a request's head to its answer.", ["route"], buckets=_SECONDS
)
QUEUE = Gauge("inkdigit_queue", "Places in the queue that are taken.", multiprocess_mode="livesum")
BATCHES = Histogram(
    "inkdigit_batch_pictures", "Pictures that were read together.", buckets=(1, 2, 4, 8, 16, 32, 64)
)
READINGS = Counter("inkdigit_readings", "Readings by status.", ["status"])


def exposition() -> bytes:
    """Return all figures as Prometheus's text."""
    if SHARED_DIR not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)


def forget_process() -> None:
    """Take this worker's queue out of the sum of all."""
    if SHARED_DIR in os.environ:
        mark_process_dead(os.getpid())  # type: ignore[no-untyped-call]
