from dataclasses import replace

import numpy as np
import pytest

from inkdigit.errors import SettingError
from inkdigit.learning.classifiers.augmentation import AUGMENTATIONS
from inkdigit.learning.networks import NETWORKS, READERS
from inkdigit.learning.recipes import DRAWN, PLAIN, RECIPES, find_recipe
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.training import learning_rate


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_names_what_there_is(name: str) -> None:
    recipe = find_recipe(name)
    assert recipe.network in NETWORKS | READERS
    assert (recipe.network in READERS) == (recipe.synthesis is not None)
    assert recipe.augmentation in AUGMENTATIONS
    settings = TrainingSettings(recipe=name)
    assert (settings.recipe, settings.network) == (name, recipe.network)
    assert (settings.epochs, settings.batch_size) == (recipe.epochs, recipe.batch_size)


def test_the_plain_recipe_is_the_default() -> None:
    assert TrainingSettings() == TrainingSettings(recipe=PLAIN)


def test_what_is_given_goes_before_the_recipe() -> None:
    settings = TrainingSettings(recipe="fast", network="lenet5", epochs=3, seed=7)
    assert (settings.network, settings.epochs, settings.seed) == ("lenet5", 3, 7)
    assert settings.batch_size == find_recipe("fast").batch_size


def test_an_unknown_recipe_is_named_with_the_known_ones() -> None:
    with pytest.raises(SettingError, match="'slow': choose from plain, fast"):
        find_recipe("slow")
    with pytest.raises(SettingError, match="'slow': choose from plain, fast"):
        TrainingSettings(recipe="slow")


@pytest.mark.parametrize("network", DRAWN)
def test_networks_that_learn_from_drawn_handwriting_have_a_recipe(network: str) -> None:
    settings = TrainingSettings(network=network)
    assert settings == TrainingSettings(recipe=network)
    assert settings.recipe == network
    assert settings.epochs == RECIPES[network].epochs
    with pytest.raises(SettingError, match=f"fast is a recipe for fast, not for {network}"):
        TrainingSettings(recipe="fast", network=network)
    with pytest.raises(SettingError, match=f"{network} is a recipe for {network}, not for classic"):
        TrainingSettings(recipe=network, network="classic")


def test_the_learning_rate_rises_in_a_line_and_falls_along_a_cosine_to_zero() -> None:
    recipe = replace(find_recipe(PLAIN), learning_rate=0.8, warm_up=0.2)
    schedule = learning_rate(recipe, recipe.learning_rate, 100)
    rates = [float(schedule(step)) for step in range(101)]
    assert rates[:21] == pytest.approx(list(np.linspace(0, 0.8, 21)), abs=1e-6)
    expected = 0.4 * (1 + np.cos(np.pi * np.arange(81) / 80))
    assert rates[20:] == pytest.approx(list(expected), abs=1e-6)


def test_without_a_rise_the_learning_rate_starts_at_its_peak() -> None:
    schedule = learning_rate(find_recipe(PLAIN), 1e-3, 10)
    assert [float(schedule(step)) for step in (0, 5, 10)] == pytest.approx([1e-3, 5e-4, 0])
