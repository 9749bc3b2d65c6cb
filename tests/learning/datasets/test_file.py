import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from inkdigit.cli import main
from inkdigit.errors import DataError
from inkdigit.learning.datasets import Dataset, Digits, load_dataset
from inkdigit.learning.datasets.file import load_file


def as_table(digits: Digits) -> pd.DataFrame:
    names = ["label", *(f"pixel{number}" for number in range(784))]
    values = np.column_stack([digits.labels, digits.images.reshape(len(digits), 784)])
    return pd.DataFrame(values, columns=names)


def test_the_file_of_keras(small: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "mnist.npz"
    train, test = small.train, small.test
    np.savez(path, x_train=train.images, y_train=train.labels.astype(np.uint8),
             x_test=test.images, y_test=test.labels.astype(np.uint8))  # fmt: skip
    for name in (str(path), f"folder:{path}"):
        found = load_dataset(name)
        assert found.name == f"folder:{path}"
        assert found.digest() == small.digest()
    assert load_dataset(found.name).digest() == small.digest()


@pytest.mark.parametrize("header", [True, False])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_the_file_of_kaggle(small: Dataset, tmp_path: Path, *, header: bool, encoding: str) -> None:
    path = tmp_path / "train.csv"
    as_table(small.test).to_csv(path, header=header, index=False, encoding=encoding)
    found = load_dataset(str(path))
    assert (len(found.train), len(found.test)) == (240, 60)
    both = [{image.tobytes() for image in part.images} for part in (found.train, found.test)]
    assert both[0] | both[1] == {image.tobytes() for image in small.test.images}
    assert found.notes == (f"{path} has no halves: 240 digits train, 60 test",)


def test_what_is_none_is_one_sentence(small: Dataset, tmp_path: Path) -> None:
    table = as_table(small.test)
    wrong = {
        "test.csv": (lambda path: table.iloc[:, 1:].to_csv(path, index=False), "no labels"),
        "wide.csv": (lambda path: table.iloc[:, :100].to_csv(path, index=False), "100 columns"),
        "labels.csv": (lambda path: table.assign(label="x").to_csv(path, index=False), "whole n"),
        "one.csv": (lambda path: table.assign(label=11).to_csv(path, index=False), "from 11 to 11"),
        "text.csv": (lambda path: path.write_bytes(b"\xff\xfe\0"), "no table of digits"),
        "nothing.csv": (lambda path: path.touch(), "no table of digits"),
        "x.npz": (lambda path: np.savez(path, images=np.zeros(3)), "holds no x_train"),
        "y.npz": (lambda path: path.write_bytes(b"PK"), "damaged or no .npz"),
        "objects.npz": (
            lambda path: np.savez(path, **dict.fromkeys(["x_train", "y_train", "x_test", "y_test"],
                                                        np.array([{}]))), "damaged or no .npz"),
        "gone.csv": (Path.exists, "cannot be read: No such file"),
        "pipe.npz": (os.mkfifo, "not a plain file"),
    }  # fmt: skip
    for name, (write, sentence) in wrong.items():
        write(tmp_path / name)
        with pytest.raises(DataError, match=sentence) as caught:
            load_file(tmp_path / name)
        assert "\n" not in str(caught.value)
        assert str(tmp_path / name) in str(caught.value)


@pytest.mark.slow
def test_a_network_learns_from_it(
    small: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, run = tmp_path / "train.csv", tmp_path / "run"
    as_table(small.test).to_csv(path, index=False)
    asked = ["--network", "lenet5", "--epochs", "1"]
    assert main(["train", "--data", str(path), *asked, "--out", str(run)]) == 0
    assert main(["evaluate", str(run), "--data", str(path)]) == 0
    printed = capsys.readouterr()
    assert "60 digits of folder" in printed.out
    assert str(tmp_path) not in (run / "report.html").read_text()
