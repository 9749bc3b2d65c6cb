"""`inkdigit adapt`: a reader that learns from your pictures."""

import argparse

from inkdigit import Reader, learning
from inkdigit.bulk.progress import say


def run(options: argparse.Namespace) -> None:
    """Adapt, and print where the model file is."""
    wanted = ("labels", "single", "group", "pattern", "check", "epochs", "seed", "out", "force")
    how = {name: getattr(options, name) for name in wanted}
    reader = Reader.load(options.model)
    tell = None if options.quiet else say
    learning.adapt(reader, options.pictures, **how, tell=tell)
    print(options.out)
