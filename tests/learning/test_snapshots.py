from typing import Any

from inkdigit.learning.api import start_training
from inkdigit.learning.backend import keras, layers
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.networks.own import OwnNetwork
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.snapshots import Camera


def functional() -> Any:
    digit = keras.Input((28, 28))
    return keras.Model(digit, layers.Dense(10, "softmax")(layers.Flatten()(digit)))


def test_a_network_of_ones_own_is_looked_at(small: Dataset) -> None:
    settings = TrainingSettings(network="functional", epochs=1)
    training = start_training(settings, small, OwnNetwork.of(functional))
    camera = Camera(training)
    frame = camera.frame(training.network(), None)
    assert not camera.missing
    assert [frame[name].shape for name in ("filters", "answers", "points")] == [
        (28, 28, 10), (10, 10), (200, 2)
    ]  # fmt: skip
