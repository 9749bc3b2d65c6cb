"""The networks of a model file as Keras has them, so that they can be trained further.

A model file has batch normalisation folded into its weights, and those of a line network are in
eight bits until it is adapted. What it reads is what these read, up to the rounding of maps.
"""

from collections.abc import Container, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from inkdigit.errors import ModelError
from inkdigit.learning.backend import keras
from inkdigit.learning.networks import build_network
from inkdigit.reading.model_file import FIRST, load_model_file, to_pixels

Pictures = Iterable[npt.NDArray[np.uint8]]
Array = npt.NDArray[np.float32]


class _Weighted(NamedTuple):
    """What a layer with weights does: a product with its kernel, then `scale` and `bias`."""

    kernel: Array
    scale: Array
    bias: Array


def trainable_networks(
    path: Path, pictures: Pictures, others: Container[str] = ()
) -> dict[str, Any]:
    """Return the networks of a model file by name: the first, and those beside it if any.

    Their batch normalisation begins with what it would have measured on `pictures`, line images
    `uint8 (32, width)`, pages or digits `(28, 28)`; without any it only scales and adds. Raises
    `ModelError` for a file that is none, or not of the networks `line`, `page` and `single` of
    this version, or one of the `others`.
    """
    import onnx

    info = load_model_file(path).info
    usual = "single" if info.reads == "digit" else info.reads
    name = info.network if info.network in others else usual
    graph, pictures = onnx.load(str(path)).graph, list(pictures)
    try:
        return {
            each: _network(name, _layers_of(one), pictures) for each, one in _graphs(graph).items()
        }
    except (KeyError, IndexError, ValueError):
        raise ModelError(f"{path} has other layers than the network {name} of today") from None


def _graphs(graph: Any) -> dict[str, Any]:
    """Return the graph of each network: an `If` has that of one, and those before it."""
    node = graph.node[0]
    branches = {attribute.name: attribute.g for attribute in node.attribute}
    if "then_branch" not in branches:
        return {FIRST: graph}
    return _graphs(branches["else_branch"]) | {node.input[0]: branches["then_branch"]}


def _layers_of(graph: Any) -> list[_Weighted]:
    """Return what the layers with weights of a graph do, in order."""
    from onnx import numpy_helper

    values = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    layers: list[_Weighted] = []
    for node in graph.node:
        known = [values[name] for name in node.input if name in values]
        if node.op_type == "DequantizeLinear" and len(known) == len(node.input):
            values[node.output[0]] = _dequantised(*known)
        elif node.op_type == "Conv":
            bias = known[1] if len(known) > 1 else np.zeros(len(known[0]), np.float32)
            layers.append(_Weighted(known[0].transpose(2, 3, 1, 0), np.ones_like(bias), bias))
        elif node.op_type == "MatMul":
            ones = np.ones(known[0].shape[1], np.float32)
            layers.append(_Weighted(known[0], ones, np.zeros_like(ones)))
        elif node.op_type in {"Mul", "Add"} and known and known[0].dtype == np.float32:
            factor = known[0].ravel() if node.op_type == "Mul" else np.float32(1)
            kernel, scale, bias = layers.pop()
            shift = known[0].ravel() if node.op_type == "Add" else np.float32(0)
            layers.append(_Weighted(kernel, scale * factor, bias * factor + shift))
    return layers


def _dequantised(
    integers: npt.NDArray[Any], scale: npt.NDArray[Any], zero: npt.NDArray[Any]
) -> Array:
    # One scale for each filter, the first axis, or one for all.
    sizes = (-1, *(1,) * (integers.ndim - 1))
    levels = integers.astype(np.float32) - zero.astype(np.float32).reshape(sizes)
    return np.asarray(levels * scale.reshape(sizes), np.float32)


def _network(name: str, known: list[_Weighted], pictures: list[npt.NDArray[np.uint8]]) -> Any:
    network = build_network(name)
    kinds = (keras.layers.Conv2D, keras.layers.Dense)
    weighted = [layer for layer in network.layers if isinstance(layer, kinds)]
    normal = [one for one in network.layers if isinstance(one, keras.layers.BatchNormalization)]
    known = _matched(known, [tuple(layer.kernel.shape) for layer in weighted])
    for layer, one in zip(weighted, known, strict=True):
        kernel = one.kernel * one.scale if layer.use_bias else one.kernel
        layer.set_weights([kernel, one.bias] if layer.use_bias else [kernel])
    plain = [one for layer, one in zip(weighted, known, strict=True) if not layer.use_bias]
    for layer, one in zip(normal, plain, strict=True):
        _normalise(layer, one, np.zeros_like(one.bias), np.ones_like(one.bias))
    if not pictures:
        return network
    # As each still only scales and adds, what comes into all of them is measured at once.
    probe = keras.Model(network.inputs, [layer.input for layer in normal])
    for layer, one, maps in zip(normal, plain, _maps(probe, pictures), strict=True):
        _normalise(layer, one, maps.mean(axis=0), maps.var(axis=0))
    return network


def _matched(known: list[_Weighted], shapes: list[tuple[int, ...]]) -> list[_Weighted]:
    """Return layers in the order of these shapes: where paths part, a graph may have another."""
    left = {place: one.kernel.shape for place, one in enumerate(known)}
    places = [next((n for n in left if left[n] == shape and left.pop(n)), -1) for shape in shapes]
    if left or -1 in places:
        raise ValueError("layers of other shapes")
    return [known[place] for place in places]


def _normalise(layer: Any, does: _Weighted, mean: Array, variance: Array) -> None:
    """Let a layer that measured this mean and variance scale and add as it did."""
    gamma = does.scale * np.sqrt(variance + layer.epsilon)
    layer.set_weights([gamma, does.bias + mean * does.scale, mean, variance])


def _maps(probe: Any, pictures: list[npt.NDArray[np.uint8]]) -> list[Array]:
    """Return what a network with several outputs says of all places of all pictures."""
    said = [probe.predict_on_batch(to_pixels(picture[None])) for picture in pictures]
    return [
        np.concatenate([np.asarray(maps).reshape(-1, maps.shape[-1]) for maps in of_one])
        for of_one in zip(*said, strict=True)
    ]
