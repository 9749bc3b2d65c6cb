import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from pyarrow.fs import FileSelector
from servers import Bucket
from stand_ins import reading

from inkdigit.bulk import parts as parts_module
from inkdigit.bulk.api import choose_target
from inkdigit.bulk.chunks import ChunkResult, Position
from inkdigit.bulk.parts import PARQUET, Note, Parts, Table, parts_of_file, parts_of_folder
from inkdigit.bulk.rows import ReadJob, Record, Tally
from inkdigit.bulk.storage import is_uri, located
from inkdigit.bulk.stores import LocalStore
from inkdigit.bulk.writers import Output, as_arrow
from inkdigit.errors import OutputError, RunError, SettingError
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.result import COLUMNS, Row

ASKED: dict[str, Any] = {"pattern": r"\d", "model": None}


def records(number: int) -> list[Record]:
    """The rows of a chunk; the name of one is no text."""
    names = (f"{number}-a.png", f"\udcff{number}.png")
    return [Row(name, 1, reading(), "line 1").to_dict(COLUMNS) for name in names]


def note(chunks: int) -> Note:
    """What stands behind so many chunks."""
    tally = Tally()
    for number in range(chunks):
        for record in records(number):
            tally.count(record, 0)
    return Note(ASKED, Position(2 * chunks, f"digest {chunks}"), tally)


@pytest.fixture
def written(tmp_path: Path) -> Parts:
    """Three chunks in parts of JSON lines."""
    parts = parts_of_file(Output(tmp_path / "a.csv", "csv"))
    (tmp_path / "a.csv.part").mkdir()
    for number in range(3):
        parts.write(number, [parts.format.pack(records(number))], note(number + 1))
    return parts


def part(parts: Parts) -> Path:
    assert parts.output
    assert parts.output.path
    return parts.output.path.with_name("a.csv.part") / "part-000002.jsonl"


def test_parts_of_lines_hold_their_rows_and_how_far_it_came(written: Parts) -> None:
    assert written.last(ASKED) == (3, note(3))
    assert list(written.records()) == [record for n in range(3) for record in records(n)]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "garbage\n",
        "[1]\n",
        "something I had",
        "{}",
        "[" * 9999 + "\n",
        '{"asked": {}, "position": 2, "tally": {}}\n',
        '{"asked": {}, "position": {"pictures": 2, "digest": ""}}\n',
    ],
)
def test_what_is_no_part_is_refused_and_stays(written: Parts, content: str) -> None:
    part(written).write_text(content)
    with pytest.raises(RunError, match=r"part-000002\.jsonl in .*a\.csv\.part was not written"):
        written.last(ASKED)
    assert part(written).read_text() == content


@pytest.mark.parametrize("text", ["[]", '{"asked": {"pattern": null}, "position": 1}', None])
def test_what_is_no_part_of_parquet_is_refused(tmp_path: Path, text: str | None) -> None:
    rows = as_arrow(records(0)).replace_schema_metadata({b"inkdigit": text} if text else {})
    pyarrow.parquet.write_table(rows, tmp_path / "part-000000.parquet")
    parts = parts_of_folder(f"{tmp_path}/")
    with pytest.raises(RunError, match="was not written by Inkdigit"):
        parts.last(ASKED)
    (tmp_path / "part-000000.parquet").write_text("something I had")
    with pytest.raises(RunError, match="was not written by Inkdigit"):
        parts.last(ASKED)


def parquet(folder: Path, count: int) -> Parts:
    """So many parts of Parquet with a chunk each."""
    parts = parts_of_folder(f"{folder}/")
    for number in range(count):
        parts.write(number, [parts.format.pack(records(number))], note(number + 1))
    return parts


def test_parts_of_parquet_are_a_table(tmp_path: Path) -> None:
    parts = parquet(tmp_path, 3)
    assert parts.last(ASKED) == (3, note(3))
    sources = pyarrow.parquet.read_table(tmp_path).column("source").to_pylist()
    assert sources[::2] == ["0-a.png", "1-a.png", "2-a.png"]
    assert sources[1] == r"\udcff0.png"


def both(written: Parts, tmp_path: Path) -> list[Parts]:
    (tmp_path / "folder").mkdir()
    return [written, parquet(tmp_path / "folder", 2)]


def test_another_run_is_refused(written: Parts, tmp_path: Path) -> None:
    for parts in both(written, tmp_path):
        with pytest.raises(RunError, match=r"another run \(pattern was \\d, and is \\d\\d\)"):
            parts.last({**ASKED, "pattern": r"\d\d"})
        with pytest.raises(OutputError, match="go on with --resume, or start anew with --over"):
            parts.check_free()


def test_a_missing_part_is_said(tmp_path: Path) -> None:
    parts = parquet(tmp_path, 3)
    (tmp_path / "part-000001.parquet").unlink()
    with pytest.raises(RunError, match="lacks some of its parts"):
        parts.last(ASKED)


def test_nothing_but_parts_is_cleared(tmp_path: Path) -> None:
    parts = parquet(tmp_path, 2)
    parts.finish(note(2))
    (tmp_path / "mine.txt").touch()
    parts.clear()
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_finished_parts_say_what_was_counted_and_for_whom(tmp_path: Path) -> None:
    job = ReadJob()
    parts = parts_of_folder(f"{tmp_path}/")
    assert parts.finished(job) is None
    parts.finish(Note(job.asked(), Position(1), note(2).tally))
    assert parts.finished(job) == note(2).tally
    with pytest.raises(RunError, match=r"another run \(pattern was None, and is \\d\)"):
        parts.finished(ReadJob(options=ReadOptions(pattern=r"\d")))


def test_whether_parts_are_finished_is_known_by_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = parts_of_folder(f"{tmp_path}/")
    parts.finish(Note(ReadJob().asked(), Position(1), note(2).tally))
    monkeypatch.setattr(LocalStore, "names", lambda _: pytest.fail("a bucket may hold millions"))
    assert parts.finished(ReadJob()) == note(2).tally


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"asked": {}, "tally": []}'])
def test_parts_that_something_else_finished_are_said(tmp_path: Path, content: str) -> None:
    Path(tmp_path, "_SUCCESS").write_text(content)
    with pytest.raises(RunError, match="was not written by Inkdigit"):
        parts_of_folder(f"{tmp_path}/").finished(ReadJob())


def test_what_was_finished_and_cannot_be_opened_is_said(tmp_path: Path) -> None:
    Path(tmp_path, "_SUCCESS").mkdir()
    with pytest.raises(OutputError, match="cannot be written: "):
        parts_of_folder(f"{tmp_path}/").finished(ReadJob())


def test_a_file_is_made_from_its_parts_and_they_go(written: Parts, tmp_path: Path) -> None:
    assert written.finished(ReadJob()) is None
    written.finish(note(3))
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert len(lines) == 7
    assert list(part(written).parent.iterdir()) == []
    assert written.finished(ReadJob()) == Tally()


def test_a_file_that_was_killed_while_its_parts_were_taken_away_is_made_again(
    written: Parts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    delete = LocalStore.delete

    def killed(store: LocalStore, name: str) -> None:
        if name == "part-000001.jsonl":
            raise KeyboardInterrupt
        delete(store, name)

    monkeypatch.setattr(LocalStore, "delete", killed)
    with pytest.raises(KeyboardInterrupt):
        written.finish(note(3))
    assert (tmp_path / "a.csv").exists()
    assert written.finished(ReadJob()) is None
    assert written.last(ASKED) == (2, note(2))  # what a run goes on behind


def test_a_note_is_one_line() -> None:
    assert json.loads(note(2).to_json())["position"] == {"pictures": 4, "digest": "digest 2"}
    assert b"\n" not in note(2).to_json()


def done(number: int) -> ChunkResult:
    rows = [Row(f"{number}-{letter}.png", 1, reading(), "line 1") for letter in "ab"]
    records = [row.to_dict(COLUMNS) for row in rows]
    return ChunkResult(records, [0, 0], Position(2 * (number + 1), f"{number}"))


def opened(name: str, asked: dict[str, Any] = ASKED, **how: bool) -> Table:
    parts = choose_target(name, None, **(how or {"resume": True}))
    assert isinstance(parts, Parts)
    return Table(parts, asked, **how)


def finish(table: Table, first: int, last: int) -> None:
    for number in range(first, last):
        table.append(done(number))
    table.finish()
    table.close()


def rows(count: int) -> list[str]:
    return [f"{number}-{letter}.png" for number in range(count) for letter in "ab"]


def sources(name: str) -> list[str]:
    store, path = located(name) if is_uri(name) else (None, name)
    table = pyarrow.parquet.read_table(path, filesystem=store)
    return list(table.column("source").to_pylist())


@pytest.fixture(params=["file", "disk", "bucket"])
def name(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A file, a folder on a disk and one in a bucket that are not there yet."""
    if request.param == "bucket":
        bucket: Bucket = request.getfixturevalue("bucket")
        return bucket.uri("results/")
    return f"{tmp_path}/results" + ("/" if request.param == "disk" else ".parquet")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts_module, "PARQUET", replace(PARQUET, rows=4))


def test_a_killed_run_goes_on_and_every_row_is_there_once(name: str) -> None:
    table = opened(name)
    for number in range(3):
        table.append(done(number))
    # Killed here: of a folder the last rows were in no part yet.
    del table
    table = opened(name, resume=True)
    kept = 3 if name.endswith(".parquet") else 2
    assert table.position == done(kept - 1).end
    assert table.tally.statuses == {"accepted": 2 * kept}
    finish(table, kept, 5)
    assert sources(name) == rows(5)


def test_what_is_done_is_kept_when_it_is_stopped(name: str) -> None:
    table = opened(name)
    table.append(done(0))
    table.close()
    table = opened(name, resume=True)
    assert table.position == done(0).end
    table.close()
    for number in range(1, 4):  # stopped again and again
        table = opened(name, resume=True)
        table.append(done(number))
        table.close()
    finish(opened(name, resume=True), 4, 5)
    assert sources(name) == rows(5)


def test_nothing_is_left_of_a_run_that_did_nothing(tmp_path: Path) -> None:
    opened(f"{tmp_path}/a.csv").close()
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_neither_overwritten_nor_mixed(name: str) -> None:
    table = opened(name)
    for number in range(2):
        table.append(done(number))
    table.close()
    with pytest.raises(OutputError, match="holds what an earlier run has done"):
        choose_target(name, None)
    with pytest.raises(RunError, match="is of another run"):
        opened(name, {"pattern": "x"}, resume=True)
    table = opened(name, overwrite=True)
    assert table.position == Position()
    finish(table, 7, 8)
    assert sources(name) == ["7-a.png", "7-b.png"]


def test_a_refused_run_changes_nothing(name: str) -> None:
    table = opened(name)
    for number in range(2):
        table.append(done(number))
    with pytest.raises(RunError):
        opened(name, {"pattern": "x"}, resume=True)
    finish(table, 2, 3)
    assert sources(name) == rows(3)


def test_parts_that_another_run_wrote_are_not_taken_for_its_own(name: str) -> None:
    table = opened(name)
    for number in range(2):
        table.append(done(number))
    parts, note = table._parts, table._note(table.position, table.tally)
    parts.write(7, [parts.format.pack(done(9).records)], note)
    with pytest.raises(RunError, match="holds parts of another run: start with --overwrite"):
        table.finish()
    table.close()


@pytest.mark.parametrize("out", ["results/", "results.csv"])
@pytest.mark.parametrize("how", [{"overwrite": True}, {"resume": True}])
def test_one_process_at_a_time_writes(out: str, tmp_path: Path, how: dict[str, bool]) -> None:
    table = opened(f"{tmp_path}/{out}")
    with pytest.raises(RunError, match="is being written by another process"):
        opened(f"{tmp_path}/{out}", **how)
    table.append(done(0))
    table.close()
    (folder,) = tmp_path.iterdir()
    assert [path.stem for path in folder.iterdir()] == ["part-000000"]
    opened(f"{tmp_path}/{out}", **how).close()


def test_in_a_bucket_the_run_that_began_last_goes_on(bucket: Bucket) -> None:
    folder = bucket.uri("results/")
    first = opened(folder)
    first.append(done(0))
    with pytest.raises(OutputError, match="or another run is writing there: go on with --resume"):
        choose_target(folder, None)
    first.append(done(1))
    second = opened(folder, resume=True)
    assert second.position == done(1).end
    first.append(done(2))
    with pytest.raises(RunError, match="is being written by another run, which began later"):
        first.append(done(3))
    first.close()
    assert first.position == done(1).end
    finish(second, 2, 4)
    assert sources(folder) == rows(4)
    store, path = located(folder)
    names = [entry.base_name for entry in store.get_file_info(FileSelector(path))]
    assert sorted(names) == ["_SUCCESS", "part-000000.parquet", "part-000001.parquet"]


def interrupted(_: int) -> None:
    raise KeyboardInterrupt


def full(_: int) -> None:
    raise OSError(28, "No space left on device")


def test_a_chunk_that_was_interrupted_is_there_once_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"{tmp_path}/a.parquet"
    table = opened(name)
    table.append(done(0))
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", interrupted)
        with pytest.raises(KeyboardInterrupt):
            table.append(done(1))
    table.close()
    table = opened(name, resume=True)
    finish(table, table.position.pictures // 2, 3)
    assert sources(name) == rows(3)


def test_a_full_disk_keeps_what_was_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = opened(f"{tmp_path}/a.csv")
    table.append(done(0))
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match=r"a\.csv\.part/.* cannot be written: No space left"):
            table.append(done(1))
    table.close()
    assert opened(f"{tmp_path}/a.csv", resume=True).position.pictures >= done(0).end.pictures


def test_a_folder_that_vanished_is_said_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    table = opened(f"{folder}/a.csv")
    table.append(done(0))
    shutil.rmtree(folder)
    with pytest.raises(OutputError, match="cannot be written: No such file or directory"):
        table.append(done(1))
    table.close()
    for name in ("results/", "nowhere/"):
        with pytest.raises(OutputError, match="cannot be written: No such file"):
            opened(f"{folder}/{name}")


@pytest.mark.parametrize("folder", ["run:1/", "what?/"])
def test_a_folder_may_be_called_anything(
    folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    parts = choose_target(folder, None)
    assert isinstance(parts, Parts)
    assert str(parts) == folder
    table = Table(parts, ASKED)
    table.append(done(0))
    table.close()
    assert Path(folder, "part-000000.parquet").exists()


def test_a_stream_has_no_parts() -> None:
    assert choose_target(None, None) == Output(None, "text")
    with pytest.raises(SettingError, match="--resume goes on with a table"):
        choose_target("-", None, resume=True)
