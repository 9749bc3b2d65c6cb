"""Networks side by side: trained alike with several seeds, measured alike, told apart by a test."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from statistics import median
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import binomtest

import inkdigit
from inkdigit.errors import RunError, SettingError, check_number
from inkdigit.files import is_taken, make_folder, write_text
from inkdigit.learning.backend import keras
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.evaluation.metrics import Evaluation, Labels
from inkdigit.learning.models.export import write_onnx
from inkdigit.learning.models.load import SUFFIXES
from inkdigit.learning.models.run import ONNX_MODEL, Run
from inkdigit.learning.networks import NETWORKS, check_network
from inkdigit.learning.networks.own import OwnNetwork
from inkdigit.learning.settings import TrainingSettings
from inkdigit.reading.model_file import DigitModel
from inkdigit.reading.timing import digits_per_second

LEARNT = ("train_accuracy", "train_loss")
MEASURED = ("test_accuracy", "test_loss", *LEARNT, "seconds")
GIVEN = ("parameters", "macs")
COLUMNS_OF_RUNS = (
    "network", "seed", "epochs", "data", *MEASURED, *GIVEN, "model_bytes", "folder",
)  # fmt: skip
MARK = ".comparison"
ROUNDS = 5
BATCH = 1000
REAL = 0.05
_OVER_SEEDS = (("mean", "mean"), ("sd", "std"))


@dataclass(frozen=True)
class Column:
    """A column of the table of networks: how a figure is shown, and which end of it is best."""

    title: str
    figure: str
    form: str
    scale: float = 1
    best: str = "min"

    def texts(self, networks: pd.DataFrame) -> list[str]:
        """Return the figure of each network as text, with its spread over seeds if it has one."""
        spread = self.figure.replace("_mean", "_sd")
        figures = networks[list(dict.fromkeys([self.figure, spread]))] * self.scale
        rows = (
            [format(value, self.form) for value in row if not np.isnan(value)]
            for row in figures.to_numpy()
        )
        return [" ± ".join(row) for row in rows]


COLUMNS = (
    Column("Test accuracy, %", "test_accuracy_mean", ".2f", 100, "max"),
    Column("Test loss", "test_loss_mean", ".4f"),
    Column("Parameters", "parameters", ",.0f"),
    Column("MACs", "macs", ",.0f"),
    Column("Model file, kB", "model_bytes", ",.0f", 1 / 1000),
    Column("Training, s", "seconds_mean", ",.0f"),
    Column("One image, ms", "one_image_ms", ".2f"),
    Column("Images/s", "images_per_second", ",.0f", best="max"),
)

# The name of a network, FILE.py:FUNCTION, or a function that builds one.
Trainable = str | Callable[[], Any]
TrainOne = Callable[[Trainable, int, Path], Run]


@dataclass(frozen=True)
class Comparison:
    """What was found, as tables.

    `runs` has a row a run; `networks` a row a network, with `<figure>_mean` and `<figure>_sd` over
    its seeds; `differences` a row a pair of networks, with McNemar's test. `page` is the page about
    it, where one was written.

    >>> networks = pd.DataFrame({"network": ["lenet5", "modern"]})
    >>> Comparison(runs=networks, networks=networks, differences=pd.DataFrame())
    Comparison(lenet5, modern; 2 runs)
    """

    runs: pd.DataFrame
    networks: pd.DataFrame
    differences: pd.DataFrame
    page: Path | None = None

    def __repr__(self) -> str:
        return f"Comparison({', '.join(self.networks['network'])}; {len(self.runs)} runs)"


@dataclass(frozen=True)
class Contender:
    """What is compared: a model file by name and seed, and what its run knows of it, if it has one.

    Of a model file that stands alone only its answers, its size and its speed are known.
    """

    name: str
    seed: int
    model: DigitModel
    known: dict[str, Any]

    @classmethod
    def of_run(cls, run: Run) -> Self:
        """Return a finished run; `RunError` where it has no model file."""
        path = run.folder / ONNX_MODEL
        metrics = run.metrics
        if not path.exists():
            raise RunError(
                f"{run.folder} has no {ONNX_MODEL} yet: run  inkdigit export {run.folder}"
            )
        known = {"epochs": metrics["epochs"], "data": run.data, "folder": str(run.folder)}
        known |= {name: metrics[name] for name in (*LEARNT, "seconds", *GIVEN)}
        return cls(run.settings.name, run.settings.seed, DigitModel.load(path), known)

    @classmethod
    def of_file(cls, path: Path, folder: Path) -> Self:
        """Return a `.keras`, `.h5` or `.onnx`; the first two are written as ONNX into a folder."""
        file = path if path.suffix == ".onnx" else write_onnx(path, folder / f"{path.stem}.onnx")
        return cls(path.stem, 0, DigitModel.load(file), {"folder": str(path)})


def compare(
    networks: Sequence[Trainable | Path | Run],
    seeds: int,
    dataset: Dataset,
    folder: Path,
    train_one: TrainOne,
) -> Comparison:
    """Train every network with every seed from 0 on, and hold the runs against each other.

    `train_one(network, seed, run_folder)` trains a run, or returns the finished one that is there.
    A finished run or a model file among the networks stands for itself. All are judged on the test
    half of `dataset`. Raises `SettingError` for fewer than one seed, an unknown network or one
    named twice.
    """
    check_number("the seeds", seeds)
    given = [_opened(network) for network in networks]
    if not given:
        raise SettingError("there is nothing to compare: name networks, runs or model files")
    asked = [(_name_of(one), one) for one in given if not isinstance(one, Run | Path)]
    _claim(folder)
    contenders = [
        Contender.of_run(one) if isinstance(one, Run) else Contender.of_file(one, folder)
        for one in given
        if isinstance(one, Run | Path)
    ]
    trained = [(name, seed) for name, _ in asked for seed in range(seeds)]
    _check_keys([*trained, *((one.name, one.seed) for one in contenders)])
    for seed in range(seeds):
        for name, network in asked:
            run = train_one(network, seed, folder / f"{name}-seed{seed}")
            contenders.append(Contender.of_run(run))
    return hold(contenders, dataset)


def _opened(network: Trainable | Path | Run) -> Trainable | Path | Run:
    """Return the run in a folder or the path of a model file, where a name is one of these."""
    if not isinstance(network, str | Path) or network in NETWORKS:
        return network
    path = Path(network)
    if path.is_dir():
        return Run.open(path)
    return path if path.suffix in SUFFIXES else str(network)


def _name_of(network: Trainable) -> str:
    """Return the name of a network that is to be trained; `SettingError` where there is none."""
    if isinstance(network, keras.Model):
        raise SettingError(
            f"each seed begins anew: name a function that builds {network.name}, or save it"
        )
    if isinstance(network, str):
        settings = TrainingSettings(network=network)
        if not settings.network_file:
            check_network(network, NETWORKS)
            return network
        own = OwnNetwork.in_file(settings.network_file, settings.network)
    else:
        own = OwnNetwork.of(network)
    own.build()
    return own.name


def _claim(folder: Path) -> None:
    """Make the folder a comparison's, or raise `RunError` where something else lies in it."""
    if is_taken(folder) and not (folder / MARK).exists():
        raise RunError(f"{folder} is not empty and no comparison: choose another folder")
    make_folder(folder)
    write_text(folder / MARK, f"{inkdigit.__version__}\n")


def _check_keys(keys: Sequence[tuple[str, int]]) -> None:
    if twice := {key for key in keys if keys.count(key) > 1}:
        name, seed = min(twice)
        raise SettingError(f"there are two of {name} with seed {seed}: compare one of them")


def hold(contenders: Sequence[Contender], dataset: Dataset) -> Comparison:
    """Hold contenders against each other on the test half of a data set.

    A run goes by its recipe, or by its network where that is plain.
    """
    test, rows, predictions = dataset.test, [], {}
    for one in contenders:
        found = Evaluation(test.labels, one.model.probabilities(test.images))
        predictions[one.name, one.seed] = found.predictions
        figures = {"test_accuracy": found.accuracy, "test_loss": found.loss}
        size = one.model.path.stat().st_size
        known = {"network": one.name, "seed": one.seed, "model_bytes": size}
        rows.append({**known, **figures, **one.known})
    # Every seed's network is as fast as the next: one of each is timed.
    models = {one.name: one.model for one in contenders}
    table = pd.DataFrame(rows, columns=COLUMNS_OF_RUNS)
    return Comparison(
        runs=table,
        networks=_summary(table).merge(_speeds(models, test.images), on="network"),
        differences=differences(predictions, test.labels),
    )


def _summary(table: pd.DataFrame) -> pd.DataFrame:
    over = {f"{name}_{kind}": (name, how) for name in MEASURED for kind, how in _OVER_SEEDS}
    over |= {name: (name, "first") for name in (*GIVEN, "model_bytes")}
    return table.groupby("network", sort=False).agg(seeds=("seed", "size"), **over).reset_index()


def _speeds(models: dict[str, DigitModel], images: npt.NDArray[np.uint8]) -> pd.DataFrame:
    """Time reading with ONNX Runtime, the networks turn about, medians over rounds."""
    speeds = digits_per_second(list(models.values()), images, (1, BATCH), ROUNDS, enough=BATCH)
    return pd.DataFrame(
        {"network": network, "one_image_ms": 1000 / one, "images_per_second": by_batch}
        for network, (one, by_batch) in zip(models, speeds, strict=True)
    )


def differences(predictions: dict[tuple[str, int], Labels], labels: Labels) -> pd.DataFrame:
    """Return McNemar's exact test for each pair of networks, `predictions` by (network, seed).

    Runs are paired in the order of their seeds, as far as both networks have them. Each pair gives
    a test on the same digits, so the tests are not independent; twice their median is a valid
    p-value all the same (Rüger 1978). `only_first` and `only_second` are the digits that
    only one of the two read right, as means over seeds.
    """
    networks = list(dict.fromkeys(network for network, _ in predictions))
    right = {name: list[npt.NDArray[np.bool_]]() for name in networks}
    for name, seed in sorted(predictions):
        right[name].append(predictions[name, seed] == labels)
    rows = []
    for first, second in combinations(networks, 2):
        pairs = zip(right[first], right[second], strict=False)
        only = [(int((a & ~b).sum()), int((b & ~a).sum())) for a, b in pairs]
        p = combined_p(mcnemar_p(*counts) for counts in only)
        rows.append((first, second, *np.mean(only, axis=0), p, p < REAL))
    return pd.DataFrame(rows, columns=["first", "second", "only_first", "only_second", "p", "real"])


def mcnemar_p(only_first: int, only_second: int) -> float:
    """Return the p-value of McNemar's exact test (McNemar 1947).

    >>> round(mcnemar_p(30, 9), 5)
    0.00107
    """
    differing = only_first + only_second
    return float(binomtest(only_first, differing).pvalue) if differing else 1.0


def combined_p(p_values: Iterable[float]) -> float:
    """Return one valid p-value from dependent ones: a single one as it is, else 2 × median."""
    values = list(p_values)
    return values[0] if len(values) == 1 else min(1.0, 2 * median(values))
