"""The face of learning: what `inkdigit.learning` offers, and what the verbs call."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inkdigit.errors import SettingError
from inkdigit.learning.datasets import Dataset, load_dataset
from inkdigit.learning.models.load import DigitClassifier, already_seen
from inkdigit.learning.models.run import ONNX_MODEL, Run
from inkdigit.learning.recipes import DRAWN, PLAIN
from inkdigit.learning.settings import TrainingSettings

if TYPE_CHECKING:
    from inkdigit.learning.evaluation.comparison import Comparison
    from inkdigit.learning.evaluation.metrics import Evaluation
    from inkdigit.learning.training import Training

Tell = Callable[[str], None]


def train(  # noqa: PLR0913
    data: Dataset | str = "auto",
    recipe: str | None = None,
    *,
    network: str | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    seed: int = 0,
    fonts: str | Path | None = None,
    hands: str | Path | None = None,
    teacher: str | Path | None = None,
    init_from: str | Path | None = None,
    out: str | Path | None = None,
    resume: bool = False,
    tell: Tell | None = None,
) -> Run:
    """Train a network on labelled digits, evaluate it on the test half, and keep it in a folder.

    `data` is a `Dataset` or a name for `load_dataset`. The `recipe` (`plain` by default) decides
    network, epochs and batch size, where they are not given. `fonts`, `hands`, `teacher` and
    `init_from` are as in `TrainingSettings`. The folder is `out`, or a new one in `runs`. With
    `resume`, a run of the same settings and digits that lies there goes on from its last finished
    epoch, and a finished one is returned as it is. `tell` is called with what a person may want to
    know: notes, and a line an epoch; `tell=print` shows it.

    The networks `line` and `single`, which read in use, learn from handwriting that is drawn with
    the digits of `data`; each has its recipe.

    Raises `SettingError` for a value that makes no sense, `DataError` for digits, fonts or hands
    that are not there, `RunError` where something else lies in the folder.

    >>> from inkdigit import learning
    >>> run = learning.train("sample", network="lenet5", epochs=1, out="runs/example", resume=True)
    >>> run.finished, run.metrics["test_digits"]
    (True, 1000)
    """
    chosen = {"recipe": recipe, "network": network, "epochs": epochs, "batch_size": batch_size}
    paths = {"fonts": fonts, "hands": hands, "teacher": teacher, "init_from": init_from}
    given: dict[str, Any] = chosen | {name: str(path or "") for name, path in paths.items()}
    settings = TrainingSettings(seed=seed, **given)
    dataset, folder = _loaded(data, tell), Path(out) if out else _free_folder(settings)
    return train_run(settings, dataset, folder, resume=resume, tell=tell)


def resume(
    run: Run | str | Path, data: Dataset | str | None = None, *, tell: Tell | None = None
) -> Run:
    """Go on with a run from its last finished epoch, with the settings that it was started with.

    It ends where it would have ended undisturbed. `data` are its digits, where they have moved.

    >>> from inkdigit import learning
    >>> run = learning.train("sample", network="lenet5", epochs=1, out="runs/example", resume=True)
    >>> learning.resume("runs/example") == run
    True
    """
    run = Run.open(run)
    if run.finished:
        if tell:
            tell(f"{run.folder} is finished already")
        return run
    dataset = _loaded(data or run.data, tell)
    return train_run(run.settings, dataset, run.folder, resume=True, tell=tell)


def start_training(settings: TrainingSettings, dataset: Dataset) -> "Training":
    """Return the training that these settings ask for; `SettingError` for an unknown network."""
    from inkdigit.learning.networks import check_network

    check_network(settings.network)
    if settings.network in DRAWN:
        from inkdigit.learning.readers.train import ReaderTraining

        return ReaderTraining(settings, dataset)
    from inkdigit.learning.classifiers.train import ClassifierTraining

    return ClassifierTraining(settings, dataset)


def train_run(
    settings: TrainingSettings, dataset: Dataset, folder: Path, tell: Tell | None = None, **how: Any
) -> Run:
    """Train by settings into a folder, and tell how it goes; after Ctrl-C, tell what was kept.

    `how` is that of `run_training`.
    """
    from inkdigit.learning.progress import Progress, epoch_line
    from inkdigit.learning.training import run_training

    training = start_training(settings, dataset)
    if tell is None:
        return run_training(training, folder, **how)
    by = "" if settings.recipe in (PLAIN, settings.network) else f" by recipe {settings.recipe}"
    tell(f"training {settings.network}{by} (seed {settings.seed}) into {folder}")
    for note in training.notes():
        tell(note)
    try:
        how["callbacks"] = [Progress(settings.epochs)]
        how["after_epoch"] = lambda loop: tell(epoch_line(loop.history[-1], settings.epochs))
        return run_training(training, folder, **how)
    except KeyboardInterrupt:
        tell(f"\nevery finished epoch is kept; go on with  inkdigit train --resume {folder}")
        raise


def _free_folder(settings: TrainingSettings) -> Path:
    numbered = (Path("runs", f"{settings.name}-{number}") for number in count(2))
    folders = chain([Path("runs", settings.name)], numbered)
    return next(folder for folder in folders if not folder.exists())


def evaluate(
    model: "DigitClassifier | Run | str | Path", data: Dataset | str = "auto", split: str = "test"
) -> "Evaluation":
    """Hold a trained network against labelled digits.

    `model` is a `DigitClassifier`, or a run or file that one can be loaded from. `split` is `test`,
    `validation` (a tenth of the training half), `train` or `all`. The figures are those of the
    network as it is: its temperature is not applied.

    >>> from inkdigit import learning
    >>> evaluation = learning.evaluate(learning.DigitClassifier.load(), "sample")
    >>> evaluation.accuracy > 0.99
    True
    >>> evaluation.warning[:54]
    "the sample is part of MNIST's training half, which thi"
    """
    from inkdigit.learning.evaluation.metrics import Evaluation

    classifier = model if isinstance(model, DigitClassifier) else DigitClassifier.load(model)
    dataset = _loaded(data)
    digits = dataset.split(split)
    warning = already_seen(classifier.trained_on, dataset.name, split)
    return Evaluation(digits.labels, classifier.probabilities(digits.images), warning)


def compare(
    networks: Sequence[str | Run],
    data: Dataset | str = "auto",
    *,
    seeds: int = 1,
    epochs: int | None = None,
    batch_size: int | None = None,
    out: str | Path | None = None,
    tell: Tell | None = None,
) -> "Comparison":
    """Train networks alike, each with several seeds, and hold them against each other.

    `networks` are names of networks, or finished runs, which are taken as they are. The runs, the
    tables and the page `comparison.html` go into `out` (by default `runs/comparison-DATA`), a
    folder that is new, empty or an earlier comparison's: then finished runs are not trained again.

    >>> from inkdigit import learning
    >>> run = learning.train("sample", network="lenet5", epochs=1, out="runs/example", resume=True)
    >>> comparison = learning.compare([run, "modern"], "sample", epochs=1, out="runs/compared")
    >>> comparison.differences[["first", "second"]].values.tolist()
    [['lenet5', 'modern']]
    """
    from inkdigit.learning.evaluation.comparison import compare as hold_against_each_other
    from inkdigit.learning.evaluation.report import write_comparison

    given: dict[str, Any] = {"epochs": epochs, "batch_size": batch_size}
    TrainingSettings(**given)
    dataset = _loaded(data, tell)
    folder = Path(out or f"runs/comparison-{dataset.name.partition(':')[0]}")

    def train_one(network: str, seed: int, run_folder: Path) -> Run:
        settings = TrainingSettings(network=network, seed=seed, **given)
        return train_run(settings, dataset, run_folder, resume=True, tell=tell)

    comparison = hold_against_each_other(networks, seeds, dataset, folder, train_one)
    return replace(comparison, page=write_comparison(comparison, dataset, folder))


def export(
    run: Run | str | Path,
    out: str | Path | None = None,
    *,
    eight_bits: bool = False,
    fallback: Run | str | Path | None = None,
    data: Dataset | str | None = None,
) -> Path:
    """Write the model file (ONNX) of a finished run, in the run or at `out`, and return its path.

    In `eight_bits` a digit network is faster by the batch; a line network always is in eight bits.
    A `fallback` is a second run of `line`, which is asked where the first is unsure: both go into
    one file, calibrated together on `data` (by default, the digits of the run).

    >>> from inkdigit import learning
    >>> run = learning.train("sample", network="lenet5", epochs=1, out="runs/example", resume=True)
    >>> learning.export(run, "example.onnx").name
    'example.onnx'
    """
    run = Run.open(run)
    if out and Path(out).suffix != ".onnx":
        raise SettingError(f"{out} is no kind of model file: end it in .onnx")
    if eight_bits and (fallback is not None or run.settings.network == "line"):
        raise SettingError("a line network always is in eight bits: leave out --eight-bits")
    if fallback is None:
        from inkdigit.learning.models.export import digits_to_quantise_by
        from inkdigit.learning.models.export import export as write

        pictures = digits_to_quantise_by() if eight_bits else None
        if run.settings.network == "line":
            from inkdigit.learning.readers.train import quantisation_lines

            pictures = quantisation_lines()
        return write(run, Path(out) if out else run.folder / ONNX_MODEL, pictures)
    if out is None:
        raise SettingError("a fallback makes a file of two runs: say where it goes (--out)")
    from inkdigit.learning.readers.train import export_with_fallback

    data = _loaded(run.data if data is None else data)
    return export_with_fallback(run, Run.open(fallback), data, Path(out))


def _loaded(data: Dataset | str, tell: Tell | None = None) -> Dataset:
    if isinstance(data, Dataset):
        return data
    dataset = load_dataset(data)
    if tell:
        for note in dataset.notes:
            tell(note)
    return dataset
