import errno
import os
import tracemalloc
from pathlib import Path

import pytest
from PIL import Image

from inkdigit.bulk import folders
from inkdigit.bulk.folders import FileFilter, LeftOut, files_below
from inkdigit.bulk.sources import count_pictures, pictures
from inkdigit.errors import SourceError

EVERYTHING = FileFilter(recursive=True)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "scans"
    for name in ("b.png", "a.TIF", "note.txt", "c/d.jpg", "c/e/f.png", "a.dir/x.png"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


def below(root: Path, wanted: FileFilter) -> list[str]:
    found = list(files_below(str(root), wanted))
    assert not [one for one in found if isinstance(one, SourceError)]
    return [str(Path(str(one)).relative_to(root)) for one in found]


def complaints(root: Path) -> list[str]:
    return [str(one) for one in files_below(str(root), EVERYTHING) if isinstance(one, SourceError)]


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (FileFilter(), ["a.TIF", "b.png"]),
        (EVERYTHING, ["a.TIF", "a.dir/x.png", "b.png", "c/d.jpg", "c/e/f.png"]),
        (FileFilter(("*.PNG",), recursive=True), ["a.dir/x.png", "b.png", "c/e/f.png"]),
        (FileFilter(("*.tif", "note*")), ["a.TIF", "note.txt"]),
    ],
)
def test_files_come_by_name_in_each_folder(
    tree: Path, wanted: FileFilter, names: list[str]
) -> None:
    assert below(tree, wanted) == names
    assert count_pictures([str(tree)], wanted) == len(names)


def test_a_folder_larger_than_what_is_held_keeps_its_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(103):
        (tmp_path / f"{number * 37 % 103:03}.png").touch()
    monkeypatch.setattr(folders, "_HELD", 10)
    assert below(tmp_path, FileFilter()) == [f"{number:03}.png" for number in range(103)]


def test_no_list_is_made_of_a_large_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(2_000):
        (tmp_path / f"{number:05}{'x' * 200}.png").touch()
    monkeypatch.setattr(folders, "_HELD", 100)
    tracemalloc.start()
    try:
        assert sum(1 for _ in files_below(str(tmp_path), FileFilter())) == 2_000
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()


def test_a_circle_of_links_is_left_out_and_said(tree: Path) -> None:
    (tree / "c" / "back").symlink_to(tree)
    (tree / "c" / "self").symlink_to("self")
    (tree / "also").symlink_to(tree / "a.dir")
    (said,) = complaints(tree)
    assert said == f"{tree}/c/back is a link that leads back to a folder above it: left out"
    names = [str(one) for one in files_below(str(tree), EVERYTHING)]
    assert f"{tree}/also/x.png" in names
    assert len(names) == 7


def test_a_folder_that_cannot_be_listed_does_not_stop_the_others(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def guarded(folder: str) -> object:
        if folder.endswith("/c"):
            raise PermissionError(13, "Permission denied", folder)
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", guarded)
    assert complaints(tree) == [f"{tree}/c cannot be listed: Permission denied"]
    assert [str(picture.name) for picture in pictures([str(tree)], EVERYTHING)] == [
        f"{tree}/a.TIF",
        f"{tree}/a.dir/x.png",
        f"{tree}/b.png",
        str(tree),
    ]


def test_a_folder_without_pictures_is_said(tmp_path: Path) -> None:
    (said,) = files_below(str(tmp_path), FileFilter(("*.tif",)))
    assert "holds no pictures (*.tif); --recursive" in str(said)
    assert "--recursive" not in complaints(tmp_path)[0]


def test_a_name_that_is_no_text_is_listed(tmp_path: Path) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.png")).touch()
    assert below(tmp_path, FileFilter()) == ["\udcff.png"]


FORMATS = ("AVIF", "BMP", "DIB", "GIF", "JPEG", "JPEG2000", "PDF", "PNG", "PPM", "TIFF", "WEBP")


def test_contents_decide_where_a_name_says_nothing(tmp_path: Path) -> None:
    written = [name for name in FORMATS if name in Image.SAVE and name != "DIB"]
    for name in (*written, "PNG.bak", "JPEG.jfif"):
        Image.new("L", (40, 20)).save(tmp_path / name, name.partition(".")[0])
    Image.new("RGB", (4, 2)).save(tmp_path / "colours", "PPM")
    (tmp_path / "photo.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    # Read by no one here: each says so in its row.
    foreign = {"a.psd": b"8BPS\0\1", "a.jxl": b"\xff\x0a", "a.svg": b"\xef\xbb\xbf<svg>"}
    for name, content in foreign.items():
        (tmp_path / name).write_bytes(content)
    found = sorted([*written, *foreign, "PNG.bak", "JPEG.jfif", "colours", "photo.heic"])
    assert below(tmp_path, FileFilter()) == found
    assert count_pictures([str(tmp_path)]) == len(found)


@pytest.mark.parametrize(
    "content", [b"", b"BM is no picture", b"P5 is a road", b"RIFF1234WAVE", b"\0\0\0\x18ftypmp42"]
)
def test_what_is_no_picture_is_left_out_and_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "b").write_bytes(content)
    told: list[str] = []
    assert list(files_below(str(tmp_path), FileFilter(tell=told.append))) == [f"{tmp_path}/a.png"]
    assert told == [f"{tmp_path}/b"]


def test_what_systems_leave_behind_is_nothing(tmp_path: Path) -> None:
    for name in ("._a.png", ".DS_Store", "Thumbs.db", "desktop.ini", ".hidden", "out.csv"):
        (tmp_path / name).touch()
    for folder in ("__MACOSX", ".git", "out.csv.part"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "part.txt").touch()
    (tmp_path / "__MACOSX" / "a.png").touch()
    own = frozenset({f"{tmp_path}/out.csv", f"{tmp_path}/out.csv.part"})
    told: list[str] = []
    for recursive in (False, True):
        (none,) = files_below(str(tmp_path), FileFilter((), recursive, own, told.append))
        assert isinstance(none, SourceError)
    assert told == [f"{tmp_path}/.git/part.txt"]


def test_what_was_left_out_is_one_sentence(tree: Path) -> None:
    left_out = LeftOut()
    list(files_below(str(tree), FileFilter(tell=left_out.add)))
    assert str(left_out) == (
        "left out files of other kinds (1), folders for --recursive (2): "
        f"{tree}/a.dir/, {tree}/c/, {tree}/note.txt"
    )
    for number in range(2_000):
        left_out.add(f"{number}.txt")
    assert "other kinds (2,001), folders" in str(left_out)
    assert str(left_out).endswith("1.txt, …")
    assert len(left_out.names) == 5
    patterns = LeftOut()
    list(files_below(str(tree), FileFilter(("*.png",), tell=patterns.add)))
    assert (patterns.files, patterns.folders) == (0, 2)


@pytest.mark.parametrize("name", ["a", "a.txt"])
def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    (tmp_path / "b.png").touch()
    assert below(tmp_path, FileFilter()) == ["b.png"]
    assert count_pictures([str(tmp_path)]) == 1


def test_known_names_are_not_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(folders, "first_bytes", lambda path: opened.append(path) or b"")
    for name in ("a.png", "b.JPG", "c.tif", "d.heic", "e.jfif"):
        (tmp_path / name).touch()
    assert below(tmp_path, FileFilter()) == ["a.png", "b.JPG", "c.tif", "d.heic"]
    assert opened == [f"{tmp_path}/e.jfif"]


def test_what_cannot_be_looked_at_may_be_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(path: str) -> None:
        raise OSError(errno.EIO, "Input/output error", path)

    monkeypatch.setattr(folders, "open_plain", fail)
    (tmp_path / "a").touch()
    assert below(tmp_path, FileFilter()) == ["a"]
