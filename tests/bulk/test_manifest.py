from pathlib import Path

import pytest

from inkdigit.bulk.manifest import check_manifest, read_manifest
from inkdigit.bulk.sources import Picture
from inkdigit.errors import SourceError
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
    assert check_manifest(path, ReadOptions()) == 3
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
        ("file;box\na.png;1 1 1 1\n", "has no column file (its columns: file;box"),
        ("file,patern\na.png,x\n", "has a column 'patern' that is not known"),
        ("file,file\na.png,x\n", "has a column twice"),
        ("file\n", "names no pictures"),
        ("file,box\na.png,\n,\n", "line 3: the file is missing"),
        ("file\na.png,b.png\n", "line 2: there are more cells than columns"),
        ("file,box\na.png,1 2 3\n", "line 2: the box '1 2 3' is not four numbers"),
        ("file,box\na.png,-1 2 3 4\n", "line 2: the box '-1 2 3 4' is not four numbers"),
        ("file,box\na.png,1 2 0 4\n", "line 2: the box '1 2 0 4' is empty"),
        ("file,page\na.png,0\n", "line 2: the page '0' is no number from 1"),
        ("file,page\na.png,two\n", "line 2: the page 'two' is no number from 1"),
        ("file,page\na.png,10001\n", "the page '10001' is no number from 1 to 10,000"),
        (f"file,page\na.png,{'9' * 5000}\n", "9…' is no number from 1 to 10,000"),
        ("file,box\na.png,1 2 3 2147483648\n", "of pixels, each at most 2,147,483,647: x y"),
        (f"file,box\na.png,1 2 3 {'9' * 5000}\n", "9…' is not four numbers of pixels"),
        ("file,pattern\na.png,\\d{\n", "line 2: "),
        ("file,check\na.png,lunh\n", "did you mean luhn"),
        ("file,id\na.png,7\nb.png,\n\nc.png,7\n", "line 5: the id '7' is given twice"),
        ('file\n"a.png\n', "is no CSV"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(SourceError) as caught:
        check_manifest(written(tmp_path, text), ReadOptions())
    assert str(caught.value).startswith(str(tmp_path / "fields.csv"))
    assert sentence in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_manifest_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="cannot be read: No such file"):
        check_manifest(tmp_path / "fields.csv", ReadOptions())


def test_a_line_is_judged_together_with_the_options(tmp_path: Path) -> None:
    path = written(tmp_path, "file,pattern\n" + "a.png,\n" * 3 + "a.png,\\d{5}\na.png,\\d\n")
    assert check_manifest(path, ReadOptions(pattern=r"\d{2}")) == 5
    with pytest.raises(SourceError, match=r"line 5: there is exactly one digit, and none fits"):
        check_manifest(path, ReadOptions(single=True))
