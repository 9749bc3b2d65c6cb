from pathlib import Path

import pytest
from stand_ins import reading

from inkdigit.bulk.api import read_to
from inkdigit.bulk.readers import characters_of, digest_of, read_table
from inkdigit.bulk.writers import Output
from inkdigit.errors import ImageError, SourceError
from inkdigit.reading.result import COLUMNS, Row

ROWS = [
    Row('=a,b "c".png', 1, reading("007"), "line 1", id="form/1", box=(1, 2, 30, 40)),
    Row("scan.tif", 2, reading("12", status="review", reason="unsure"), "line 1"),
    Row("blank.png", 1, reading(""), "line 1"),
    Row("größe.png", 1, ImageError("größe.png is broken"), "line 1"),
]
DICTS = [row.to_dict(COLUMNS) for row in ROWS]


def written(path: Path) -> Path:
    Output(path, path.suffix[1:]).write(DICTS, several=True)
    return path


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_a_table_comes_back_as_it_was(tmp_path: Path, suffix: str) -> None:
    rows = list(read_table(written(tmp_path / f"results.{suffix}")))
    assert [row | {"characters": characters_of(row)} for row in rows] == DICTS


def test_a_workbook_comes_back_without_its_characters(tmp_path: Path) -> None:
    rows = list(read_table(written(tmp_path / "results.xlsx")))
    without = [{name: row[name] for name in COLUMNS if name != "characters"} for row in DICTS]
    assert rows == without
    assert characters_of(rows[0]) == []


def test_a_folder_of_parts_comes_back_as_a_table(some_crops: list[Path], tmp_path: Path) -> None:
    folder = tmp_path / "results"
    read_to(some_crops[:3], f"{folder}/", jobs=1)
    read_to(some_crops[:3], tmp_path / "results.jsonl", jobs=1)
    assert list(read_table(folder)) == list(read_table(tmp_path / "results.jsonl"))
    digest = digest_of(folder)
    part = folder / "part-000000.parquet"
    part.write_bytes(part.read_bytes() + b"\n")
    assert digest_of(folder) != digest


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.csv", "", None),
        ("a.csv", "source,text,status\n", None),
        ("a.csv", "file,text\na.png,1\n", "is no table of readings: it has no source"),
        ("a.csv", "source,form,status,total\na,claim/1,review,7\n", "it has a row for each form"),
        ("a.csv", "source,text,status,box\na,1,review,1 2\n", "the box '1 2' is not four numbers"),
        ("a.csv", 'source,text,status\n"a', "is broken, or not in the format of its name"),
        ("a.csv", "source,text,status,page\na,1,review,x\n", "is broken"),
        ("a.jsonl", "{", "is broken, or not in the format of its name"),
        ("a.parquet", "no", "is broken, or not in the format of its name"),
        ("a.xlsx", "PK\3\4", "is no Excel workbook, or is broken"),
        ("a.txt", "1", "is no table: name a .csv"),
    ],
)
def test_what_is_no_table_is_said(
    tmp_path: Path, name: str, content: str, sentence: str | None
) -> None:
    path = tmp_path / name
    path.write_text(content)
    if sentence is None:
        assert list(read_table(path)) == []
        return
    with pytest.raises(Exception, match=sentence) as caught:
        list(read_table(path))
    assert caught.value.exit_code in {2, 10}


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path / "none.parquet"):
        for read in (digest_of, lambda path: list(read_table(path))):
            with pytest.raises(SourceError, match=r"cannot be read: No such file"):
                read(path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceError, match="holds no parts of a table"):
        list(read_table(tmp_path / "empty"))
