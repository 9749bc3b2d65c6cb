"""Digits of one's own: a folder a class, with or without a train and a test half.

digits/0/any-name.png                                   divided 80 : 20, always the same way
digits/00/…   digits/zero/…   digits/class_0/…          as people call their classes
digits/train/0/…   digits/test/0/…
class/Anna/0/1.png                                      a folder a writer, each whole in one half
class/0_Anna.png                                        pictures that say digit and writer
class/labels.csv                                        columns file, text and, maybe, writer
Reduced MNIST Data/Reduced Trainging data/0/4924.jpg    as people have that set, misspelt
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from inkdigit.errors import DataError, ImageError
from inkdigit.images import Grey, open_grey
from inkdigit.learning.datasets.digits import Dataset, Digits
from inkdigit.learning.datasets.labels import LABELS, one_digit_each, read_labels
from inkdigit.reading.preprocessing.digit import SIZE, light_ink, normalise

TEST_SHARE = 0.2
NAMED = 5
# A half's folder: `TestSet`, `mnist-train`, `Reduced Trainging data`; a writer may be called Testa.
_HALF = {
    half: re.compile(rf"(^|[^a-z]){half}(g?ing)?(s|sets?|data|images?)?(?![a-z])", re.I)
    for half in ("train", "test")
}
_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
# A class folder: `3`, `03`, `three`, `class_3`, `digit-3`, `3_three`.
_CLASS = re.compile(rf"(?:(?:class|digit|label|number)[ _-]*)?(?:0*(\d)|({'|'.join(_WORDS)}))"
                    rf"(?:[ _-]+(?:{'|'.join(_WORDS)}))?", re.I)  # fmt: skip
# A picture that says digit and writer, and may be numbered: `3_anna.png`, `3_anna_2.png`.
_NAMED = re.compile(r"(\d)_(.*?[^\W\d_].*?)(?:[ _-]?\(?\d+\)?)?\.\w+")


def load_folder(root: Path, group: str | None = None) -> Dataset:
    """Return the digits in a folder of class folders `0` to `9`; `DataError` where there are none.

    In their place a `labels.csv` may name its pictures and their digits, and `group` its column of
    writers. Some classes may be missing, but of a half that trains no more than of both; the notes
    say so.
    Pictures may have any size, colour mode and polarity. One that is 28×28 already is taken to be
    framed as MNIST's are; any other goes through `inkdigit.reading.preprocessing.digit.normalise`.
    """
    root = root.absolute()
    if not root.is_dir():
        raise DataError(f"{root} is not a folder: name one that holds class folders 0 to 9")
    left_out: list[str] = []
    parts = [_read_part(folder, group, left_out) for folder in _find_parts(root, left_out)]
    train, test = parts if len(parts) == 2 else parts[0].divided(TEST_SHARE)
    notes = []
    if len(parts) == 1:
        writers, others = (len(set(half.writers) - {""}) for half in (train, test))
        whole = f"; {writers} writers train, {others} test, each kept whole" * bool(writers)
        notes.append(f"{root} has no halves: {len(train)} digits train, {len(test)} test{whole}")
    if never := train.lacking:
        notes.append(f"there is no {never} to learn from: what is trained on this never reads one")
    if left_out:
        notes.append(f"{len(left_out)} left out: {first_few(left_out)}")
    return Dataset(f"folder:{root}", train, test, tuple(notes))


def first_few(sentences: list[str]) -> str:
    """Return the first of several sentences, and how many more there are."""
    more = [f"and {len(sentences) - NAMED} more"] if len(sentences) > NAMED else []
    return "; ".join([*sentences[:NAMED], *more])


def _find_parts(root: Path, left_out: list[str]) -> list[Path]:
    """Return the folders of the two halves, to train and to test, or of both in one."""
    children = _folders_in(root)
    # Up to three folders of classes may be halves, and one more; others are writers.
    writers = sum(map(_holds_classes, children))
    if _says_labels(root) or _holds_classes(root) or writers > 3:
        return [root]
    train, test = (_one_half(children, half, root) for half in _HALF)
    if train and test:
        others = [child for child in children if child not in (train, test)]
        left_out += [f"{child} is neither half" for child in others]
        return [train, test]
    if present := train or test:
        half, missing = ("train", "test") if train else ("test", "train")
        raise DataError(
            f"{root} has a {half} half ({present.name}) but no {missing} half: "
            f"add a folder called {missing}"
        )
    if writers > 1:
        return [root]
    if len(children) != 1:
        raise DataError(f"{root} holds no folders 0 to 9, nor train and test halves of them")
    return _find_parts(children[0], left_out)


def _one_half(children: list[Path], half: str, root: Path) -> Path | None:
    # `train_test_split` is no half: it holds both.
    matches = [
        child
        for child in children
        if [name for name, pattern in _HALF.items() if pattern.search(child.name)] == [half]
    ]
    if len(matches) > 1:
        names = ", ".join(match.name for match in matches)
        raise DataError(f"{root} has {len(matches)} folders that could be its {half} half: {names}")
    return matches[0] if matches else None


def _read_part(folder: Path, group: str | None, left_out: list[str]) -> Digits:
    """Return the digits of a half, or of both, with their paths in its folder and their writers."""
    folder = _unwrapped(folder)
    digits = list[tuple[Grey, int, str, str]]()
    for path, digit, writer in _listed(folder, group, left_out):
        try:
            picture = as_digit(open_grey(path))
            if not picture.any():
                raise ImageError(f"{path} is blank")
            digits.append((picture, digit, path.relative_to(folder).as_posix(), writer))
        except ImageError as error:
            left_out.append(str(error))
    if not digits:
        raise DataError(f"{folder} holds no picture that can be read")
    images, labels, names, writers = zip(*digits, strict=True)
    for digit, child in {} if any(writers) else _classes(folder, []).items():
        if digit not in labels:
            raise DataError(f"{child} holds no picture that can be read")
    return Digits(np.stack(images), np.array(labels, np.int64), names, writers)


def _listed(folder: Path, group: str | None, left_out: list[str]) -> list[tuple[Path, int, str]]:
    """Return each picture with its digit and its writer, where that is known."""
    if (table := folder / LABELS).exists():
        labels = one_digit_each(read_labels(table, group))
        return [(folder / name, int(digit), writer) for name, (digit, writer) in labels.items()]
    if named := _named(folder):
        return named
    if not _holds_classes(folder) and any(map(_holds_classes, _folders_in(folder))):
        return [
            (path, digit, writer.name)
            for writer in _folders_in(folder)
            for digit, child in _classes(writer, left_out).items()
            for path in _files(child)
        ]
    classes = _classes(folder, left_out)
    if len(classes) < 2:
        raise DataError(f"{folder} holds {len(classes)} of the class folders 0 to 9: at least two")
    return [(path, digit, "") for digit, child in classes.items() for path in _files(child)]


def _named(folder: Path) -> list[tuple[Path, int, str]]:
    """Return the files whose names say digit and writer, of a folder that has no class folders."""
    if any(map(_holds_classes, (folder, *_folders_in(folder)))):
        return []
    found = [(path, _NAMED.fullmatch(path.name)) for path in sorted(folder.iterdir())]
    return [(path, int(name[1]), name[2]) for path, name in found if name and path.is_file()]


def _holds_classes(folder: Path) -> bool:
    """Return whether folders in it are classes; a pupil who is called Six is none."""
    return any(
        class_of(child) is not None and not _holds_classes(child) for child in _folders_in(folder)
    )


def _classes(folder: Path, left_out: list[str]) -> dict[int, Path]:
    classes: dict[int, Path] = {}
    for child in _folders_in(folder):
        digit = class_of(child)
        if digit is None:
            left_out.append(f"{child} is no class 0 to 9")
        elif other := classes.get(digit):
            raise DataError(
                f"{folder} has two folders of the class {digit}: {other.name}, {child.name}"
            )
        else:
            classes[digit] = child
    return dict(sorted(classes.items()))


def _unwrapped(folder: Path) -> Path:
    children = _folders_in(folder)
    wrapped = len(children) == 1 and class_of(children[0]) is None and not _says_labels(folder)
    return _unwrapped(children[0]) if wrapped else folder


def _says_labels(folder: Path) -> bool:
    return (folder / LABELS).exists() or bool(_named(folder))


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith((".", "__")) for part in path.relative_to(folder).parts)
        if not (path.is_dir() or hidden or path.name == "Thumbs.db"):
            yield path


def as_digit(grey: Grey) -> Grey:
    """Return a picture of one digit as the networks take it: `uint8 (28, 28)`, ink 255, paper 0."""
    return light_ink(grey) if grey.shape == (SIZE, SIZE) else normalise(grey)


def _folders_in(folder: Path) -> list[Path]:
    try:
        return sorted(
            child
            for child in folder.iterdir()
            if child.is_dir() and not child.name.startswith((".", "__"))
        )
    except OSError as error:
        raise DataError(f"{folder} cannot be read: {error.strerror}") from None


def class_of(folder: Path) -> int | None:
    """Return the digit that a class folder is named after; `None` for another folder."""
    found = _CLASS.fullmatch(folder.name)
    if found is None:
        return None
    digit, word = found.groups()
    return int(digit) if digit else _WORDS.index(word.lower())
