"""Training knows no backend: the same code on JAX, on a machine without TensorFlow or ONNX."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from inkdigit.cli import main
from inkdigit.reading import DigitModel

WITHOUT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow", "tf2onnx", "onnx"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name.split(".")[0])

sys.meta_path.insert(0, Absent())
from inkdigit.cli import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_a_run_trained_on_jax_alone_is_completed_where_tensorflow_is(tmp_path: Path) -> None:
    arguments = ["train", "--network", "modern", "--data", "sample", "--epochs", "2"]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, *arguments, "--out", str(tmp_path / "run")],
        env={**os.environ, "KERAS_BACKEND": "jax"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert f"inkdigit export {tmp_path / 'run'}" in done.stdout
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert "jax" in metrics["versions"]
    assert metrics["train_accuracy"] > 0.5
    assert (tmp_path / "run" / "report.html").exists()
    assert not (tmp_path / "run" / "model.onnx").exists()

    assert main(["export", str(tmp_path / "run")]) == 0
    assert DigitModel.load(tmp_path / "run" / "model.onnx").info.network == "modern"
    assert main(["evaluate", str(tmp_path / "run"), "--data", "sample"]) == 0
