"""Draw a folder shaped like the Reduced MNIST set: `python benchmarks/reduced_mnist.py OUT`.

    OUT/Reduced MNIST Data/Reduced Trainging data/0/4924.jpg    misspelt, as people have it
    OUT/Reduced MNIST Data/Reduced Testing data/0/17.jpg

Training pictures come from MNIST's training half, test pictures from its test half; each is named
by its index there. `folder:OUT` reads them back.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image

from inkdigit.errors import InkdigitError, OutputError, SettingError
from inkdigit.files import make_folder
from inkdigit.learning.datasets import Dataset, Digits, load_dataset

ROOT = "Reduced MNIST Data"
TRAIN = "Reduced Trainging data"
TEST = "Reduced Testing data"
QUALITY = 95


def main(arguments: list[str] | None = None) -> int:
    """Draw the set, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, metavar="OUT", help="an empty folder, or a new one")
    parser.add_argument("--data-dir", type=Path, help="where MNIST lies, as for inkdigit train")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--train", type=int, default=1000, help="training pictures a class")
    parser.add_argument("--test", type=int, default=200, help="test pictures a class")
    options = parser.parse_args(arguments)
    sizes = {"train": options.train, "test": options.test}
    try:
        mnist = load_dataset("mnist", data_dir=options.data_dir, progress=True)
        write_reduced_mnist(mnist, options.out, **sizes, seed=options.seed)
    except InkdigitError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    print(f"wrote {options.out}: read it with --data 'folder:{options.out}'")
    return 0


def write_reduced_mnist(
    dataset: Dataset, folder: Path, *, train: int = 1000, test: int = 200, seed: int = 0
) -> None:
    """Write `train` and `test` JPEGs a class, drawn at random, into a new or empty folder."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise OutputError(f"{folder} is not an empty folder: name another")
    rng = np.random.default_rng(seed)
    drawn = {
        TRAIN: (dataset.train, _drawn(dataset.train, train, rng)),
        TEST: (dataset.test, _drawn(dataset.test, test, rng)),
    }
    for half, (digits, indices) in drawn.items():
        for index in indices:
            _write(digits, int(index), folder / ROOT / half)


def _drawn(digits: Digits, count: int, rng: np.random.Generator) -> list[int]:
    indices: list[int] = []
    for digit in np.unique(digits.labels):
        of_class = np.flatnonzero(digits.labels == digit)
        if not 1 <= count <= len(of_class):
            raise SettingError(
                f"{count} pictures of digit {digit} were asked for: choose 1 to {len(of_class)}"
            )
        indices += sorted(rng.choice(of_class, count, replace=False).tolist())
    return indices


def _write(digits: Digits, index: int, half: Path) -> None:
    folder = half / str(digits.labels[index])
    make_folder(folder)
    path = folder / f"{index}.jpg"
    try:
        Image.fromarray(digits.images[index]).save(path, quality=QUALITY)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}") from None


if __name__ == "__main__":
    sys.exit(main())
