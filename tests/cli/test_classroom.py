"""A class on the command line: sheets, scans of them, networks, and the whole lesson."""

import re
import shlex
from pathlib import Path

import cv2
import pytest
from PIL import Image

from benchmarks.class_sheets import Pupil, filled
from benchmarks.form_pages import warp
from inkdigit.cli import main
from inkdigit.documents.template import DPI
from inkdigit.images import open_pages

LESSON = Path(__file__).parents[2] / "docs" / "classroom.md"
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", LESSON.read_text("utf-8"), re.S)
    for line in block.splitlines()
    if line.startswith("inkdigit ") and "serve" not in line
]
Said = pytest.CaptureFixture[str]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def photograph_sheets(desk: Path) -> None:
    (desk / "scans").mkdir()
    for number, page in enumerate(open_pages(desk / "sheets.pdf")):
        size = [round(side / 300 * DPI) for side in page.shape[::-1]]
        sheet = filled(Pupil(number), cv2.resize(page, size, interpolation=cv2.INTER_AREA))
        Image.fromarray(warp(number, sheet)[0]).save(desk / "scans" / f"{number}.jpg")


def says(said: Said, arguments: str, code: int, sentence: str) -> None:
    assert main(shlex.split(arguments)) == code
    last = said.readouterr().err.strip().splitlines()[-1]
    assert re.search(sentence, last), last


def test_what_goes_wrong_is_one_sentence(desk: Path, capsys: Said) -> None:
    (desk / "7b.csv").write_text("Anna\nBen\n")
    (desk / "bad.csv").write_text("Anna/Ben\n")
    (desk / "empty").mkdir()
    says(capsys, "sheet --names none.csv", 2, "none.csv cannot be read: No such file")
    says(
        capsys,
        "sheet --names bad.csv",
        2,
        "bad.csv, line 1: a name holds no '/': write 'Anna/Ben' otherwise",
    )
    says(capsys, "sheet --names 7b.csv --sheets 0", 2, "--sheets must be between 1 and 99")
    says(capsys, "sheet --names 7b.csv", 0, "wrote sheets.pdf: 2 sheets")
    says(capsys, "sheet --names 7b.csv", 8, "sheets.pdf is there already: choose another name")
    says(capsys, "sheet --names 7b.csv -o no/a.pdf", 8, "no/a.pdf cannot be written")
    says(capsys, "collect empty", 3, "empty holds no pictures")
    says(capsys, "collect none", 3, "none is no folder of pictures")
    says(capsys, "evaluate runs/none --data sample --group who", 6, "runs/none")
    assert not (desk / "runs").exists()


def test_the_digits_are_of_known_writers(desk: Path, capsys: Said) -> None:
    (desk / "7b.csv").write_text("Anna\nall\n")
    main(shlex.split("sheet --names 7b.csv -q"))
    photograph_sheets(desk)
    assert main(["collect", "scans"]) == 0
    assert (desk / capsys.readouterr().out.strip()).is_file()
    shipped = Path(main.__code__.co_filename).parents[1] / "models" / "single.onnx"
    asked = f"evaluate {shipped} --data folder:class --split all --by writer"
    assert main(shlex.split(asked)) == 0
    out, err = capsys.readouterr()
    rows = [line.split() for line in out.rpartition("\n\n")[2].splitlines()]
    assert [row[0] for row in rows] == ["writer", "Anna", "all", "all"] or (
        [row[0] for row in rows] == ["writer", "all", "Anna", "all"]
    )
    wrong = [int(row[1]) for row in rows[1:]]
    assert wrong[2] == wrong[0] + wrong[1] <= 8
    assert "1 writers train, 1 test, each kept whole" in err
    says(capsys, f"evaluate {shipped} --data sample --by writer", 3, "not known who wrote")


@pytest.mark.slow
def test_the_lesson_runs_as_it_is_written(desk: Path, capsys: Said) -> None:
    (desk / "7b.csv").write_text("\n".join(f"Pupil {letter}" for letter in "ABCDEF"))
    for command in COMMANDS:
        if "collect" in command:
            photograph_sheets(desk)
        assert main(shlex.split(command)[1:]) == 0, (command, capsys.readouterr().err)
    assert len(COMMANDS) == 7
    for name in ("before", "held-out-before", "held-out-after"):
        assert (desk / name / "by_writer.png").exists()
