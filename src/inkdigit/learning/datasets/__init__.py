"""Labelled digits by name: `mnist`, `sample`, `folder:PATH`, a `.npz` or `.csv` file, or `auto`.

Images are `uint8 (n, 28, 28)`, ink 255 on paper 0; labels are `int64 (n,)`, 0 to 9.
"""

from os import PathLike
from pathlib import Path

from inkdigit.errors import SettingError, shown
from inkdigit.learning.datasets.digits import Dataset, Digits
from inkdigit.learning.datasets.file import SUFFIXES, load_file
from inkdigit.learning.datasets.folder import load_folder
from inkdigit.learning.datasets.labels import LABELS
from inkdigit.learning.datasets.mnist import find_mnist, load_mnist
from inkdigit.learning.datasets.sample import load_sample

__all__ = ["Dataset", "Digits", "load_dataset"]

FOLDER = "folder:"
HOW_TO_FETCH = "--data mnist, or load_dataset('mnist'), fetches all 70,000 digits (11 MB)"


def load_dataset(
    name: Dataset | str | Path = "auto",
    *,
    data_dir: str | Path | None = None,
    group: str | None = None,
    progress: bool = False,
) -> Dataset:
    """Return the named digits; a `Dataset` as it is.

    `auto` takes MNIST where it is at hand, else the sample, and never downloads; `mnist` downloads
    what is nowhere to be found. The name may be the path of an `.npz` as Keras has MNIST, or of a
    `.csv` as Kaggle has it. `data_dir` is where MNIST's four files lie, ahead of the
    environment variable `INKDIGIT_DATA` and the user's cache. `group` is a column of a folder's
    `labels.csv`: what one writer wrote is held out together. `progress` shows bars on stderr while
    downloading.

    Raises `SettingError` for an unknown name, `DataError` for digits that are missing or broken,
    `DownloadError` where no mirror gives them.

    >>> digits = load_dataset("sample")
    >>> len(digits.train), len(digits.test), digits.train.images.shape
    (4000, 1000, (4000, 28, 28))
    """
    if isinstance(name, Dataset):
        return name
    if not isinstance(name, str | PathLike):
        raise SettingError(f"data is a Dataset or the name of one, received {shown(name)}")
    name = str(name)
    path = Path(name.removeprefix(FOLDER)).expanduser()
    if group is not None and not (path / LABELS).is_file():
        raise SettingError(f"a group is a column of {LABELS}: {shown(name)} holds none")
    if path.suffix in SUFFIXES and not path.is_dir():
        return load_file(path)
    if name.startswith(FOLDER):
        return load_folder(path, group)
    if name in {"mnist", "sample"}:
        return load_sample() if name == "sample" else load_mnist(data_dir, progress=progress)
    if name != "auto":
        if name and path.is_dir():
            raise SettingError(f"{name} is a folder: write {FOLDER}{name}")
        files = " or ".join(SUFFIXES)
        raise SettingError(
            f"no data set is called {shown(name)}: choose mnist, sample, folder:PATH, a file "
            f"{files}, or auto"
        )
    if data_dir is not None or find_mnist() is not None:
        return load_mnist(data_dir).noting("MNIST is at hand and is used")
    return load_sample().noting(
        f"MNIST is not at hand, so the sample of 5,000 of its digits is used; {HOW_TO_FETCH}"
    )
