"""What can be set about a training: light to import, for the command line's defaults."""

from dataclasses import dataclass
from typing import Any

from inkdigit.errors import SettingError
from inkdigit.learning.recipes import DRAWN, PLAIN, find_recipe

# The digits that an evaluation can be on; validation is a part of train.
SPLITS = ("test", "validation", "train", "all")

# The default of what the recipe decides.
_OF_RECIPE: Any = None


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """What is trained and how; the same settings on the same digits give the same weights.

    `network`, `epochs` and `batch_size` are the recipe's where they are not given. The recipe is
    `plain` where none is given, or that of the network if it is `line` or `single`. `fonts` names a
    folder of handwriting fonts and `hands` one of real people's handwriting, for the networks that
    learn from drawn handwriting; `teacher` a trained model whose answers the others learn instead
    of labels; `init_from` a trained model of the same network, whose weights the training begins
    with. Raises `SettingError` for a value out of range.

    >>> settings = TrainingSettings(recipe="fast", seed=3)
    >>> settings.network, settings.epochs, settings.batch_size
    ('fast', 1, 512)
    """

    recipe: str = _OF_RECIPE
    network: str = _OF_RECIPE
    epochs: int = _OF_RECIPE
    batch_size: int = _OF_RECIPE
    seed: int = 0
    fonts: str = ""
    hands: str = ""
    teacher: str = ""
    init_from: str = ""

    def __post_init__(self) -> None:
        drawn = self.network in DRAWN
        self._fill_in("recipe", self.network if drawn else PLAIN)
        recipe = find_recipe(self.recipe)
        for name in ("network", "epochs", "batch_size"):
            self._fill_in(name, getattr(recipe, name))
        _check_range("epochs", self.epochs, 1, 10_000)
        _check_range("batch size", self.batch_size, 1, 65_536)
        _check_range("seed", self.seed, 0, 2**32 - 1)
        _check_kind(self, recipe.network)

    @property
    def name(self) -> str:
        """What a run is called: by its recipe, or by its network where that is plain."""
        return self.network if self.recipe == PLAIN else self.recipe

    def _fill_in(self, name: str, value: Any) -> None:
        if getattr(self, name) is None:
            object.__setattr__(self, name, value)


def _check_range(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise SettingError(f"the {name} must lie between {least} and {most:,}, received {value}")


def _check_kind(settings: TrainingSettings, of_recipe: str) -> None:
    """Refuse what goes with labelled digits only, or with drawn handwriting only."""
    network = settings.network
    if network in DRAWN:
        if of_recipe != network:
            raise SettingError(f"{network} has a recipe of its own: leave out --recipe")
        if settings.teacher:
            raise SettingError(f"{network} learns from no other network: leave out --teacher")
    elif of_recipe in DRAWN:
        raise SettingError(f"{settings.recipe} is a recipe for {of_recipe}: leave out --network")
    else:
        for name in ("fonts", "hands"):
            if getattr(settings, name):
                raise SettingError(f"{network} learns from no {name}: leave out --{name}")
