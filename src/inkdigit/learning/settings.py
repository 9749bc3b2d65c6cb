"""What can be set about a training: light to import, for the command line's defaults."""

from dataclasses import dataclass, replace
from math import inf
from numbers import Real
from pathlib import Path
from typing import Any

from inkdigit.errors import SettingError, check_number, is_a, shown
from inkdigit.learning import recipes

# The digits that an evaluation can be on; validation is a part of train.
SPLITS = ("test", "validation", "train", "all")

# The default of what the recipe decides.
_OF_RECIPE: Any = None


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """What is trained and how; the same settings on the same digits give the same weights.

    `network`, `epochs`, `batch_size`, `learning_rate`, `optimizer` and `augmentation` are the
    recipe's where they are not given. The recipe is `plain` where none is given, or that of the
    network if it is `line` or `single`. `network` is the name of one, or `FILE.py:FUNCTION`, which
    is kept as `network_file`; the digest tells it from what it is later. `callbacks` are the names
    of those of Keras that were there. `optimizer` is a name or the configuration of one of Keras's;
    one that is not the recipe's begins at the learning rate that Keras gives it. With a `patience`
    training ends once so many epochs have not lowered the loss on the validation digits, and the
    best weights are kept (early stopping, Prechelt 1998). It learns from `digits` of those there
    are, as many of each, and the share `wrong_labels` of them is labelled as another digit; what it
    is validated and tested on stays as it is. `fonts` names a folder of handwriting
    fonts and `hands` one of real people's handwriting, for the networks that learn from drawn
    handwriting; `teacher` a trained model whose answers the others learn instead of labels;
    `init_from` a trained model of the same network, whose weights the training begins with. Raises
    `SettingError` for a value out of range.

    >>> settings = TrainingSettings(recipe="fast", seed=3)
    >>> settings.network, settings.epochs, settings.batch_size
    ('fast', 1, 512)
    """

    recipe: str = _OF_RECIPE
    network: str = _OF_RECIPE
    epochs: int = _OF_RECIPE
    batch_size: int = _OF_RECIPE
    learning_rate: float | None = _OF_RECIPE
    optimizer: str | dict[str, Any] = _OF_RECIPE
    augmentation: str = _OF_RECIPE
    patience: int | None = None
    digits: int | None = None
    wrong_labels: float = 0.0
    seed: int = 0
    network_file: str = ""
    network_digest: str = ""
    callbacks: tuple[str, ...] = ()
    fonts: str = ""
    hands: str = ""
    teacher: str = ""
    init_from: str = ""

    def __post_init__(self) -> None:
        self._fill_in("recipe", self.network if self.network in recipes.DRAWN else recipes.PLAIN)
        recipe = recipes.find_recipe(self.recipe)
        for name in ("network", "epochs", "batch_size", "optimizer", "augmentation"):
            self._fill_in(name, getattr(recipe, name))
        if self.optimizer == recipe.optimizer:
            self._fill_in("learning_rate", recipe.learning_rate)
        self._name_own_network()
        object.__setattr__(self, "callbacks", tuple(self.callbacks))
        check_number("the epochs", self.epochs, 1, 10_000)
        check_number("the batch size", self.batch_size, 1, 65_536)
        check_number("the seed", self.seed, 0, 2**32 - 1)
        if self.patience is not None:
            check_number("the patience", self.patience, 1, 10_000)
        if self.digits is not None:
            check_number("the digits to learn from", self.digits, 10)
        check_number("the share of wrong labels", self.wrong_labels, 0, 1, Real)
        recipes.check_known("augmentation", self.augmentation, recipes.AUGMENTATIONS)
        self._check_optimizer()
        _check_kind(self, recipe.network)

    @property
    def name(self) -> str:
        """What a run is called: by its recipe, or by its network where that is plain."""
        return self.network if self.recipe == recipes.PLAIN else self.recipe

    def as_recipe(self) -> recipes.Recipe:
        """Return the recipe with what these settings changed of it."""
        return replace(
            recipes.find_recipe(self.recipe),
            optimizer=self.optimizer,
            learning_rate=self.learning_rate,
            augmentation=self.augmentation,
        )

    def _name_own_network(self) -> None:
        if not isinstance(self.network, str):
            raise SettingError(f"the network is a name, received {shown(self.network)}")
        if self.network.endswith(".py"):
            raise SettingError(
                f"{self.network} is a file: name a function in it as well, {self.network}:FUNCTION"
            )
        file, function, name = self.network.rpartition(".py:")
        if function:
            path = Path(f"{file}.py").absolute()
            object.__setattr__(self, "network_file", f"{path}:{name}")
            object.__setattr__(self, "network", f"{path.stem}.{name}")

    def _check_optimizer(self) -> None:
        if isinstance(self.optimizer, str):
            recipes.check_known("optimizer", self.optimizer, recipes.OPTIMIZERS)
        elif self.learning_rate is not None:
            raise SettingError("the optimizer has a learning rate of its own: set it there")
        rate = self.learning_rate
        if rate is not None and not (is_a(rate, Real) and 0 < rate < inf):
            raise SettingError(f"the learning rate is a number above 0, received {shown(rate)}")

    def _fill_in(self, name: str, value: Any) -> None:
        if getattr(self, name) is None:
            object.__setattr__(self, name, value)


def _check_kind(settings: TrainingSettings, of_recipe: str) -> None:
    """Refuse what goes with labelled digits only, or with drawn handwriting only."""
    network, drawn = settings.network, settings.network in recipes.DRAWN
    if of_recipe != network and (drawn or of_recipe in recipes.DRAWN):
        raise SettingError(f"{settings.recipe} is a recipe for {of_recipe}, not for {network}")
    for name in ("teacher",) if drawn else ("fonts", "hands"):
        if getattr(settings, name):
            raise SettingError(f"{network} learns from no {name}: leave out the {name}")
    if drawn and settings.augmentation != recipes.find_recipe(settings.recipe).augmentation:
        raise SettingError(f"{network} draws what it learns: leave out the augmentation")
