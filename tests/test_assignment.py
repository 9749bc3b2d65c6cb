"""The page "Your assignment, step by step", played from top to bottom, and handed in."""

import re
import shlex
from pathlib import Path
from typing import Any

import httpx
import keras
import numpy as np
import pandas as pd
import pytest
from PIL import Image
from running import running

from inkdigit import learning
from inkdigit.cli import main

PAGE = (Path(__file__).parents[1] / "docs" / "assignment.md").read_text("utf-8")
# What the page does beside Inkdigit, or is no part of the way: installing, a picture, a service.
LEFT_OUT = ("inkdigit read", "inkdigit serve")


def steps() -> list[tuple[str, str]]:
    blocks = re.findall(r"```(sh|python)\n(.*?)```", PAGE, re.S)
    return [(kind, block) for kind, block in blocks if "pip " not in block]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a student who did what the page says."""
    folder = tmp_path_factory.mktemp("assignment")
    names: dict[str, Any] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.syspath_prepend(str(folder))
        for kind, block in steps():
            if "def build" in block:
                Path("my_net.py").write_text(block)
            elif kind == "python":
                exec(compile(block, "assignment.md", "exec"), names)
            else:
                for line in block.splitlines():
                    if not line.startswith(LEFT_OUT):
                        assert main(shlex.split(line)[1:]) == 0, line
    return folder


@pytest.mark.slow
def test_all_that_is_handed_in_is_there(played: Path) -> None:
    run = learning.Run.open(played / "runs/my-net")
    assert run.metrics["test_accuracy"] > 0.93
    assert (run.settings.network, run.settings.patience) == ("my_net.build", 3)
    for name in ("report.html", "training_curves.png", "confusion_matrix.png", "model.onnx"):
        assert (run.folder / name).stat().st_size > 1000
    assert (played / "pictures" / "confusion_matrix.png").exists()
    page = (played / "runs/compared/comparison.html").read_text()
    assert "my_net.build" in page
    assert "lenet5" in page
    logged = pd.read_csv(played / "log.csv")
    history = learning.Run.open(played / "runs/from-python").history
    assert logged["val_loss"].tolist() == pytest.approx([row["validation_loss"] for row in history])


@pytest.mark.slow
def test_the_model_is_evaluated_and_trained_on_in_plain_keras(played: Path) -> None:
    model = keras.saving.load_model(played / "runs/my-net/mnist_cnn_model.h5")
    digits = learning.load_dataset("sample")
    pixels = digits.train.images[::4, ..., None] / np.float32(255)
    labels = keras.utils.to_categorical(digits.train.labels[::4])
    _, accuracy = model.evaluate(pixels, labels, verbose=0)
    assert accuracy > 0.93
    history = model.fit(pixels, labels, epochs=3, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]


@pytest.mark.slow
def test_a_photograph_is_read_with_it_and_served(played: Path) -> None:
    digits = learning.load_dataset("sample").test
    number = int(np.flatnonzero(digits.labels == 7)[5])
    paper = np.full((200, 160), 190, np.uint8)
    paper[60:116, 50:106] -= np.kron(digits.images[number], np.ones((2, 2), np.uint8)) // 2
    Image.fromarray(paper).save(played / "digit.png")
    model = played / "runs/my-net/model.onnx"
    arguments = ["read", str(played / "digit.png"), "--single", "--model", str(model)]
    assert main([*arguments, "--out", str(played / "read.csv")]) == 0
    assert pd.read_csv(played / "read.csv", dtype=str)["text"].tolist() == ["7"]
    assert ",7," in (played / "read.csv").read_text()
    with running("--model", str(model)) as service:
        answer = httpx.post(
            f"{service.url}/v1/read?single=true",
            content=(played / "digit.png").read_bytes(),
            headers={"Content-Type": "image/png"},
        )
    assert answer.json()["text"] == "7"


@pytest.mark.slow
def test_tensorboard_is_written(small: learning.Dataset, tmp_path: Path) -> None:
    board = keras.callbacks.TensorBoard(tmp_path / "logs")
    learning.train(small, network="lenet5", epochs=1, out=tmp_path / "run", callbacks=[board])
    assert list((tmp_path / "logs").rglob("events.out.tfevents.*"))
