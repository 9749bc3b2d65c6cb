"""A Keras network as data: its layers in order, what each computes, and its weights.

The page computes with it what Keras does, layer by layer. A layer is one of six kinds (convolution,
dense, pooling, scale, sum, reshape) and the activation that comes after it; depthwise convolutions
are convolutions in groups, and batch normalisation at rest only scales. Models inside a model are
opened.
"""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from inkdigit.learning.backend import keras
from inkdigit.learning.networks import count_macs

Model = Any  # a keras.Model; Keras carries no types
Layer = Any
Weights = dict[str, npt.NDArray[np.float32]]
# The activations that the page knows.
ACTIVATIONS = {
    "linear", "relu", "leaky_relu", "elu", "tanh", "sigmoid", "silu", "softplus", "softmax",
}  # fmt: skip
# What does nothing once a network is trained.
_AT_REST = {
    "ActivityRegularization", "AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise",
    "Identity", "SpatialDropout2D",
}  # fmt: skip


class _UnknownLayerError(Exception):
    """A layer that the page can't compute."""


@dataclass(frozen=True)
class Step:
    """A layer at its place in a network.

    It takes the outputs of the steps `inputs` (-1 is the picture) and gives `output`, a tensor of
    Keras. `described` is what the page is told of it, and `weights` are those it computes with.
    """

    layer: Layer
    inputs: list[int]
    output: Any
    described: dict[str, Any]
    weights: Weights


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
        """Open a Keras model of one picture up; layers of the model take one more input."""
        shape = model.input_shape[1:]
        walk = _Walk(keras.Input(shape))
        try:
            walk.through(model, [walk.picture])
        except _UnknownLayerError as error:
            return cls(model, walk.picture, walk.steps, str(error))
        return cls(model, walk.picture, walk.steps, "")

    @property
    def features(self) -> Model:
        """The network up to what its last dense layer sees; to its last step if it has none."""
        dense = [step for step in self.steps if step.described["kind"] == "dense"]
        before = dense[-1].inputs[0] if dense else len(self.steps) - 1
        return keras.Model(self.picture, self.steps[before].output)

    def outputs(self, pictures: npt.NDArray[np.float32]) -> list[npt.NDArray[np.float32]]:
        """Return what each step gives for pictures `(n, height, width, 1)`, as Keras has it."""
        probe = keras.Model(self.picture, [step.output for step in self.steps])
        return [np.asarray(maps, np.float32) for maps in probe.predict_on_batch(pictures)]

    def to_dict(self) -> dict[str, Any]:
        """Return the network as JSON has it; weights are one base64 of little-endian `float32`."""
        layers, parts, start = [], [], 0
        for step in self.steps:
            places = {}
            for name, values in step.weights.items():
                places[name] = {"start": start, "shape": values.shape}
                parts.append(values.astype("<f4").tobytes())
                start += values.size
            layers.append(
                {
                    "name": step.layer.name,
                    "type": type(step.layer).__name__,
                    "inputs": step.inputs,
                    "weights": places,
                    **step.described,
                }
            )
        return {
            "name": self.model.name,
            "layers": layers,
            "missing": self.missing,
            "parameters": self.model.count_params(),
            "macs": count_macs(self.model),
            "weights": base64.b64encode(b"".join(parts)).decode(),
        }


class _Walk:
    """The way of a picture through a model, in which every layer becomes a step."""

    def __init__(self, picture: Any) -> None:
        self.picture, self.steps = picture, []  # type: ignore[var-annotated]
        self._numbers = {id(picture): -1}

    def through(self, layer: Layer, inputs: Sequence[Any]) -> Any:
        """Return what a layer, or a model in its layers, makes of tensors."""
        if isinstance(layer, keras.Sequential):
            (output,) = inputs
            for each in layer.layers:
                output = self.through(each, [output])
            return output
        if isinstance(layer, keras.Model) and hasattr(layer, "operations"):
            given = inputs[0] if len(inputs) == 1 else list(inputs)
            call: dict[str, Any] = {"clone_function": lambda same: same, "call_function": self._call}
            return keras.models.clone_model(layer, given, **call).output
        return self._call(layer, *inputs)

    def _call(self, layer: Layer, *given: Any, **_: Any) -> Any:
        inputs = keras.tree.flatten(given)
        if isinstance(layer, keras.Model):
            return self.through(layer, inputs)
        described, weights = _describe(layer)
        output = layer(*given)
        self.steps.append(
            Step(layer, [self._numbers[id(one)] for one in inputs], output, described, weights)
        )
        self._numbers[id(output)] = len(self.steps) - 1
        return output


def _describe(layer: Layer) -> tuple[dict[str, Any], Weights]:
    """Return what a layer computes and with which weights; `_UnknownLayerError` for another."""
    kind = type(layer).__name__
    describe = _AS_IT_IS if kind in _AT_REST else _KINDS.get(kind)
    found = describe(layer) if describe else None
    if found is None:
        raise _UnknownLayerError(
            f"{layer.name} is a layer ({kind}) that this page cannot compute: what comes after it "
            "is not shown"
        )
    described, weights = found
    activation = {"activation": "linear", **_activation(layer), **described}
    return activation, {name: np.asarray(values) for name, values in weights.items()}


Described = tuple[dict[str, Any], dict[str, Any]] | None


def _activation(layer: Layer) -> dict[str, Any]:
    function = getattr(layer, "activation", None)
    if function is None:
        return {}
    name = getattr(function, "__name__", "")
    if name not in ACTIVATIONS:
        raise _UnknownLayerError(
            f"{layer.name} has an activation ({name or 'its own'}) that this page cannot compute: "
            "what comes after it is not shown"
        )
    slope = {"leaky_relu": 0.2, "elu": 1.0}.get(name, 0.0)
    return {"activation": name, "slope": slope}


def _convolution(layer: Layer) -> Described:
    if set(layer.dilation_rate) != {1} or layer.data_format != "channels_last":
        return None
    described = {"kind": "conv", "strides": layer.strides, "padding": layer.padding}
    kernel, groups = np.asarray(layer.kernel), getattr(layer, "groups", 1)
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        height, width, groups, times = kernel.shape
        kernel = kernel.reshape(height, width, 1, groups * times)
    return {**described, "groups": groups}, {"kernel": kernel, **_bias(layer, kernel.shape[-1])}


def _dense(layer: Layer) -> Described:
    return {"kind": "dense"}, {"kernel": layer.kernel, **_bias(layer, layer.units)}


def _bias(layer: Layer, size: int) -> Weights:
    return {"bias": np.asarray(layer.bias) if layer.use_bias else np.zeros(size, np.float32)}


def _pooling(layer: Layer, *, largest: bool) -> Described:
    if layer.data_format != "channels_last":
        return None
    around = {"size": layer.pool_size, "strides": layer.strides, "padding": layer.padding}
    return {"kind": "pool", "largest": largest, **around}, {}


def _whole_pooling(layer: Layer, *, largest: bool) -> Described:
    shape = [] if layer.keepdims else [-1]
    return {"kind": "pool", "largest": largest, "size": None, "reshape": shape}, {}


def _normalisation(layer: Layer) -> Described:
    if layer.axis not in {-1, len(layer.input_spec.shape or (0, 0, 0, 0)) - 1}:
        return None
    size = len(layer.moving_mean)
    gamma = layer.gamma if layer.scale else np.ones(size, np.float32)
    beta = layer.beta if layer.center else np.zeros(size, np.float32)
    spread = np.sqrt(np.asarray(layer.moving_variance) + layer.epsilon)
    weights = {"mean": layer.moving_mean, "spread": spread, "gamma": gamma, "beta": beta}
    return {"kind": "scale"}, weights


def _rescaling(layer: Layer) -> Described:
    factors = {"mean": 0, "spread": 1, "gamma": layer.scale, "beta": layer.offset}
    return {"kind": "scale"}, {name: np.float32([value]) for name, value in factors.items()}


def _sum(layer: Layer, *, mean: bool = False) -> Described:
    return {"kind": "sum", "mean": mean}, {}


def _shape(layer: Layer) -> Described:
    return {"kind": "reshape", "reshape": list(getattr(layer, "target_shape", [-1]))}, {}


def _rectified(layer: Layer) -> Described:
    # LeakyReLU has the slope alone.
    if getattr(layer, "max_value", None) is not None or getattr(layer, "threshold", 0):
        return None
    return {"kind": "reshape", "activation": "leaky_relu", "slope": float(layer.negative_slope)}, {}


def _named(layer: Layer, activation: str) -> Described:
    if activation == "softmax" and layer.axis != -1:
        return None
    return {"kind": "reshape", "activation": activation, "slope": float(getattr(layer, "alpha", 0))}, {}


def _as_it_is(_: Layer) -> Described:
    return {"kind": "reshape"}, {}


_AS_IT_IS: Callable[[Layer], Described] = _as_it_is
_KINDS: dict[str, Callable[[Layer], Described]] = {
    "Activation": _as_it_is,
    "Add": _sum,
    "Average": partial(_sum, mean=True),
    "AveragePooling2D": partial(_pooling, largest=False),
    "BatchNormalization": _normalisation,
    "Conv2D": _convolution,
    "Dense": _dense,
    "DepthwiseConv2D": _convolution,
    "ELU": partial(_named, activation="elu"),
    "Flatten": _shape,
    "GlobalAveragePooling2D": partial(_whole_pooling, largest=False),
    "GlobalMaxPooling2D": partial(_whole_pooling, largest=True),
    "LeakyReLU": _rectified,
    "MaxPooling2D": partial(_pooling, largest=True),
    "ReLU": _rectified,
    "Rescaling": _rescaling,
    "Reshape": _shape,
    "Softmax": partial(_named, activation="softmax"),
}
