from collections.abc import Iterator

import pytest
from browsing import browser
from running import Running, running

__all__ = ["browser", "narrow", "service"]


@pytest.fixture(scope="session")
def service() -> Iterator[Running]:
    """A service as anybody starts it."""
    with running() as started:
        yield started


@pytest.fixture(scope="session")
def narrow() -> Iterator[Running]:
    """A service with small limits."""
    flags = "--queue 3 --max-files 3 --max-bytes 200000 --max-pixels 1000000 --max-pages 2"
    with running(*flags.split()) as started:
        yield started
