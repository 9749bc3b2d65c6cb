from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from inkdigit.errors import RunError, SettingError
from inkdigit.learning import api
from inkdigit.learning.api import start_training
from inkdigit.learning.backend import keras
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.evaluation.comparison import (
    Contender,
    combined_p,
    compare,
    differences,
    hold,
)
from inkdigit.learning.evaluation.report import write_comparison
from inkdigit.learning.models.run import Run
from inkdigit.learning.settings import TrainingSettings


def test_mcnemar_agrees_with_the_binomial_test_on_the_digits_that_differ() -> None:
    labels = np.zeros(1000, np.int64)
    first, second = labels.copy(), labels.copy()
    first[:9] = 1  # 9 only the second reads right
    second[20:50] = 1  # 30 only the first reads right
    first[990:], second[990:] = 1, 1  # 10 that both read wrong count for nothing
    row = differences({("a", 0): first, ("b", 0): second}, labels).iloc[0]
    assert (row["only_first"], row["only_second"]) == (30, 9)
    assert row["p"] == pytest.approx(binomtest(9, 39).pvalue)
    assert row["real"]


def test_networks_that_read_alike_do_not_differ() -> None:
    labels = np.arange(100) % 10
    row = differences({("a", 0): labels, ("b", 0): labels}, labels).iloc[0]
    assert row["p"] == 1
    assert not row["real"]


def test_every_pair_is_held_against_each_other_over_all_seeds() -> None:
    labels = np.arange(100) % 10
    keys = [(network, seed) for seed in range(3) for network in "abc"]
    table = differences(dict.fromkeys(keys, labels), labels)
    assert list(zip(table["first"], table["second"], strict=True)) == [
        ("a", "b"), ("a", "c"), ("b", "c"),
    ]  # fmt: skip


def test_runs_are_paired_in_the_order_of_their_seeds() -> None:
    labels = np.arange(100) % 10
    wrong = labels.copy()
    wrong[:8] = 9 - wrong[:8]
    predictions = {("a", 3): labels, ("b", 1): labels, ("b", 0): wrong}
    row = differences(predictions, labels).iloc[0]
    assert (row["only_first"], row["only_second"]) == (8, 0)


def test_two_runs_of_one_name_and_seed_are_refused(
    trained: Run, small: Dataset, tmp_path: Path
) -> None:
    with pytest.raises(SettingError, match="there are two of lenet5 with seed"):
        api.compare([trained] * 2, small, out=tmp_path)


@pytest.mark.parametrize(
    ("values", "expected"), [([0.03], 0.03), ([0.01, 0.02, 0.9], 0.04), ([0.7, 0.8, 0.9], 1.0)]
)
def test_combined_p_is_twice_the_median(values: list[float], expected: float) -> None:
    assert combined_p(values) == pytest.approx(expected)


@pytest.mark.slow
def test_a_comparison_trains_measures_and_summarises(small: Dataset, tmp_path: Path) -> None:
    def train_one(network: str, seed: int, folder: Path) -> Run:
        settings = TrainingSettings(network=network, seed=seed, epochs=1)
        return start_training(settings, small).run(folder, resume=True)

    comparison = compare(["lenet5", "classic"], 2, small, tmp_path, train_one)
    assert len(comparison.runs) == 4
    networks = comparison.networks.set_index("network")
    runs = comparison.runs[comparison.runs["network"] == "classic"]
    assert networks.loc["classic", "test_accuracy_mean"] == pytest.approx(
        np.mean(runs["test_accuracy"])
    )
    assert networks.loc["classic", "test_accuracy_sd"] == pytest.approx(
        np.std(runs["test_accuracy"], ddof=1)
    )
    assert networks.loc["lenet5", "parameters"] == 61_706
    assert (comparison.networks["one_image_ms"] > 0).all()
    assert (comparison.networks["images_per_second"] > 0).all()
    assert {path.name for path in tmp_path.iterdir()} == {
        ".comparison", "lenet5-seed0", "lenet5-seed1", "classic-seed0", "classic-seed1",
    }  # fmt: skip


def test_one_seed_has_a_mean_and_no_spread(trained: Run, small: Dataset) -> None:
    row = hold([Contender.of_run(trained)], small).networks.iloc[0]
    assert row["test_accuracy_mean"] == trained.metrics["test_accuracy"]
    assert pd.isna(row["test_accuracy_sd"])


def test_bad_comparisons(small: Dataset, tmp_path: Path) -> None:
    def never(network: str, seed: int, folder: Path) -> Run:
        raise AssertionError

    for networks, seeds, message in (
        (["classic"], 0, "at least 1, received 0"),
        (["classic"], 1.5, "the seeds must be a whole number, received 1.5"),
        (["classic", "classic"], 1, "there are two of classic with seed 0"),
        (["nothing"], 1, "choose from"),
        (["gone.py:build", "classic"], 1, "gone.py is not there"),
        (["classic", lambda: 3], 1, "builds no Keras model"),
        ([own, own], 1, "there are two of own with seed 0"),
        ([own()], 1, "each seed begins anew: name a function that builds mine"),
    ):
        with pytest.raises(SettingError, match=message):
            compare(networks, seeds, small, tmp_path, never)


def own() -> Any:
    layers = [keras.Input((28, 28)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")]
    return keras.Sequential(layers, name="mine")


@pytest.mark.slow
def test_networks_of_ones_own_are_trained_beside_ours(small: Dataset, tmp_path: Path) -> None:
    (tmp_path / "net.py").write_text(
        "import keras\n"
        "layers = keras.layers\n"
        "def own():\n    return keras.Sequential([keras.Input((28, 28)), layers.Flatten(), "
        "layers.Dense(10, 'softmax')])\n"
    )
    how = {"epochs": 1, "out": tmp_path / "out"}
    networks = api.compare([f"{tmp_path}/net.py:own", own, "lenet5"], small, **how).networks
    assert [*networks["network"]] == ["net.own", "own", "lenet5"]
    assert networks["test_accuracy_mean"][0] == networks["test_accuracy_mean"][1]
    assert [*networks["parameters"]] == [7850, 7850, 61_706]


def test_runs_and_model_files_stand_for_themselves(
    trained: Run, small: Dataset, tmp_path: Path
) -> None:
    def never(network: str, seed: int, folder: Path) -> Run:
        raise AssertionError

    for name in ("model.keras", "mnist_cnn_model.h5", "model.onnx"):
        suffix = Path(name).suffix
        (tmp_path / f"{suffix[1:]}{suffix}").write_bytes((trained.folder / name).read_bytes())
    named = [trained.folder, *sorted(map(str, tmp_path.iterdir()))]
    comparison = compare(named, 1, small, tmp_path / "out", never)
    networks = comparison.networks.set_index("network")
    assert [*networks.index] == ["lenet5", "h5", "keras", "onnx"]
    assert networks["test_accuracy_mean"].nunique() == 1
    assert networks["macs"].isna().tolist() == [False, True, True, True]
    page = write_comparison(comparison, small, tmp_path / "out").read_text()
    assert ">nan" not in page


def test_a_run_without_its_model_file_says_how_to_get_it(
    trained: Run, small: Dataset, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("run.json", "metrics.json"):
        (folder / name).write_bytes((trained.folder / name).read_bytes())
    with pytest.raises(RunError, match=f"inkdigit export {folder}"):
        Contender.of_run(Run.open(folder))
