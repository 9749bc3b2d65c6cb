import json
import os
from pathlib import Path

import pytest
from piles import row, said, settled, table_of

from inkdigit.bulk.writers import write_parquet
from inkdigit.errors import OutputError, RunError, SettingError, SourceError
from inkdigit.review.journal import Journal, as_keyed


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return table_of(tmp_path / "results.csv")


def test_what_is_said_is_there_after_a_restart(table: Path) -> None:
    before = table.read_bytes()
    decisions = [said(1, "11"), said(3, "/", "ben"), said(1, None)]
    settled(table, *decisions)
    journal = Journal(table)
    assert journal.decisions == decisions
    assert journal.answer(1) is None
    assert journal.answer(3) == decisions[1]
    assert journal.last("anna") is None
    assert journal.last("ben") == decisions[1]
    assert table.read_bytes() == before


def test_each_line_is_on_the_disk_when_it_is_answered(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced, sync = list[bytes](), os.fsync

    def note(opened: int) -> None:
        sync(opened)
        synced.append(Path(f"/proc/self/fd/{opened}").read_bytes())

    journal = settled(table, said(1, "11"))
    monkeypatch.setattr(os, "fsync", note)
    journal.append(said(3, "35"))
    assert json.loads(synced[-1].splitlines()[-1])["new"] == "35"


def test_half_a_line_counts_for_nothing_and_goes(table: Path) -> None:
    path = settled(table, said(1, "11"), said(3, "35")).path
    whole = path.read_bytes()
    for end in range(whole.rindex(b"\n", 0, -1) + 2, len(whole)):
        path.write_bytes(whole[:end])
        journal = Journal(table)
        assert journal.is_cut
        assert [one.row for one in journal.decisions] == [1]
    journal.append(said(3, "35"))
    assert path.read_bytes() == whole
    assert not Journal(table).is_cut


def test_a_line_that_cannot_be_written_was_not_said(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, fsync = settled(table, said(1, "11")), os.fsync

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutputError, match=r"review\.jsonl cannot be written: No space left on dev"):
        journal.append(said(3, "36"))
    monkeypatch.setattr(os, "fsync", fsync)
    assert journal.answer(3) is None
    journal.append(said(3, "35"))
    assert [one.new for one in Journal(table).decisions] == ["11", "35"]


def test_a_batch_is_there_whole_or_not_at_all(table: Path) -> None:
    path = settled(table, said(1, "11")).path
    before = path.read_bytes()
    batch = [said(2, "20"), said(3, "35"), said(4, None)]
    settled(table, *batch)  # one by one, as lines of their own
    assert [one.row for one in Journal(table).decisions] == [1, 2, 3, 4]
    path.write_bytes(before)
    Journal(table).append(*batch)
    whole = path.read_bytes()
    assert Journal(table).decisions[1:] == batch
    for end in range(len(before), len(whole)):
        path.write_bytes(whole[:end])
        assert len(Journal(table).decisions) == 1


def test_the_journal_of_another_table_is_refused(table: Path) -> None:
    settled(table, said(1, "11"))
    table.write_text(table.read_text("utf-8").replace("35", "53"), "utf-8")
    with pytest.raises(RunError, match=r"is the journal of another table, or of results\.csv"):
        Journal(table)
    other = table_of(table.with_suffix(".jsonl"))
    assert Journal(other).decisions == []


@pytest.mark.parametrize("line", [b"{}", b"[1]", b"1", b"no JSON", b'{"digest": 1', b"\xff"])
def test_a_broken_journal_is_refused(table: Path, line: bytes) -> None:
    path = settled(table, said(1, "11")).path
    whole = path.read_bytes()
    for content, number in ((whole + line + b"\n", 3), (line + b"\n" + whole, 1)):
        path.write_bytes(content)
        with pytest.raises(RunError, match=rf"is broken: line {number} is no|of another table"):
            Journal(table)
        assert path.read_bytes() == content


def test_a_blank_line_is_harmless(table: Path) -> None:
    journal = settled(table, said(1, "11"))
    journal.path.write_bytes(journal.path.read_bytes() + b"\n")
    settled(table, said(3, "35"))
    assert [one.row for one in Journal(table).decisions] == [1, 3]


def test_the_journal_of_the_folder_one_is_in_lies_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (inner := tmp_path / "parts" / "inner").mkdir(parents=True)
    write_parquet([row(1, "17", "review", 0.8)], tmp_path / "parts" / "part-0.parquet")
    for there, name in ((inner.parent, "."), (inner, "..")):
        monkeypatch.chdir(there)
        assert Journal(Path(name)).path == tmp_path / "parts.review.jsonl"
    with pytest.raises(SourceError, match="/ holds no parts of a table"):
        Journal(Path("/"))


def test_one_process_at_a_time_writes(table: Path) -> None:
    with (
        Journal(table).held(),
        pytest.raises(RunError, match="written by another process"),
        Journal(table).held(),
    ):
        raise AssertionError("two hold it")
    with Journal(table).held():
        assert sorted(path.suffix for path in table.parent.iterdir()) == [".csv", ".lock"]
    with pytest.raises(SourceError, match=r"none\.csv cannot be read: No such file"):
        Journal(table.with_name("none.csv"))


def test_what_was_said_while_it_waited_is_kept(table: Path) -> None:
    waiting = Journal(table)
    settled(table, said(1, "11"), said(2, "20"))
    with waiting.held() as journal:
        journal.append(said(3, "35"))
    assert [one.row for one in journal.decisions] == [1, 2, 3]
    assert Journal(table).decisions == journal.decisions


@pytest.mark.parametrize(
    ("looks", "answer"),
    [
        ([said(1, "17", blind=True)], "17"),
        ([said(1, "11", blind=True)], None),
        ([said(1, "11", blind=True), said(1, "11", "ben", blind=True)], "11"),
        ([said(1, "11", blind=True), said(1, "17", "ben", blind=True)], "17"),
        ([said(1, "11", blind=True), said(1, "12", "ben", blind=True)], None),
        ([said(1, "11", blind=True), said(1, "12", "ben", blind=True), said(1, "13")], "13"),
        ([said(1, "11"), said(1, "12", "ben"), said(1, None)], "12"),
        ([said(1, "11", old=None, blind=True)], None),
    ],
)
def test_who_settles_a_row(table: Path, looks: list, answer: str | None) -> None:
    found = settled(table, *looks).answer(1)
    assert (found and found.new) == answer


def test_what_can_be_keyed() -> None:
    assert [as_keyed(text) for text in ("1 250.-", "-", "/", "?", "12/05")] == [
        "1250.-", "-", "/", "?", "12/05"
    ]  # fmt: skip
    for text in ("", " ", "a", "1?", ".", "--", "١"):
        with pytest.raises(SettingError, match="type digits"):
            as_keyed(text)
