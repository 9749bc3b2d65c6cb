"""The model file: the one thing that crosses from learning to reading.

An ONNX graph that turns `float32 (n, 28, 28, 1)` pixels in 0..1 into probabilities `(n, classes)`,
with metadata properties `inkdigit.<field>`, one for each field of `ModelInfo`, as JSON.
`inkdigit.learning.export` writes it; this module loads it with ONNX Runtime alone.
"""

import json
import os
from dataclasses import Field, asdict, dataclass, fields
from math import inf
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import onnxruntime

from inkdigit.errors import ImageError, ModelError

FORMAT = 1
PREFIX = "inkdigit."
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """What a model file says of itself.

    `temperature` divides the log-probabilities to calibrate them (Guo et al. 2017). A digit whose
    calibrated probability is below `reject_threshold` should not be taken unseen: on the
    `reject_measured_on` validation digits, `reject_accepted` of them lay above it, and of those the
    share `reject_error` was wrong.
    """

    network: str
    trained_on: str
    trained_digits: int
    accuracy: float
    accuracy_on: str
    temperature: float
    reject_threshold: float
    reject_error: float
    reject_accepted: float
    reject_measured_on: int
    inkdigit_version: str
    reads: str = "digit"
    input_height: int = 28
    input_width: int = 28
    normalisation: str = "mnist: ink fitted into 20x20, centre of mass centred; ink 1.0, paper 0.0"
    classes: str = "0123456789"
    format: int = FORMAT

    def to_properties(self) -> dict[str, str]:
        """Return the metadata properties of the model file: each field as JSON."""
        return {PREFIX + name: json.dumps(value) for name, value in asdict(self).items()}

    @classmethod
    def from_properties(cls, properties: dict[str, str], source: str) -> Self:
        """Rebuild from metadata properties; `ModelError` where they are missing, odd or newer."""
        if PREFIX + "format" not in properties:
            raise ModelError(
                f"{source} is ONNX without Inkdigit's metadata: write it with "
                "inkdigit train or inkdigit export"
            )
        try:
            # First of all: another format may well have other fields.
            if (found := json.loads(properties[PREFIX + "format"])) != FORMAT:
                raise ModelError(
                    f"{source} is of model format {found}, and this Inkdigit "
                    f"reads format {FORMAT}: use the version that wrote it, or newer"
                )
            return cls(**{field.name: _value(field, properties) for field in fields(cls)})
        except (KeyError, ValueError, OverflowError, RecursionError) as error:
            raise ModelError(f"{source} has broken metadata ({error})") from None


def _value(field: Field[Any], properties: dict[str, str]) -> Any:
    value = json.loads(properties[PREFIX + field.name])
    if field.type is float and type(value) is int:
        value = float(value)
    if type(value) is not field.type or (field.name == "temperature" and not 0 < value < inf):
        raise ValueError(f"{field.name} is {str(value)[:40]!r}")
    return value


class DigitModel:
    """A digit network loaded from a model file, for 28×28 digits."""

    def __init__(self, session: onnxruntime.InferenceSession, info: ModelInfo) -> None:
        self.info = info
        self._session = session
        self._input = session.get_inputs()[0].name

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Load a model file; `ModelError` if it is missing, broken or of another kind."""
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise ModelError(f"{path} cannot be read: {error.strerror or error}") from None
        session = _session(content, str(path))
        info = ModelInfo.from_properties(session.get_modelmeta().custom_metadata_map, str(path))
        _check_shapes(session, info, str(path))
        return cls(session, info)

    def probabilities(self, images: npt.NDArray[np.generic]) -> Floats:
        """Return what the network says, uncalibrated: `float32 (n, classes)` for `(n, 28, 28)`.

        Images are `uint8`, or float in 0..1, ink high and paper 0.
        """
        pixels = self._pixels(images)
        if not len(pixels):
            return np.zeros((0, len(self.info.classes)), np.float32)
        (output,) = self._session.run(None, {self._input: pixels})
        return np.asarray(output, np.float32)

    def predict_proba(self, images: npt.NDArray[np.generic]) -> Floats:
        """Return calibrated probabilities, `float32 (n, classes)`, for images as above."""
        return temper(self.probabilities(images), self.info.temperature)

    def predict(self, images: npt.NDArray[np.generic]) -> npt.NDArray[np.int64]:
        """Return the likeliest class of each image, `int64 (n,)`."""
        return np.asarray(self.probabilities(images).argmax(axis=1))

    def _pixels(self, images: npt.NDArray[np.generic]) -> Floats:
        expected = (self.info.input_height, self.info.input_width)
        if images.ndim != 3 or images.shape[1:] != expected:
            raise ImageError(
                f"expected images of shape (n, {expected[0]}, {expected[1]}), "
                f"received {images.shape}"
            )
        return _scaled(images)[..., None]


def _scaled(images: npt.NDArray[np.generic]) -> Floats:
    if images.dtype == np.uint8:
        return images.astype(np.float32) / np.float32(255)
    pixels = images.astype(np.float32)
    within = not pixels.size or (pixels.min() >= 0 and pixels.max() <= 1)
    if not np.issubdtype(images.dtype, np.floating) or not within:
        raise ImageError(f"expected images as uint8, or float in 0..1, received {images.dtype}")
    return pixels


def temper(probabilities: Floats, temperature: float) -> Floats:
    """Return `softmax(log p / temperature)` of each row."""
    logits = np.log(np.maximum(probabilities, 1e-30)) / temperature
    logits -= logits.max(axis=1, keepdims=True)
    exponentials = np.exp(logits)
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True), np.float32)


def _session(content: bytes, source: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    # Spinning threads gain little here and slow down whatever else runs on the machine.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # A graph must not name other files of this machine as its weights: there are none in here.
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", os.devnull
    )
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001  (the runtime raises types of its own, unexported)
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ModelError(f"{source} is not a working ONNX model ({reason})") from None


def _check_shapes(session: onnxruntime.InferenceSession, info: ModelInfo, source: str) -> None:
    shapes = [_signature(node) for node in (*session.get_inputs(), *session.get_outputs())]
    expected = [
        ("tensor(float)", "n", info.input_height, info.input_width, 1),
        ("tensor(float)", "n", len(info.classes)),
    ]
    if info.reads != "digit" or shapes != expected:
        raise ModelError(
            f"{source} is no digit model: it has inputs and outputs of shape {shapes}, "
            f"expected {expected}"
        )


def _signature(node: onnxruntime.NodeArg) -> tuple[object, ...]:
    """Return type and shape of an input or output, `n` where any number of digits goes."""
    first = [size if isinstance(size, int) else "n" for size in node.shape[:1]]
    return (node.type, *first, *node.shape[1:])
