import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from inkdigit.errors import OutputError
from inkdigit.files import make_folder, write_atomically, write_text
from inkdigit.learning.networks import build_network


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """Let files grow to `size` bytes only: what a full disk does, without filling one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_file_appears_whole(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "ink")
    assert (tmp_path / "a.txt").read_text() == "ink"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_what_was_there_stays_when_writing_fails_half_way(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")

    def fail(temporary: Path) -> None:
        temporary.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, fail)
    assert path.read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("name", ["state.npz", "model.keras", "model.h5"])
def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    model = build_network("classic")
    writers = {
        "state.npz": lambda path: np.savez(path, a=np.zeros(10**6)),
        "model.keras": model.save,
        "model.h5": model.save,
    }
    with (
        room_for(100_000),
        pytest.raises(OutputError, match=f"{name} cannot be written: File too large$"),
    ):
        write_atomically(tmp_path / name, writers[name])
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be made"):
        make_folder(tmp_path / "file" / "run")
