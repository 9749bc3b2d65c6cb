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
from inkdigit.learning.models.keras_files import load_any_model, load_digit_model
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


def shrink(graph: Any) -> None:
    """Keep the weights of convolutions in eight bits, with a scale for each filter.

    The maps stay as they are, which costs no accuracy.
    """
    from onnx import helper, numpy_helper

    weights = {each.name: each for each in graph.initializer}
    for node in [node for node in graph.node if node.op_type == "Conv"]:
        known = weights[node.input[1]]
        kernel = numpy_helper.to_array(known)
        scale = np.maximum(np.abs(kernel).max(axis=(1, 2, 3)), 1e-12) / np.float32(127)
        integers = np.rint(kernel / scale.reshape(-1, 1, 1, 1)).astype(np.int8)
        values = {"integers": integers, "scale": scale, "zero": np.zeros(len(scale), np.int8)}
        names = [f"{known.name}_{name}" for name in values]
        graph.initializer.remove(known)
        arrays = zip(values.values(), names, strict=True)
        graph.initializer.extend(numpy_helper.from_array(array, name) for array, name in arrays)
        graph.node.insert(0, helper.make_node("DequantizeLinear", names, [known.name], axis=0))


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

    Of a page network only the weights are: in eight bits its maps show fewer numbers.

    Keras's own export does the work, through `tf2onnx`, so it takes TensorFlow as the backend; a
    run that was trained on another is completed by `inkdigit export` where TensorFlow is. Raises
    `MissingExtraError` or `ModelError` where that cannot be done.
    """
    _write(_converted(model, info, pictures), info, path)


def _converted(model: Any, info: ModelInfo, pictures: Pictures | None) -> Any:
    """Return a network as a model of ONNX that says nothing of itself yet."""
    if keras.backend.backend() != "tensorflow":
        raise MissingExtraError("learn", "TensorFlow as Keras's backend (unset KERAS_BACKEND)")
    with needing("learn"):
        import onnx
        import tf2onnx  # noqa: F401
    if info.reads in {"line", "page"}:
        # It learns from log-odds; what reads wants probabilities.
        model = keras.Model(model.inputs, keras.layers.Softmax()(model.outputs[0]))
    with TemporaryDirectory() as folder:
        path = Path(folder, "network.onnx")
        _export(model, path)
        if pictures is not None and info.reads != "page":
            quantise(path, pictures)
        converted = onnx.load(str(path))
    if info.reads == "page":
        shrink(converted.graph)
    return converted


def _write(model: Any, info: ModelInfo, path: Path) -> None:
    """Write a model of ONNX with what it says of itself."""
    import onnx

    onnx.helper.set_model_props(model, info.to_properties())
    onnx.checker.check_model(model)
    write_atomically(path, lambda file: onnx.save(model, str(file)))


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

    _write(onnx.load(str(path)), info, path)


def write_line_networks(
    networks: Iterable[tuple[str, Any, Pictures | None]], info: ModelInfo, path: Path
) -> None:
    """Write one line model file of networks: the first, and those beside it.

    Each comes with its name, and with line images that it is measured on for eight bits, or `None`.
    """
    models = {name: _converted(network, info, shown) for name, network, shown in networks}
    _write(models[FIRST] if len(models) == 1 else _joined(models, info), info, path)


def _joined(models: dict[str, Any], info: ModelInfo) -> Any:
    """Return one line model of several: only the network that is asked is computed."""
    from onnx import TensorProto, helper

    first = models[FIRST]
    branches = {name: _branch(name, model) for name, model in models.items()}
    output = helper.make_tensor_value_info(
        "frames", TensorProto.FLOAT, ["n", "frames", len(info.classes) + 1]
    )
    asked = branches.pop(FIRST)
    for name, branch in branches.items():
        chosen = helper.make_node(
            "If", [name], [output.name], f"if_{name}", else_branch=asked, then_branch=branch
        )
        asked = helper.make_graph([chosen], f"{name}_or_before", [], [output])
    which = [helper.make_tensor_value_info(name, TensorProto.BOOL, []) for name in branches]
    inputs = [first.graph.input[0], *which]
    graph = helper.make_graph(asked.node, info.network, inputs, [output])
    versions = [helper.make_opsetid("", OPSET)]
    return helper.make_model(graph, opset_imports=versions, ir_version=first.ir_version)


def _branch(name: str, model: Any) -> Any:
    """Return the graph of a model as a branch; it sees the inputs of the graph around it."""
    import onnx

    graph = onnx.compose.add_prefix(model, f"{name}/", rename_inputs=False).graph
    return onnx.helper.make_graph(graph.node, name, [], graph.output, graph.initializer)


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
    write_model_file(load_any_model(run.folder / KERAS_MODEL), run.info(), path, pictures)
    return path
