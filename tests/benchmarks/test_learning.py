from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.learning import HALVES, write_reduced_mnist
from inkdigit.learning.datasets import Dataset, load_dataset

SIZES = {"train": 12, "test": 4}


def test_the_layout_is_that_of_the_set(sample: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "out"
    write_reduced_mnist(sample, out, SIZES)
    for half, size in SIZES.items():
        digits = sample.split(half)
        for digit in range(10):
            pictures = list((out / "Reduced MNIST Data" / HALVES[half] / str(digit)).iterdir())
            assert len(pictures) == size
            for path in pictures:
                with Image.open(path) as image:
                    assert (image.format, image.mode, image.size) == ("JPEG", "L", (28, 28))
                    original = digits.images[int(path.stem)].astype(int)
                    assert np.abs(np.asarray(image) - original).mean() < 4
                assert digits.labels[int(path.stem)] == digit


@pytest.mark.parametrize("inside", ["", "Reduced MNIST Data"])
def test_it_reads_back_as_a_folder_of_digits(sample: Dataset, tmp_path: Path, inside: str) -> None:
    write_reduced_mnist(sample, tmp_path / "out", SIZES)
    found = load_dataset(f"folder:{tmp_path / 'out' / inside}")
    assert (len(found.train), len(found.test), found.notes) == (120, 40, ())
    assert (np.bincount(found.train.labels) == 12).all()
    assert (np.bincount(found.test.labels) == 4).all()
    first = sorted((tmp_path / "out").rglob("Reduced Testing data/0/*.jpg"))[0]
    original = sample.test.images[int(first.stem)].astype(int)
    assert np.abs(found.test.images[0] - original).mean() < 6


def test_the_seed_decides_what_is_drawn(sample: Dataset, tmp_path: Path) -> None:
    drawn = []
    for number, seed in enumerate((0, 0, 1)):
        folder = tmp_path / str(number)
        write_reduced_mnist(sample, folder, {"train": 3, "test": 2}, seed)
        drawn.append(sorted(str(path.relative_to(folder)) for path in folder.rglob("*.jpg")))
    assert drawn[0] == drawn[1] != drawn[2]
