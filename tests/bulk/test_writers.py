import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from openpyxl import load_workbook
from pyarrow.parquet import read_table
from stand_ins import reading

from inkdigit.bulk import writers
from inkdigit.bulk.api import read_to
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
        ("a.tmp", "xlsx", "xlsx"),
        ("a", "parquet", "parquet"),
        ("a.txt", None, "text"),
        ("a", None, "text"),
        ("a.parquet", None, "parquet"),
        ("a.XLSX", None, "xlsx"),
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


@pytest.mark.parametrize(
    ("out", "format_"), [("a.xlsx", "csv"), ("a.parquet", "json"), ("a.csv", "xlsx")]
)
def test_a_suffix_that_says_another_format_is_refused(out: str, format_: str) -> None:
    with pytest.raises(
        SettingError, match=rf"{out} is named like \w+, and the format is {format_}"
    ):
        Output.choose(out, format_)


def test_a_suffix_that_says_nothing_is_refused() -> None:
    with pytest.raises(SettingError, match=r"a\.xls does not say its format"):
        Output.choose("a.xls", None)


@pytest.mark.parametrize("format_", ["parquet", "xlsx"])
def test_parquet_and_excel_go_to_a_file(format_: str) -> None:
    with pytest.raises(SettingError, match=f"^{format_} goes to a file"):
        Output.choose("-", format_)


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


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_pipe_is_neither_waited_for_nor_replaced(tmp_path: Path, overwrite: bool) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OutputError, match=r"pipe is a pipe or a device: write to standard output"):
        Output.choose(str(pipe), None, overwrite=overwrite)
    assert pipe.is_fifo()


FULL = """
import pathlib, resource, signal, sys
import pyarrow.parquet, openpyxl
from inkdigit.bulk.writers import Output
from inkdigit.errors import OutputError
from inkdigit.reading.result import COLUMNS, Reading, Row
rows = [Row("a", 1, Reading(text=f"{n}", confidence=1), "").to_dict(COLUMNS) for n in range(3000)]
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))
try:
    Output.choose(sys.argv[1], None).write(rows, several=True)
except OutputError as error:
    print(error)
"""


@pytest.mark.parametrize("suffix", ["txt", "json", "jsonl", "csv", "parquet", "xlsx"])
def test_a_full_disk_is_one_sentence_whatever_the_format(suffix: str, tmp_path: Path) -> None:
    command = [sys.executable, "-W", "error", "-c", FULL, f"out.{suffix}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    told = f"out.{suffix} cannot be written: File too large\n"
    assert (done.stdout, done.stderr) == (told, "")
    assert not list(tmp_path.iterdir())


def test_a_workbook_holds_text_as_text_and_counts(tmp_path: Path) -> None:
    path = tmp_path / "out.xlsx"
    texts = ("007", "=1+1", "-5", "+5", "@SUM(A1)", "1e5", "1,5", "#N/A", "12/05")
    given = [Row("\udcff\x1b\ufffe.png", 1, reading(text), "line 1", f"={text}") for text in texts]
    unread = [LATER, Row("a", 3, ImageError("=2"), "line 1", None, (1, 2, 3, 4))]
    Output.choose(str(path), None).write(dicts([*given, *unread]), several=True)
    assert list(tmp_path.iterdir()) == [path]
    book = load_workbook(path)
    assert book.sheetnames == ["rows", "counts"]
    header, *lines = book["rows"].iter_rows()
    names = [cell.value for cell in header]
    assert names == [name for name in COLUMNS if name != "characters"]
    for line, text in zip(lines, texts, strict=False):
        cells = dict(zip(names, line, strict=True))
        assert [cells[name].value for name in ("text", "id", "page")] == [text, f"={text}", 1]
        for name in ("source", "text", "id"):
            assert (cells[name].data_type, cells[name].number_format) == ("s", "@")
        assert cells["source"].value == "\\udcff\\x1b\ufffd.png"
        assert cells["confidence"].value == pytest.approx(0.8)
    failed = dict(zip(names, (cell.value for cell in lines[-1]), strict=True))
    assert (failed["status"], failed["error"], failed["box"]) == ("failed", "=2", "1 2 3 4")
    assert [tuple(line) for line in book["counts"].values] == [
        ("accepted", 9), ("review", 1), ("rejected", 0), ("failed", 1), ("review: unsure", 1),
    ]  # fmt: skip


def test_more_rows_than_excel_opens_are_said_and_kept(
    crops: Callable[[Path, int], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = crops(tmp_path / "scans", 3)
    monkeypatch.setattr(writers, "_MOST_ROWS", 2)
    sentence = r"out.xlsx cannot hold more than 2 rows: rename out.xlsx.part to out.csv.part, and"
    with pytest.raises(OutputError, match=sentence):
        read_to(folder, tmp_path / "out.xlsx")
    assert not (tmp_path / "out.xlsx").exists()
    (tmp_path / "out.xlsx.part").rename(tmp_path / "out.csv.part")
    assert read_to(folder, tmp_path / "out.csv", resume=True).rows == 3
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 4


def test_a_workbook_without_openpyxl_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'inkdigit\[excel\]'"):
        Output.choose("a.xlsx", None)


def test_a_csv_may_begin_with_a_byte_order_mark(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for bom in (False, True):
        path = tmp_path / f"{bom}.csv"
        Output.choose(str(path), None, bom=bom).write(iter(DICTS), several=True)
        Output.choose(None, "csv", bom=bom).write(iter(DICTS), several=True)
        assert path.read_bytes().decode() == capsys.readouterr().out
        assert path.read_bytes().startswith(b"\xef\xbb\xbfsource," if bom else b"source,")
    with pytest.raises(SettingError, match=r"a byte-order mark \(bom\) begins a CSV"):
        Output.choose("a.json", None, bom=True)


def test_a_closed_standard_output_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    Output(None, "csv").write(DICTS, several=True)
