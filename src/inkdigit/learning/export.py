"""From a Keras model to the one model file that `inkdigit.reading` loads."""

import warnings
from pathlib import Path
from typing import Any

from inkdigit.errors import MissingExtraError
from inkdigit.learning.backend import keras, quiet_native_stderr
from inkdigit.learning.files import write_atomically
from inkdigit.reading.model_file import ModelInfo

# Every operator here is far older; a fixed opset keeps files readable by older runtimes.
OPSET = 17


def write_model_file(model: Any, info: ModelInfo, path: Path) -> None:
    """Write a digit network as ONNX with its metadata; `MissingExtraError` where it can't be.

    Keras's own export does the work, through `tf2onnx`, so it takes TensorFlow as the backend; a
    run that was trained on another is completed by `inkdigit export` where TensorFlow is.
    """
    if keras.backend.backend() != "tensorflow":
        raise MissingExtraError("learn", "TensorFlow as Keras's backend (unset KERAS_BACKEND)")
    try:
        import onnx
        import tf2onnx  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtraError("learn", str(error.name)) from None

    def write(temporary: Path) -> None:
        with quiet_native_stderr(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.export(
                str(temporary),
                format="onnx",
                verbose=False,
                opset_version=OPSET,
                input_signature=[
                    keras.InputSpec("float32", shape=(None, 28, 28, 1), name="images")
                ],
            )
        graph = onnx.load(str(temporary))
        onnx.helper.set_model_props(graph, info.to_properties())
        onnx.checker.check_model(graph)
        onnx.save(graph, str(temporary))

    write_atomically(path, write)
