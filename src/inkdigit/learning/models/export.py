"""From a Keras model to the one model file that `inkdigit.reading` loads."""

from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt

from inkdigit.errors import MissingExtraError, ModelError, needing
from inkdigit.files import write_atomically
from inkdigit.learning.backend import keras, quietly
from inkdigit.learning.datasets import load_dataset
from inkdigit.learning.models.keras_files import (
    DIGIT_SHAPES,
    LINE_SHAPES,
    load_digit_model,
    load_keras_model,
)
from inkdigit.learning.models.run import KERAS_MODEL, Run
from inkdigit.reading.alphabet import DIGITS, SINGLE_ALPHABET
from inkdigit.reading.model_file import FIRST, ModelInfo, to_pixels

_WEIGHTED = {"Conv", "Gemm", "MatMul"}


def quantise(path: Path, pictures: Iterable[npt.NDArray[np.uint8]]) -> None:
    """Replace the weights and maps of a network in an ONNX file by eight-bit integers.

    `pictures` are digits `uint8 (28, 28)` or line images `(32, width)` that it may be shown.
    Its last layer with weights stays as it is. Weights keep to seven bits, as processors without
    VNNI add up products of eight in too narrow a sum.
    """
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with quietly():
        quant_pre_process(str(path), str(path), skip_symbolic_shape=True)
        graph = onnx.load(str(path)).graph
        inputs = ({graph.input[0].name: to_pixels(picture[None])} for picture in pictures)
        weighted = [node.name for node in graph.node if node.op_type in _WEIGHTED]
        quantize_static(
            str(path),
            str(path),
            SimpleNamespace(get_next=lambda: next(inputs, None)),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=["Add", "MaxPool", "Relu", *_WEIGHTED],
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            nodes_to_exclude=[weighted[-1]],
        )


# Every operator here is far older; a fixed opset keeps files readable by older runtimes.
OPSET = 17
# Characters of a library's reason that are told.
_LONGEST = 120

Pictures = Iterable[npt.NDArray[np.uint8]]


def digits_to_quantise_by() -> Pictures:
    """Return digits that measure how far the maps of a network in eight bits reach."""
    return load_dataset("sample").train.images[:1000]


def write_model_file(
    model: Any, info: ModelInfo, path: Path, pictures: Pictures | None = None
) -> None:
    """Write a network as ONNX with its metadata, in eight bits if that is measured on `pictures`.

    Keras's own export does the work, through `tf2onnx`, so it takes TensorFlow as the backend; a
    run that was trained on another is completed by `inkdigit export` where TensorFlow is. Raises
    `MissingExtraError` or `ModelError` where that cannot be done.
    """
    if keras.backend.backend() != "tensorflow":
        raise MissingExtraError("learn", "TensorFlow as Keras's backend (unset KERAS_BACKEND)")
    with needing("learn"):
        import onnx
        import tf2onnx  # noqa: F401
    if info.reads == "line":
        # It learns from log-odds; what reads wants probabilities.
        model = keras.Model(model.inputs, keras.layers.Softmax()(model.outputs[0]))

    def write(temporary: Path) -> None:
        _export(model, temporary)
        if pictures is not None:
            quantise(temporary, pictures)
        _describe(onnx.load(str(temporary)), info, temporary)

    write_atomically(path, write)


def write_onnx(
    path: Path,
    out: Path,
    measured: Callable[[Any], dict[str, Any]] = lambda _: {},
    pictures: Pictures | None = None,
) -> Path:
    """Write a `.keras` or `.h5` that belongs to no run as ONNX, and return the file.

    `measured` gives the calibration and the accuracy of its network, where they are known.
    """
    model = load_digit_model(path)
    classes = (DIGITS, SINGLE_ALPHABET)[model.output_shape[1] > len(DIGITS)]
    info = ModelInfo(network=path.stem, classes=classes, **measured(model))
    write_model_file(model, info, out, pictures)
    return out


def check_exportable(model: Any) -> None:
    """Raise `ModelError` for a network that could not be written as a model file here."""
    if keras.backend.backend() == "tensorflow":
        with TemporaryDirectory() as folder, needing("learn"):
            _export(model, Path(folder, "network.onnx"))


def describe(path: Path, info: ModelInfo) -> None:
    """Replace what a model file says of itself."""
    import onnx

    write_atomically(path, lambda temporary: _describe(onnx.load(str(path)), info, temporary))


def write_line_networks(
    networks: Iterable[tuple[str, Any]],
    info: ModelInfo,
    path: Path,
    pictures: Callable[[], Pictures],
) -> None:
    """Write one line model file of networks with their names: the first, and those beside it.

    `pictures` gives those that each is measured on for eight bits.
    """

    def write(target: Path) -> None:
        with TemporaryDirectory(dir=target.parent) as folder:
            files: dict[str, Path] = {}
            for name, network in networks:
                files[name] = Path(folder, f"{name}.onnx")
                write_model_file(network, info, files[name], pictures())
            if len(files) == 1:
                files[FIRST].replace(target)
            else:
                _join(files, info, target)

    write_atomically(path, write)


def _join(files: dict[str, Path], info: ModelInfo, path: Path) -> None:
    """Write one line model file of several: only the network that is asked is computed."""
    import onnx
    from onnx import helper

    models = {name: onnx.load(str(file)) for name, file in files.items()}
    first = models[FIRST]
    branches = {name: _branch(name, model) for name, model in models.items()}
    output = helper.make_tensor_value_info(
        "frames", onnx.TensorProto.FLOAT, ["n", "frames", len(info.classes) + 1]
    )
    asked = branches.pop(FIRST)
    for name, branch in branches.items():
        chosen = helper.make_node(
            "If", [name], [output.name], f"if_{name}", else_branch=asked, then_branch=branch
        )
        asked = helper.make_graph([chosen], f"{name}_or_before", [], [output])
    which = [helper.make_tensor_value_info(name, onnx.TensorProto.BOOL, []) for name in branches]
    inputs = [first.graph.input[0], *which]
    graph = helper.make_graph(asked.node, info.network, inputs, [output])
    versions = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, opset_imports=versions, ir_version=first.ir_version)
    _describe(model, info, path)


def _branch(name: str, model: Any) -> Any:
    """Return the graph of a model as a branch; it sees the inputs of the graph around it."""
    import onnx

    graph = onnx.compose.add_prefix(model, f"{name}/", rename_inputs=False).graph
    return onnx.helper.make_graph(graph.node, name, [], graph.output, graph.initializer)


def _describe(graph: Any, info: ModelInfo, path: Path) -> None:
    import onnx

    onnx.helper.set_model_props(graph, info.to_properties())
    onnx.checker.check_model(graph)
    onnx.save(graph, str(path))


def _export(model: Any, path: Path) -> None:
    import onnx

    signature = [keras.InputSpec("float32", shape=model.input_shape, name="images")]
    shown = keras.Input(model.input_shape[1:])
    try:
        with quietly():
            # Layers that change what they are shown at random do so unless they are told not to.
            model = keras.Model(shown, model(shown, training=False), name="n")
            model.export(
                str(path),
                format="onnx",
                verbose=False,
                opset_version=OPSET,
                input_signature=signature,
            )
        # An operation that ONNX does not have is written all the same.
        onnx.checker.check_model(str(path))
    except Exception as error:
        why = " ".join(str(error).split())[:_LONGEST] or type(error).__name__
        raise ModelError(f"this network cannot be written as ONNX: {why}") from error


def export(run: Run, path: Path, pictures: Pictures | None = None) -> Path:
    """Write the model file of a finished run at `path`, and return it; `pictures` as above."""
    info = run.info()
    shapes = LINE_SHAPES if info.reads == "line" else DIGIT_SHAPES
    write_model_file(load_keras_model(run.folder / KERAS_MODEL, shapes), info, path, pictures)
    return path
