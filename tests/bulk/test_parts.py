from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from pyarrow.fs import FileSelector
from servers import CREDENTIALS, Bucket, free_port
from stand_ins import reading

from inkdigit.bulk import parts as module
from inkdigit.bulk.chunks import ChunkResult, Position
from inkdigit.bulk.parquet import table as arrow
from inkdigit.bulk.parts import Parts, PartsTable
from inkdigit.bulk.rows import TableRow
from inkdigit.bulk.storage import located
from inkdigit.bulk.tables import choose_target
from inkdigit.bulk.tally import Tally
from inkdigit.errors import OutputError, RunError

ASKED: dict[str, Any] = {"pattern": None}


def done(number: int) -> ChunkResult:
    rows = [TableRow(f"{number}-{letter}.png", 1, reading(), "line 1") for letter in "ab"]
    return ChunkResult(
        [row.to_dict() for row in rows], [0, 0], Position(2 * (number + 1), f"{number}")
    )


def opened(name: str, *, overwrite: bool = False, resume: bool = False) -> PartsTable:
    return PartsTable(Parts(name), ASKED, overwrite=overwrite, resume=resume)


def sources(name: str) -> list[str]:
    store, path = located(name)
    table = pyarrow.parquet.read_table(path, filesystem=store)
    return list(table.column("source").to_pylist())


@pytest.fixture(params=["disk", "bucket"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A folder that is not there yet, on a disk and in a bucket."""
    if request.param == "disk":
        return f"{tmp_path}/results/"
    bucket: Bucket = request.getfixturevalue("bucket")
    return bucket.uri("results/")


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PART_ROWS", 4)


def test_rows_become_parts_and_a_stopped_run_goes_on(folder: str) -> None:
    table = opened(folder)
    for number in range(3):
        table.append(done(number))
    # Killed here: the last rows were in no part yet.
    del table
    table = opened(folder, resume=True)
    assert table.position == done(1).end
    assert table.tally.statuses == {"accepted": 4}
    assert not Parts(folder).is_finished()
    for number in (2, 3, 4):
        table.append(done(number))
    table.finish()
    table.close()
    assert Parts(folder).is_finished()
    assert Parts(folder).numbers() == [0, 1, 2]
    assert sources(folder) == [f"{number}-{letter}.png" for number in range(5) for letter in "ab"]


def test_parts_that_another_run_wrote_are_not_taken_for_its_own(folder: str) -> None:
    table = opened(folder)
    for number in range(2):
        table.append(done(number))
    parts = Parts(folder)
    parts.claim()
    parts.write(7, arrow(done(9).records), module.Note(ASKED, Position(), Tally()))
    table._parts.claim()
    with pytest.raises(RunError, match="holds parts of another run: start with --overwrite"):
        table.finish()
    table.close()
    assert not parts.is_finished()


def test_what_is_left_is_written_when_it_is_stopped(folder: str) -> None:
    table = opened(folder)
    table.append(done(0))
    table.close()
    assert opened(folder, resume=True).position == done(0).end


def test_parts_are_neither_overwritten_nor_mixed(folder: str) -> None:
    table = opened(folder)
    for number in range(2):
        table.append(done(number))
    table.finish()
    table.close()
    with pytest.raises(OutputError, match="/results/ holds parts already"):
        opened(folder)
    with pytest.raises(RunError, match="/results/ is of another run"):
        PartsTable(Parts(folder), {"pattern": "x"}, overwrite=False, resume=True)
    table = opened(folder, overwrite=True)
    assert table.position == Position()
    assert (Parts(folder).numbers(), Parts(folder).is_finished()) == ([], False)


def test_finished_parts_say_what_was_counted_and_for_whom(folder: str) -> None:
    table = opened(folder)
    failed = {**done(0).records[0], "status": "failed"}
    table.append(ChunkResult([failed], [5], Position(1, "0")))
    table.finish()
    table.close()
    assert Parts(folder).finished(ASKED).codes == {5: 1}
    with pytest.raises(RunError, match=r"another run \(pattern was None, and is x\)"):
        Parts(folder).finished({"pattern": "x"})


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"asked": {}, "tally": []}'])
def test_parts_that_something_else_finished_are_said(tmp_path: Path, content: str) -> None:
    Path(tmp_path, "_SUCCESS").write_text(content)
    with pytest.raises(RunError, match="was not finished by Inkdigit"):
        Parts(f"{tmp_path}/").finished(ASKED)


def test_a_missing_part_is_said(tmp_path: Path) -> None:
    folder = f"{tmp_path}/results/"
    table = opened(folder)
    for number in range(4):
        table.append(done(number))
    table.close()
    Path(folder, "part-000000.parquet").unlink()
    with pytest.raises(RunError, match="lacks some of its parts"):
        opened(folder, resume=True)


def test_a_part_of_something_else_is_said(tmp_path: Path) -> None:
    Path(tmp_path, "part-000000.parquet").write_text("something I had")
    with pytest.raises(RunError, match="is no part of Inkdigit's"):
        opened(f"{tmp_path}/", resume=True)


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="results/ cannot be written: No such file"):
        opened(f"{tmp_path}/nowhere/results/")


@pytest.mark.parametrize("note", ["[]", '{"asked": {"pattern": null}, "position": 1}'])
def test_a_part_with_another_note_is_said(tmp_path: Path, note: str) -> None:
    rows = arrow(done(0).records).replace_schema_metadata({b"inkdigit": note})
    pyarrow.parquet.write_table(rows, tmp_path / "part-000000.parquet")
    with pytest.raises(RunError, match="is no part of Inkdigit's"):
        opened(f"{tmp_path}/", resume=True)


@pytest.mark.parametrize("how", [{"overwrite": True}, {"resume": True}])
def test_one_process_at_a_time_writes_a_folder(tmp_path: Path, how: dict[str, bool]) -> None:
    folder = f"{tmp_path}/results/"
    table = opened(folder)
    with pytest.raises(RunError, match="results/ is being written by another process"):
        opened(folder, **how)
    table.append(done(0))
    table.close()
    assert [path.name for path in Path(folder).iterdir()] == ["part-000000.parquet"]
    opened(folder, **how).close()


def test_in_a_bucket_the_run_that_began_last_goes_on(bucket: Bucket) -> None:
    folder = bucket.uri("results/")
    first = opened(folder)
    first.append(done(0))
    with pytest.raises(OutputError, match="or another run is writing some: go on with --resume"):
        opened(folder)
    first.append(done(1))
    second = opened(folder, resume=True)
    assert second.position == done(1).end
    first.append(done(2))
    with pytest.raises(RunError, match="is being written by another run, which began later"):
        first.append(done(3))
    first.close()
    for number in (2, 3):
        second.append(done(number))
    second.finish()
    second.close()
    assert sources(folder) == [f"{number}-{letter}.png" for number in range(4) for letter in "ab"]
    store, path = located(folder)
    names = [entry.base_name for entry in store.get_file_info(FileSelector(path))]
    assert sorted(names) == ["_SUCCESS", "part-000000.parquet", "part-000001.parquet"]


def test_a_bucket_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    query = f"endpoint_override=127.0.0.1:{free_port()}&scheme=http&region=us-east-1"
    with pytest.raises(OutputError, match=r"^s3://bucket/results/ cannot be written: "):
        Parts(f"s3://bucket/results/?{query}").is_finished()


@pytest.mark.parametrize("name", ["run:1/", "what?/"])
def test_a_folder_may_be_called_anything(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert choose_target(name, None) == name
    table = opened(name)
    table.append(done(0))
    table.close()
    assert Path(name, "part-000000.parquet").exists()


def test_what_was_finished_and_cannot_be_opened_is_said(tmp_path: Path) -> None:
    Path(tmp_path, "_SUCCESS").mkdir()
    with pytest.raises(OutputError, match="cannot be written: "):
        Parts(f"{tmp_path}/").finished(ASKED)
