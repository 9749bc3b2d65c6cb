"""The networks by name.

Those in `NETWORKS` learn from labelled digits and turn `(n, 28, 28, 1)` into `(n, 10)`. To add one,
write a function in `digits` that returns its layers, and name that there. Those in
`READERS` learn from drawn handwriting; `line`, which is no plain sequence, returns a model.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from inkdigit.errors import SettingError
from inkdigit.learning.backend import Layers, computing_in, keras
from inkdigit.learning.networks.digits import averaged, classic, fast, lenet5, modern, single
from inkdigit.learning.networks.line import line
from inkdigit.learning.networks.page import page
from inkdigit.learning.recipes import check_known

Model = Any  # a keras.Model; Keras carries no types

NETWORKS: dict[str, Callable[[], Layers]] = {
    "lenet5": lenet5,
    "classic": classic,
    "modern": modern,
    "fast": fast,
    "small-8k": partial(averaged, 16, 16, 16, 16),
    "small-25k": partial(averaged, 20, 24, 32, 40),
    "small-100k": partial(averaged, 32, 48, 64, 80),
    "best": partial(averaged, 48, 64, 96, 128),
}
READERS: dict[str, Callable[[], Any]] = {"line": line, "single": single, "page": page}


def check_network(name: str, known: Iterable[str] = (*NETWORKS, *READERS)) -> None:
    """Raise `SettingError` unless a network of this name is among the known ones."""
    if name in READERS and name not in known:
        choice = f"choose from {', '.join(known)}"
        raise SettingError(f"{name} learns from drawn handwriting, not from digits alone: {choice}")
    check_known("network", name, known)


def build_network(name: str, precision: str = "float32") -> Model:
    """Return the named network, untrained; `SettingError` for an unknown name.

    `precision` is Keras's dtype policy.

    >>> build_network("lenet5").count_params()
    61706
    """
    check_network(name)
    with computing_in(precision):
        built: Any = (NETWORKS | READERS)[name]()
        if isinstance(built, list):
            built = keras.Sequential([keras.Input((28, 28, 1)), *built], name=name)
    return built


def count_macs(model: Model) -> int | None:
    """Return the multiply-accumulates that one digit costs in convolutions and dense layers.

    Of a network that takes images of any width, those of a square: about a digit; of any size,
    those of a page of 1,024 by 768 pixels. `None` for one whose layers do not tell their shapes, as
    those of a subclass.
    """
    shape = getattr(model, "input_shape", None)
    if isinstance(shape, tuple) and shape[2:3] == (None,):
        usual = (shape[1], shape[1]) if shape[1] else (1024, 768)
        shown = keras.Input((*usual, *shape[3:]))
        model = keras.models.clone_model(model, input_tensors=shown)
    try:
        return sum(map(_layer_macs, model.layers))
    except AttributeError:
        return None


def _layer_macs(layer: Any) -> int:
    if isinstance(layer, keras.Model):
        return sum(map(_layer_macs, layer.layers))
    if isinstance(layer, keras.layers.Dense):
        return int(layer.kernel.shape[0] * layer.kernel.shape[1])
    if isinstance(layer, keras.layers.Conv2D):
        _, height, width, _ = layer.output.shape
        rows, columns, channels, filters = layer.kernel.shape
        return int(height * width * rows * columns * channels * filters)
    return 0
