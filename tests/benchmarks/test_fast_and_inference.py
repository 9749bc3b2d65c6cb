"""The benchmarks of training time and of inference, on a few digits."""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks import fast, inference, tables
from benchmarks.inference_ways import subject, ways
from benchmarks.rivals import fast_keras_io
from inkdigit.learning.datasets import Dataset


def trainings(**seconds: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "recipe": name, "seed": seed, "seconds": took, "cpu_seconds": took, "epochs": 1,
            "test_accuracy": 0.992, "macs": 10**6, "digits": 50_000, "gflops": 300.0,
        }
        for name, took in seconds.items()
        for seed in range(2)
    )  # fmt: skip


def test_training_bars_hold_means_against_the_rivals() -> None:
    table = trainings(**{"fast": 2, "fast-5-epochs": 11, "keras.io": 100, "train_mnist_fast": 6})
    bars = [line.split() for line in fast.bars(table)]
    assert [(float(line[-5]), line[-1]) for line in bars] == [
        (0.992, "yes"), (0.992, "no"), (50, "yes"), (3, "no"), (0.9091, "no")
    ]  # fmt: skip
    shown = tables.fast_table(table).splitlines()[3]
    assert shown == "| `--recipe fast-5-epochs` | 99.20 ± 0.00 % | 11.0 ± 0.0 | 5.5 times | 2 |"


def test_as_products_it_takes_three_passes_at_the_machines_rate() -> None:
    row = fast.summary(trainings(fast=2)).loc["fast"]
    # A multiply-accumulate is two operations, a backward pass as much as two forward ones.
    assert row["as products, s"] == pytest.approx(2 * 3 * 1e6 * 50_000 / 300e9)
    assert (row["seeds"], row["s"], row["±"]) == (2, 2, 0)


def test_each_training_is_timed_in_a_process_of_its_own(small: Dataset) -> None:
    start = time.perf_counter()
    (row,) = fast.trainings({"fast": 1}, small, "")
    assert (row["recipe"], row["seed"], row["epochs"]) == ("fast", 0, 1)
    assert 0 < row["seconds"] < time.perf_counter() - start
    assert row["digits"] == len(small.train) * 9 // 10
    assert 0 <= row["test_accuracy"] <= 1


def test_keras_io_is_timed_to_its_bar(small: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast_keras_io, "ENOUGH", 0.05)
    start = time.perf_counter()
    seconds, model, details = fast_keras_io.train(0, small)
    assert 0 < seconds <= time.perf_counter() - start
    assert model.count_params() == 34_826
    assert details == {"epochs": 1, "digits": len(small.train) * 9 // 10}


def test_every_way_gives_the_same_probabilities(small: Dataset, tmp_path: Path) -> None:
    digits = small.train.images[:64]
    answers = {
        name: read(digits) for name, read in ways(subject("fast", tmp_path, None), 2).items()
    }
    for name, answer in answers.items():
        assert answer.shape == (64, 10)
        # Bytes for floats move an untrained network's answers a little.
        allowed = 0.25 * np.ptp(answers["keras"]) if name.endswith("int8") else 1e-4
        assert np.abs(answer - answers["keras"]).max() < allowed, name
        assert np.corrcoef(answer.ravel(), answers["keras"].ravel())[0, 1] > 0.98, name


def test_inference_bars() -> None:
    rows = [
        ("fast", "exported", 1, 100.0, None), ("fast", "exported", 1000, 12.0, 0.9953),
        ("fast", "inkdigit", 1, 45.0, None), ("fast", "inkdigit", 1000, 8.0, 0.9952),
        ("keras.io", "keras", 1000, 100.0, None),
    ]  # fmt: skip
    table = pd.DataFrame(
        {
            "network": network, "way": way, "cores": 2, "batch": batch, "test_accuracy": right,
            "microseconds": each * batch, "images_per_second": 1e6 / each,
        }
        for network, way, batch, each, right in rows
    )  # fmt: skip
    bars = list(inference.bars(table))
    assert [line.split()[-1] for line in bars] == ["no", "no", "yes", "yes", "yes"]
    assert "99.52 %, 0.01 points lost" in bars[2]
    made = tables.inference_table(table).splitlines()[2:]
    assert made[0] == "| `fast` | exported | 100 | – | 83,333 | 99.53 % |"
