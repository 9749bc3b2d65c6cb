import csv
import io
import os
import sys
from pathlib import Path

import pytest
from openpyxl import Workbook

from inkdigit.bulk.manifest import read_manifest
from inkdigit.bulk.sources import Picture
from inkdigit.errors import MissingExtraError, SourceError
from inkdigit.reading.options import ReadOptions


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "fields.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_line_says_what_to_read(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "id,file,page,box,pattern,check\n"
        r"7,a.tif,2,1 2 30 40,\d{5},luhn" + "\n"
        ",s3://bucket/b.png,,,,\n"
        "8,/elsewhere/c.png,,,,\n",
    )
    assert list(read_manifest(path, ReadOptions())) == [
        Picture("a.tif", f"{tmp_path}/a.tif", 2, (1, 2, 30, 40), r"\d{5}", "luhn", "7"),
        Picture("s3://bucket/b.png", "s3://bucket/b.png"),
        Picture("/elsewhere/c.png", "/elsewhere/c.png", id="8"),
    ]


def test_what_is_secret_in_a_uri_is_not_its_name(tmp_path: Path) -> None:
    uri = "s3://key:secret@bucket/b.png?endpoint_override=127.0.0.1"
    (picture,) = read_manifest(written(tmp_path, f"file\n{uri}\n"), ReadOptions())
    assert picture == Picture("s3://bucket/b.png", uri)


def test_the_file_alone_is_enough_whoever_wrote_it(tmp_path: Path) -> None:
    path = written(tmp_path, b"\xef\xbb\xbffile\r\na.png\r\n\xff.png\r\n")
    assert [picture.name for picture in read_manifest(path, ReadOptions())] == [
        "a.png",
        "\udcff.png",
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "has no column file (its columns: none"),
        ("name,box\na.png,1 1 1 1\n", "has no column file (its columns: name, box"),
        ("name;box\na.png;1 1 1 1\n", "has no column file (its columns: name, box"),
        ("file,,id\na.png,,\n", "has a column '' that is not known"),
        ("file,filename\na.png,x\n", "has a column twice"),
        ("file,page\na.png,1.5\n", "line 2: the page '1.5' is no number from 1"),
        ("file,box\na.png,0 0 20.5 10\n", "line 2: the box '0 0 20.5 10' is not four numbers"),
        ("sep=;\nfile;page\n\na.png;0\n", "line 4: the page '0' is no number from 1"),
        ("\ufefffile,page\na.png,0\n".encode("utf-16-le"), "line 2: the page '0' is no number"),
        (b"PK\3\4 no workbook", "is no Excel workbook, or is broken"),
        (b"\xd0\xcf\x11\xe0\0\0", "is neither a CSV nor a workbook of the kind .xlsx"),
        ("file,patern\na.png,x\n", "has a column 'patern' that is not known"),
        ("file,file\na.png,x\n", "has a column twice"),
        ("file\n", "names no pictures"),
        ("\n\n;;\nfile;page\na.png;x\n", "line 5: the page 'x' is no number"),
        ("file,page\na.png,1.000\n", "line 2: the page '1.000' is no number"),
        ('file,box\na.png,"1,000 2 3 4"\n', "line 2: the box '1,000 2 3 4' is not four numbers"),
        ("file,box\na.png,\n,1 1 1 1\n", "line 3: the file is missing"),
        ("file\na.png,b.png\n", "line 2: there are more cells than columns"),
        ("file,box\na.png,1 2 3\n", "line 2: the box '1 2 3' is not four numbers"),
        ("file,box\na.png,-1 2 3 4\n", "line 2: the box '-1 2 3 4' is not four numbers"),
        ("file,box\na.png,1 2 0 4\n", "line 2: the box '1 2 0 4' is empty"),
        ("file,page\na.png,0\n", "line 2: the page '0' is no number from 1"),
        ("file,page\na.png,two\n", "line 2: the page 'two' is no number from 1"),
        ("file,page\na.png,10001\n", "the page '10001' is no number from 1 to 10,000"),
        (f"file,page\na.png,{'9' * 5000}\n", "999' is no number from 1 to 10,000"),
        ("file,box\na.png,1 2 3 2147483648\n", "of pixels, each at most 2,147,483,647: x y"),
        (f"file,box\na.png,1 2 3 {'9' * 5000}\n", "999' is not four numbers of pixels"),
        ("file,pattern\na.png,\\d{\n", "line 2: "),
        ("file,check\na.png,lunh\n", "did you mean luhn"),
        ("file,id\na.png,7\nb.png,\n\nc.png,7\n", "line 5: the id '7' is given twice"),
        ('file\n"a.png\n', "is no CSV: from line 2 on a quote is not closed"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str | bytes, sentence: str) -> None:
    with pytest.raises(SourceError) as caught:
        list(read_manifest(written(tmp_path, text), ReadOptions()))
    assert str(caught.value).startswith(str(tmp_path / "fields.csv"))
    assert sentence in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_what_excel_writes_is_understood(tmp_path: Path, delimiter: str, encoding: str) -> None:
    lines = [
        ["File Name", " ID", "Pattern", "Page", "", ""],
        ["größe.png", " 1", r"\d{1,5}", "1.0"],
        ["b.png", "2", "", "2,0", "", ""],
        ["", "", "", "", "", ""],
    ]
    table = io.StringIO()
    csv.writer(table, delimiter=delimiter).writerows(lines)
    path = written(tmp_path, table.getvalue().encode(encoding))
    assert list(read_manifest(path, ReadOptions())) == [
        Picture("größe.png", f"{tmp_path}/größe.png", 1, pattern=r"\d{1,5}", id="1"),
        Picture("b.png", f"{tmp_path}/b.png", 2, id="2"),
    ]


@pytest.mark.parametrize("told", ["sep=|", '"sep=|"', "SEP=|"])
def test_the_delimiter_that_a_first_line_tells_holds(tmp_path: Path, told: str) -> None:
    path = written(tmp_path, f"{told}\r\nFILENAME|id\r\na,b;c.png|7\r\n")
    assert list(read_manifest(path, ReadOptions())) == [
        Picture("a,b;c.png", f"{tmp_path}/a,b;c.png", id="7")
    ]


@pytest.mark.parametrize(
    "cell", ["1 2 30 40", '"1,2,30,40"', '"[1, 2, 30, 40]"', "1.0 2.0 30.0 40"]
)
def test_a_box_may_be_written_in_several_ways(tmp_path: Path, cell: str) -> None:
    (picture,) = read_manifest(written(tmp_path, f"file,box\na.png,{cell}\n"), ReadOptions())
    assert picture.box == (1, 2, 30, 40)


@pytest.mark.parametrize(
    ("line", "there", "name"),
    [
        (rb"scans\a.png", "scans/a.png", r"scans\a.png"),
        (rb"scans\a.png", r"scans\a.png", r"scans\a.png"),
        ("größe/a.png".encode("cp1252"), "größe/a.png", "größe/a.png"),
        ("größe\\a.png".encode("cp1252"), "größe/a.png", "größe\\a.png"),
        (b"\xff.png", "\udcff.png", "\udcff.png"),
    ],
)
def test_a_name_is_meant_as_the_file_that_is_there(
    tmp_path: Path, line: bytes, there: str, name: str
) -> None:
    place = tmp_path / there
    place.parent.mkdir(exist_ok=True)
    place.touch()
    path = written(tmp_path, b"file,id\n" + line + b"," + "é".encode("cp1252") + b"\n")
    assert list(read_manifest(path, ReadOptions())) == [Picture(name, str(place), id="é")]


def test_a_workbook_is_a_manifest(tmp_path: Path) -> None:
    book = Workbook()
    for line in (["File", "Page", "Id", None], ["a.png", 2, "007"], [None], ["b.png", None, 8]):
        book.active.append(line)
    book.create_sheet("other").append(["nothing"])
    path = tmp_path / "fields.xlsx"
    book.save(path)
    assert list(read_manifest(path, ReadOptions())) == [
        Picture("a.png", f"{tmp_path}/a.png", 2, id="007"),
        Picture("b.png", f"{tmp_path}/b.png", id="8"),
    ]


def test_a_stray_cell_far_away_is_nothing(tmp_path: Path) -> None:
    book = Workbook()
    book.active.append(["file"])
    book.active.append(["a.png"])
    book.active["XFD1048576"] = " "
    path = tmp_path / "fields.xlsx"
    book.save(path)
    book.active["XFD2"] = "x"
    book.save(path)
    with pytest.raises(SourceError, match="line 2: there are more cells than columns"):
        list(read_manifest(path, ReadOptions()))


def test_a_workbook_without_openpyxl_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'inkdigit\[excel\]'"):
        list(read_manifest(written(tmp_path, b"PK\3\4"), ReadOptions()))


def test_a_pipe_is_no_manifest(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fields.csv")
    with pytest.raises(SourceError, match=r"fields.csv cannot be read: it is not a plain file"):
        list(read_manifest(tmp_path / "fields.csv", ReadOptions()))


def test_a_manifest_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read: No such file"):
        list(read_manifest(tmp_path / "fields.csv", ReadOptions()))


def test_a_line_is_judged_together_with_the_options(tmp_path: Path) -> None:
    path = written(tmp_path, "file,pattern\n" + "a.png,\n" * 3 + "a.png,\\d{5}\na.png,\\d\n")
    with pytest.raises(SourceError, match=r"line 5: there is exactly one digit, and none fits"):
        list(read_manifest(path, ReadOptions(single=True)))
