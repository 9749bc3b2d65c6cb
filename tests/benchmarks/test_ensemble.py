"""One model of several runs."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from inkdigit.learning.api import train_run
from inkdigit.learning.datasets import Dataset, load_dataset
from inkdigit.learning.models.load import DigitClassifier
from inkdigit.learning.models.run import Run
from inkdigit.learning.settings import TrainingSettings
from inkdigit.reading import DigitModel


def test_an_ensemble_answers_the_mean_and_is_a_model_like_any_other(
    script: Callable[[str], ModuleType],
    small: Dataset,
    trained: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = train_run(TrainingSettings(recipe="fast", batch_size=50), small, tmp_path / "run")
    out = tmp_path / "ensemble.keras"
    runs = [str(trained.folder), str(other.folder)]
    monkeypatch.setattr(sys, "argv", ["ensemble.py", *runs, "--out", str(out)])
    script("ensemble").main()
    answers = [DigitClassifier.load(run).probabilities(small.test.images) for run in runs]
    mean = DigitClassifier.load(out).probabilities(small.test.images)
    assert np.allclose(mean, np.mean(answers, axis=0), atol=1e-4)
    assert not np.allclose(answers[0], answers[1], atol=1e-2)

    monkeypatch.setattr(sys, "argv", ["ensemble.py", *runs, "--out", str(tmp_path / "small.onnx")])
    script("ensemble").main()
    in_eight_bits = DigitModel.load(tmp_path / "small.onnx")
    close = in_eight_bits.probabilities(small.test.images)
    assert np.corrcoef(close.ravel(), mean.ravel())[0, 1] > 0.99
    assert (tmp_path / "small.onnx").stat().st_size < out.stat().st_size / 2
    _, validation = load_dataset("sample").fit_and_validation()
    read = DigitClassifier.load(out).probabilities(validation.images).argmax(axis=1)
    info = in_eight_bits.info
    assert info.accuracy == (read == validation.labels).mean()
    assert info.accuracy_on == f"sample, validation part, {len(validation):,} digits"
    assert info.reject_measured_on == len(validation)
