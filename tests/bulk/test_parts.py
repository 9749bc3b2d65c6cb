import json
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from stand_ins import reading

from inkdigit.bulk.chunks import Position
from inkdigit.bulk.parts import JsonLinesParts, Note, ParquetParts, Parts
from inkdigit.bulk.rows import ReadJob, Record, Tally
from inkdigit.bulk.stores import LocalStore
from inkdigit.bulk.writers import Output, as_arrow
from inkdigit.errors import OutputError, RunError
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
def written(tmp_path: Path) -> JsonLinesParts:
    """Three chunks in parts of JSON lines."""
    parts = JsonLinesParts(Output(tmp_path / "a.csv", "csv"))
    (tmp_path / "a.csv.part").mkdir()
    for number in range(3):
        parts.write(number, [parts.pack(records(number))], note(number + 1))
    return parts


def part(parts: JsonLinesParts) -> Path:
    assert parts.output.path
    return parts.output.path.with_name("a.csv.part") / "part-000002.jsonl"


def test_parts_of_lines_hold_their_rows_and_how_far_it_came(written: JsonLinesParts) -> None:
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
def test_what_is_no_part_is_refused_and_stays(written: JsonLinesParts, content: str) -> None:
    part(written).write_text(content)
    with pytest.raises(RunError, match=r"part-000002\.jsonl in .*a\.csv\.part is no part of"):
        written.last(ASKED)
    assert part(written).read_text() == content


@pytest.mark.parametrize("text", ["[]", '{"asked": {"pattern": null}, "position": 1}', None])
def test_what_is_no_part_of_parquet_is_refused(tmp_path: Path, text: str | None) -> None:
    rows = as_arrow(records(0)).replace_schema_metadata({b"inkdigit": text} if text else {})
    pyarrow.parquet.write_table(rows, tmp_path / "part-000000.parquet")
    parts = ParquetParts(LocalStore(f"{tmp_path}/"))
    with pytest.raises(RunError, match="is no part of Inkdigit's"):
        parts.last(ASKED)
    (tmp_path / "part-000000.parquet").write_text("something I had")
    with pytest.raises(RunError, match="is no part of Inkdigit's"):
        parts.last(ASKED)


def parquet(folder: Path, count: int) -> ParquetParts:
    """So many parts of Parquet with a chunk each."""
    parts = ParquetParts(LocalStore(f"{folder}/"))
    for number in range(count):
        parts.write(number, [parts.pack(records(number))], note(number + 1))
    return parts


def test_parts_of_parquet_are_a_table(tmp_path: Path) -> None:
    parts = parquet(tmp_path, 3)
    assert parts.last(ASKED) == (3, note(3))
    sources = pyarrow.parquet.read_table(tmp_path).column("source").to_pylist()
    assert sources[::2] == ["0-a.png", "1-a.png", "2-a.png"]
    assert sources[1] == r"\udcff0.png"


def both(written: JsonLinesParts, tmp_path: Path) -> list[Parts]:
    (tmp_path / "folder").mkdir()
    return [written, parquet(tmp_path / "folder", 2)]


def test_another_run_is_refused(written: JsonLinesParts, tmp_path: Path) -> None:
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
    parts = ParquetParts(LocalStore(f"{tmp_path}/"))
    assert parts.finished(job) is None
    parts.finish(Note(job.asked(), Position(1), note(2).tally))
    assert parts.finished(job) == note(2).tally
    with pytest.raises(RunError, match=r"another run \(pattern was None, and is \\d\)"):
        parts.finished(ReadJob(options=ReadOptions(pattern=r"\d")))


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"asked": {}, "tally": []}'])
def test_parts_that_something_else_finished_are_said(tmp_path: Path, content: str) -> None:
    Path(tmp_path, "_SUCCESS").write_text(content)
    with pytest.raises(RunError, match="was not finished by Inkdigit"):
        ParquetParts(LocalStore(f"{tmp_path}/")).finished(ReadJob())


def test_what_was_finished_and_cannot_be_opened_is_said(tmp_path: Path) -> None:
    Path(tmp_path, "_SUCCESS").mkdir()
    with pytest.raises(OutputError, match="cannot be written: "):
        ParquetParts(LocalStore(f"{tmp_path}/")).finished(ReadJob())


def test_a_file_is_made_from_its_parts_and_they_go(written: JsonLinesParts, tmp_path: Path) -> None:
    assert written.finished(ReadJob()) is None
    written.finish(note(3))
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert len(lines) == 7
    assert list(part(written).parent.iterdir()) == []
    assert written.finished(ReadJob()) == Tally()


def test_a_file_is_finished_if_it_was_killed_while_its_parts_were_taken_away(
    written: JsonLinesParts, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("whole")
    assert written.finished(ReadJob()) is None  # of an earlier run, to be replaced
    written.store.write("_SUCCESS", note(3).to_json())
    assert written.finished(ReadJob()) == Tally()
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_note_is_one_line() -> None:
    assert json.loads(note(2).to_json())["position"] == {"pictures": 4, "digest": "digest 2"}
    assert b"\n" not in note(2).to_json()
