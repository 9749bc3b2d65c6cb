"""What can be set about a training: light to import, for the command line's defaults."""

from dataclasses import dataclass
from typing import Any, Self

from inkdigit.errors import SettingError
from inkdigit.learning.recipes import PLAIN, RECIPES, find_recipe

# The networks that read in use; they learn from drawn handwriting.
DRAWN = ("line", "single")

# The digits that an evaluation can be on; validation is a part of train.
SPLITS = ("test", "validation", "train", "all")


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """What is trained and how; the same settings on the same digits give the same weights.

    The schedule and the augmentation are the `recipe`'s; `of` takes its network, epochs and batch
    size too. `fonts` names a folder of handwriting fonts, for the networks that learn from drawn
    handwriting; `teacher` a trained model whose answers the others learn instead of labels; `start`
    a trained model of the same network, whose weights are begun with. Raises `SettingError` for a
    value out of range.
    """

    recipe: str = PLAIN
    network: str = RECIPES[PLAIN].network
    epochs: int = RECIPES[PLAIN].epochs
    batch_size: int = RECIPES[PLAIN].batch_size
    seed: int = 0
    fonts: str = ""
    teacher: str = ""
    start: str = ""

    @classmethod
    def of(cls, recipe: str = PLAIN, **given: Any) -> Self:
        """Return the settings of a recipe, but for what is given; `SettingError` as above."""
        fixed = find_recipe(recipe)
        of_recipe = {name: getattr(fixed, name) for name in ("network", "epochs", "batch_size")}
        return cls(recipe=recipe, **{**of_recipe, **given})

    def __post_init__(self) -> None:
        find_recipe(self.recipe)
        _check_range("epochs", self.epochs, 1, 10_000)
        _check_range("batch size", self.batch_size, 1, 65_536)
        _check_range("seed", self.seed, 0, 2**32 - 1)
        drawn = self.network in DRAWN
        if self.fonts and not drawn:
            raise SettingError(f"{self.network} learns from no fonts: leave out --fonts")
        if drawn and self.recipe != PLAIN:
            raise SettingError(f"{self.network} has a recipe of its own: leave out --recipe")
        if drawn and self.teacher:
            raise SettingError(f"{self.network} learns from no other network: leave out --teacher")


def _check_range(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise SettingError(f"the {name} must lie between {least} and {most:,}, received {value}")
