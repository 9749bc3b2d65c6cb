import argparse
import csv
import itertools
import shutil
from pathlib import Path
from zipfile import ZipFile

import cv2
import matplotlib as mpl
import numpy as np
import pytest

from benchmarks import hands
from inkdigit.images import as_png
from inkdigit.learning.datasets import Digits
from inkdigit.learning.datasets.sample import load_sample


@pytest.fixture(scope="session")
def digits() -> Digits:
    """Real digits to write with."""
    return load_sample().train


@pytest.fixture(scope="session")
def fonts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of fonts: those that matplotlib carries, as no handwriting is at hand."""
    folder = tmp_path_factory.mktemp("fonts")
    for path in sorted(Path(mpl.get_data_path(), "fonts", "ttf").glob("DejaVuSans*.ttf")):
        if "Display" not in path.name:
            shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="session")
def handwriting(tmp_path_factory: pytest.TempPathFactory, digits: Digits) -> Path:
    """A folder of real hands, made from sets as they are published, of nine writers each."""
    folder = tmp_path_factory.mktemp("sets")
    for name in ("kensanata-numbers", "pendigits-strokes", "lectaurep-strings", "omniglot-small"):
        (folder / name).mkdir()
    numbers = folder / "kensanata-numbers"
    cells = [(f"{w:04}", d, _cell(digits, d)) for w in range(9) for d in (0, 2, 3, 4, 5, 6, 7, 8)]
    _pack(numbers / "writers.npz", cells)
    _pack(numbers / "forms.npz", cells)
    small = [255 - digits.images[digits.labels == d][0][6:22, 6:22] for d in (1, 9)]
    np.savez(
        numbers / "ones_nines_16px.npz",
        image=np.stack([*[small[0]] * 9, *[small[1]] * 9]),
        label=np.repeat([1, 9], 9),
        name=[f"data/{d}/{60 * w}.bmp" for d in (1, 9) for w in range(9)],
    )
    _tablet(folder / "pendigits-strokes" / "pendigits.npz")
    _registers(folder / "lectaurep-strings")
    for number in (1, 2):
        archive = folder / "omniglot-small" / f"images_background_small{number}.zip"
        with ZipFile(archive, "w") as file:
            for character, drawer in itertools.product(("03", "14", "15"), range(1, 21)):
                drawn = f"Latin/character{character}/0_{drawer:02}.png"
                file.writestr(f"images_background_small{number}/{drawn}", _PNG)
    out = tmp_path_factory.mktemp("hands")
    hands.main(argparse.Namespace(sets=folder, out=out))
    return out


_PNG = as_png(np.pad(np.zeros((40, 50), np.uint8), 20, constant_values=255))


def _cell(digits: Digits, digit: int) -> np.ndarray:
    """Return a digit in a cell, dark on white, a zero half as high as the others."""
    image = digits.images[digits.labels == digit][0]
    ink = image[image.max(axis=1) > 0]
    high = 24 if digit == 0 else 48
    return 255 - np.pad(np.asarray(cv2.resize(ink, (40, high))), 16)


def _pack(path: Path, cells: list[tuple[str, int, np.ndarray]]) -> None:
    writers, labels, pictures = zip(*cells, strict=True)
    np.savez(
        path,
        pixels=np.concatenate([picture.ravel() for picture in pictures]),
        offset=np.cumsum([0, *(picture.size for picture in pictures)]),
        height=[len(picture) for picture in pictures],
        width=[picture.shape[1] for picture in pictures],
        label=labels,
        writer=writers,
        name=[f"{number}____{label}.png" for number, label in enumerate(labels)],
    )


def _tablet(path: Path) -> None:
    """Ten digits by each of nine writers: a stroke from 0 to 100, a 9 down to -50, a dot in a 1."""
    points, strokes, lengths = [], [], []
    for _, digit in itertools.product(range(9), range(10)):
        written = [[10, 100], [60, 50], [10, -50 if digit == 9 else 0]]
        points += [*written, [30, 50]] if digit == 1 else written
        strokes += [0, 0, 0, 1] if digit == 1 else [0, 0, 0]
        lengths.append(4 if digit == 1 else 3)
    np.savez(
        path,
        points=np.array(points, np.int16),
        stroke=np.array(strokes, np.uint8),
        offset=np.cumsum([0, *lengths]),
        label=np.tile(np.arange(10), 9),
        writer=np.repeat([f"a{number:02}" for number in range(9)], 10),
    )


def _registers(folder: Path) -> None:
    written = ["12", "2.20", "11 25", "4/11", "3 frs"]
    rows = [["file", "text", "transcription", "set", "page", "box", "polygon"]]
    for register, text in itertools.product(range(9), written):
        outline = "110,210 110,240 190,240 190,210"
        rows.append(["line.png", "", text, "set", f"R{register}_1.jpg", "100 200 200 250", outline])
    with (folder / "labels.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    page = np.full((50, 100), 200, np.uint8)
    page[15:35, 30:70:8] = 20
    page[:, :3] = 20  # a neighbour, outside the outline
    (folder / "line.png").write_bytes(as_png(page))
