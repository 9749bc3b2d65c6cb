from typing import Any

import pytest

from inkdigit.errors import SettingError
from inkdigit.learning.settings import TrainingSettings


@pytest.mark.parametrize(
    ("name", "value"),
    [("epochs", 0), ("epochs", -3), ("batch_size", 0), ("seed", -1), ("seed", 2**32)],
)
def test_values_out_of_range_are_refused_by_name(name: str, value: int) -> None:
    with pytest.raises(SettingError, match=rf"{name.replace('_', ' ')} .* received {value}$"):
        TrainingSettings(**{name: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value"),
    [("epochs", 1.5), ("epochs", "3"), ("epochs", True), ("batch_size", 2.0), ("seed", "a")],
)
def test_what_is_no_whole_number_is_refused_by_name(name: str, value: object) -> None:
    said = f"the {name.replace('_', ' ')} must be a whole number, received {value!r}"
    with pytest.raises(SettingError) as caught:
        TrainingSettings(**{name: value})  # type: ignore[arg-type]
    assert str(caught.value) == said


def test_names_are_texts_and_a_near_one_is_named() -> None:
    with pytest.raises(SettingError, match=r"'fsat': did you mean fast\?"):
        TrainingSettings(recipe="fsat")
    with pytest.raises(SettingError, match="the network is a name, received 5"):
        TrainingSettings(network=5)  # type: ignore[arg-type]


def test_the_defaults_are_those_of_the_tutorials() -> None:
    settings = TrainingSettings()
    assert (settings.network, settings.epochs, settings.batch_size) == ("classic", 12, 128)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"epochs": 2.5}, "the epochs must be a whole number, received 2.5"),
        ({"epochs": True}, "must be a whole number, received True"),
        ({"epochs": "3"}, "must be a whole number, received '3'"),
        ({"batch_size": 32.0}, "the batch size must be a whole number"),
        ({"seed": -1}, "the seed must be between"),
        ({"patience": 0}, "the patience must be between 1 and"),
        ({"patience": 1.5}, "the patience must be a whole number"),
        ({"learning_rate": 0}, "the learning rate is a number above 0, received 0"),
        ({"learning_rate": float("nan")}, "a number above 0, received nan"),
        ({"learning_rate": "fast"}, "a number above 0, received 'fast'"),
        ({"learning_rate": True}, "a number above 0, received True"),
        ({"optimizer": "sdg"}, "no optimizer is called 'sdg': did you mean sgd?"),
        ({"augmentation": "warped"}, "no augmentation is called 'warped': did you mean warp?"),
        ({"recipe": "fst"}, "no recipe is called 'fst': did you mean fast?"),
        ({"network": "line", "augmentation": "warp"}, "draws what it learns"),
        ({"optimizer": {"class_name": "SGD"}, "learning_rate": 0.1}, "a learning rate of its own"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(asked: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingError) as caught:
        TrainingSettings(**asked)
    assert sentence in str(caught.value)
    assert "--" not in str(caught.value)
