"""`inkdigit train`: a network, trained into a run folder."""

import argparse
import os
from collections.abc import Iterable
from dataclasses import fields

from inkdigit import learning
from inkdigit.bulk.progress import say
from inkdigit.cli.learning_flags import DATA, TRAINING, load_data
from inkdigit.cli.options import QUIET, add_flags, given
from inkdigit.errors import SettingError, needing
from inkdigit.learning.recipes import PLAIN, RECIPES
from inkdigit.learning.settings import TrainingSettings

ABOUT = "Train a network, evaluate it on the test half, and keep it all in a folder."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    flags = {
        "--recipe NAME": f"network, schedule and augmentation: {', '.join(RECIPES)}; other flags "
        f"override the recipe (default: {PLAIN}, or that of the network)",
        "--network NAME": "which network; `inkdigit networks` lists them (default: set by the "
        f"recipe; `{RECIPES[PLAIN].network}` for `{PLAIN}`)",
        **DATA,
        **TRAINING,
        "--seed N": f"same seed, same machine: same weights (default: {TrainingSettings.seed})",
        "--fonts DIR": "a folder of handwriting fonts, for `line` and `single`",
        "--hands DIR": "a folder of real people's handwriting, for `line` and `single`",
        "--teacher MODEL": "learn the answers of this trained model instead of labels",
        "--init-from MODEL": "begin with the weights of this model: a run, .keras or .h5",
        "--out RUN": "the run folder (default: runs/NAME, numbered)",
        "--resume RUN": "go on with this run from its last epoch",
        **QUIET,
    }
    path = {"type": os.path.abspath}
    add_flags(parser, flags, fonts=path, hands=path, teacher=path, init_from=path)


def run(options: argparse.Namespace) -> None:
    """Train, and say where the run lies and how well it reads."""
    asked = given(options, *(field.name for field in fields(TrainingSettings)))
    # Settings are checked before the seconds that Keras takes to import.
    settings = TrainingSettings(**asked)
    show = None if options.quiet else say
    with needing("learn"):
        if options.resume:
            _refuse(asked | given(options, "out"))
            found = learning.Run.open(options.resume)
            data = None if found.finished else load_data(options, found.data)
            trained = learning.resume(found, data, tell=show)
        else:
            from inkdigit.learning.networks import check_network

            check_network(settings.network)
            data = load_data(options)
            trained = learning.train(data, **asked, out=options.out, tell=show)
    print(trained)


def _refuse(flags: Iterable[str]) -> None:
    if flags := ", ".join(f"--{name.replace('_', '-')}" for name in flags):
        raise SettingError(f"--resume keeps the settings of the run: leave out {flags}")
