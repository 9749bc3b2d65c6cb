"""What can be set about a training: light to import, for the command line's defaults."""

from dataclasses import dataclass

from inkdigit.errors import SettingError

# The digits that an evaluation can be on; validation is a part of train.
SPLITS = ("test", "validation", "train", "all")


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """What is trained and how; the same settings on the same digits give the same weights.

    Raises `SettingError` for a value out of range.
    """

    network: str = "classic"
    epochs: int = 12
    batch_size: int = 128
    seed: int = 0

    def __post_init__(self) -> None:
        _check_range("epochs", self.epochs, 1, 10_000)
        _check_range("batch size", self.batch_size, 1, 65_536)
        _check_range("seed", self.seed, 0, 2**32 - 1)


def _check_range(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise SettingError(f"the {name} must lie between {least} and {most:,}, received {value}")
