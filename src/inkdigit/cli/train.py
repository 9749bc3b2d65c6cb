"""`inkdigit train`: a network, trained into a run folder."""

import argparse
import os
from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path

from inkdigit import learning
from inkdigit.cli.options import (
    Verbs,
    add_data_flags,
    add_quiet_flag,
    add_training_flags,
    load_data,
    needing_learn,
    teller,
)
from inkdigit.errors import SettingError
from inkdigit.learning.recipes import PLAIN, RECIPES
from inkdigit.learning.settings import TrainingSettings

_PATHS = (
    ("--fonts", "DIR", "a folder of handwriting fonts, for `line` and `single`"),
    ("--teacher", "MODEL", "learn the answers of this trained model instead of labels"),
    ("--init-from", "MODEL", "begin with the weights of this model: a run, .keras or .h5"),
)


def add_parser(verbs: Verbs) -> None:
    """Add the verb to the command line."""
    parser = verbs.add_parser(
        "train",
        description="Train a network, evaluate it on the test half, and keep it all in a folder.",
        argument_default=argparse.SUPPRESS,
    )
    parser.add_argument(
        "--recipe",
        metavar="NAME",
        help=f"network, schedule and augmentation: {', '.join(RECIPES)}; other flags override "
        f"the recipe (default: {PLAIN}, or that of the network)",
    )
    parser.add_argument(
        "--network",
        metavar="NAME",
        help="which network; `inkdigit networks` lists them "
        f"(default: set by the recipe; `{RECIPES[PLAIN].network}` for `{PLAIN}`)",
    )
    add_data_flags(parser, default=argparse.SUPPRESS)
    add_training_flags(parser)
    parser.add_argument(
        "--seed",
        type=int,
        metavar="N",
        help=f"same seed, same machine: same weights (default: {TrainingSettings.seed})",
    )
    for flag, kind, what in _PATHS:
        parser.add_argument(flag, type=os.path.abspath, metavar=kind, help=what)
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
    names = [field.name for field in fields(TrainingSettings)]
    given = {name: getattr(options, name) for name in names if name in options}
    # Settings are checked before the seconds that Keras takes to import.
    settings = TrainingSettings(**given)
    show = teller(options)
    with needing_learn():
        if "resume" in options:
            _refuse([*given, *({"out"} & vars(options).keys())])
            found = learning.Run.open(options.resume)
            data = None if found.finished else load_data(options, found.data)
            trained = learning.resume(found, data, tell=show)
        else:
            from inkdigit.learning.networks import check_network

            check_network(settings.network)
            data = load_data(options, "auto")
            out = getattr(options, "out", None)
            trained = learning.train(data, **given, out=out, tell=show)
    print(trained)


def _refuse(given: Iterable[str]) -> None:
    flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
    if flags:
        raise SettingError(f"--resume keeps the settings of the run: leave out {flags}")
