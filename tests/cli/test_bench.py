"""`inkdigit bench`: how fast a model reads here."""

from pathlib import Path

import pytest

from inkdigit.cli import main
from inkdigit.learning.models.run import Run


def test_bench_measures_each_model_by_batches(
    trained: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(trained.folder / "model.onnx")
    assert main(["bench", path, path, "--rounds", "1"]) == 0
    header, *rows = capsys.readouterr().out.splitlines()
    assert header.split("  ")[0] == "model"
    assert "one digit" in header
    assert "by 1,024" in header
    assert [row.split()[0] for row in rows] == [path, path]
    assert all(row.count("/s") == 4 and "µs" in row for row in rows)


def test_bench_takes_the_model_inside(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "--rounds", "1"]) == 0
    assert "single.onnx" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["--rounds", "0"], 2, "--rounds must be at least 1, received 0"),
        (["nowhere.onnx"], 6, "nowhere.onnx cannot be read"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(
    arguments: list[str],
    code: int,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["bench", *arguments]) == code
    printed = capsys.readouterr()
    assert printed.out == ""
    assert sentence in printed.err
    assert len(printed.err.splitlines()) == 1
