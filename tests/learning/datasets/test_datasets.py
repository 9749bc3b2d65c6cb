from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkdigit.errors import DataError, SettingError
from inkdigit.learning.datasets import Dataset, load_dataset
from inkdigit.learning.datasets.mnist import SHA256, cache_folder


@pytest.mark.parametrize("name", ["", "MNIST", "fashion", "folder", "sample "])
def test_unknown_names(name: str) -> None:
    with pytest.raises(SettingError, match="choose mnist, sample, folder:PATH") as caught:
        load_dataset(name)
    assert repr(name) in str(caught.value)


def test_a_folder_without_its_prefix_and_what_is_no_name(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=f"is a folder: write folder:{tmp_path}"):
        load_dataset(tmp_path)
    with pytest.raises(SettingError, match="data is a Dataset or the name of one, received 5"):
        load_dataset(5)  # type: ignore[arg-type]


def test_auto_without_mnist_is_the_sample_says_so_and_asks_no_network(
    sample: Dataset, sockets: list[object]
) -> None:
    found = load_dataset("auto")
    assert found.name == "sample"
    assert found.test.digest() == sample.test.digest()
    assert len(found.notes) == 1
    assert "MNIST is not at hand" in found.notes[0]
    assert "--data mnist, or load_dataset('mnist'), fetches" in found.notes[0]
    assert "\n" not in found.notes[0]
    assert sockets == []
    assert not cache_folder().exists()


def test_auto_with_a_data_dir_without_mnist_is_an_error_and_asks_no_network(
    tmp_path: Path, sockets: list[object]
) -> None:
    with pytest.raises(DataError, match="holds no MNIST"):
        load_dataset("auto", data_dir=tmp_path)
    assert sockets == []


@pytest.mark.parametrize("where", ["cache", "INKDIGIT_DATA", "data_dir"])
def test_auto_does_not_pass_over_mnist_that_is_broken(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sockets: list[object]
) -> None:
    folder = cache_folder() if where == "cache" else tmp_path / "data"
    folder.mkdir(parents=True)
    for name in SHA256:
        (folder / name).touch()
    if where == "INKDIGIT_DATA":
        monkeypatch.setenv("INKDIGIT_DATA", str(folder))
    with pytest.raises(DataError, match="is not MNIST's"):
        load_dataset("auto", data_dir=folder if where == "data_dir" else None)
    assert sockets == []


def test_a_sample_and_a_folder_by_name(
    sample: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_dataset("sample").notes == ()
    for digit in range(10):
        (tmp_path / "my" / str(digit)).mkdir(parents=True)
        for image in sample.train.images[np.flatnonzero(sample.train.labels == digit)[:5]]:
            name = f"{image.sum()}.png"
            Image.fromarray(image).save(tmp_path / "my" / str(digit) / name)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in (f"folder:{tmp_path / 'my'}", "folder:~/my"):
        assert len(load_dataset(name).train) == 40


@pytest.mark.mnist
def test_auto_takes_the_full_set_where_it_is(mnist: Dataset, sockets: list[object]) -> None:
    found = load_dataset("auto")
    assert found.name == "mnist"
    assert found.notes == ("MNIST is at hand and is used",)
    assert found.test.digest() == mnist.test.digest()
    assert sockets == []
