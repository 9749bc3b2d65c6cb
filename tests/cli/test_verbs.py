import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from inkdigit.cli import main
from inkdigit.errors import OutputError
from inkdigit.learning.datasets import Dataset, load_dataset
from inkdigit.learning.models.run import Run
from inkdigit.learning.networks import NETWORKS


def test_networks_lists_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["networks"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [re.split(r"\s{2,}", line) for line in lines]
    assert rows[1:5] == [
        ["lenet5", "a digit", "61,706", "416,520"],
        ["classic", "a digit", "225,034", "2,631,040"],
        ["modern", "a digit", "62,506", "2,295,936"],
        ["fast", "a digit", "109,354", "622,080"],
    ]
    assert [row[1] for row in rows[5:-3]] == ["a digit"] * (len(NETWORKS) - 4)
    assert [row[:2] for row in rows[-3:-1]] == [["line", "a line"], ["single", "a digit or none"]]
    assert rows[-1] == ["page", "where numbers stand", "391,334", "1,869,840,384"]


@pytest.mark.parametrize("name", ["", "model.keras", "mnist_cnn_model.h5", "model.onnx"])
def test_evaluate_takes_every_form(
    trained: Run, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["evaluate", str(trained.folder / name), "--data", "sample", "--format", "json"]) == 0
    )
    described = json.loads(capsys.readouterr().out)
    sample = load_dataset("sample")
    assert described["digits"] == len(sample.test)
    assert 0.5 < described["accuracy"] < 1
    assert described["accuracy_low"] < described["accuracy"] < described["accuracy_high"]
    confusion = np.array(described["confusion"])
    assert confusion.trace() / confusion.sum() == pytest.approx(described["accuracy"])


def test_evaluate_prints_a_table_and_writes_pictures(
    trained: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "pictures"
    assert main(["evaluate", str(trained.folder), "--data", "sample", "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert "95 % interval" in printed.out
    assert len([line for line in printed.out.splitlines() if line[:1].isdigit()]) == 10
    names = {
        "confusion_matrix.png", "predictions.png", "mistakes.png", "reliability.png",
        "training_curves.png",
    }  # fmt: skip
    written = {path: path.stat().st_mtime_ns for path in out.iterdir()}
    assert {path.name for path in out.iterdir()} == names
    for path in out.iterdir():
        with Image.open(path) as image:
            assert min(image.size) > 300
    assert main(["evaluate", str(trained.folder), "--data", "sample", "--out", str(out)]) == 8
    assert {path: path.stat().st_mtime_ns for path in out.iterdir()} == written


def test_evaluate_says_when_the_digits_were_trained_on(
    trained: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["evaluate", str(trained.folder), "--data", "sample"]
    assert main([*arguments, "--split", "train"]) == 0
    assert "beware: this model was trained on these digits" in capsys.readouterr().err
    assert main(arguments) == 0
    assert "beware" not in capsys.readouterr().err


def test_evaluate_on_a_folder_of_ones_own(
    trained: Run, small: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for index, (image, label) in enumerate(zip(small.test.images, small.test.labels, strict=True)):
        folder = tmp_path / str(label)
        folder.mkdir(exist_ok=True)
        Image.fromarray(255 - image).save(folder / f"{index}.png")
    (tmp_path / "3" / "notes.txt").write_text("not a picture")
    data = ["--data", f"folder:{tmp_path}", "--split", "all", "--format", "json"]
    assert main(["evaluate", str(trained.folder), *data]) == 0
    printed = capsys.readouterr()
    described = json.loads(printed.out)
    assert described["digits"] == len(small.test)
    assert described["accuracy"] == pytest.approx(trained.metrics["test_accuracy"])
    assert "1 left out" in printed.err
    assert "notes.txt" in printed.err


@pytest.mark.slow
def test_compare_writes_tables_and_a_page_and_goes_on_where_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["compare", "--networks", "lenet5", "modern", "--seeds", "1", "--epochs", "1",
                 "--data", "sample", "--out", str(tmp_path)]  # fmt: skip
    assert main(arguments) == 0
    printed = capsys.readouterr()
    table = pd.read_csv(tmp_path / "comparison.csv")
    assert list(table["network"]) == ["lenet5", "modern"]
    for accuracy in table["test_accuracy_mean"]:
        assert f"{100 * accuracy:.2f}" in printed.out
    assert "McNemar, p = " in printed.out
    for name in ("comparison.html", "accuracy_against_cost.png", "runs.csv", "differences.csv"):
        assert (tmp_path / name).exists()
    assert str(tmp_path / "comparison.html") in printed.out
    before = (tmp_path / "modern-seed0" / "model.onnx").stat().st_mtime_ns
    assert main([*arguments, "--quiet"]) == 0
    assert capsys.readouterr().err == ""
    assert (tmp_path / "modern-seed0" / "model.onnx").stat().st_mtime_ns == before


def test_export_prints_where_the_file_is(
    trained: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "mine.onnx"
    assert main(["export", str(trained.folder), "-o", str(target)]) == 0
    assert capsys.readouterr().out.strip() == str(target)
    size = target.stat().st_size
    assert main(["export", str(trained.folder), "-o", str(target), "--eight-bits"]) == 0
    assert target.stat().st_size < size


def test_compare_names_the_reports_that_there_are(
    trained: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "other.onnx").write_bytes((trained.folder / "model.onnx").read_bytes())
    named = [str(trained.folder), str(tmp_path / "other.onnx")]
    out = ["--data", "sample", "--out", str(tmp_path / "compared")]
    assert main(["compare", "--networks", *named, *out]) == 0
    told = [line for line in capsys.readouterr().err.splitlines() if "report of" in line]
    assert told == [f"report of lenet5: {trained.folder}/report.html"]


def test_explain_writes_a_page_and_leaves_one_alone(
    trained: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "inside.html"
    command = ["explain", str(trained.folder), "-o", str(page), "--data", "sample", "-q"]
    assert main(command) == 0
    assert capsys.readouterr().out == f"{page}\n"
    written = page.read_bytes()
    assert b"Content-Security-Policy" in written
    assert main(command) == OutputError.exit_code
    assert "is there already: choose another file" in capsys.readouterr().err
    assert page.read_bytes() == written
