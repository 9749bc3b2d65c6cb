import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from inkdigit.bulk.chunks import ChunkResult, Position
from inkdigit.bulk.journal import Journal, journal_of
from inkdigit.errors import OutputError, RunError

ASKED: dict[str, Any] = {"pattern": r"\d", "model": None}


def done(number: int) -> ChunkResult:
    read = {"source": f"{number}.png", "status": "accepted", "reason": ""}
    failed = {"source": f"\udcff{number}.png", "status": "failed", "reason": ""}
    return ChunkResult([read, failed], [0, 5], Position(2 * (number + 1), f"digest {number}"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of three chunks, closed."""
    journal = Journal(tmp_path / "a.csv.part", ASKED)
    for number in range(3):
        journal.append(done(number))
    journal.close()
    return tmp_path / "a.csv.part"


def state(path: Path) -> tuple[int, int, int, int]:
    """Chunks that are whole, as the position, the counts and the rows have it, and the size."""
    journal = Journal(path, ASKED)
    rows = list(journal.records())
    size = path.stat().st_size
    assert rows == [record for number in range(len(rows) // 2) for record in done(number).records]
    journal.close()
    assert journal.tally.codes[5] == journal.tally.statuses["accepted"]
    return journal.position.pictures // 2, journal.tally.rows // 2, len(rows) // 2, size


def test_a_journal_goes_on_where_it_was(path: Path) -> None:
    assert state(path)[:3] == (3, 3, 3)
    journal = Journal(path, ASKED)
    assert journal.position == done(2).end
    journal.append(done(3))
    journal.close()
    assert state(path)[:3] == (4, 4, 4)


def test_cut_off_at_any_byte_it_holds_whole_chunks_alone(path: Path, tmp_path: Path) -> None:
    content = path.read_bytes()
    closed = [0]
    for line in content.splitlines(keepends=True):
        closed.append(closed[-1] + len(line))
    ends = [end for end in closed[1:] if content[:end].splitlines()[-1].startswith(b'{"done"')]
    copy = tmp_path / "copy.part"
    for length in range(0, len(content), 7):
        copy.write_bytes(content[:length])
        whole = sum(end <= length for end in ends)
        size = ends[whole - 1] if whole else closed[1]
        assert state(copy) == (whole, whole, whole, size)


def test_a_chunk_that_the_disk_has_lost_in_part_is_cut_off(path: Path) -> None:
    content = bytearray(path.read_bytes())
    at = content.index(b"1.png")
    content[at : at + 5] = b"\0" * 5
    path.write_bytes(bytes(content))
    assert state(path)[:3] == (1, 1, 1)


def test_another_run_is_refused_and_stays(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(RunError, match=r"another run \(pattern was \\d, and is \\d\\d\)"):
        Journal(path, {**ASKED, "pattern": r"\d\d"})
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    ["garbage\n", "[1]\n", "\xff\n", "something I had", '{"pattern": "x"', "{}", "[" * 9999 + "\n"],
)
def test_what_is_no_journal_is_refused_and_stays(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.csv.part"
    path.write_text(content, "latin-1")
    with pytest.raises(RunError, match="is no journal of Inkdigit's"):
        Journal(path, ASKED)
    assert path.read_text("latin-1") == content


@pytest.mark.parametrize(
    "closing",
    [
        '{"done": 3}',
        '{"done": null}',
        '{"done": {"rows": 2}}',
        '{"done": {"crc32": 0, "position": 2, "tally": {}}}',
        '{"done": {"crc32": 0, "position": {"pictures": "two", "digest": ""}, "tally": {}}}',
        '{"done": {"crc32": 0, "position": {"pictures": 2, "digest": ""}, "tally": [1]}}',
    ],
)
def test_what_closes_otherwise_is_refused_and_stays(path: Path, closing: str) -> None:
    content = path.read_text() + closing + "\n"
    path.write_text(content)
    with pytest.raises(RunError, match="is no journal of Inkdigit's"):
        Journal(path, ASKED)
    assert path.read_text() == content


def test_anew_leaves_nothing(path: Path) -> None:
    journal = Journal(path, {"pattern": None}, anew=True)
    assert journal.position == Position()
    assert list(journal.records()) == []
    journal.close()


def test_nothing_is_left_of_a_run_that_did_nothing(tmp_path: Path) -> None:
    Journal(tmp_path / "a.csv.part", ASKED).close()
    assert not (tmp_path / "a.csv.part").exists()


def test_a_chunk_stays_whose_note_was_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.csv.part"
    journal = Journal(path, ASKED)

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            journal.append(done(0))
    journal.close()
    assert state(path)[:3] == (1, 1, 1)


def test_one_process_at_a_time(path: Path) -> None:
    journal = Journal(path, ASKED)
    with pytest.raises(RunError, match="is being written by another process"):
        Journal(path, ASKED, anew=True)
    journal.close()
    assert state(path)[:3] == (3, 3, 3)


def test_a_folder_that_vanished_is_said_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    journal = Journal(folder / "a.csv.part", ASKED)
    shutil.rmtree(folder)
    with pytest.raises(OutputError, match="its folder has vanished"):
        journal.append(done(0))
    journal.close()
    with pytest.raises(OutputError, match="cannot be written: No such file or directory"):
        Journal(folder / "a.csv.part", ASKED)


def test_a_full_disk_keeps_what_was_done(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(path, ASKED)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match=r"a\.csv\.part cannot be written: No space left"):
            journal.append(done(3))
    journal.close()
    assert state(path)[0] >= 3


def test_the_journal_lies_beside_its_table(tmp_path: Path) -> None:
    assert journal_of(tmp_path / "a.csv") == tmp_path / "a.csv.part"
