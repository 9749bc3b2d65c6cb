import csv
import io
import json
import os
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from pyarrow.parquet import read_table
from stand_ins import reading

from inkdigit.bulk.rows import Record
from inkdigit.bulk.writers import FORMATS, Output
from inkdigit.errors import ImageError, MissingExtraError, OutputError, SettingError
from inkdigit.reading.result import COLUMNS, Row

GOOD = Row('=a,b "c".png', 1, reading("007"), "line 1")
LATER = Row("scan\t\x1b[31m.tif", 2, reading("12", status="review", reason="unsure"), "line 1")
FAILED = Row("größe.png", 1, ImageError("größe.png is broken"), "line 1")
ROWS = [GOOD, LATER, FAILED]
DICTS = [row.to_dict(COLUMNS) for row in ROWS]


def dicts(rows: Iterable[Row]) -> Iterator[Record]:
    return (row.to_dict(COLUMNS) for row in rows)


def written(format_: str, rows: list[Row], capsys: pytest.CaptureFixture[str]) -> str:
    Output(None, format_).write(dicts(rows), several=len(rows) > 1)
    return capsys.readouterr().out


def test_text_of_one_is_the_text_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert written("text", [GOOD], capsys) == "007\n"
    assert written("text", [Row("a", 1, reading(""), "line 1")], capsys) == "\n"


def test_text_of_several_is_a_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert written("text", ROWS, capsys).splitlines() == [
        '=a,b "c".png\t007\taccepted',
        r"scan\t\x1b[31m.tif:2" + "\t12\treview",
        "größe.png\t\tfailed",
    ]


def test_json_of_one_is_an_object_and_of_several_a_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(written("json", [GOOD], capsys)) == DICTS[0]
    assert json.loads(written("json", ROWS, capsys)) == DICTS


@pytest.mark.parametrize("rows", [ROWS[:1], ROWS])
def test_json_lines_are_objects(rows: list[Row], capsys: pytest.CaptureFixture[str]) -> None:
    lines = written("jsonl", rows, capsys).splitlines()
    assert [json.loads(line) for line in lines] == DICTS[: len(rows)]


@pytest.mark.parametrize("rows", [ROWS[:1], ROWS])
def test_csv_has_a_header_and_keeps_text(
    rows: list[Row], capsys: pytest.CaptureFixture[str]
) -> None:
    table = written("csv", rows, capsys)
    assert "\r" not in table
    header, *lines = csv.reader(io.StringIO(table))
    assert tuple(header) == COLUMNS
    for line, row in zip(line_dicts(header, lines), DICTS, strict=False):
        assert line["source"] == row["source"]
        assert line["text"] == (row["text"] or "")
        assert line["error"] == (row["error"] or "")
        assert line["digits"] == (row["digits"] or "")
        assert json.loads(line["characters"]) == row["characters"]
    assert len(lines) == len(rows)


def line_dicts(header: list[str], lines: list[list[str]]) -> Iterator[dict[str, str]]:
    return (dict(zip(header, line, strict=True)) for line in lines)


@pytest.mark.parametrize(
    ("out", "named", "format_"),
    [
        (None, None, "text"),
        ("-", None, "text"),
        ("-", "csv", "csv"),
        ("a.csv", None, "csv"),
        ("a.JSONL", None, "jsonl"),
        ("a.ndjson", None, "jsonl"),
        ("a.json", "csv", "csv"),
        ("a.txt", None, "text"),
        ("a", None, "text"),
        ("a.parquet", "json", "json"),
        ("a.parquet", None, "parquet"),
    ],
)
def test_the_format_is_named_or_the_suffixs(
    out: str | None,
    named: str | None,
    format_: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert Output.choose(out, named).format == format_


def test_a_suffix_that_says_nothing_is_refused() -> None:
    with pytest.raises(SettingError, match=r"a\.xls does not say its format"):
        Output.choose("a.xls", None)


def test_parquet_goes_to_a_file() -> None:
    with pytest.raises(SettingError, match="Parquet goes to a file"):
        Output.choose("-", "parquet")


def test_parquet_has_the_same_rows(tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    Output.choose(str(path), None).write(iter(DICTS), several=True)
    table = read_table(path)
    assert tuple(table.column_names) == COLUMNS
    assert table.to_pylist() == DICTS


def test_parquet_writes_a_name_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "out.parquet"
    row = Row("\udcff.png", 1, ImageError("\udcff.png is broken"), "line 1", "\udcff", (1, 2, 3, 4))
    Output.choose(str(path), None).write(dicts([row]), several=True)
    (read,) = read_table(path).to_pylist()
    assert (read["source"], read["id"], read["box"]) == (r"\udcff.png", r"\udcff", [1, 2, 3, 4])


def test_parquet_without_pyarrow_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'inkdigit\[parquet\]'"):
        Output.choose("a.parquet", None)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_file_holds_what_standard_output_shows(
    format_: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "out"
    Output.choose(str(path), format_).write(iter(DICTS), several=True)
    assert path.read_bytes().decode() == written(format_, ROWS, capsys)
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_appears_when_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("before")

    def stopped() -> Iterator[Record]:
        yield GOOD.to_dict(COLUMNS)
        assert path.read_text() == "before"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Output.choose(str(path), None, overwrite=True).write(stopped(), several=True)
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_name_that_is_no_text_is_written_all_the_same(tmp_path: Path) -> None:
    row = Row("\udcff.png", 1, reading(), "line 1")
    for format_ in FORMATS:
        path = tmp_path / format_
        Output(path, format_).write(dicts([row, row]), several=True)
        assert r"\udcff.png" in path.read_text("utf-8")
    assert json.loads((tmp_path / "json").read_text())[0]["source"] == "\udcff.png"


@pytest.mark.parametrize(
    ("out", "sentence"),
    [
        ("there.csv", "there.csv is there already: choose another name, or add --overwrite"),
        ("nowhere/a.csv", "nowhere is no folder"),
        ("there.csv/a.csv", "Not a directory"),
        (".", "is a folder: name a file in it"),
    ],
)
def test_an_output_that_cannot_be_is_refused_at_once(
    out: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.csv").write_text("before")
    with pytest.raises(OutputError, match=sentence):
        Output.choose(out, "csv")
    assert Path("there.csv").read_text() == "before"


def test_a_pipe_is_written_and_not_replaced(tmp_path: Path) -> None:
    pipe, found = tmp_path / "pipe", list[str]()
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: found.append(pipe.read_text()))
    reader.start()
    Output.choose(str(pipe), None).write(dicts([GOOD]), several=False)
    reader.join()
    assert found == ["007\n"]
    assert pipe.is_fifo()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_device_is_an_output_error() -> None:
    with pytest.raises(OutputError, match="/dev/full cannot be written: No space left on device"):
        Output.choose("/dev/full", None).write(dicts([GOOD]), several=False)


def test_a_closed_standard_output_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    Output(None, "csv").write(DICTS, several=True)
