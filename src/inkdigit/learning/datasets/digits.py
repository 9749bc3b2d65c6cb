"""What every data set becomes: two halves of labelled 28×28 digits."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.model_selection import GroupShuffleSplit, train_test_split

from inkdigit.errors import DataError, shown
from inkdigit.learning.recipes import check_known
from inkdigit.learning.settings import SPLITS
from inkdigit.reading.preprocessing.digit import SIZE

CLASSES = 10
# The kinds of NumPy's types that are numbers: truth, whole, of either sign, and with decimals.
_NUMBERS = "buif"
Floats = npt.NDArray[np.float32]
# An array of them, once the digits are made.
Texts = Any
VALIDATION_SHARE = 0.1


@dataclass(frozen=True)
class Digits:
    """Labelled digits: images `uint8 (n, 28, 28)`, labels `int64 (n,)`, names and writers `(n,)`.

    A name is that of a digit's file, and empty as a writer where it is not known. Images may come
    as floats in 0..1 or as other integers in 0..255, and as `(n, 28, 28, 1)` or `(n, 784)`; labels
    as any integers from 0 to 9, or one-hot `(n, 10)`. Raises `DataError` for anything else.

    >>> blank = Digits(np.zeros((20, 28, 28), np.uint8), np.arange(20) % 10)
    >>> first, second = blank.divided(0.5)
    >>> len(first), sorted(second.labels.tolist())
    (10, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    >>> blank.at(np.arange(8)).lacking
    '8, 9'
    """

    images: npt.NDArray[np.uint8]
    labels: npt.NDArray[np.int64]
    names: Texts = ()
    writers: Texts = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "images", _as_images(as_array(self.images, "images")))
        object.__setattr__(self, "labels", as_labels(self.labels))
        if len(self.images) != len(self.labels):
            raise DataError(f"{len(self.labels)} labels do not match {len(self.images)} images")
        for what in ("names", "writers"):
            texts = getattr(self, what)
            texts = np.asarray(texts if len(texts) else [""] * len(self), dtype=np.str_)
            object.__setattr__(self, what, texts)
            if texts.shape != self.labels.shape:
                raise DataError(f"{len(texts)} {what} do not match {len(self)} images")

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        return f"<{len(self):,} digits>"

    @property
    def lacking(self) -> str:
        """The digits of which there is none, with commas between."""
        return ", ".join(map(str, sorted({*range(CLASSES)} - {*self.labels.tolist()})))

    def divided(self, share: float) -> tuple[Self, Self]:
        """Return two parts, the second with `share` of every class, always the same ones.

        Where several writers are known it has that share of them instead, each with all they wrote.
        Raises `DataError` where a class is too small to be in both.
        """
        if len(np.unique(self.writers)) > 1:
            shuffled = GroupShuffleSplit(1, test_size=share, random_state=0)
            first, second = next(shuffled.split(self.labels, groups=self.writers))
            return self.at(first), self.at(second)
        try:
            first, second = train_test_split(
                np.arange(len(self)), test_size=share, stratify=self.labels, random_state=0
            )
        except ValueError:
            counts = ", ".join(map(str, np.bincount(self.labels, minlength=CLASSES)))
            raise DataError(
                f"{len(self)} digits are too few to divide, so that both parts have each: add "
                f"pictures, at least two of each digit (of 0 to 9 there are {counts})"
            ) from None
        return self.at(np.sort(first)), self.at(np.sort(second))

    def at(self, indices: npt.NDArray[np.integer]) -> Self:
        """Return the digits at these indices."""
        columns = self.images, self.labels, self.names, self.writers
        return type(self)(*(column[indices] for column in columns))

    def digest(self) -> str:
        """Return the SHA-256 of images and labels."""
        content = self.images.tobytes() + self.labels.astype("<i8").tobytes()
        return hashlib.sha256(content).hexdigest()


def _as_images(images: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    if images.dtype.kind not in _NUMBERS:
        raise DataError(f"pixels are numbers, received an array of {images.dtype}")
    count = len(images) if images.ndim else 0
    if images.shape not in {(count, SIZE, SIZE), (count, SIZE, SIZE, 1), (count, SIZE * SIZE)}:
        raise DataError(
            f"expected images of shape (n, {SIZE}, {SIZE}), (n, {SIZE}, {SIZE}, 1) or "
            f"(n, {SIZE * SIZE}), received {images.shape}"
        )
    images = images.reshape(count, SIZE, SIZE)
    if images.dtype == np.uint8 or not images.size:
        return images.astype(np.uint8, copy=False)
    whole = np.issubdtype(images.dtype, np.integer)
    low, high = images.min(), images.max()  # NaN fails every comparison
    if not (low >= 0 and high <= (255 if whole else 1)):
        raise DataError(
            "pixels are whole numbers in 0..255 or floats in 0..1, received "
            f"{images.dtype} from {low:g} to {high:g}"
        )
    return (images if whole else np.rint(255 * images)).astype(np.uint8)


def as_array(given: object, what: str) -> npt.NDArray[Any]:
    """Return an array of what was given; `DataError` where its parts differ in length."""
    try:
        return np.asarray(given)
    except ValueError:
        raise DataError(f"the {what} are no array: each has another length") from None


def as_labels(given: npt.ArrayLike, classes: int = CLASSES) -> npt.NDArray[np.int64]:
    """Return labels `int64 (n,)` from 0 on, which may come one-hot; `DataError` for others."""
    labels = as_array(given, "labels")
    numbers = labels.dtype.kind in _NUMBERS
    if numbers and labels.shape[1:] == (classes,):
        one_hot = np.isin(labels, (0, 1)).all() and (labels.sum(axis=1) == 1).all()
        labels = labels.argmax(axis=1) if one_hot else labels
    whole = numbers and labels.dtype.kind != "b" and bool((labels == np.rint(labels)).all())
    if (
        labels.ndim != 1
        or not whole
        or (labels.size and not 0 <= labels.min() <= labels.max() < classes)
    ):
        raise DataError(
            f"labels are whole numbers from 0 to {classes - 1}, or one-hot (n, {classes}), "
            f"received {labels.dtype} of shape {labels.shape}"
            + (f" from {labels.min():g} to {labels.max():g}" if labels.ndim == 1 and whole else "")
        )
    return labels.astype(np.int64, copy=False)


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

    def __post_init__(self) -> None:
        for half in (self.train, self.test):
            if not isinstance(half, Digits):
                raise DataError(f"the halves of a data set are Digits, received {shown(half)}")

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
        check_known("split", name, SPLITS)
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
    columns = zip(*((one.images, one.labels, one.names, one.writers) for one in parts), strict=True)
    return Digits(*map(np.concatenate, columns))


def to_one_hot(labels: npt.NDArray[np.int64]) -> Floats:
    """Return labels `(n,)` as `float32 (n, 10)` with a one at the class."""
    return np.eye(CLASSES, dtype=np.float32)[labels]
