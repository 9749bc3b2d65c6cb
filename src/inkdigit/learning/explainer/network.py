"""A Keras network as data: its layers in order, how they are connected, and their weights.

The page computes with it what Keras does, layer by layer. Models inside a model are opened.
"""

import base64
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from inkdigit.learning.backend import keras
from inkdigit.learning.networks import count_macs

Model = Any  # a keras.Model; Keras carries no types
Layer = Any

# What the page computes: layers, each with what it is told of its configuration, and activations.
_COMPUTED = tomllib.loads(Path(__file__).with_name("layers.toml").read_text("utf-8"))
# A layer that is otherwise is not computed.
_USUAL = {
    "dilation_rate": (1, 1),
    "data_format": "channels_last",
    "max_value": None,
    "threshold": 0,
}


class _UnknownLayerError(Exception):
    """A layer that the page can't compute."""


@dataclass(frozen=True)
class Step:
    """A layer at its place in a network, as the page is told of it (`described`).

    It takes the outputs of the steps `inputs` (-1 is the picture) and gives `output`, a tensor of
    Keras.
    """

    layer: Layer
    inputs: list[int]
    output: Any
    described: dict[str, Any]


@dataclass(frozen=True)
class Network:
    """A network opened up: its picture, and its steps in order, as far as they can be computed.

    `missing` says which layer can't be, where there is one; the steps end before it.

    >>> from inkdigit.learning import build_network
    >>> network = Network.of(build_network("lenet5"))
    >>> [step.layer.name for step in network.steps][:3], network.missing
    (['C1', 'S2', 'C3'], '')
    """

    model: Model
    picture: Any
    steps: list[Step] = field(repr=False)
    missing: str

    @classmethod
    def of(cls, model: Model) -> "Network":
        """Open a Keras model of one picture up; its layers take one more input."""
        picture = keras.Input(model.input_shape[1:])
        walk, missing = _Walk(picture), ""
        try:
            walk.through(model, [picture])
        except _UnknownLayerError as error:
            missing = f"{error} cannot be computed by this page: nothing after it is shown"
        return cls(model, picture, walk.steps, missing)

    @property
    def features(self) -> Model:
        """The network up to what its last dense layer sees; to its last step if it has none."""
        dense = [step for step in self.steps if step.described["type"] == "Dense"]
        before = dense[-1].inputs[0] if dense else len(self.steps) - 1
        return keras.Model(self.picture, self.steps[before].output if before >= 0 else self.picture)

    def to_dict(self) -> dict[str, Any]:
        """Return the network as JSON has it; all weights are one base64 of `float32` ("<f4")."""
        layers: list[dict[str, Any]] = []
        parts: list[bytes] = []
        for step in self.steps:
            shapes = {}
            for weights in step.layer.weights:
                shapes[weights.name] = list(weights.shape)
                parts.append(np.asarray(weights, "<f4").tobytes())
            layers.append({"inputs": step.inputs, "weights": shapes, **step.described})
        return {
            "layers": layers,
            "missing": self.missing,
            "parameters": self.model.count_params(),
            "macs": count_macs(self.model),
            "weights": base64.b64encode(b"".join(parts)).decode(),
        }


class _Walk:
    """The way of a picture through a model, in which every layer becomes a step."""

    def __init__(self, picture: Any) -> None:
        self.steps: list[Step] = []
        self._numbers = {id(picture): -1}

    def through(self, layer: Layer, inputs: Sequence[Any]) -> Any:
        """Return what a layer, or a model in its layers, makes of tensors."""
        if isinstance(layer, keras.Sequential):
            (output,) = inputs
            for each in layer.layers:
                output = self.through(each, [output])
            return output
        if hasattr(layer, "operations"):  # a functional model
            # As `clone_model` does, whose models are cut off from what comes before them.
            return layer._run_through_graph(list(inputs), lambda same: same, self._call)
        return self._add(layer, *inputs)

    def _call(self, layer: Layer, *given: Any, **_: Any) -> Any:
        if isinstance(layer, keras.Model):
            return self.through(layer, keras.tree.flatten(given))
        return self._add(layer, *given)

    def _add(self, layer: Layer, *given: Any) -> Any:
        inputs = keras.tree.flatten(given)
        if type(layer).__name__ == "Add" and not isinstance(layer, keras.Layer):  # x + y
            layer, given = keras.layers.Add(name=layer.name), (inputs,)
        if any(one.layer.name == layer.name and one.layer is not layer for one in self.steps):
            layer.name = f"{layer.name}_{len(self.steps)}"  # Keras wants names but once
        shapes = {one.shape if id(one) in self._numbers else None for one in inputs}
        described = _describe(layer, shapes)
        output = layer(*given)
        numbers = [self._numbers[id(one)] for one in inputs]
        self._numbers[id(output)] = len(self.steps)
        self.steps.append(Step(layer, numbers, output, described))
        return output


def _describe(layer: Layer, shapes: set[tuple[int | None, ...] | None]) -> dict[str, Any]:
    """Return a layer's name, type and what else `layers.toml` lists for it.

    `shapes` are those of what comes in; `None` is no layer's output. Raises `_UnknownLayerError`
    for others.
    """
    kind = type(layer).__name__
    # Other classes, such as those of Keras's operations, may be called as its layers are.
    if kind not in _COMPUTED["layers"] or type(layer) is not getattr(keras.layers, kind):
        what = "a layer" if isinstance(layer, keras.Layer) else "an operation"
        raise _UnknownLayerError(f"{layer.name}, {what} of the type {kind},")
    if len(shapes) != 1 or not (shape := shapes.pop()):
        raise _UnknownLayerError(f"{layer.name}, with what is given to it,")
    told = layer.get_config()
    odd = [name for name, usual in _USUAL.items() if told.get(name, usual) != usual]
    if told.get("axis", -1) not in (-1, len(shape) - 1):
        odd.append("axis")
    if told.get("activation", "linear") not in _COMPUTED["activations"]:
        odd.append("activation")
    if odd:
        raise _UnknownLayerError(f"{layer.name}, with its {odd[0]}: {told[odd[0]]},")
    tells = {name: told.get(name) for name in _COMPUTED["layers"][kind]}
    return {"name": layer.name, "type": kind, **tells}
