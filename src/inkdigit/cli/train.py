"""`inkdigit train`: a network, trained into a run folder."""

import argparse
import os
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inkdigit.cli.options import (
    Verbs,
    add_data_flags,
    add_quiet_flag,
    add_training_flags,
    load_data,
    needing_learn,
    tell,
)
from inkdigit.errors import SettingError
from inkdigit.learning.recipes import PLAIN, RECIPES
from inkdigit.learning.settings import DRAWN, TrainingSettings

if TYPE_CHECKING:
    from inkdigit.learning.checkpoints import Loop
    from inkdigit.learning.datasets import Dataset
    from inkdigit.learning.models.run import Run

# A recipe's learning rate rises high: it needs so many steps to come to anything.
_FEW_STEPS = 100
SETTINGS = tuple(field.name for field in fields(TrainingSettings))
_OF_RECIPE = f"the recipe's, of {PLAIN} "


def add_parser(verbs: Verbs) -> None:
    """Add the verb to the command line."""
    parser = verbs.add_parser(
        "train",
        description="Train a network, evaluate it on the test half, and keep it all in a folder.",
    )
    parser.add_argument(
        "--recipe",
        metavar="NAME",
        default=argparse.SUPPRESS,
        help=f"network, schedule and augmentation: {', '.join(RECIPES)}; flags go before what it "
        f"says (default: {PLAIN})",
    )
    parser.add_argument(
        "--network",
        metavar="NAME",
        default=argparse.SUPPRESS,
        help="which network; `inkdigit networks` lists them "
        f"(default: {_OF_RECIPE}{TrainingSettings.network})",
    )
    add_data_flags(parser, default=argparse.SUPPRESS)
    add_training_flags(parser, _OF_RECIPE)
    parser.add_argument(
        "--seed",
        type=int,
        metavar="N",
        default=argparse.SUPPRESS,
        help=f"same seed, same machine: same weights (default: {TrainingSettings.seed})",
    )
    parser.add_argument(
        "--fonts",
        metavar="DIR",
        default=argparse.SUPPRESS,
        help="handwriting fonts, for line and single, which learn from drawn handwriting",
    )
    for name, what in (
        ("--teacher", "a trained model, whose answers are learnt instead of labels"),
        ("--start", "a trained model of the same network (a run, .keras or .h5) to begin with"),
    ):
        parser.add_argument(
            name, type=os.path.abspath, metavar="MODEL", default=argparse.SUPPRESS, help=what
        )
    parser.add_argument(
        "--out", type=Path, metavar="RUN", help="the run folder (default: runs/NAME, numbered)"
    )
    parser.add_argument(
        "--resume", type=Path, metavar="RUN", help="go on with this run from its last epoch"
    )
    add_quiet_flag(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Train, and say where the run lies and how well it reads."""
    # Settings are checked before the seconds that Keras takes to import.
    given = {name: getattr(options, name) for name in SETTINGS if hasattr(options, name)}
    settings = TrainingSettings.of(**given)
    if options.resume:
        _refuse_settings(options, given)
        run = _resume(options)
    else:
        with needing_learn():
            from inkdigit.learning.networks import check_trainable
        check_trainable(settings.network)
        dataset = load_data(options, getattr(options, "data", "auto"))
        run = train_aloud(options, settings, dataset, options.out or _free_folder(settings))
    print(summary(run))


def _refuse_settings(options: argparse.Namespace, given: dict[str, Any]) -> None:
    flags = [*given, *(name for name in ("out",) if getattr(options, name, None))]
    if flags:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in flags)
        raise SettingError(
            f"--resume goes on with what the run was started with: leave out {names}"
        )


def _resume(options: argparse.Namespace) -> "Run":
    with needing_learn():
        from inkdigit.learning.models.run import Run

    run = Run.open(options.resume)
    if run.finished:
        tell(options, f"{run.folder} is finished already")
        return run
    dataset = load_data(options, getattr(options, "data", run.data))
    return train_aloud(options, run.settings, dataset, run.folder, resume=True)


def train_aloud(
    options: argparse.Namespace,
    settings: TrainingSettings,
    dataset: "Dataset",
    folder: Path,
    *,
    resume: bool = False,
) -> "Run":
    """Train with progress on stderr; after Ctrl-C, say what was kept."""
    with needing_learn():
        from inkdigit.learning.classifiers.train import train
        from inkdigit.learning.models.load import already_seen, data_of
        from inkdigit.learning.progress import Progress, epoch_line
        from inkdigit.learning.readers.train import train_reader

    def after_epoch(loop: "Loop") -> None:
        tell(options, epoch_line(loop.history[-1], settings.epochs))

    callbacks = [] if options.quiet else [Progress(settings.epochs)]
    by = "" if settings.recipe == PLAIN else f" by recipe {settings.recipe}"
    tell(options, f"training {settings.network}{by} (seed {settings.seed}) into {folder}")
    if settings.network in DRAWN and not settings.fonts:
        tell(
            options,
            f"no fonts are named (--fonts): {settings.network} learns from the digits of "
            f"{dataset.name} and from drawn strokes alone",
        )
    if settings.start and (note := already_seen(data_of(settings.start), dataset.name, "test")):
        tell(options, note)
    steps = max(1, len(dataset.train) // settings.batch_size)
    if settings.recipe != PLAIN and steps * settings.epochs < _FEW_STEPS:
        tell(
            options,
            f"{len(dataset.train):,} digits are too few for {settings.recipe}, which counts on "
            f"MNIST's 60,000: give it --epochs {-(-_FEW_STEPS // steps)} or more",
        )
    try:
        if settings.network in DRAWN:
            return train_reader(settings, dataset, folder, resume=resume, after_epoch=after_epoch)
        return train(
            settings, dataset, folder, resume=resume, callbacks=callbacks, after_epoch=after_epoch
        )
    except KeyboardInterrupt:
        tell(
            options, f"\nevery finished epoch is kept; go on with  inkdigit train --resume {folder}"
        )
        raise


def _free_folder(settings: TrainingSettings) -> Path:
    name = settings.network if settings.recipe == PLAIN else settings.recipe
    folder, number = Path("runs", name), 1
    while folder.exists():
        number += 1
        folder = Path("runs", f"{name}-{number}")
    return folder


def summary(run: "Run") -> str:
    """Return what a finished run is worth in two lines."""
    from inkdigit.learning.models.run import ONNX_MODEL

    metrics = run.metrics
    drawn = run.settings.network in DRAWN
    what = "drawn pictures" if drawn else f"digits of {run.data}"
    lines = [
        f"{run.settings.network}: test accuracy {metrics['test_accuracy']:.4f}, loss "
        f"{metrics['test_loss']:.4f} on {metrics['test_digits']:,} {what} "
        f"({metrics['parameters']:,} parameters, trained in {metrics['seconds']:.0f} s)",
        f"model: {run.folder / ONNX_MODEL}" if drawn else f"report: {run.folder / 'report.html'}",
    ]
    if not (run.folder / ONNX_MODEL).exists():
        lines.append(
            f"{ONNX_MODEL} could not be written here; where TensorFlow is installed, run  "
            f"inkdigit export {run.folder}"
        )
    return "\n".join(lines)
