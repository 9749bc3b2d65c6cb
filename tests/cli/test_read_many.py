"""Folders, manifests and kills, by the real command in processes of its own."""

import csv
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from permissions import somebody
from PIL import Image
from pyarrow.parquet import read_table

from inkdigit.bulk.api import choose_target
from inkdigit.bulk.chunks import ChunkResult, Position
from inkdigit.bulk.parts import Parts, Table
from inkdigit.bulk.rows import ReadJob
from inkdigit.cli import main

COUNT = 200
COMMAND = [sys.executable, "-W", "error", "-m", "inkdigit", "read"]
Crops = Callable[[Path, int], Path]
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def scans(crops: Crops, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of many pictures, one of them broken, and of one more in a folder below."""
    folder = crops(tmp_path_factory.mktemp("many") / "scans", COUNT - 2)
    (folder / "00007_broken.png").write_text("no picture")
    crops(folder / "below", 1)
    return folder


@pytest.fixture(scope="module")
def expected(scans: Path, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """What the folder says, read by one process and not disturbed."""
    out = tmp_path_factory.mktemp("expected") / "out.jsonl"
    done = read(scans, "-o", out, "--jobs", "1")
    assert done.returncode == 5
    return rows_of(out)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """An empty folder."""
    folder = tmp_path / "results"
    folder.mkdir()
    return folder


def read(scans: Path, *arguments: object, **given: Any) -> subprocess.CompletedProcess[str]:
    command = [*COMMAND, str(scans), "--recursive", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, **given)


def rows_of(path: Path) -> Rows:
    if path.suffix == ".parquet":
        return read_table(path).to_pylist()
    text = path.read_text("utf-8")
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in text.splitlines()]
    return [decoded(row) for row in csv.DictReader(text.splitlines())]


def decoded(row: dict[str, str]) -> dict[str, Any]:
    lists = {name: json.loads(row[name]) for name in ("characters",)}
    numbers = {"page": int(row["page"])}
    numbers |= {"confidence": float(row["confidence"])} if row["confidence"] else {}
    return {name: value or None for name, value in row.items()} | lists | numbers


def texts(rows: Rows) -> list[tuple[object, ...]]:
    names = ("source", "page", "text", "status", "reason", "error", "model")
    return [tuple(row[name] or None for name in names) for row in rows]


def assert_alike(rows: Rows, expected: Rows) -> None:
    """Texts and statuses the same, confidences but for the fifth digit."""
    assert texts(rows) == texts(expected)
    for row, other in zip(rows, expected, strict=True):
        assert row["confidence"] == pytest.approx(other["confidence"], abs=1e-4)


def test_a_folder_is_read_by_several_processes_in_order(
    scans: Path, expected: Rows, results: Path
) -> None:
    out = results / "out.jsonl"
    done = read(scans, "-o", out, "--jobs", "2")
    assert done.returncode == 5
    rows = rows_of(out)
    assert_alike(rows, expected)
    assert [row["source"] for row in rows] == sorted(row["source"] for row in rows)
    assert len(rows) == COUNT
    broken, *_, counted, reasons, wrote, last = done.stderr.splitlines()
    assert "00007_broken.png is not a picture" in broken
    assert counted.startswith(f"{COUNT} pictures in ")
    assert counted.endswith(", 1 failed")
    assert reasons.startswith("for review: ")
    assert wrote == f"wrote {out}"
    assert last == f"inkdigit: 1 of {COUNT} rows could not be read"
    assert list(results.iterdir()) == [out]


@pytest.mark.parametrize(("suffix", "kills"), [("csv", [1]), ("jsonl", [2]), ("parquet", [1, 2])])
def test_killed_at_any_moment_every_row_is_there_once(
    scans: Path, expected: Rows, results: Path, suffix: str, kills: list[int]
) -> None:
    out = results / f"out.{suffix}"
    command = [*COMMAND, str(scans), "--recursive", "-o", str(out), "--jobs", "2", "--resume"]
    for chunks in kills:
        kill_after(chunks, out, command)
        assert not out.exists()
    done = read(scans, "-o", out, "--resume")
    assert done.returncode == 5, done.stderr
    assert "of them before)" in done.stderr
    assert_alike(rows_of(out), expected)
    assert list(results.iterdir()) == [out]


def test_a_stopped_run_is_neither_lost_nor_mixed_up(
    scans: Path, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = results / "out.csv"
    parts = choose_target(str(out), None)
    assert isinstance(parts, Parts)
    table = Table(parts, ReadJob().asked())
    table.append(ChunkResult([], [], Position(64, "")))
    table.close()
    arguments = ["read", str(scans), "-o", str(out)]
    for more, code, sentence in [
        ([], 8, "holds what an earlier run has done, or another run is writing there: go on"),
        (["--resume", "--pattern", r"\d{2}"], 7, "is of another run (pattern was None"),
    ]:
        assert main([*arguments, *more]) == code
        assert sentence in capsys.readouterr().err
    shutil.rmtree(f"{out}.part")
    out.touch()
    assert main([*arguments, "--resume"]) == 0
    assert capsys.readouterr().err == f"{out} is finished: there is nothing left to read\n"
    assert main(arguments) == 8
    assert "is there already" in capsys.readouterr().err


def test_finished_parts_end_again_as_they_did(
    some_crops: list[Path], results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (results / "broken.png").write_text("no picture")
    arguments = ["read", str(some_crops[0]), str(results), "-o", f"{results}/parts/", "--resume"]
    assert main(arguments) == 5
    capsys.readouterr()
    assert main(arguments) == 5
    told, last = capsys.readouterr().err.splitlines()
    assert told.endswith("is finished: there is nothing left to read")
    assert last == "inkdigit: 1 of 2 rows could not be read"
    assert main([*arguments, "--pattern", r"\d{2}"]) == 7
    assert "is of another run (pattern was None" in capsys.readouterr().err
    assert main([*arguments, "--model", "nothing.onnx"]) == 6


def test_a_name_gives_a_terminal_no_commands(
    some_crops: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"{tmp_path}/\x1b[31m.png"
    for names, code in [([name], 5), ([name, str(some_crops[0])], 5), (["--manifest", name], 10)]:
        assert main(["read", *names]) == code
    arguments = ["read", str(some_crops[0]), str(tmp_path), "-o", f"{name}.csv"]
    Path(name).touch()
    assert main(arguments) == 5
    printed = capsys.readouterr().err
    assert printed.count(r"\x1b[31m.png") == 5
    assert "\x1b" not in printed


def kill_after(chunks: int, out: Path, command: list[str]) -> None:
    """Start the command, and kill it with all that it started once so many chunks are closed."""
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    while process.poll() is None and closed(out) < chunks:
        time.sleep(0.01)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    # Its children end with it, by themselves.
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError("processes that read outlive the one that started them")


def closed(out: Path) -> int:
    """Return how many chunks of a file are done."""
    return len(list(Path(f"{out}.part").glob("part-*.jsonl")))


def test_ctrl_c_keeps_what_was_done_and_says_how_to_go_on(scans: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    process = subprocess.Popen(
        [*COMMAND, str(scans), "-o", str(out), "--jobs", "2"],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    # One may be on the disk before the process knows of it.
    while process.poll() is None and closed(out) < 2:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130
    *_, done, last = said.splitlines()
    assert done.endswith(" pictures are done: the same with --resume goes on")
    assert last == "inkdigit: interrupted"
    assert "Traceback" not in said
    assert closed(out) >= 2


# A drive that does not answer: in every process the file of this name is waited for.
SLOW = """
import os, pathlib
plain = pathlib.Path.open
def open(path, *given, **more):
    if path.name == "00005.png":
        os.write(2, b"waiting\\n")
        os.read(os.pipe()[0], 1)
    return plain(path, *given, **more)
pathlib.Path.open = open
"""


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_ctrl_c_does_not_wait_for_a_drive_that_does_not_answer(
    jobs: str, crops: Crops, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(SLOW)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    command = [*COMMAND, str(crops(tmp_path / "scans", 130)), "--jobs", jobs, "--page", "1"]
    process = subprocess.Popen(
        [*command, "-o", str(tmp_path / "out.csv")],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert process.stderr
    assert process.stderr.readline() == "waiting\n"
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=20)
    assert process.returncode == 130
    assert said.endswith("inkdigit: interrupted\n")


@pytest.mark.parametrize(
    ("room", "done_before", "what"),
    [(100_000, 164, "out.jsonl cannot"), (40_000, 64, "part-000001.jsonl cannot")],
)
def test_a_full_disk_is_one_sentence_and_nothing_is_lost(
    crops: Crops, tmp_path: Path, results: Path, room: int, done_before: int, what: str
) -> None:
    """It is full while the table is made from its parts, or already at the second part."""
    scans, out = crops(tmp_path / "scans", 100), results / "out.jsonl"
    for number in range(64):  # the rows of blank pictures take little room, and come first
        Image.new("L", (60, 40), 255).save(scans / f"-{number:02}.png")

    def little_room() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    done = read(scans, "-o", out, "--jobs", "1", preexec_fn=little_room)
    assert done.returncode == 8
    kept, last = done.stderr.splitlines()
    assert kept == f"{done_before} pictures are done: the same with --resume goes on"
    assert f"{what} be written: File too large" in last
    assert not out.exists()
    done = read(scans, "-o", out, "--jobs", "1", "--resume")
    assert done.returncode == 0, done.stderr
    assert f"164 pictures ({done_before} of them before) in " in done.stderr
    assert len(rows_of(out)) == 164


def test_a_folder_may_be_printed(crops: Crops, tmp_path: Path) -> None:
    done = read(crops(tmp_path / "scans", 70), "--jobs", "2")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split("\t") for line in done.stdout.splitlines()]
    assert [Path(name).name for name, *_ in lines] == [f"{n:05}.png" for n in range(70)]


def test_what_is_left_out_of_a_folder_is_told_once(
    crops: Crops, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scans = crops(tmp_path / "scans", 3)
    (scans / "00001.png").rename(scans / "scan of 1")
    (scans / "note.txt").write_text("something I had")
    (scans / "below").mkdir()
    os.mkfifo(scans / "pipe.png")
    (scans / "._00002.png").write_text("nothing")
    told = (
        "left out files of other kinds (1), folders for --recursive (1): "
        f"{scans}/below/, {scans}/note.txt"
    )
    for more in ([], ["-o", f"{tmp_path}/out.csv"], ["-q"]):
        assert main(["read", str(scans), *more]) == 5
        printed = capsys.readouterr()
        assert printed.err.splitlines().count(told) == (more != ["-q"])
    assert [line.split("\t")[0] for line in printed.out.splitlines()] == [
        f"{scans}/{name}" for name in ("00000.png", "00002.png", "pipe.png", "scan of 1")
    ]
    assert "not a plain file" in (tmp_path / "out.csv").read_text()
    for name in ("00000.png", "00002.png", "pipe.png", "scan of 1"):
        (scans / name).unlink()
    assert main(["read", str(scans)]) == 10
    first, last = capsys.readouterr().err.splitlines()
    assert first == told
    assert last.startswith(f"inkdigit: {scans} holds no pictures; --recursive")


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="this system has no permissions of users")
def test_what_may_not_be_opened_is_told_and_the_others_are_read(
    some_crops: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for file in ("a.png", "b.png", "c.txt"):
            shutil.copy(some_crops[0], folder / file)
        (folder / "closed").mkdir()
        (folder / "d.txt").write_text("text")
        for closed in ("a.png", "c.txt", "closed"):
            (folder / closed).chmod(0)
        folder.chmod(0o555)
        with somebody():
            assert main(["read", name, "--recursive"]) == 1
            assert main(["read", name, "-o", f"{name}/out.csv"]) == 8
        folder.chmod(0o755)
        (folder / "closed").chmod(0o755)
        printed = capsys.readouterr()
        rows = [line.split("\t") for line in printed.out.splitlines()]
        assert [Path(row[0]).name for row in rows] == ["a.png", "b.png", "c.txt", folder.name]
        assert [row[2] == "failed" for row in rows] == [True, False, True, True]
        assert f"{name}/a.png cannot be opened: Permission denied" in printed.err
        assert f"{name}/closed cannot be listed: Permission denied" in printed.err
        # It may be a picture: nobody could look.
        assert f"{name}/c.txt cannot be opened: Permission denied" in printed.err
        assert f"left out files of other kinds (1): {name}/d.txt" in printed.err
        assert f"{name}/out.csv.part cannot be written: Permission denied" in printed.err


def test_a_manifest_says_what_is_read(
    some_crops: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, out = tmp_path / "fields.csv", tmp_path / "out.jsonl"
    lines = [f"{some_crops[0]},\\d{{2}},a", f"{some_crops[0]},,b", "missing.png,,c"]
    manifest.write_text("\n".join(["file,pattern,id", *lines]))
    assert main(["read", "--manifest", str(manifest), "-o", str(out)]) == 5
    rows = rows_of(out)
    assert [row["id"] for row in rows] == ["a", "b", "c"]
    assert [len(row["text"]) for row in rows[:2]] == [2, 4]
    assert "missing.png cannot be opened" in rows[2]["error"]
    assert "3 pictures in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        ([], 2, "there is nothing to read"),
        (["a.png", "--manifest", "fields.csv"], 2, "received both"),
        (["--manifest", "fields.csv"], 10, "fields.csv cannot be read"),
        (["empty"], 10, "empty holds no pictures"),
        (["empty", "-o", "out.csv"], 10, "empty holds no pictures"),
        (
            ["a.png", "--page", "99999999999", "-o", "out.parquet"],
            2,
            "must be between 1 and 10,000",
        ),
        (["a.png", "--jobs", "0"], 2, "jobs must be at least 1, received 0"),
        (["a.png", "--resume"], 2, "--resume goes on with a table"),
        (["a.png", "--address", "auto"], 2, "add --engine ray"),
        (["a.png", "-o", "s3://bucket/out?key=1"], 2, "s3://bucket/out is no folder: a bucket"),
        (["a.png", "-o", "parts/", "--format", "csv"], 2, "a folder takes parts of Parquet"),
        (["ftp://bucket/scans/"], 10, "ftp://bucket/scans/ is in no bucket"),
        (["empty", "a.png", "-o", "out.csv", "--model", "nothing.onnx"], 6, "nothing.onnx"),
    ],
)
def test_what_is_wrong_is_one_sentence(
    arguments: list[str],
    code: int,
    sentence: str,
    results: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(results)
    Path("empty").mkdir()
    assert main(["read", *arguments]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    assert sentence in printed.err
    assert [path.name for path in Path().iterdir()] == ["empty"]


def test_choosing_among_files_asks_for_a_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "one.png").write_bytes(b"")
    for flags in (["--recursive"], ["--include", "*.png"]):
        assert main(["read", str(tmp_path / "one.png"), *flags]) == 2
        assert "choose among the files of a folder: name one" in capsys.readouterr().err
