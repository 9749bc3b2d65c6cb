"""Flags that the verbs of learning share."""

import argparse
from typing import TYPE_CHECKING

from inkdigit import learning
from inkdigit.cli.options import tell
from inkdigit.learning.recipes import PLAIN, RECIPES

if TYPE_CHECKING:
    from inkdigit.learning.datasets import Dataset

DATA_DIR = {
    "--data-dir DIR": "the folder with MNIST's four files (default: INKDIGIT_DATA, then the cache)"
}
DATA = {
    "--data DATA": "labelled digits: mnist (downloaded if it is not here), sample, folder:PATH, a "
    ".npz or .csv file, or auto: MNIST if it is here, else the sample (default: auto)",
    "--group COLUMN": "a column of the folder's labels.csv: what one writer wrote is held out "
    "together, as it is where each writer has a folder",
    **DATA_DIR,
}
_USUAL = f"(default: set by the recipe; {{}} for `{PLAIN}`)"
TRAINING = {
    "--epochs N": f"times through the digits {_USUAL.format(RECIPES[PLAIN].epochs)}",
    "--batch-size N": f"digits a step {_USUAL.format(RECIPES[PLAIN].batch_size)}",
}


def load_data(options: argparse.Namespace, default: str = "auto") -> "Dataset":
    """Load the digits that were asked for, and tell what there is to tell about them."""
    data = getattr(options, "data", None)
    name = default if data is None else data
    how = {"data_dir": options.data_dir, "group": getattr(options, "group", None)}
    dataset = learning.load_dataset(name, **how, progress=not options.quiet)
    for note in dataset.notes:
        tell(options, note)
    return dataset
