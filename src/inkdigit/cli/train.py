"""`inkdigit train`: a network, trained into a run folder."""

import argparse
import os
from collections.abc import Iterable
from dataclasses import fields
from functools import partial
from typing import Any

from inkdigit import learning
from inkdigit.bulk.progress import say
from inkdigit.cli.options import given, load_data
from inkdigit.errors import SettingError
from inkdigit.learning.recipes import AUGMENTATIONS, OPTIMIZERS
from inkdigit.learning.settings import TrainingSettings

_PATH = {"type": os.path.abspath}
FLAGS: dict[str, Any] = {
    "--optimizer": {"choices": OPTIMIZERS},
    "--augmentation": {"choices": AUGMENTATIONS},
    "--fonts DIR": _PATH,
    "--hands DIR": _PATH,
    "--teacher MODEL": _PATH,
    "--init-from MODEL": _PATH,
}


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
        train = partial(learning.resume, found, data)
    else:
        from inkdigit.learning.networks import check_network

        if not settings.network_file:
            check_network(settings.network)
        train = partial(learning.train, load_data(options), **asked, out=options.out)
    if not options.watch:
        print(train(tell=show, snapshots=options.snapshots))
        return
    from inkdigit.watching import watching

    with watching(say, port=options.port, open=options.open) as watch:
        print(train(tell=show, watch=watch), flush=True)
        watch.experiments()


def _refuse(flags: Iterable[str]) -> None:
    if flags := ", ".join(f"--{name.replace('_', '-')}" for name in flags):
        raise SettingError(f"--resume keeps the settings of the run: leave out {flags}")
