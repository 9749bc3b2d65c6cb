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
