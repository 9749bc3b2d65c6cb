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
def grown(tmp_path: Path) -> JsonLinesParts:
    """Three chunks in a part of JSON lines."""
    parts = JsonLinesParts(Output(tmp_path / "a.csv", "csv"))
    (tmp_path / "a.csv.part").mkdir()
    parts.begin(0, note(0))
    for number in range(3):
        parts.write(0, [parts.pack(records(number))], note(number + 1))
    return parts


def part(parts: JsonLinesParts) -> Path:
    assert parts.output.path
    return parts.output.path.with_name("a.csv.part") / "part-000000.jsonl"


def test_a_part_that_grows_holds_its_rows_and_how_far_it_came(grown: JsonLinesParts) -> None:
    assert grown.last(ASKED) == (1, note(3))
    assert list(grown.records()) == [record for n in range(3) for record in records(n)]


def test_cut_off_at_any_byte_it_holds_whole_chunks_alone(grown: JsonLinesParts) -> None:
    content = part(grown).read_bytes()
    lines = content.splitlines(keepends=True)
    ends = [sum(map(len, lines[: 3 * whole + 1])) for whole in range(4)]
    for length in range(ends[0], len(content) + 1):
        part(grown).write_bytes(content[:length])
        whole = sum(end <= length for end in ends) - 1
        assert grown.last(ASKED) == (1, note(whole))
        assert len(list(grown.records())) == 2 * whole


def test_a_chunk_that_the_disk_has_lost_in_part_is_left_out(grown: JsonLinesParts) -> None:
    content = bytearray(part(grown).read_bytes())
    at = content.index(b"1-a.png")
    content[at : at + 5] = b"\0" * 5
    part(grown).write_bytes(bytes(content))
    assert grown.last(ASKED) == (1, note(1))
    assert list(grown.records()) == records(0)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "garbage\n",
        "[1]\n",
        "something I had",
        "{}",
        "[" * 9999 + "\n",
        '{"done": 0, "note": 3}\n',
        '{"done": 0, "note": {"asked": {}, "position": 2, "tally": {}}}\n',
        '{"done": 0, "note": {"asked": {}, "position": {"pictures": 2, "digest": ""}}}\n',
        '{"done": 0, "note": ' + "[" * 9999 + "}\n",
    ],
)
def test_what_is_no_part_is_refused_and_stays(grown: JsonLinesParts, content: str) -> None:
    part(grown).write_text(content)
    with pytest.raises(RunError, match=r"part-000000\.jsonl in .*a\.csv\.part is no part of"):
        grown.last(ASKED)
    assert part(grown).read_text() == content


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


def both(grown: JsonLinesParts, tmp_path: Path) -> list[Parts]:
    (tmp_path / "folder").mkdir()
    return [grown, parquet(tmp_path / "folder", 2)]


def test_another_run_is_refused(grown: JsonLinesParts, tmp_path: Path) -> None:
    for parts in both(grown, tmp_path):
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


def test_a_file_is_made_from_its_parts_and_they_go(grown: JsonLinesParts, tmp_path: Path) -> None:
    assert grown.finished(ReadJob()) is None
    grown.finish(note(3))
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert len(lines) == 7
    assert list(part(grown).parent.iterdir()) == []
    assert grown.finished(ReadJob()) == Tally()


def test_a_file_is_finished_if_it_was_killed_while_its_parts_were_taken_away(
    grown: JsonLinesParts, tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text("whole")
    assert grown.finished(ReadJob()) is None  # of an earlier run, to be replaced
    grown.store.write("_SUCCESS", note(3).to_json())
    assert grown.finished(ReadJob()) == Tally()
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_note_is_one_line() -> None:
    assert json.loads(note(2).to_json())["position"] == {"pictures": 4, "digest": "digest 2"}
    assert b"\n" not in note(2).to_json()
