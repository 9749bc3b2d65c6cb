"""One model of several runs."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from inkdigit.learning.datasets import Dataset
from inkdigit.learning.models import load_model
from inkdigit.learning.runs import Run
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.training import train


def test_an_ensemble_answers_the_mean_and_is_a_model_like_any_other(
    script: Callable[[str], ModuleType],
    small: Dataset,
    trained: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = train(TrainingSettings.of("fast", batch_size=50), small, tmp_path / "run")
    out = tmp_path / "ensemble.keras"
    runs = [str(trained.folder), str(other.folder)]
    monkeypatch.setattr(sys, "argv", ["ensemble.py", *runs, "--out", str(out)])
    script("ensemble").main()
    answers = [load_model(run).probabilities(small.test.images) for run in runs]
    mean = load_model(out).probabilities(small.test.images)
    assert np.allclose(mean, np.mean(answers, axis=0), atol=1e-4)
    assert not np.allclose(answers[0], answers[1], atol=1e-2)
