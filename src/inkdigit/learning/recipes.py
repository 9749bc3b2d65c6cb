"""The recipes by name: what fixes a training besides the digits, the seed and the flags.

They stand in `recipes.toml`. Light to import, for the command line's defaults.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from importlib.resources import files
from typing import Any

from inkdigit.errors import SettingError

PLAIN = "plain"
# Up to twice as fast a step as in float32, on processors that have it (Kalamkar et al. 2019).
BFLOAT16 = "mixed_bfloat16"
# By name; `classifiers/augmentation.py` and Keras have what they stand for.
AUGMENTATIONS = ("none", "shift", "warp")
OPTIMIZERS = (
    "adam", "adamw", "sgd", "rmsprop", "nadam", "adamax", "adagrad", "adadelta", "lion", "ftrl",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class SynthesisConfig:
    """How much handwriting is drawn for a network that learns from it.

    Lines or digits come in blocks of `block`. An epoch sees `epoch_blocks` of them, of which
    `fresh_blocks` replace the oldest of the epoch before. `validation` are drawn to validate on
    after each epoch, `measured` to calibrate with and as many to test on at the end.
    """

    block: int = 1024
    epoch_blocks: int
    fresh_blocks: int
    validation: int = 1000
    measured: int = 4000


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A network, its schedule and its augmentation.

    The learning rate rises to its peak in a straight line over the share `warm_up` of the steps, or
    over `warm_up_steps` where that is less, and falls to zero along a cosine (Loshchilov and Hutter
    2017). `optimizer` is one of `OPTIMIZERS`, or the configuration of any that Keras has, whose own
    learning rate then holds. `betas` are Adam's; with a `weight_decay` it is AdamW's (Loshchilov
    and Hutter 2019). Gradients are clipped to `clip_norm`. `smoothing` is taken from the true class
    and spread over all (Szegedy et al. 2016). `augmentation` is one of `AUGMENTATIONS`, `precision`
    a dtype policy of Keras. TensorFlow runs each step of a `compiled` recipe as one graph; other
    backends train the same way through Keras.

    A recipe with a `synthesis` learns from drawn handwriting. `repeats` is how often an epoch then
    sees each drawn line (varied each time but the first) or, of `single`, each digit of MNIST.
    """

    network: str = "classic"
    epochs: int = 12
    batch_size: int = 128
    optimizer: str | dict[str, Any] = "adam"
    learning_rate: float | None = 1e-3
    warm_up: float = 0.0
    warm_up_steps: int | None = None
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float | None = None
    clip_norm: float | None = None
    smoothing: float = 0.0
    augmentation: str = "none"
    precision: str = "float32"
    compiled: bool = False
    repeats: int = 1
    synthesis: SynthesisConfig | None = None

    @property
    def drawn(self) -> SynthesisConfig:
        """How much is drawn; `SettingError` for a network that learns from digits alone."""
        if self.synthesis is None:
            raise SettingError(f"{self.network} does not learn from drawn handwriting")
        return self.synthesis


def _load() -> dict[str, Recipe]:
    found: dict[str, Recipe] = {}
    text = files("inkdigit.learning").joinpath("recipes.toml").read_text("utf-8")
    for name, given in tomllib.loads(text).items():
        base = given.pop("based_on", None)
        if "betas" in given:
            given["betas"] = tuple(given["betas"])
        if "synthesis" in given:
            given["synthesis"] = SynthesisConfig(**given["synthesis"])
        found[name] = replace(found[base] if base else Recipe(), **given)
    return found


RECIPES = _load()
# The networks that learn from drawn handwriting, each by the recipe of its name.
DRAWN = tuple(recipe.network for recipe in RECIPES.values() if recipe.synthesis)


def find_recipe(name: str) -> Recipe:
    """Return the named recipe; `SettingError` for an unknown name."""
    check_known("recipe", name, RECIPES)
    return RECIPES[name]


def check_known(what: str, name: str, known: Iterable[str]) -> None:
    """Raise `SettingError` for a name that is not among those that are known."""
    if name not in (names := list(known)):
        near = get_close_matches(str(name), names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(names)}"
        raise SettingError(f"no {what} is called {name!r}: {hint}")
