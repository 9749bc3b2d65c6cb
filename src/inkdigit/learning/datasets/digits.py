"""What every data set becomes: two halves of labelled 28×28 digits."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import train_test_split

from inkdigit.errors import DataError, SettingError
from inkdigit.learning.settings import SPLITS
from inkdigit.reading.preprocessing.digit import SIZE

CLASSES = 10
Floats = npt.NDArray[np.float32]
VALIDATION_SHARE = 0.1


@dataclass(frozen=True)
class Digits:
    """Labelled digits: images `uint8 (n, 28, 28)`, labels `int64 (n,)`.

    >>> blank = Digits(np.zeros((20, 28, 28), np.uint8), np.arange(20) % 10)
    >>> first, second = blank.divided(0.5)
    >>> len(first), sorted(second.labels.tolist())
    (10, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.images.shape != (len(self.labels), SIZE, SIZE):
            raise DataError(
                f"{len(self.labels)} labels do not match images of shape {self.images.shape}"
            )

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"<{len(self):,} digits>"

    def divided(self, share: float) -> tuple[Self, Self]:
        """Return two parts, the second with `share` of every class, always the same ones."""
        try:
            first, second = train_test_split(
                np.arange(len(self)), test_size=share, stratify=self.labels, random_state=0
            )
        except ValueError as error:
            raise DataError(f"{len(self)} digits are too few to divide: {error}") from None
        return self.at(np.sort(first)), self.at(np.sort(second))

    def at(self, indices: npt.NDArray[np.integer]) -> Self:
        """Return the digits at these indices."""
        return type(self)(self.images[indices], self.labels[indices])

    def digest(self) -> str:
        """Return the SHA-256 of images and labels."""
        content = self.images.tobytes() + self.labels.astype("<i8").tobytes()
        return hashlib.sha256(content).hexdigest()


@dataclass(frozen=True)
class Dataset:
    """A named data set. `notes` are sentences for the user: what was chosen, what was left out.

    >>> digits = Digits(np.zeros((100, 28, 28), np.uint8), np.arange(100) % 10)
    >>> mine = Dataset("mine", train=digits, test=digits)
    >>> [len(part) for part in mine.fit_and_validation()]
    [90, 10]
    """

    name: str
    train: Digits
    test: Digits
    notes: tuple[str, ...] = ()

    def noting(self, note: str) -> Self:
        """Return the same digits with one more note, put first."""
        return replace(self, notes=(note, *self.notes))

    def fit_and_validation(self) -> tuple[Digits, Digits]:
        """Return the training half in two: what is fitted, and a stratified tenth to choose by."""
        return self.train.divided(VALIDATION_SHARE)

    def digest(self) -> str:
        """Return the SHA-256 of both halves."""
        return hashlib.sha256((self.train.digest() + self.test.digest()).encode()).hexdigest()

    def split(self, name: str) -> Digits:
        """Return a split: `test`, `train`, `validation` (a part of `train`) or `all`."""
        if name == "all":
            return joined([self.train, self.test])
        if name == "validation":
            return self.fit_and_validation()[1]
        if name not in SPLITS:
            raise SettingError(f"no split is called {name!r}: choose from {', '.join(SPLITS)}")
        return self.test if name == "test" else self.train


def public_name(name: str) -> str:
    """Return the name of a data set for pages and model files: a folder without where it lies.

    >>> public_name("folder:/home/me/my digits")
    'folder:my digits'
    """
    kind, colon, place = name.partition("folder:")
    return f"folder:{Path(place).name}" if colon and not kind else name


def joined(parts: Iterable[Digits]) -> Digits:
    """Return the digits of all parts, one after the other."""
    images, labels = zip(*((part.images, part.labels) for part in parts), strict=True)
    return Digits(np.concatenate(images), np.concatenate(labels))


def to_one_hot(labels: npt.NDArray[np.int64]) -> Floats:
    """Return labels `(n,)` as `float32 (n, 10)` with a one at the class."""
    return np.eye(CLASSES, dtype=np.float32)[labels]
