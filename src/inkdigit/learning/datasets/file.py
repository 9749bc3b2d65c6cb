"""Digits in one file, as other tools keep MNIST: `mnist.npz` of Keras, `train.csv` of Kaggle."""

from pathlib import Path
from typing import Any

import numpy as np

from inkdigit.errors import DataError
from inkdigit.files import open_plain, reading
from inkdigit.learning.datasets.digits import Dataset, Digits
from inkdigit.learning.datasets.folder import TEST_SHARE
from inkdigit.reading.preprocessing.digit import SIZE

SUFFIXES = (".npz", ".csv")
_ARRAYS = ("x_train", "y_train", "x_test", "y_test")
_PIXELS = SIZE * SIZE


def load_file(path: Path) -> Dataset:
    """Return the digits in an `.npz` or a `.csv`; `DataError` for anything else.

    An `.npz` holds x_train, y_train, x_test and y_test. A `.csv` has a row a digit: its label, then
    784 pixels from 0 to 255, row by row, with or without a header. It is divided 80 : 20.
    """
    path = path.absolute()
    with reading(path, DataError), open_plain(path):
        try:
            arrays = _of_npz(path) if path.suffix == ".npz" else _of_csv(path)
            halves = [Digits(images, labels) for images, labels in arrays]
        except DataError as error:
            raise DataError(f"{path}: {error}") from None
    train, test = halves if len(halves) == 2 else halves[0].divided(TEST_SHARE)
    note = f"{path} has no halves: {len(train)} digits train, {len(test)} test"
    return Dataset(f"folder:{path}", train, test, (note,) if len(halves) == 1 else ())


def _of_npz(path: Path) -> list[tuple[Any, Any]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in _ARRAYS if name in file}
    except Exception:  # noqa: BLE001  (whatever a damaged archive makes of it)
        raise DataError("it is damaged or no .npz: save it anew in numpy") from None
    if missing := [name for name in _ARRAYS if name not in arrays]:
        raise DataError(f"it holds no {', '.join(missing)}: expected {', '.join(_ARRAYS)}")
    return [(arrays[f"x_{half}"], arrays[f"y_{half}"]) for half in ("train", "test")]


def _of_csv(path: Path) -> list[tuple[Any, Any]]:
    import pandas as pd

    try:
        with path.open(encoding="utf-8-sig") as file:
            header = 0 if file.readline().lower().startswith("label") else None
        table = pd.read_csv(path, header=header)
    except ValueError:  # pandas' own are of this kind, and those of Unicode
        raise DataError(f"it is no table of digits: {_EXPECTED}") from None
    if table.shape[1] == _PIXELS:
        raise DataError("it has pixels and no labels: name the file that has them")
    if table.shape[1] != _PIXELS + 1:
        raise DataError(f"it has {table.shape[1]} columns: {_EXPECTED}")
    return [(table.iloc[:, 1:].to_numpy(), table.iloc[:, 0].to_numpy())]


_EXPECTED = f"expected a label and {_PIXELS} pixels in each row"
