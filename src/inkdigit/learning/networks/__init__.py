"""The networks by name: each builder returns an untrained model, `(n, 28, 28, 1)` to `(n, 10)`.

To add one, write a file beside these and name its builder here.
"""

from collections.abc import Callable
from typing import Any

from inkdigit.errors import SettingError
from inkdigit.learning.backend import keras
from inkdigit.learning.networks.classic import classic
from inkdigit.learning.networks.lenet5 import lenet5
from inkdigit.learning.networks.modern import modern

Model = Any  # a keras.Model; Keras carries no types

NETWORKS: dict[str, Callable[[], Model]] = {
    "lenet5": lenet5,
    "classic": classic,
    "modern": modern,
}


def check_network(name: str) -> None:
    """Raise `SettingError` for a name that no network has."""
    if name not in NETWORKS:
        raise SettingError(f"no network is called {name!r}: choose from {', '.join(NETWORKS)}")


def build_network(name: str) -> Model:
    """Return the named network, untrained; `SettingError` for an unknown name."""
    check_network(name)
    return NETWORKS[name]()


def count_macs(model: Model) -> int:
    """Return the multiply-accumulates that one digit costs in convolutions and dense layers."""
    return sum(_layer_macs(layer) for layer in model.layers)


def _layer_macs(layer: Any) -> int:
    if isinstance(layer, keras.Model):
        return count_macs(layer)
    if isinstance(layer, keras.layers.Dense):
        return int(layer.kernel.shape[0] * layer.kernel.shape[1])
    if isinstance(layer, keras.layers.Conv2D):
        _, height, width, _ = layer.output.shape
        rows, columns, channels, filters = layer.kernel.shape
        return int(height * width * rows * columns * channels * filters)
    return 0
