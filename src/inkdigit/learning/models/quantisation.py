"""Networks in eight bits: half the time of a look at a line, and less than a third of the file.

Static quantisation (Jacob et al. 2018) by ONNX Runtime. How far each map reaches is measured on
the sample's digits, and on lines drawn with them and with pen strokes, so a run can be exported
wherever it lies.
"""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from inkdigit.learning.datasets import load_dataset
from inkdigit.learning.datasets.digits import to_pixels
from inkdigit.learning.synthesis.stream import Generator, pad
from inkdigit.reading.model_file import WIDTH_STEP

_SEED = 95
_STRIPS = 200
_DIGITS = 1000
_WEIGHTED = {"Conv", "Gemm", "MatMul"}

Floats = npt.NDArray[np.float32]


def quantise(path: Path, pictures: Iterator[Floats]) -> None:
    """Replace the weights and maps of a network in an ONNX file by eight-bit integers.

    `pictures` are what it may be shown. Its last layer with weights stays as it is. Weights keep to
    seven bits, as processors without VNNI add up products of eight in too narrow a sum.
    """
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Pictures(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self, name: str) -> None:
            self._inputs = ({name: picture} for picture in pictures)

        def get_next(self) -> dict[str, Floats] | None:
            return next(self._inputs, None)

    with _quietly():
        quant_pre_process(str(path), str(path), skip_symbolic_shape=True)
        graph = _load(path)
        weighted = [node.name for node in graph.node if node.op_type in _WEIGHTED]
        quantize_static(
            str(path),
            str(path),
            Pictures(graph.input[0].name),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Add", "MaxPool", "Relu", *_WEIGHTED],
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=[weighted[-1]],
        )


def drawn_strips() -> Iterator[Floats]:
    """Yield drawn lines as a line network takes them, `(1, 32, width, 1)`."""
    draw = Generator(load_dataset("sample").train, None).begin()
    for number in range(_STRIPS):
        pixels, _ = draw([_SEED, number])
        yield to_pixels(pad([pixels], WIDTH_STEP))


def sample_digits() -> Iterator[Floats]:
    """Yield digits of the sample as a digit network takes them, `(1, 28, 28, 1)`."""
    for image in load_dataset("sample").train.images[:_DIGITS]:
        yield to_pixels(image[None])


def _load(path: Path) -> Any:
    import onnx

    return onnx.load(str(path)).graph


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep to oneself the advice on preparing graphs that ONNX Runtime gives."""
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
