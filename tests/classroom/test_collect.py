import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.class_sheets import Pupil, alike, boxes, filled, inside, printed
from benchmarks.form_pages import warp
from inkdigit.classroom.collect import collect, read_sheet
from inkdigit.documents.registration import Registrar
from inkdigit.documents.template import PER_MM
from inkdigit.errors import DataError, ImageError, OutputError, RunError, SettingError
from inkdigit.images import Grey, open_grey
from inkdigit.reading.reader import Reader

BOXES = 80


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    (tmp_path / "scans").mkdir()
    return tmp_path / "scans"


def scan(folder: Path, name: str, sheet: Grey, seed: int = 0, *, hard: bool = True) -> Path:
    path = folder / name
    cv2.imwrite(str(path), warp(seed, sheet, hard=hard)[0])
    return path


@pytest.mark.parametrize("seed", [1, 4])
def test_each_box_is_what_was_written_there(
    seed: int, sheet: Grey, registrar: Registrar, reader: Reader
) -> None:
    """Held against the page itself: no network says whether a picture is right."""
    found = read_sheet("a.jpg", registrar.register(warp(seed, sheet)[0]), reader)
    assert (found.class_, found.name, found.number) == ("7b", "Anna", 1)
    pictures = {box.file: box for box in found.boxes}
    looks = {file: box.looks for file, box in pictures.items() if box.looks}
    assert looks["3/4.png"] == looks["9/8.png"] == "empty"
    assert looks["5/2.png"] == "crossed out"
    for digit, number, box in boxes():
        one = pictures[f"{digit}/{number}.png"]
        if one.is_kept:
            assert alike(one.picture, inside(sheet, box)) > 0.9, one.file
    assert sum(one.is_kept for one in found.boxes) == BOXES - 3


def test_sheets_in_any_order_come_under_their_names(
    sheet: Grey, blanks: dict[str, Grey], scans: Path, tmp_path: Path
) -> None:
    other = filled(Pupil(5), blanks["Zoë M"])
    scan(scans, "1.jpg", other, 1)
    scan(scans, "2.png", sheet, 2)
    told = list[str]()
    page = collect(scans, tmp_path / "class", tell=told.append)
    assert told == [
        "1.jpg: Zoë M, sheet 1: 80 digits",
        "2.png: Anna, sheet 1: 77 digits, 2 empty, 1 crossed out",
    ]
    kept = Counter(path.parts[-3] for path in (tmp_path / "class").glob("*/[0-9]/*.png"))
    assert kept == {"Zoë M": 80, "Anna": 77}
    assert (tmp_path / "class" / "__apart" / "Anna" / "5" / "2.png").exists()
    shown = re.sub(r"<style>.*?</style>", "", page.read_text("utf-8"), flags=re.S)
    assert "2 sheets of the class 7b, by\n2 pupils" in shown
    assert "Empty, left out (2)" in shown
    assert "Crossed out, left out (1)" in shown


def test_a_sheet_is_photographed_again(sheet: Grey, scans: Path, tmp_path: Path) -> None:
    """What lay under a fold the first time is added, and nothing is there twice."""
    folded = sheet.copy()
    folded[round(195 * PER_MM) :, : round(90 * PER_MM)] = 255  # a corner is folded over
    out, told = tmp_path / "class", list[str]()
    first = scan(scans, "1.png", folded, hard=False)
    collect(scans, out, tell=told.append)
    once = {path: path.read_bytes() for path in out.glob("Anna/*/*.png")}
    assert 50 <= len(once) < 70
    assert "looks otherwise than on the blank" in told[0]
    first.unlink()
    for name, seed in (("2.jpg", 5), ("3.jpg", 6)):
        scan(scans, name, sheet, seed)
    collect(scans, out, tell=told.append)
    assert len(list(out.glob("Anna/*/*.png"))) == BOXES - 3
    assert all(path.read_bytes() == content for path, content in once.items())
    assert told[1].startswith(f"2.jpg: Anna, sheet 1: {BOXES - 3 - len(once)} digits")
    assert told[2].startswith("3.jpg: Anna, sheet 1: it was collected before; for more digits")


def test_what_is_no_sheet_of_the_class_is_named_and_kept_apart(
    sheet: Grey, blanks: dict[str, Grey], scans: Path, tmp_path: Path
) -> None:
    out, told = tmp_path / "class", list[str]()
    scan(scans, "1.png", sheet, hard=False)
    collect(scans, out)
    there = sorted(out.rglob("*"))
    (foreign,) = printed(tmp_path / "other.pdf", "8a", ["Anna"])
    hidden = blanks["Zoë M"].copy()
    for y, x in ((0, 140), (255, 80)):
        hidden[round(y * PER_MM) :, round(x * PER_MM) :][:330, :360] = 255
    scan(scans, "1.png", filled(Pupil(9), foreign), hard=False)
    scan(scans, "2.png", filled(Pupil(9), hidden), hard=False)
    scan(scans, "3.png", blanks["Cem"], hard=False)
    (scans / "4.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    cv2.imwrite(str(scans / "5.png"), np.full((900, 700), 200, np.uint8))
    with pytest.raises(ImageError, match=r"pages not collected: 4 \(.*contact-sheet-2\.html"):
        collect(scans, out, tell=told.append)
    assert [one.partition(":")[2] for one in sorted(told)] == [
        " not collected, it is of the class 8a, not of 7b",
        " not collected, the code of page 1 of class cannot be read",
        " Cem, sheet 1: it is empty",
        told[2].partition(":")[2],
        " not collected, it shows no page of the form",
    ]
    new = [path.relative_to(out).as_posix() for path in out.rglob("*") if path not in there]
    apart = ["__apart/1.png", "__apart/2.png", "__apart/4.png", "__apart/5.png"]
    assert sorted(new) == [*apart, "contact-sheet-2.html"]
    # Of a sheet on which nothing was written no box is shown.
    assert "Cem/" not in (out / "contact-sheet-2.html").read_text("utf-8")


def test_a_new_folder_is_of_one_class(sheet: Grey, scans: Path, tmp_path: Path) -> None:
    (foreign,) = printed(tmp_path / "other.pdf", "8a", ["Anna"])
    scan(scans, "1.png", filled(Pupil(9), foreign), hard=False)
    scan(scans, "2.png", sheet, hard=False)
    with pytest.raises(RunError, match="the sheets are of classes 7b, 8a: part their scans"):
        collect(scans, tmp_path / "class")
    with pytest.raises(SettingError, match="holds the scans: choose another folder"):
        collect(scans, scans)
    assert not list((tmp_path / "class").iterdir())


def test_a_full_disk_is_told_and_collecting_goes_on(
    sheet: Grey, scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk takes 20 files; with more room the same command ends what was begun."""
    scan(scans, "1.png", sheet, hard=False)
    out, write, written = tmp_path / "class", Path.write_bytes, list[Path]()

    def until_full(path: Path, content: bytes) -> int:
        written.append(path)
        if len(written) > 20:
            raise OSError(28, "No space left on device")
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", until_full)
    with pytest.raises(OutputError, match="cannot be written: No space left on device"):
        collect(scans, out)
    monkeypatch.undo()
    begun = list(out.glob("Anna/*/*.png"))
    assert begun
    assert all(open_grey(path).size for path in begun)
    collect(scans, out)
    assert len(list(out.glob("Anna/*/*.png"))) == BOXES - 3


def test_a_folder_without_scans(scans: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no pictures"):
        collect(scans, tmp_path / "class")
    assert not (tmp_path / "class").exists()


def test_what_trains_is_not_loaded_before_the_folder_is_looked_at() -> None:
    code = "import sys, inkdigit.classroom.collect; print(*sys.modules)"
    loaded = subprocess.check_output([sys.executable, "-c", code], text=True)
    assert not {"keras", "tensorflow", "sklearn", "pandas"} & set(loaded.split())
