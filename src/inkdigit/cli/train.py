"""`inkdigit train`: a network, trained into a run folder."""

import argparse
import os
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from inkdigit import learning
from inkdigit.bulk.progress import say
from inkdigit.cli.learning_flags import DATA, TRAINING, load_data
from inkdigit.cli.options import QUIET, add_flags, given
from inkdigit.errors import SettingError
from inkdigit.learning.recipes import AUGMENTATIONS, OPTIMIZERS, PLAIN, RECIPES
from inkdigit.learning.settings import TrainingSettings

ABOUT = "Train a network, evaluate it on the test half, and keep it all in a folder."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    usual = RECIPES[PLAIN]
    flags = {
        "--recipe NAME": f"network, schedule and augmentation: {', '.join(RECIPES)}; other flags "
        f"override the recipe (default: {PLAIN}, or that of the network)",
        "--network NAME": "which network; `inkdigit networks` lists them. FILE.py:FUNCTION runs "
        "your file, whose function builds a Keras model (default: set by the recipe; "
        f"`{RECIPES[PLAIN].network}` for `{PLAIN}`)",
        **DATA,
        **TRAINING,
        "--learning-rate P": "at its highest (default: set by the recipe, or the optimizer)",
        "--optimizer": f"one of Keras's (default: set by the recipe; {usual.optimizer} for "
        f"`{PLAIN}`)",
        "--augmentation": "how digits are changed from epoch to epoch (default: set by the recipe; "
        f"{usual.augmentation} for `{PLAIN}`)",
        "--patience N": "end after so many epochs without a lower validation loss, and keep the "
        "best weights (default: run all epochs)",
        "--seed N": f"same seed, same machine: same weights (default: {TrainingSettings.seed})",
        "--fonts DIR": "a folder of handwriting fonts, for `line` and `single`",
        "--hands DIR": "a folder of real people's handwriting, for `line` and `single`",
        "--teacher MODEL": "learn the answers of this trained model instead of labels",
        "--init-from MODEL": "begin with the weights of this model: a run, .keras or .h5; for "
        "`line` a model file as well",
        "--out RUN": "the run folder (default: runs/NAME, numbered)",
        "--resume RUN": "go on with this run from its last epoch",
        **QUIET,
    }
    path = {"type": os.path.abspath}
    chosen = {"optimizer": OPTIMIZERS, "augmentation": AUGMENTATIONS}
    more: dict[str, dict[str, Any]] = {name: {"choices": names} for name, names in chosen.items()}
    add_flags(parser, flags, fonts=path, hands=path, teacher=path, init_from=path, **more)


def run(options: argparse.Namespace) -> None:
    """Train, and say where the run lies and how well it reads."""
    names = {field.name for field in fields(TrainingSettings)} & vars(options).keys()
    asked = given(options, *names)
    # Settings are checked before the seconds that Keras takes to import.
    settings = TrainingSettings(**asked)
    show = None if options.quiet else say
    if options.resume:
        _refuse(asked | given(options, "out"))
        found = learning.Run.open(options.resume)
        data = None if found.finished else load_data(options, found.data)
        trained = learning.resume(found, data, tell=show)
    else:
        from inkdigit.learning.networks import check_network

        if not settings.network_file:
            check_network(settings.network)
        data = load_data(options)
        trained = learning.train(data, **asked, out=options.out, tell=show)
    print(trained)


def _refuse(flags: Iterable[str]) -> None:
    if flags := ", ".join(f"--{name.replace('_', '-')}" for name in flags):
        raise SettingError(f"--resume keeps the settings of the run: leave out {flags}")
