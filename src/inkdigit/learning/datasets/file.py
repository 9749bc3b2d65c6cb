"""Digits in one file, as other tools keep MNIST: `mnist.npz` of Keras, `train.csv` of Kaggle."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from inkdigit.errors import DataError
from inkdigit.files import open_plain, reason
from inkdigit.learning.datasets.digits import Dataset, Digits
from inkdigit.learning.datasets.folder import TEST_SHARE
from inkdigit.reading.preprocessing.digit import SIZE

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".npz", ".csv")
_ARRAYS = ("x_train", "y_train", "x_test", "y_test")
_PIXELS = SIZE * SIZE


def load_file(path: Path) -> Dataset:
    """Return the digits in an `.npz` or a `.csv`; `DataError` for anything else.

    An `.npz` holds x_train, y_train, x_test and y_test. A `.csv` has a row a digit: its label, then
    784 pixels from 0 to 255, row by row, with or without a header. It is divided 80 : 20.
    """
    path = path.absolute()
    try:
        with open_plain(path):
            halves = _of_npz(path) if path.suffix == ".npz" else _of_csv(path)
    except OSError as error:
        raise DataError(f"{path} cannot be read: {reason(error)}") from None
    if isinstance(halves, Digits):
        train, test = halves.divided(TEST_SHARE)
        note = f"{path} has no halves: {len(train)} digits train, {len(test)} test"
        return Dataset(f"folder:{path}", train, test, (note,))
    return Dataset(f"folder:{path}", *halves)


def _of_npz(path: Path) -> tuple[Digits, Digits]:
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in _ARRAYS if name in file}
    except Exception:  # noqa: BLE001  (whatever a damaged archive makes of it)
        raise DataError(f"{path} is damaged or no .npz: save it anew in numpy") from None
    if missing := [name for name in _ARRAYS if name not in arrays]:
        raise DataError(f"{path} holds no {', '.join(missing)}: expected {', '.join(_ARRAYS)}")
    images, labels, *test = arrays.values()
    return _digits(path, images, labels), _digits(path, *test)


def _of_csv(path: Path) -> Digits:
    import pandas as pd

    try:
        with path.open(encoding="utf-8-sig") as file:
            header = 0 if file.readline().lower().startswith("label") else None
        table = pd.read_csv(path, header=header)
    except (ValueError, UnicodeDecodeError):
        raise DataError(f"{path} is no table of digits: {_EXPECTED}") from None
    if table.shape[1] == _PIXELS:
        raise DataError(f"{path} has pixels and no labels: name the file that has them")
    if table.shape[1] != _PIXELS + 1:
        raise DataError(f"{path} has {table.shape[1]} columns: {_EXPECTED}")
    labels, pixels = table.iloc[:, 0], table.iloc[:, 1:]
    return _digits(path, _numbers(pixels, path), _numbers(labels, path))


_EXPECTED = f"expected a label and {_PIXELS} pixels in each row"


def _digits(path: Path, images: Any, labels: Any) -> Digits:
    try:
        return Digits(images, labels)
    except DataError as error:
        raise DataError(f"{path}: {error}") from None


def _numbers(table: "pd.DataFrame | pd.Series[Any]", path: Path) -> Any:
    values = table.to_numpy()
    if not np.issubdtype(values.dtype, np.integer):
        raise DataError(f"{path} holds something else than whole numbers: {_EXPECTED}")
    return values
