import importlib.util
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from PIL import Image

from inkdigit.errors import OutputError, SettingError
from inkdigit.learning.datasets import Dataset, load_dataset

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "reduced_mnist.py"
LAYOUT = {"Reduced Trainging data": 12, "Reduced Testing data": 4}


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("reduced_mnist_script", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.jpg"))


def test_the_layout_is_that_of_the_set(script: ModuleType, sample: Dataset, tmp_path: Path) -> None:
    script.write_reduced_mnist(sample, tmp_path, train=12, test=4)
    for half, count in LAYOUT.items():
        digits = sample.train if "Train" in half else sample.test
        for digit in range(10):
            pictures = list((tmp_path / "Reduced MNIST Data" / half / str(digit)).iterdir())
            assert len(pictures) == count
            for path in pictures:
                with Image.open(path) as image:
                    assert (image.format, image.mode, image.size) == ("JPEG", "L", (28, 28))
                    original = digits.images[int(path.stem)].astype(int)
                    assert np.abs(np.asarray(image) - original).mean() < 4
                assert digits.labels[int(path.stem)] == digit


@pytest.mark.parametrize("inside", ["", "Reduced MNIST Data"])
def test_it_reads_back_as_a_folder_of_digits(
    script: ModuleType, sample: Dataset, tmp_path: Path, inside: str
) -> None:
    script.write_reduced_mnist(sample, tmp_path / "out", train=12, test=4)
    found = load_dataset(f"folder:{tmp_path / 'out' / inside}")
    assert (len(found.train), len(found.test), found.notes) == (120, 40, ())
    assert (np.bincount(found.train.labels) == 12).all()
    assert (np.bincount(found.test.labels) == 4).all()
    first = sorted((tmp_path / "out").rglob("Reduced Testing data/0/*.jpg"))[0]
    original = sample.test.images[int(first.stem)].astype(int)
    assert np.abs(found.test.images[0] - original).mean() < 6


def test_the_seed_decides_what_is_drawn(
    script: ModuleType, sample: Dataset, tmp_path: Path
) -> None:
    drawn = []
    for number, seed in enumerate((0, 0, 1)):
        folder = tmp_path / str(number)
        script.write_reduced_mnist(sample, folder, train=3, test=2, seed=seed)
        drawn.append(names(folder))
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_folder_with_anything_in_it_is_refused(
    script: ModuleType, sample: Dataset, tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    for place in (tmp_path, tmp_path / "mine.txt"):
        with pytest.raises(OutputError, match="is not an empty folder"):
            script.write_reduced_mnist(sample, place, train=3, test=2)
    with pytest.raises(OutputError, match="cannot be made"):
        script.write_reduced_mnist(sample, tmp_path / "mine.txt" / "out", train=3, test=2)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("sizes", [{"train": 9999, "test": 1}, {"train": 1, "test": 0}])
def test_more_than_there_is_is_refused_before_anything_is_written(
    script: ModuleType, sample: Dataset, tmp_path: Path, sizes: dict[str, int]
) -> None:
    with pytest.raises(SettingError, match="were asked for: choose 1 to"):
        script.write_reduced_mnist(sample, tmp_path / "out", **sizes)
    assert not (tmp_path / "out").exists()


def test_the_command_says_in_one_line_what_is_wrong(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert script.main([str(tmp_path / "out"), "--data-dir", str(tmp_path)]) == 3
    captured = capsys.readouterr()
    assert captured.err.startswith("Error: ")
    assert captured.err.count("\n") == 1


@pytest.mark.mnist
def test_the_command_draws_from_the_full_set(
    script: ModuleType, mnist: Dataset, tmp_path: Path
) -> None:
    assert script.main([str(tmp_path / "out"), "--train", "3", "--test", "2"]) == 0
    paths = names(tmp_path / "out")
    assert len(paths) == 50
    for name in paths:
        half, label, index = Path(name).parts[1:]
        digits = mnist.train if "Train" in half else mnist.test
        assert digits.labels[int(Path(index).stem)] == int(label)
