"""The model file: the one thing that crosses from learning to reading.

An ONNX graph with metadata properties `inkdigit.<field>`, one for each field of `ModelInfo`, as
JSON. A digit model turns `float32 (n, 28, 28, 1)` pixels in 0..1 into probabilities `(n, classes)`,
a page model `(n, height, width, 1)` into `(n, height / 4, width / 4, 6)`, and a line model
`(n, 32, width, 1)` into `(n, frames, classes + 1)`, the last one CTC's blank. A line model may
hold further networks: each has another input, a scalar `bool` that says whether it is run, named
`fallback`, or `witness_…` for what it read with before it was adapted.
`inkdigit.learning.models.export` writes it; this module loads it with ONNX Runtime alone.
"""

import json
import os
from collections.abc import Callable
from dataclasses import Field, asdict, dataclass, fields
from functools import partial
from math import inf
from pathlib import Path
from typing import Any, ClassVar, Self

import cv2
import numpy as np
import numpy.typing as npt
import onnxruntime

import inkdigit
from inkdigit.errors import ImageError, ModelError
from inkdigit.files import open_plain
from inkdigit.reading.alphabet import DIGITS, LINE_ALPHABET
from inkdigit.reading.calibration import Calibration, Floats, PlattScaling, temperature_scale

MODEL_FILE = "model.onnx"
FORMAT = 1
PREFIX = "inkdigit."
# A line network takes images whose width is a multiple of this, and gives a frame for two columns.
WIDTH_MULTIPLE = 4
COLUMNS_PER_FRAME = 2
# What the networks of a line model beside the first are called, and the inputs that say which is
# run. Witnesses are those of before it was adapted.
FIRST, FALLBACK, WITNESS = "first", "fallback", "witness_"


@dataclass(frozen=True, kw_only=True)
class ModelInfo(Calibration):
    """What a model file says of itself, with the `Calibration` of its network.

    The log-odds of a line's text are multiplied by `confidence_slope` and `confidence_intercept` is
    added (Platt 1999).
    """

    network: str
    trained_on: str = "unknown"
    trained_digits: int = 0
    accuracy: float = 0.0
    accuracy_on: str = "nothing"
    inkdigit_version: str = inkdigit.__version__
    reads: str = "digit"
    input_height: int = 28
    input_width: int = 28
    normalisation: str = "mnist: ink fitted into 20x20, centre of mass centred; ink 1.0, paper 0.0"
    classes: str = "0123456789"
    confidence_slope: float = 1.0
    confidence_intercept: float = 0.0
    format: int = FORMAT

    @property
    def platt(self) -> PlattScaling:
        """What turns the probability of a line's text into a confidence."""
        return PlattScaling(self.confidence_slope, self.confidence_intercept)

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
    positive = field.name in {"temperature", "confidence_slope"}
    odd = type(value) is float and (not -inf < value < inf or (positive and value <= 0))
    if type(value) is not field.type or odd:
        raise ValueError(f"{field.name} is {str(value)[:40]!r}")
    return value


class _Model:
    """A network loaded from a model file."""

    _reads: ClassVar[str]

    def __init__(
        self, session: onnxruntime.InferenceSession, info: ModelInfo, path: Path = Path()
    ) -> None:
        self.info, self.path = info, path
        self._session = session
        self._input, *self._others = [each.name for each in session.get_inputs()]

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Load a model file; `ModelError` if it is missing, broken or of another kind."""
        model = load_model_file(path)
        if not isinstance(model, cls):
            raise ModelError(f"{path} is no {cls._reads} model: it reads a {model.info.reads}")
        return model

    @property
    def name(self) -> str:
        """The network and the version of Inkdigit that wrote it."""
        return f"{self.info.network} {self.info.inkdigit_version}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    def _run(self, pixels: Floats, **inputs: npt.NDArray[np.bool_]) -> Floats:
        (output,) = self._session.run(None, {self._input: pixels, **inputs})
        return np.asarray(output, np.float32)


class DigitModel(_Model):
    """A digit network loaded from a model file, for 28×28 digits."""

    _reads = "digit"

    def probabilities(self, images: npt.NDArray[np.generic]) -> Floats:
        """Return what the network says, uncalibrated: `float32 (n, classes)` for `(n, 28, 28)`.

        Images are `uint8`, or float in 0..1, ink high and paper 0.
        """
        expected = (self.info.input_height, self.info.input_width)
        if images.ndim != 3 or images.shape[1:] != expected:
            raise ImageError(
                f"expected images of shape (n, {expected[0]}, {expected[1]}), "
                f"received {images.shape}"
            )
        if not len(images):
            return np.zeros((0, len(self.info.classes)), np.float32)
        return self._run(to_pixels(images))

    def predict_proba(self, images: npt.NDArray[np.generic]) -> Floats:
        """Return calibrated probabilities, `float32 (n, classes)`, for images as above."""
        return temperature_scale(self.probabilities(images), self.info.temperature)

    def predict(self, images: npt.NDArray[np.generic]) -> npt.NDArray[np.int64]:
        """Return the likeliest class of each image, `int64 (n,)`."""
        return np.asarray(self.probabilities(images).argmax(axis=1))


class LineModel(_Model):
    """A line network loaded from a model file, for line images 32 pixels high."""

    _reads = "line"

    def frames(self, images: npt.NDArray[np.uint8], *, network: str = "") -> Floats:
        """Return probabilities `float32 (n, width / 2, classes + 1)` for `uint8 (n, 32, width)`.

        The width is a multiple of 4, ink is 255 and paper 0, and the last class is the blank.
        `network` asks one of the `others`, and not the first.
        """
        expected = self.info.input_height
        if images.ndim != 3 or images.shape[1] != expected or images.shape[2] % WIDTH_MULTIPLE:
            raise ImageError(
                f"expected line images of shape (n, {expected}, multiple of {WIDTH_MULTIPLE}), "
                f"received {images.shape}"
            )
        which = {name: np.array(name == network) for name in self._others}
        return self._run(to_pixels(images), **which)

    @property
    def others(self) -> dict[str, Callable[[npt.NDArray[np.uint8]], Floats]]:
        """The further networks of the file by name, each as `frames` is the first."""
        return {name: partial(self.frames, network=name) for name in self._others}


class PageModel(_Model):
    """A page network loaded from a model file: what lies where on a page."""

    _reads = "page"

    def places(self, ink: npt.NDArray[np.uint8]) -> Floats:
        """Return probabilities `float32 (height / 4, width / 4, 6)` for a page `(height, width)`.

        Its sides are multiples of 32; `inkdigit.reading.pages.places` names the classes.
        """
        return np.asarray(self._run(to_pixels(ink[None]))[0])


_KINDS: dict[str, type[DigitModel | LineModel | PageModel]] = {
    kind._reads: kind for kind in (DigitModel, LineModel, PageModel)
}


def load_model_file(path: str | Path) -> DigitModel | LineModel | PageModel:
    """Load a model file of any kind, or that of a run folder.

    Raises `ModelError` if it is missing, broken or of no kind.
    """
    try:
        path = _in_folder(Path(path)) if path else path
        with open_plain(path) as file:
            content = file.read()
    except (OSError, TypeError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ModelError(f"{path or repr(path)} cannot be read: {reason}") from None
    session = _session(content, str(path))
    info = ModelInfo.from_properties(session.get_modelmeta().custom_metadata_map, str(path))
    _check_shapes(session, info, str(path))
    if info.reads == "page":
        # Pages are large and come one by one, so all cores that OpenCV may use share each.
        session = _session(content, str(path), threads=cv2.getNumThreads())
    return _KINDS[info.reads](session, info, Path(path))


def _in_folder(path: Path) -> Path:
    """Return a file, or the model file in a folder."""
    if not path.is_dir():
        return path
    if not (path / MODEL_FILE).exists():
        raise ModelError(
            f"{path} is a folder without {MODEL_FILE}: of a run, `inkdigit export {path}` writes it"
        )
    return path / MODEL_FILE


def to_pixels(images: npt.NDArray[np.generic]) -> Floats:
    """Return what networks take, `float32 (n, height, width, 1)` in 0..1, ink high.

    `images (n, height, width)` are `uint8`, or float in 0..1; `ImageError` for anything else.
    """
    if images.dtype == np.uint8:
        return images[..., None].astype(np.float32) / np.float32(255)
    pixels = images.astype(np.float32)
    within = not pixels.size or (pixels.min() >= 0 and pixels.max() <= 1)
    if not np.issubdtype(images.dtype, np.floating) or not within:
        raise ImageError(f"expected images as uint8, or float in 0..1, received {images.dtype}")
    return pixels[..., None]


def _session(content: bytes, source: str, threads: int = 1) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    # Many small pictures are read by threads of their own, which share nothing and never wait.
    options.intra_op_num_threads = threads
    # A graph must not name other files of this machine as its weights: there are none in here.
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", os.devnull
    )
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(
            f"{source} is not a working ONNX model: reading takes a {MODEL_FILE}, as "
            "`inkdigit train` and `inkdigit export` write it"
        ) from error


def _check_shapes(session: onnxruntime.InferenceSession, info: ModelInfo, source: str) -> None:
    classes = len(info.classes)
    known: dict[str, tuple[str, tuple[object, ...], tuple[object, ...]]] = {
        "digit": (DIGITS, (info.input_height, info.input_width, 1), (classes,)),
        "line": (LINE_ALPHABET, (info.input_height, "n", 1), ("n", classes + 1)),
        "page": ("", ("n", "n", 1), ("n", "n", 6)),
    }
    if info.reads not in known:
        raise ModelError(
            f"{source} reads {info.reads!r}: expected a model of digits, lines or pages"
        )
    alphabet, *sizes = known[info.reads]
    if not info.classes.startswith(alphabet):
        raise ModelError(f"{source} tells {info.classes!r} apart, which is no alphabet of Inkdigit")
    # Any number goes where there is none.
    shapes = [
        (node.type, *(size if isinstance(size, int) else "n" for size in node.shape))
        for node in (*session.get_inputs(), *session.get_outputs())
    ]
    expected = [("tensor(float)", "n", *size) for size in sizes]
    others = [node.name for node in session.get_inputs()[1:]] if info.reads == "line" else []
    named = all(name == FALLBACK or name.startswith(WITNESS) for name in others)
    expected[1:1] = [("tensor(bool)",)] * len(others)
    if shapes != expected or not named:
        raise ModelError(
            f"{source} is no {info.reads} model: it has inputs and outputs of shape {shapes}, "
            f"expected {expected}"
        )
