"""The benchmarks of training time and of inference, on a few digits."""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from inkdigit.learning.datasets import Dataset

MODULES = ("fast", "fast_keras", "inference", "inference_ways", "tables")


@pytest.fixture(scope="module")
def scripts(script: Callable[[str], ModuleType]) -> dict[str, ModuleType]:
    return {name: script(name) for name in MODULES}


def trainings(**seconds: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "recipe": name, "seed": seed, "seconds": took, "cpu_seconds": took, "epochs": 1,
            "test_accuracy": 0.992, "macs": 10**6, "digits": 50_000, "gflops": 300.0,
        }
        for name, took in seconds.items()
        for seed in range(2)
    )  # fmt: skip


def test_training_bars_hold_means_against_the_rivals(scripts: dict[str, ModuleType]) -> None:
    table = trainings(**{"fast": 2, "fast-5-epochs": 11, "keras.io": 100, "train_mnist_fast": 6})
    bars = [line.split() for line in scripts["fast"].bars(table)]
    assert [(float(line[-5]), line[-1]) for line in bars] == [
        (0.992, "yes"), (0.992, "no"), (50, "yes"), (3, "no"), (0.9091, "no")
    ]  # fmt: skip


def test_as_products_it_takes_three_passes_at_the_machines_rate(
    scripts: dict[str, ModuleType],
) -> None:
    row = scripts["fast"].summary(trainings(fast=2)).loc["fast"]
    # A multiply-accumulate is two operations, a backward pass as much as two forward ones.
    assert row["as products, s"] == pytest.approx(2 * 3 * 1e6 * 50_000 / 300e9)
    assert (row["seeds"], row["s"], row["±"]) == (2, 2, 0)


def test_the_committed_table_is_never_of_a_part(
    scripts: dict[str, ModuleType],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for flags in (["--brief"], ["--parts", "fast"]):
        monkeypatch.setattr(sys, "argv", ["fast.py", *flags])
        with pytest.raises(SystemExit):
            scripts["fast"].main()
        assert "--out" in capsys.readouterr().err


def test_a_recipe_is_timed_from_arrays_to_a_network(
    scripts: dict[str, ModuleType], small: Dataset
) -> None:
    start = time.perf_counter()
    seconds, model, details = scripts["fast_keras"].by_recipe("fast", 0, small)
    assert 0 < seconds <= time.perf_counter() - start
    assert model.name == "fast"
    assert details["epochs"] == 1


def test_every_way_gives_the_same_probabilities(
    scripts: dict[str, ModuleType], small: Dataset, tmp_path: Path
) -> None:
    digits = small.train.images[:64]
    subject = scripts["inference_ways"].subject("fast", tmp_path, None)
    ways = scripts["inference_ways"].ways(subject, 2)
    answers = {name: read(digits) for name, read in ways.items()}
    for name, answer in answers.items():
        assert answer.shape == (64, 10)
        # Bytes for floats move an untrained network's answers a little.
        allowed = 0.25 * np.ptp(answers["keras"]) if name.endswith("int8") else 1e-4
        assert np.abs(answer - answers["keras"]).max() < allowed, name
        assert np.corrcoef(answer.ravel(), answers["keras"].ravel())[0, 1] > 0.98, name


def speeds() -> pd.DataFrame:
    rows = [
        ("fast", "exported", 1, 100.0, None), ("fast", "exported", 1000, 12.0, 0.9953),
        ("fast", "inkdigit", 1, 45.0, None), ("fast", "inkdigit", 1000, 8.0, 0.9952),
        ("keras.io", "keras", 1000, 100.0, None),
    ]  # fmt: skip
    return pd.DataFrame(
        {
            "network": network, "way": way, "cores": 2, "batch": batch, "test_accuracy": right,
            "microseconds": each * batch, "images_per_second": 1e6 / each,
        }
        for network, way, batch, each, right in rows
    )  # fmt: skip


def test_inference_bars(scripts: dict[str, ModuleType]) -> None:
    bars = list(scripts["inference"].bars(speeds()))
    assert [line.split()[-1] for line in bars] == ["no", "no", "yes", "yes", "yes"]
    assert "99.52 %, 0.01 points lost" in bars[2]


def test_the_documents_tables(scripts: dict[str, ModuleType], tmp_path: Path) -> None:
    tables = scripts["tables"]
    assert tables.fast_table(tmp_path / "fast.csv") == ""
    trainings(**{"fast": 2, "keras.io": 100}).to_csv(tmp_path / "fast.csv")
    *_, fast, rival = tables.fast_table(tmp_path / "fast.csv").splitlines()
    assert fast == "| `--recipe fast` | 99.20 ± 0.00 % | 2.0 ± 0.0 | 1.0 times | 2 |"
    assert rival.endswith("| 99.20 ± 0.00 % | 100.0 ± 0.0 | 50.0 times | 2 |")
    speeds().to_csv(tmp_path / "inference.csv")
    rows = tables.inference_table(tmp_path / "inference.csv").splitlines()[2:]
    assert rows[0] == "| `fast` | exported | 100 | – | 83,333 | 99.53 % |"
