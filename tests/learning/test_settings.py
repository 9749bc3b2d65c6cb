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


def test_the_defaults_are_those_of_the_tutorials() -> None:
    settings = TrainingSettings()
    assert (settings.network, settings.epochs, settings.batch_size) == ("classic", 12, 128)
