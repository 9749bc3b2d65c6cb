import csv
import io
import json
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from inkdigit.cli import main
from inkdigit.errors import DataError, ImageError
from inkdigit.images import MAX_PIXELS
from inkdigit.reading.reader import Reader

if TYPE_CHECKING:
    from inkdigit.learning.datasets import Dataset

pytestmark = pytest.mark.usefixtures("sockets")
FIELDS = ["source", "page", "text", "confidence", "status", "reason", "digits", "number",
          "characters", "unconstrained", "error", "model", "id", "box",
          "rotate"]  # fmt: skip


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.load()


@pytest.fixture(scope="module")
def lines(small: "Dataset", tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures: three numbers of four digits, dark on light, and a single digit."""
    folder = tmp_path_factory.mktemp("lines")
    for name, first in (("a", 0), ("b", 40), ("c", 80)):
        digits = small.test.images[first : first + 4]
        Image.fromarray(255 - np.pad(np.hstack(list(digits)), 6)).save(folder / f"{name}.png")
    Image.fromarray(255 - np.pad(small.test.images[20], 6)).save(folder / "digit.png")
    with ExitStack() as opened:
        first, *others = (opened.enter_context(Image.open(folder / f"{c}.png")) for c in "abc")
        for suffix in ("tif", "pdf"):
            first.save(folder / f"pages.{suffix}", save_all=True, append_images=others)
    (folder / "text.png").write_text("something I had")
    (folder / "empty.png").write_text("")
    (folder / "sub").mkdir()
    return folder


@pytest.fixture(autouse=True)
def _here(lines: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lines)


def read_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, object]]:
    assert main(["read", *arguments, "--format", "jsonl"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_one_picture_prints_its_text(reader: Reader, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", "a.png", "-q"]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"{reader.read('a.png').text}\n"
    assert printed.err == ""


def test_several_pictures_print_a_line_each(
    reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["read", "b.png", "a.png", "b.png"]) == 0
    printed = capsys.readouterr()
    found = [line.split("\t") for line in printed.out.splitlines()]
    expected = [(name, reader.read(name)) for name in ("b.png", "a.png", "b.png")]
    assert found == [[name, read.text, read.status] for name, read in expected]
    assert printed.err == ""


def test_a_row_is_the_reading_and_where_it_comes_from(
    reader: Reader, capsys: pytest.CaptureFixture[str]
) -> None:
    (row,) = read_json(capsys, "a.png")
    assert list(row) == FIELDS
    expected = {"source": "a.png", "page": 1, "error": None, "id": None, "box": None, "rotate": 0}
    expected |= reader.read("a.png").to_dict()
    assert row == json.loads(json.dumps(expected))


def test_formats_agree_and_are_taken_from_the_suffix(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = read_json(capsys, "a.png", "b.png")
    for name in ("out.json", "out.jsonl", "out.csv", "out.txt"):
        assert main(["read", "a.png", "b.png", "-o", str(tmp_path / name)]) == 0
    assert capsys.readouterr().out == ""
    assert json.loads((tmp_path / "out.json").read_text()) == rows
    json_lines = (tmp_path / "out.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in json_lines] == rows
    header, *table = csv.reader(io.StringIO((tmp_path / "out.csv").read_text()))
    assert header == FIELDS
    assert [line[2] for line in table] == [row["text"] for row in rows]
    text_lines = (tmp_path / "out.txt").read_text().splitlines()
    assert [line.split("\t")[1] for line in text_lines] == [row["text"] for row in rows]
    assert main(["read", "a.png", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == rows[0]


def test_an_output_is_replaced_only_when_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "out.csv"
    path.write_text("before")
    assert main(["read", "a.png", "-o", str(path)]) == 8
    assert "add --overwrite" in capsys.readouterr().err
    assert path.read_text() == "before"
    assert main(["read", "a.png", "-o", str(path), "--overwrite"]) == 0
    assert path.read_text().startswith("source,")


def test_standard_input(
    lines: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = io.BytesIO((lines / "a.png").read_bytes())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(stream))
    (row,) = read_json(capsys, "-")
    assert (row["source"], row["text"]) == ("-", reader.read("a.png").text)


@pytest.mark.parametrize("name", ["pages.tif", "pages.pdf"])
def test_a_document_gives_a_row_a_page(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    if name.endswith("pdf"):
        pytest.importorskip("pypdfium2")
    rows = read_json(capsys, "a.png", name)
    assert [(row["source"], row["page"]) for row in rows] == [
        ("a.png", 1),
        (name, 1),
        (name, 2),
        (name, 3),
    ]
    (row,) = read_json(capsys, name, "--page", "2")
    assert row == rows[2]
    if name.endswith("tif"):  # the same pixels
        assert rows[1]["characters"] == rows[0]["characters"]


def test_the_flags_reach_the_reader(capsys: pytest.CaptureFixture[str]) -> None:
    (row,) = read_json(capsys, "a.png", "--pattern", r"\d{3}")
    assert len(str(row["text"])) == 3
    assert isinstance(row["unconstrained"], str)
    (row,) = read_json(capsys, "digit.png", "--single")
    assert len(str(row["text"])) <= 1
    (row,) = read_json(capsys, "a.png", "--min-confidence", "1", "--decimal", "dot")
    assert row["status"] != "accepted"
    (row,) = read_json(capsys, "a.png", "--check", "luhn")
    assert row["status"] != "accepted" or int(str(row["text"])) >= 0
    assert main(["read", "a.png", "--max-pixels", "100"]) == 5


def test_blank_paper_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("L", (200, 100), 255).save(tmp_path / "blank.png")
    assert main(["read", str(tmp_path / "blank.png")]) == 0
    printed = capsys.readouterr()
    assert printed.out == "\n"
    assert printed.err == "accepted: there is nothing on the paper\n"


def test_what_begins_with_a_dash_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copy("a.png", tmp_path / "-5.png")
    monkeypatch.chdir(tmp_path)
    for names in (["-5.png"], ["./-5.png"], ["--single", "--", "-5.png"]):
        assert main(["read", "--format", "json", "--pattern", r"-?\d+", *names]) == 0
        assert json.loads(capsys.readouterr().out)["source"] == names[-1]


def test_a_model_that_is_a_pipe_is_not_waited_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "model.onnx")
    assert main(["read", "a.png", "--model", str(tmp_path / "model.onnx")]) == 6
    assert "model.onnx cannot be read: it is not a plain file" in capsys.readouterr().err


def test_what_is_not_accepted_is_said_and_is_no_failure(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["read", "a.png", "--min-confidence", "1"]
    assert main(arguments) == 0
    printed = capsys.readouterr()
    assert printed.err.startswith(("review: ", "rejected: "))
    assert len(printed.err.splitlines()) == len(printed.out.splitlines()) == 1
    assert main([*arguments, "--quiet"]) == 0
    assert capsys.readouterr().err == ""


def test_a_failure_is_a_row_and_the_others_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    names = ["a.png", "text.png", "missing.png", "sub", "empty.png", "b.png"]
    assert main(["read", *names, "--format", "jsonl"]) == 1
    printed = capsys.readouterr()
    rows = [json.loads(line) for line in printed.out.splitlines()]
    assert [row["source"] for row in rows] == names
    assert [row["status"] == "failed" for row in rows] == [False, True, True, True, True, False]
    *sentences, last = printed.err.splitlines()
    assert last == "inkdigit: 4 of 6 rows could not be read"
    assert sentences == [row["error"] for row in rows[1:5]]
    assert "sub holds no pictures" in sentences[2]
    assert main(["read", *names, "--quiet"]) == 1
    assert capsys.readouterr().err.splitlines() == [last]


@pytest.mark.parametrize("name", ["text.png", "missing.png", "empty.png"])
def test_one_picture_that_fails_is_one_sentence(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.txt"
    assert main(["read", name, "-o", str(out)]) == 5
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"inkdigit: {name} ")
    assert len(printed.err.splitlines()) == 1
    assert not out.exists()
    assert main(["read", name, "--format", "json"]) == 5
    assert json.loads(capsys.readouterr().out)["error"].startswith(name)


def test_failures_of_several_kinds_exit_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failures = [ImageError("a.png is broken"), DataError("there is something else")]
    monkeypatch.setattr(Reader, "results", lambda *_: failures)
    assert main(["read", "a.png", "b.png"]) == 1
    assert capsys.readouterr().err.splitlines() == [
        "a.png is broken",
        "b.png: there is something else",
        "inkdigit: 2 of 2 rows could not be read",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--pattern", r"\d{5"], 2, "expected {n}"),
        (["--pattern", r"\d\d", "--single"], 2, "exactly one digit"),
        (["--check", "lunh"], 2, "did you mean luhn"),
        (["--min-confidence", "2"], 2, "inkdigit: --min-confidence must be between 0 and 1"),
        (["--decimal", "period"], 2, "inkdigit: --decimal is dot or comma, received 'period'"),
        (["--table"], 2, "found on pages: add --find"),
        (["--find", "--form", "a.form.json"], 2, "leave out --find"),
        (["--total-column", "0", "--find"], 2, "columns of a page are counted from 1"),
        (["--pattern-column", "3"], 2, "inkdigit: --pattern-column is a column and its pattern"),
        (["-o", "parts/", "--bom"], 2, "leave out --format and --bom"),
        (["--page", "0"], 2, "the page must be between 1 and 10,000"),
        (["--max-pixels", "0"], 2, "inkdigit: --max-pixels must be at least 1"),
        (["-o", "out.xls"], 2, "does not say its format"),
        (["-", "-"], 2, "can be read once"),
        (["-o", "sub"], 8, "sub is a folder"),
        (["-o", "nowhere/out.csv"], 8, "nowhere is no folder"),
        ([], 6, "nothing.onnx"),
    ],
)
def test_arguments_are_judged_before_the_model_is_loaded(
    arguments: list[str], code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["read", "a.png", *arguments, "--model", "nothing.onnx"]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert sentence in printed.err


def test_the_help_tells_the_limit_that_holds(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["read", "--help"])
    assert f"{MAX_PIXELS:,}" in capsys.readouterr().out


def test_a_pipe_that_closes_early_is_no_error() -> None:
    command = f"{sys.executable} -m inkdigit read a.png b.png | true; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("redirection", [">&-", "> /dev/full"])
def test_an_output_that_takes_nothing_gives_no_traceback(redirection: str) -> None:
    command = f"{sys.executable} -m inkdigit read a.png b.png {redirection}"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    assert done.returncode == (0 if redirection == ">&-" else 8)


def test_nothing_heavy_is_imported_until_it_runs() -> None:
    code = "import sys, inkdigit.cli.read, inkdigit.bulk.sources; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    modules = {name.partition(".")[0] for name in done.stdout.split()}
    assert not modules & {"onnxruntime", "cv2", "numpy", "PIL", "keras", "tensorflow", "stdnum"}


def test_reading_imports_no_training_library() -> None:
    code = (
        "import sys; from inkdigit.cli import main; main(['read', 'a.png', 'b.png', '-q']); "
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    assert len(done.stdout.splitlines()) == 2
    modules = {name.partition(".")[0] for name in done.stderr.split()}
    heavy = {"tensorflow", "keras", "matplotlib", "scipy", "sklearn", "pandas", "mlxtend", "stdnum"}
    assert not modules & heavy
