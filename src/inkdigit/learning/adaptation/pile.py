"""A pile: pictures of one's own, what stands in them where that is known, and who wrote them."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from inkdigit.errors import DataError, ImageError, InkdigitError
from inkdigit.images import Grey, Source
from inkdigit.learning.datasets.folder import class_of, first_few
from inkdigit.learning.datasets.labels import Label
from inkdigit.reading.alphabet import only_digits

# From fewer pictures nothing can be learned that could be told from chance.
LEAST = 20

# What a network is shown of a picture, zeros for blank paper.
Shown = Callable[[Source], Grey]
Folds = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sample:
    """A picture as a network is shown it; `label` is what stands there, `None` if it is unknown."""

    name: str
    pixels: Grey
    label: str | None = None
    group: str = ""


@dataclass(frozen=True)
class Pile:
    """Samples, and what was left out; the labels of samples in `doubted` may be wrong."""

    samples: list[Sample]
    left_out: list[str] = field(default_factory=list)
    doubted: Sequence[int] = ()

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def labelled(self) -> list[int]:
        """The numbers of the samples with a label."""
        return [i for i, sample in enumerate(self.samples) if sample.label is not None]

    @property
    def trusted(self) -> list[int]:
        """The numbers of the samples with a label that is not in doubt: it is learned from."""
        return [i for i in self.labelled if i not in self.doubted]

    def is_right(self, number: int, text: str) -> bool:
        """Return whether a text has the digits of the label of a sample."""
        return only_digits(text) == only_digits(self.samples[number].label or "")

    def folds(self, count: int, seed: int) -> Folds:
        """Return the fold of each sample, from 0; a group lies in one fold, and so do copies.

        Raises `DataError` where there are fewer groups.
        """
        groups = [sample.group or f"\0{sample.pixels.tobytes().hex()}" for sample in self.samples]
        names = sorted(set(groups))
        if len(names) < count:
            raise DataError(
                f"the pictures are of {len(names)} groups: at least {count} are needed, of which "
                "one is held out"
            )
        order = np.random.default_rng(seed).permutation(len(names))
        of = {names[number]: place % count for place, number in enumerate(order.tolist())}
        return np.array([of[group] for group in groups])


def load_pile(pictures: Mapping[str, Source], labels: Mapping[str, Label], shown: Shown) -> Pile:
    """Open pictures by name and put labels and groups beside them.

    A label without text says whose a picture is, and not what stands in it. Blank and broken
    pictures are left out, and said. Raises `DataError` for labels of pictures that are not there,
    for copies of a picture with different labels, and for too few pictures.
    """
    if missing := [name for name in labels if name not in pictures]:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise DataError(f"there is a label for {missing[0]}{more}, and no such picture in the pile")
    samples, left_out = [], []
    for name, source in pictures.items():
        try:
            pixels = shown(source)
            if not pixels.any():
                raise ImageError(f"{name} is blank")
        except InkdigitError as error:
            left_out.append(str(error))
            continue
        text, group = labels.get(name, Label(""))
        samples.append(Sample(name, pixels, text or None, group))
    if len(samples) < LEAST:
        why = f" ({len(left_out)} left out: {first_few(left_out)})" if left_out else ""
        raise DataError(
            f"there are too few pictures to learn from: {len(samples)}{why}, at least {LEAST} are "
            "needed"
        )
    _check_copies(samples)
    texts = {sample.label for sample in samples if sample.label}
    if len(texts) == 1 and not any(sample.label is None for sample in samples):
        raise DataError(f"every label is {next(iter(texts))!r}: nothing could be told apart")
    return Pile(samples, left_out)


def _check_copies(samples: Iterable[Sample]) -> None:
    """Refuse labels that differ for one and the same picture."""
    known: dict[bytes, Sample] = {}
    for sample in samples:
        if sample.label is not None:
            other = known.setdefault(sample.pixels.tobytes(), sample)
            if other.label != sample.label:
                raise DataError(
                    f"{other.name} and {sample.name} are the same picture, and their labels are "
                    f"{other.label!r} and {sample.label!r}"
                )


def labels_of_folders(names: Iterable[str], known: Mapping[str, Label]) -> dict[str, Label]:
    """Return the digit of each path that lies in a class folder, as `load_folder` takes them.

    What is `known` of a picture goes first: its text, and its group.
    """
    found = {name: class_of(Path(name).parent) for name in names}
    labels = {name: known.get(name, Label("")) for name in found}
    return {
        name: labels[name]._replace(text=labels[name].text or str(digit))
        for name, digit in found.items()
        if digit is not None
    }


def named(sources: Iterable[Source]) -> dict[str, Source]:
    """Return sources by a name each: a path, or their number."""
    return {
        str(source) if isinstance(source, str | os.PathLike) else str(number): source
        for number, source in enumerate(sources)
    }
