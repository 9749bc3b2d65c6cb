"""The face of learning: what `inkdigit.learning` offers, and what the verbs call."""

from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import Any

from inkdigit.errors import RunError, SettingError, shown
from inkdigit.files import as_path
from inkdigit.learning.backend import keras
from inkdigit.learning.classifiers.mean import measured
from inkdigit.learning.classifiers.train import ClassifierTraining
from inkdigit.learning.datasets import Dataset, load_dataset
from inkdigit.learning.evaluation import comparison as comparing
from inkdigit.learning.evaluation.comparison import Comparison, Trainable
from inkdigit.learning.evaluation.report import write_comparison
from inkdigit.learning.models import export as exporting
from inkdigit.learning.models.keras_files import load_keras_model
from inkdigit.learning.models.run import KERAS_SUFFIXES, ONNX_MODEL, OWN_NETWORK, Run
from inkdigit.learning.networks import check_network
from inkdigit.learning.networks.own import OwnNetwork
from inkdigit.learning.recipes import DRAWN
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.snapshots import Snapshots
from inkdigit.learning.training import Onlooker, Training

# What callbacks of Keras may watch.
_MONITORED = ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate")
Tell = Callable[[str], None]
# The name of a network, a Keras model, or what builds one.
Network = Any


def train(  # noqa: PLR0913
    data: Dataset | str = "auto",
    recipe: str | None = None,
    *,
    network: Network | None = None,
    epochs: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    optimizer: Any = None,
    augmentation: str | None = None,
    patience: int | None = None,
    callbacks: Sequence[Any] = (),
    seed: int = 0,
    fonts: str | Path | None = None,
    hands: str | Path | None = None,
    teacher: str | Path | None = None,
    init_from: str | Path | None = None,
    digits: int | None = None,
    wrong_labels: float = 0.0,
    out: str | Path | None = None,
    resume: bool = False,
    snapshots: bool = False,
    watch: Onlooker | None = None,
    tell: Tell | None = None,
) -> Run:
    """Train a network on labelled digits, evaluate it on the test half, and keep it in a folder.

    `data` is a `Dataset` or a name for `load_dataset`. The `recipe` (`plain` by default) decides
    network, epochs, batch size, learning rate, optimizer and augmentation, where they are not
    given. `network` is a name, a Keras model, a function that builds one, or `FILE.py:FUNCTION`,
    whose code is run; it takes digits `(28, 28, 1)` or `(28, 28)`, pixels in 0..1, and gives
    probabilities or logits. A model that you pass is itself trained. `optimizer` is the name of one
    of Keras's or an object, which then sets the learning rate alone. With `patience` training ends
    after so many epochs without a lower validation loss, and the best weights are kept. `callbacks`
    are Keras's, called as `fit` calls them. `fonts`, `hands`, `teacher`, `init_from`, `digits` and
    `wrong_labels` are as in `TrainingSettings`. The folder is `out`, or a new one in `runs`. With
    `resume`, a run of the same settings and digits that lies there goes on from its last finished
    epoch, and a finished one is returned as it is. `snapshots` keeps what was learnt after each
    epoch, for the film of `explain`; `watch` is the page of `inkdigit.watching`, which shows it.
    `tell` is called with what a person may want to know: notes, and a line an epoch; `tell=print`
    shows it.

    The networks `line` and `single`, which read in use, learn from handwriting that is drawn with
    the digits of `data`; each has its recipe.

    Raises `SettingError` for a value that makes no sense, `DataError` for digits, fonts or hands
    that are not there, `RunError` where something else lies in the folder.

    >>> from inkdigit import learning
    >>> run = learning.train("sample", network="lenet5", epochs=1, out="runs/example", resume=True)
    >>> run.finished, run.metrics["test_digits"]
    (True, 1000)
    """
    own = None
    if network is not None and not isinstance(network, str):
        own = OwnNetwork.of(network)
        if optimizer is None and learning_rate is None and getattr(network, "compiled", False):
            optimizer = network.optimizer
    callbacks = _listed(callbacks)
    given: dict[str, Any] = {
        "recipe": recipe, "network": own.name if own else network, "epochs": epochs,
        "batch_size": batch_size, "learning_rate": learning_rate, "patience": patience,
        "optimizer": _configured(optimizer), "augmentation": augmentation, "digits": digits,
        "wrong_labels": wrong_labels, "callbacks": _names(callbacks), "seed": seed,
    }  # fmt: skip
    paths = {"fonts": fonts, "hands": hands, "teacher": teacher, "init_from": init_from}
    for name, path in {**paths, "out": out}.items():
        if path is not None:
            as_path(path, name)
    given |= {name: str(path or "") for name, path in paths.items()}
    settings = TrainingSettings(**given)
    training = start_training(settings, _loaded(data, tell), own, callbacks)
    folder = Path(out) if out else free_folder(Path("runs", settings.name))
    return training.run(folder, tell, resume=resume, onlookers=_onlookers(watch, snapshots))


def _onlookers(watch: Onlooker | None, snapshots: bool) -> list[Onlooker]:
    """Return what looks on; a page that watches keeps snapshots as well."""
    return [watch] if watch else [Snapshots()] if snapshots else []


def _listed(given: Any) -> list[Any]:
    """Return one callback or several as a list; `SettingError` for what is none of Keras's."""
    if given is None or given == ():
        return []
    callbacks = list(given) if isinstance(given, Iterable) else [given]
    for callback in callbacks:
        if not isinstance(callback, keras.callbacks.Callback):
            raise SettingError(
                f"callbacks are Keras's, such as keras.callbacks.TensorBoard(), received "
                f"{shown(callback)}"
            )
        monitor = getattr(callback, "monitor", None)
        near = get_close_matches(str(monitor), _MONITORED, n=1)
        if near and monitor not in _MONITORED:
            raise SettingError(
                f"{type(callback).__name__} monitors {shown(monitor)}: did you mean {near[0]}?"
            )
    return callbacks


def _names(callbacks: Sequence[Any]) -> tuple[str, ...]:
    return tuple(type(callback).__name__ for callback in callbacks)


def _configured(optimizer: Any) -> str | dict[str, Any] | None:
    """Return an optimizer as settings keep it: by name, or what Keras would make it from."""
    if optimizer is None or isinstance(optimizer, str):
        return optimizer
    try:
        kept = dict(keras.optimizers.serialize(optimizer))
        again = keras.optimizers.deserialize(deepcopy(kept))  # it changes it
    except (AttributeError, TypeError, ValueError):
        again = None
    # Of a class that it does not know Keras gives the name.
    if type(again) is not type(optimizer) or not isinstance(again, keras.optimizers.Optimizer):
        raise SettingError(
            "an optimizer is a name or one of Keras's, such as keras.optimizers.SGD(0.1); a class "
            "of your own takes keras.saving.register_keras_serializable: received "
            f"{shown(optimizer)}"
        )
    kept["config"].pop("name", None)  # Keras counts them
    return kept


def resume(
    run: Run | str | Path,
    data: Dataset | str | None = None,
    *,
    callbacks: Sequence[Any] = (),
    snapshots: bool = False,
    watch: Onlooker | None = None,
    tell: Tell | None = None,
) -> Run:
    """Go on with a run from its last finished epoch, with the settings that it was started with.

    It ends where it would have ended undisturbed, but for what callbacks keep to themselves. A run
    that was started with callbacks takes the same again. `data` are its digits, where they have
    moved.

    >>> from inkdigit import learning
    >>> run = learning.train("sample", network="lenet5", epochs=1, out="runs/example", resume=True)
    >>> learning.resume("runs/example") == run
    True
    """
    run, callbacks = Run.open(run), _listed(callbacks)
    if run.finished:
        if tell:
            tell(f"{run.folder} is finished already")
        return run
    if _names(callbacks) != run.settings.callbacks:
        started = ", ".join(run.settings.callbacks) or "none"
        raise SettingError(
            f"the run was started with the callbacks {started}: go on from Python with "
            "learning.resume and the same ones"
        )
    dataset = _loaded(data or run.data, tell)
    training = start_training(run.settings, dataset, kept_network(run), callbacks)
    return training.run(run.folder, tell, resume=True, onlookers=_onlookers(watch, snapshots))


def kept_network(run: Run) -> OwnNetwork | None:
    """Return the network of the user's that a run was started with, where it keeps one."""
    path = run.folder / OWN_NETWORK
    return OwnNetwork(run.settings.network, load_keras_model(path)) if path.exists() else None


def start_training(
    settings: TrainingSettings,
    dataset: Dataset,
    own: OwnNetwork | None = None,
    callbacks: Sequence[Any] = (),
) -> Training:
    """Return the training that these settings ask for; `SettingError` for an unknown network.

    `own` is the network itself, where it is none of ours.
    """
    if settings.network_file:
        own = OwnNetwork.in_file(settings.network_file, settings.network)
    if own and (settings.network_file or not settings.network_digest):
        digest = own.digest()
        if settings.network_digest not in {"", digest}:
            raise RunError(
                f"{own.name} is another network than when the run was started: train it anew"
            )
        settings = replace(settings, network_digest=digest)
    if own is None:
        check_network(settings.network)
    if settings.network in DRAWN:
        # What draws takes seconds to import, and classifiers do without.
        from inkdigit.learning.readers.page_training import PageTraining
        from inkdigit.learning.readers.train import ReaderTraining

        if callbacks:
            raise SettingError(f"{settings.network} is trained without callbacks: leave them out")
        kind = PageTraining if settings.network == "page" else ReaderTraining
        return kind(settings, dataset)
    return ClassifierTraining(settings, dataset, own, callbacks)


def free_folder(folder: Path) -> Path:
    """Return a folder, numbered where it is taken."""
    numbered = (folder.with_name(f"{folder.name}-{number}") for number in count(2))
    return next(each for each in chain([folder], numbered) if not each.exists())


def compare(
    networks: Sequence[Trainable | Path | Run] | Trainable | Path | Run,
    data: Dataset | str = "auto",
    *,
    seeds: int = 1,
    epochs: int | None = None,
    batch_size: int | None = None,
    out: str | Path | None = None,
    tell: Tell | None = None,
) -> Comparison:
    """Train networks alike, each with several seeds, and hold them against each other.

    `networks` are names of networks, functions that build one or `"FILE.py:FUNCTION"`, or what is
    taken as it is: finished runs or their folders, and `.keras`, `.h5` and `.onnx` files. The runs,
    the tables and the page `comparison.html` go into `out` (by default `runs/comparison-DATA`), a
    folder that is new, empty or an earlier comparison's: then finished runs are not trained again.

    >>> from inkdigit import learning
    >>> run = learning.train("sample", network="lenet5", epochs=1, out="runs/example", resume=True)
    >>> comparison = learning.compare([run, "modern"], "sample", epochs=1, out="runs/compared")
    >>> comparison.differences[["first", "second"]].values.tolist()
    [['lenet5', 'modern']]
    """
    given: dict[str, Any] = {"epochs": epochs, "batch_size": batch_size}
    TrainingSettings(**given)
    if not isinstance(networks, Sequence) or isinstance(networks, str):
        networks = [networks]
    dataset = _loaded(data, tell)
    folder = Path(out or f"runs/comparison-{dataset.name.partition(':')[0]}")

    def train_one(network: Trainable, seed: int, run_folder: Path) -> Run:
        how: dict[str, Any] = {"seed": seed, "out": run_folder, "resume": True, "tell": tell}
        return train(dataset, network=network, **given, **how)

    comparison = comparing.compare(networks, seeds, dataset, folder, train_one)
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
    A `.keras` or `.h5` that belongs to no run is written beside itself, and calibrated on `data`.
    A `fallback` is a second run of `line`, or a line model file, whose fallback is taken or its
    only network. It is asked where the first is unsure: both go into one file, calibrated together
    on `data` (by default, the digits of the run).

    >>> from inkdigit import learning
    >>> run = learning.train("sample", network="lenet5", epochs=1, out="runs/example", resume=True)
    >>> learning.export(run, "example.onnx").name
    'example.onnx'
    """
    if out and as_path(out, "out").suffix != ".onnx":
        raise SettingError(f"{out} is no kind of model file: end it in .onnx")
    if not isinstance(run, Run) and as_path(run, "a run").suffix in KERAS_SUFFIXES:
        return _export_file(Path(run), out, fallback, "auto" if data is None else data, eight_bits)
    run = Run.open(run)
    network = run.settings.network
    if eight_bits and (fallback is not None or network in {"line", "page"}):
        raise SettingError("a line or page network always is in eight bits: leave out eight_bits")
    if fallback is not None:
        return _export_with_fallback(run, fallback, data, out)
    pictures = exporting.digits_to_quantise_by() if eight_bits else None
    if network == "line":
        from inkdigit.learning.readers.train import quantisation_lines

        pictures = quantisation_lines()
    return exporting.export(run, Path(out) if out else run.folder / ONNX_MODEL, pictures)


def _export_with_fallback(
    run: Run, fallback: Run | str | Path, data: Dataset | str | None, out: str | Path | None
) -> Path:
    if out is None:
        raise SettingError("a fallback makes a file of two runs: say where it goes (out)")
    from inkdigit.learning.readers.train import export_with_fallback

    is_file = not isinstance(fallback, Run) and as_path(fallback, "fallback").suffix == ".onnx"
    second = Path(str(fallback)) if is_file else Run.open(fallback)
    dataset = load_dataset(run.data if data is None else data)
    return export_with_fallback(run, second, dataset, Path(out))


def _export_file(
    path: Path, out: str | Path | None, fallback: object, data: Dataset | str, eight_bits: bool
) -> Path:
    if fallback is not None:
        raise SettingError(f"{path} is no run: a fallback takes two runs of line")
    how = partial(measured, dataset=load_dataset(data))
    pictures = exporting.digits_to_quantise_by() if eight_bits else None
    target = Path(out) if out else path.with_suffix(".onnx")
    return exporting.write_onnx(path, target, how, pictures)


def _loaded(data: Dataset | str, tell: Tell | None) -> Dataset:
    """Return the digits; of those that are loaded by name, tell what there is to tell."""
    if tell is not None and not callable(tell):
        raise SettingError(f"tell is a function such as print, received {shown(tell)}")
    dataset = load_dataset(data)
    if tell and dataset is not data:
        for note in dataset.notes:
            tell(note)
    return dataset
