from pathlib import Path

import pytest

from inkdigit.errors import DataError
from inkdigit.learning.datasets.labels import Label, as_label, read_labels


def table(folder: Path, *lines: str) -> Path:
    path = folder / "labels.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_labels_of_a_csv(tmp_path: Path) -> None:
    path = table(tmp_path, "\ufefffile,text,writer", 'a\\b.png,"1,250.-",anna', "c.png,0 7,ben")
    assert read_labels(path) == {"a/b.png": Label("1,250.-"), "c.png": Label("07")}
    assert read_labels(path, "writer")["a/b.png"] == Label("1,250.-", "anna")
    path = table(tmp_path, "text;file;writer", "1,250.-;b.png;anna", ";a.png;ben")
    assert read_labels(path, "writer") == {
        "b.png": Label("1,250.-", "anna"),
        "a.png": Label("", "ben"),
    }


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["file,value", "a.png,1"], r"labels.csv has no column text \(its columns: file, value\)"),
        ([""], "is no CSV"),
        (["file,text", "a.png,1", "a.png,2"], "says both '1' and '2' of a.png"),
        (["file,text"], r"labels.csv names no pictures"),
        (["file,text", "a.png,12a"], r"line 2: '12a' holds 'a': a label has digits and the marks"),
        (["file,text", '"a.png,1'], "is no CSV"),
    ],
)
def test_tables_that_are_wrong(tmp_path: Path, lines: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_labels(table(tmp_path, *lines))


def test_tables_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no column writer"):
        read_labels(table(tmp_path, "file,text", "a.png,1"), "writer")
    with pytest.raises(DataError, match="cannot be read"):
        read_labels(tmp_path / "none.csv")
    (tmp_path / "picture.csv").write_bytes(b"\xff\xfe\x00\x80\x81")
    with pytest.raises(DataError, match="is no CSV in UTF-8"):
        read_labels(tmp_path / "picture.csv")
    with pytest.raises(DataError, match="a label is a text, received 7"):
        as_label(7, "the first")  # type: ignore[arg-type]
