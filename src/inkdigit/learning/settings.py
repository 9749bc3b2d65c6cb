"""What can be set about a training: light to import, for the command line's defaults."""

from dataclasses import dataclass

from inkdigit.errors import SettingError

# The networks that read in use; they learn from drawn handwriting.
DRAWN = ("line", "single")

# The digits that an evaluation can be on; validation is a part of train.
SPLITS = ("test", "validation", "train", "all")


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """What is trained and how; the same settings on the same digits give the same weights.

    `fonts` names a folder of handwriting fonts, for the networks that learn from drawn handwriting.
    Raises `SettingError` for a value out of range.
    """

    network: str = "classic"
    epochs: int = 12
    batch_size: int = 128
    seed: int = 0
    fonts: str = ""

    def __post_init__(self) -> None:
        _check_range("epochs", self.epochs, 1, 10_000)
        _check_range("batch size", self.batch_size, 1, 65_536)
        _check_range("seed", self.seed, 0, 2**32 - 1)
        if self.fonts and self.network not in DRAWN:
            raise SettingError(f"{self.network} learns from no fonts: leave out --fonts")


def _check_range(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise SettingError(f"the {name} must lie between {least} and {most:,}, received {value}")
