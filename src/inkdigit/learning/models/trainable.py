"""The networks of a line model file as Keras has them, so that they can be trained further.

A model file holds its weights in eight bits, with batch normalisation folded into them. What it
reads is what these read, up to the rounding of their maps.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inkdigit.errors import ModelError
from inkdigit.learning.backend import keras
from inkdigit.learning.networks import build_network
from inkdigit.reading.model_file import LineModel, to_pixels

Pictures = Iterable[npt.NDArray[np.uint8]]
Values = dict[str, npt.NDArray[Any]]
Weights = list[tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]


def line_networks(path: Path, lines: Pictures) -> list[Any]:
    """Return the networks of a line model file, the first and its fallback if it has one.

    Their batch normalisation begins with what it would have measured on `lines`, line images
    `uint8 (32, width)`. Raises `ModelError` for a file that is no line model of this version.
    """
    import onnx

    LineModel.load(path)
    graph, lines = onnx.load(str(path)).graph, list(lines)
    # An `If` has a graph for each of its networks.
    branches = {attribute.name: attribute.g for attribute in graph.node[0].attribute}
    both = "then_branch" in branches
    graphs = [branches["else_branch"], branches["then_branch"]] if both else [graph]
    try:
        return [_network(_weights(one), lines) for one in graphs]
    except (KeyError, IndexError, ValueError):
        raise ModelError(f"{path} has other layers than the line networks of today") from None


def _weights(graph: Any) -> Weights:
    """Return kernel `(rows, columns, channels, filters)` and bias of each convolution in order."""
    from onnx import numpy_helper

    values: Values = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and set(node.input) <= set(values):
            values[node.output[0]] = _dequantised(*(values[name] for name in node.input))
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    return [
        (values[node.input[1]].transpose(2, 3, 1, 0), values[node.input[2]])
        for node in convolutions
    ]


def _dequantised(
    integers: npt.NDArray[Any], scale: npt.NDArray[Any], zero: npt.NDArray[Any]
) -> npt.NDArray[np.float32]:
    # One scale for each filter, the first axis, or one for all.
    sizes = (-1, *(1,) * (integers.ndim - 1))
    levels = integers.astype(np.float32) - zero.astype(np.float32).reshape(sizes)
    return np.asarray(levels * scale.reshape(sizes), np.float32)


def _network(weights: Weights, lines: list[npt.NDArray[np.uint8]]) -> Any:
    network = build_network("line")
    convolutions = _of_kind(network, keras.layers.Conv2D)
    normalisations = _of_kind(network, keras.layers.BatchNormalization)
    biases = []
    for layer, (kernel, bias) in zip(convolutions, weights, strict=True):
        layer.set_weights([kernel, bias] if layer.use_bias else [kernel])
        if not layer.use_bias:
            biases.append(bias)
    for layer, bias in zip(normalisations, biases, strict=True):
        _normalise(layer, bias, np.zeros_like(bias), np.ones_like(bias))
    # As each still only adds a bias, what comes into all of them is measured at once.
    probe = keras.Model(network.inputs, [layer.input for layer in normalisations])
    for layer, bias, maps in zip(normalisations, biases, _maps(probe, lines), strict=True):
        _normalise(layer, bias, maps.mean(axis=0), maps.var(axis=0))
    return network


def _of_kind(network: Any, kind: Any) -> list[Any]:
    return [layer for layer in network.layers if isinstance(layer, kind)]


def _normalise(
    layer: Any, bias: npt.NDArray[Any], mean: npt.NDArray[Any], variance: npt.NDArray[Any]
) -> None:
    """Let a layer that measured this mean and variance add a bias and change nothing else."""
    layer.set_weights([np.sqrt(variance + layer.epsilon), bias + mean, mean, variance])


def _maps(probe: Any, lines: list[npt.NDArray[np.uint8]]) -> list[npt.NDArray[np.float32]]:
    """Return what a network with several outputs says of all places of all lines."""
    said = [probe.predict_on_batch(to_pixels(line[None])) for line in lines]
    return [
        np.concatenate([np.asarray(maps).reshape(-1, maps.shape[-1]) for maps in of_one])
        for of_one in zip(*said, strict=True)
    ]
