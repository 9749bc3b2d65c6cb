"""`inkdigit adapt`: a reader that learns from your pictures."""

import argparse

from inkdigit import Reader, learning
from inkdigit.bulk.progress import say
from inkdigit.cli.options import QUIET, add_flags

ABOUT = (
    "Let the reader learn your hands: from pictures with labels, from what it reads surely in "
    "pictures without, or from both. Nothing leaves this machine."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of the verb."""
    flags = {
        "pictures DIR": "a folder of pictures, a number in each; 20 at least, better hundreds",
        "-o --out FILE": "the model file to write, .onnx; a page about it goes beside, .html "
        "(default: adapted.onnx)",
        "--labels CSV": "what stands in the pictures: columns file and text, for some or all "
        "(default: labels.csv in DIR, if it is there)",
        "--single": "pictures of single digits; folders 0 to 9 are their labels",
        "--group COLUMN": "a column of the labels: pictures of one writer or document are held out "
        "together",
        "--pattern PATTERN": "without a label, learn only what fits, such as '\\d{5}'",
        "--check NAME": "without a label, learn only what passes, such as luhn",
        "--model FILE": "the model file to begin with (default: the model inside)",
        "--epochs N": "times through the pictures (default: 80, fewer for more than 150)",
        "--seed N": "same seed, same machine: the same pictures held out (default: 0)",
        "--force": "write the model even if no more is read right than before",
        **QUIET,
    }
    add_flags(parser, flags, out={"default": "adapted.onnx"}, seed={"default": 0})


def run(options: argparse.Namespace) -> None:
    """Adapt, and print where the model file is."""
    wanted = ("labels", "single", "group", "pattern", "check", "epochs", "seed", "out", "force")
    how = {name: getattr(options, name) for name in wanted}
    reader = Reader.load(options.model)
    tell = None if options.quiet else say
    learning.adapt(reader, options.pictures, **how, tell=tell)
    print(options.out)
