"""What people hand to the documented functions by mistake: each is answered in one sentence."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inkdigit import learning
from inkdigit.errors import InkdigitError
from inkdigit.learning import DigitClassifier, Digits, Evaluation, Run, figures
from inkdigit.learning.backend import keras
from inkdigit.learning.datasets import Dataset

layers = keras.layers
PIXELS = np.zeros((3, 28, 28), np.uint8)

TRAINED: dict[str, dict[str, Any]] = {
    "the epochs must be a whole number, received '3'": {"epochs": "3"},
    "the epochs must be a whole number, received nan": {"epochs": float("nan")},
    "the epochs must be between 1 and 10,000, received -1": {"epochs": -1},
    "the batch size must be a whole number, received 2.5": {"batch_size": 2.5},
    "the learning rate is a number above 0, received 'fast'": {"learning_rate": "fast"},
    "the learning rate is a number above 0, received -1": {"learning_rate": -1},
    "no optimizer is called 'adamm': did you mean adam?": {"optimizer": "adamm"},
    "no augmentation is called True: choose from": {"augmentation": True},
    "the patience must be a whole number, received 'two'": {"patience": "two"},
    "no recipe is called 'faster': did you mean fast?": {"recipe": "faster"},
    "no network is called 'lenet': did you mean lenet5?": {"network": "lenet"},
    "x.py is a file: name a function in it as well": {"network": "x.py"},
    "x.py is not there: name a Python file": {"network": "x.py:build"},
    "received list": {"network": [layers.Dense(10)]},
    "received Dense": {"network": layers.Dense(10)},
    "missing 1 required positional argument": {"network": lambda size: size},
    "builds no Keras model: it returned a int": {"network": functools.partial(int, "3")},
    "callbacks are Keras's, such as": {"callbacks": "history"},
    "EarlyStopping monitors 'val_acuracy': did you mean val_accuracy?": {
        "callbacks": keras.callbacks.EarlyStopping(monitor="val_acuracy")
    },
    "the seed must be a whole number, received None": {"seed": None},
    "out is the name of a file or folder, received 3": {"out": 3},
    "teacher is the name of a file or folder, received [1]": {"teacher": [1]},
    "nothing.keras is not there": {"teacher": "nothing.keras"},
    "tell is a function such as print, received True": {"tell": True},
}

GIVEN: dict[str, Callable[[DigitClassifier, Dataset], Any]] = {
    "data is a Dataset or the name of one, received (array": lambda _, __: learning.train(
        (PIXELS, np.arange(3))
    ),
    "data is a Dataset or the name of one, received None": lambda _, __: learning.load_dataset(
        None
    ),
    "no data set is called 'mnits'": lambda _, __: learning.load_dataset("mnits"),
    "the halves of a data set are Digits, received None": lambda _, some: Dataset(
        "x", some.train, None
    ),
    "1 labels do not match 3 images": lambda _, __: Digits(PIXELS, [1]),
    "from 0 to 9, or one-hot (n, 10), received int64 of shape (10,) from 1 to 10": (
        lambda _, __: Digits(np.zeros((10, 28, 28)), np.arange(1, 11))
    ),
    "the images are no array": lambda _, __: Digits([[1], [1, 2]], [1, 2]),
    "pixels are numbers, received an array of <U1": lambda _, __: Digits("a", "b"),
    "pixels are numbers, received an array of object": lambda _, __: Digits([None], [1]),
    "received float64 of shape (2, 10)": lambda _, __: Digits(PIXELS[:2], np.full((2, 10), 0.1)),
    "received float64 from 255 to 255": lambda _, __: Digits(np.full((2, 28, 28), 255.0), [1, 2]),
    "expected images as uint8, or float in 0..1": lambda it, _: it.predict(PIXELS + 255.0),
    "received (3, 27, 28)": lambda it, _: it.predict(PIXELS[:, 1:]),
    "received ()": lambda it, _: it.predict("digit.png"),
    "2 labels do not match 3 images": lambda it, _: it.score(PIXELS, [1, 2]),
    "received <U1": lambda it, _: it.score(PIXELS, ["a", "b", "c"]),
    "a model is the name of a file or folder, received 3": lambda _, __: DigitClassifier.load(3),
    "nothing is no model: expected": lambda _, some: learning.evaluate("nothing", some),
    "no split is called 'tset'": lambda it, some: learning.evaluate(it, some, split="tset"),
    "there is nothing to compare": lambda _, some: learning.compare([], some),
    "received int": lambda _, some: learning.compare([3], some),
    "a run is the name of a file or folder, received 3": lambda _, __: learning.export(3),
    "end it in .onnx": lambda _, __: learning.export("run", "model.txt"),
    "nothing is no run folder": lambda _, __: Run.open("nothing"),
    "received int64 of shape (3,)": lambda _, __: Evaluation(np.arange(3), np.arange(3)),
    "the labels are no array": lambda _, __: Evaluation([[1], [1, 2]], np.eye(10)[:2]),
    "a history holds loss and accuracy": lambda _, __: figures.training_curves({"mae": [1]}),
}


@pytest.fixture(scope="module")
def classifier() -> DigitClassifier:
    return DigitClassifier.load()


@pytest.mark.parametrize("sentence", TRAINED)
def test_what_no_training_can_take(
    sentence: str, small: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InkdigitError) as raised:
        learning.train(small, **TRAINED[sentence])
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.glob("*"))


@pytest.mark.parametrize("sentence", GIVEN)
def test_what_no_function_can_take(
    sentence: str,
    classifier: DigitClassifier,
    small: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InkdigitError) as raised:
        GIVEN[sentence](classifier, small)
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)
    assert not list(tmp_path.glob("*"))


def test_one_callback_is_a_list_of_one(small: Dataset, tmp_path: Path) -> None:
    history = keras.callbacks.History()
    run = learning.train(small, network="lenet5", epochs=1, out=tmp_path / "run", callbacks=history)
    assert history.epoch == [0]
    assert learning.resume(run, small, callbacks=history).finished
    with pytest.raises(InkdigitError, match=r"callbacks are Keras's, such as .*, received 3"):
        learning.resume(run, small, callbacks=3)
