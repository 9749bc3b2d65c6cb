import io
import os
import sys
from pathlib import Path

import pytest

from inkdigit.bulk.sources import Picture, pictures
from inkdigit.errors import ImageError, SettingError
from inkdigit.images import open_grey


def one(name: str) -> Picture:
    (picture,) = pictures([name])
    return picture


def test_names_keep_their_order_and_are_not_opened_yet(tmp_path: Path) -> None:
    names = [str(tmp_path / name) for name in ("missing.png", "later.png")]
    assert list(pictures(names)) == [Picture(name, name) for name in names]


def test_standard_input_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"picture")))
    assert one("-") == Picture("-", b"picture")
    monkeypatch.setattr(sys, "stdin", None)
    assert isinstance(one("-").source, ImageError)


def test_standard_input_cannot_be_read_twice() -> None:
    with pytest.raises(SettingError, match="can be read once"):
        pictures(["-", "a.png", "-"])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "'' cannot be opened: it is a folder: name a file in it"),
        ("missing.png", "missing.png cannot be opened: No such file or directory"),
        ("file/a.png", "file/a.png cannot be opened: Not a directory"),
        ("x" * 300, "x… cannot be opened: File name too long"),
    ],
)
def test_what_cannot_be_read_says_why(
    name: str, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("")
    picture = one(name)
    assert picture.name == name
    assert not picture.is_document()
    with pytest.raises(ImageError, match=f"{sentence}$"):
        open_grey(name)


def test_a_pipe_that_is_found_is_not_waited_for(tmp_path: Path) -> None:
    pipe = str(tmp_path / "pipe.tif")
    os.mkfifo(pipe)
    (found,) = pictures([str(tmp_path)])
    assert found == Picture(pipe, pipe)
    assert not found.is_document()


@pytest.mark.parametrize(
    ("head", "is_document"),
    [
        (b"II*\0", True),
        (b"MM\0*", True),
        (b"II+\0", True),
        (b"%PDF-1.7", True),
        (b"\n junk \n%PDF-1.4", True),
        (b"\x89PNG", False),
        (b"", False),
    ],
)
def test_documents_are_known_by_their_bytes(tmp_path: Path, head: bytes, is_document: bool) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(head)
    assert one(str(path)).is_document() == is_document
    assert Picture("-", head).is_document() == is_document
