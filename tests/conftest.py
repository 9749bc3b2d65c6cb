import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from inkdigit.learning.datasets import Dataset
    from inkdigit.learning.models.run import Run

# A shell that starts the tests in the background has Ctrl-C ignored, also by what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)

NO_MNIST = "the full MNIST is not at hand: name its folder with INKDIGIT_DATA"
# Matplotlib's font cache takes seconds to build, so it stays where it is.
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
os.environ.setdefault("MPLCONFIGDIR", str(_CACHE / "matplotlib"))


def _has_mnist() -> bool:
    from inkdigit.learning.datasets.mnist import find_mnist

    return find_mnist() is not None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    marked = [item for item in items if item.get_closest_marker("mnist")]
    if marked and not _has_mnist():
        for item in marked:
            item.add_marker(pytest.mark.skip(reason=NO_MNIST))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    # Counted from the reports: with several processes, each collects for itself.
    skipped = terminalreporter.stats.get("skipped", [])
    if count := sum(NO_MNIST in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(f"{count} tests were left out: {NO_MNIST}")


@pytest.fixture(autouse=True)
def _no_data_of_this_machine(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not request.node.get_closest_marker("mnist"):
        monkeypatch.delenv("INKDIGIT_DATA", raising=False)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="session")
def mnist() -> "Dataset":
    """The full MNIST, for tests marked `mnist`."""
    from inkdigit.learning.datasets.mnist import load_mnist

    return load_mnist()


@pytest.fixture(scope="session")
def sample() -> "Dataset":
    """The 5,000 digits of the sample."""
    from inkdigit.learning.datasets import load_dataset

    return load_dataset("sample")


@pytest.fixture(scope="session")
def small(sample: "Dataset") -> "Dataset":
    """A tenth of the sample: real digits, few enough to train on in a test."""
    from inkdigit.learning.datasets import Dataset

    return Dataset("sample", sample.train.divided(0.2)[1], sample.test.divided(0.3)[1])


@pytest.fixture(scope="session")
def trained(small: "Dataset", tmp_path_factory: pytest.TempPathFactory) -> "Run":
    """A finished run; tests must not change it."""
    from inkdigit.learning.api import start_training
    from inkdigit.learning.settings import TrainingSettings

    folder = tmp_path_factory.mktemp("trained") / "run"
    return start_training(TrainingSettings(network="lenet5", epochs=2, batch_size=64), small).run(
        folder
    )


@pytest.fixture(scope="session")
def some_crops(small: "Dataset", tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Eight pictures of numbers of four digits, dark on light."""
    import numpy as np
    from PIL import Image

    folder = tmp_path_factory.mktemp("crops")
    paths = [folder / f"{number}.png" for number in range(8)]
    for number, path in enumerate(paths):
        digits = small.test.images[10 * number : 10 * number + 4]
        Image.fromarray(255 - np.pad(np.hstack(list(digits)), 6)).save(path)
    return paths


@pytest.fixture(scope="session")
def crops(some_crops: list[Path]) -> Callable[[Path, int], Path]:
    """Fills a folder with so many pictures, which take no room, and returns it."""

    def filled(folder: Path, count: int) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            os.link(some_crops[number % 8], folder / f"{number:05}.png")
        return folder

    return filled


@pytest.fixture
def sockets(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[object]]:
    """What was asked of the network: every attempt is listed and refused."""
    import socket

    asked: list[object] = []

    def refuse(*arguments: object, **_: object) -> None:
        asked.append(arguments)
        raise AssertionError(f"the network was asked for: {arguments}")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)
    yield asked
    assert not asked
