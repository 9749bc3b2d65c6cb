"""Keras models back from `.keras` and `.h5` files, without running code that a file asks for.

A `.keras` or `.h5` file can ask for functions to be called while it is loaded, and Keras's safe
mode has had holes there, more so for `.h5`. So a file's description is read first, and only plain
layers from a list of known ones get as far as Keras.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from inkdigit.errors import ModelError, SettingError
from inkdigit.learning.backend import keras, quietly
from inkdigit.learning.networks.own import adapted
from inkdigit.reading.alphabet import DIGITS, LINE_ALPHABET, SINGLE_ALPHABET
from inkdigit.reading.calibration import Floats
from inkdigit.reading.model_file import to_pixels
from inkdigit.reading.pages.places import CLASSES
from inkdigit.reading.preprocessing.digit import SIZE
from inkdigit.reading.preprocessing.line import LINE_HEIGHT

BATCH = 1000
# Far above any digit network; a description that unpacks to more is an attack or not ours.
MAX_DESCRIPTION = 4_000_000
MAX_WEIGHTS = 1_000_000_000
WEIGHTS = "model.weights.h5"
# What networks take and give: digits, with or without a class for what is none, and lines.
Shapes = tuple[tuple[int | None, ...], tuple[int | None, ...]]
DIGIT_SHAPES = tuple(((None, SIZE, SIZE, 1), (None, len(c))) for c in (DIGITS, SINGLE_ALPHABET))
LINE_SHAPES = (((None, LINE_HEIGHT, None, 1), (None, None, len(LINE_ALPHABET) + 1)),)
PAGE_SHAPES = (((None, None, None, 1), (None, None, None, CLASSES)),)

# What a description may name: layers and what they are made of, none of which can run code.
PLAIN_CLASSES = frozenset(
    files("inkdigit.learning.models").joinpath("plain_classes.txt").read_text("utf-8").split()
)


def predict(model: Any, images: npt.NDArray[np.uint8]) -> Floats:
    """Return a Keras model's probabilities `float32 (n, classes)` for `uint8 (n, 28, 28)`."""
    return np.asarray(model.predict(to_pixels(images), batch_size=BATCH, verbose=0), np.float32)


def save_keras_model(model: Any, path: Path) -> None:
    """Write a model as `.keras` or `.h5`, to be opened and trained further by Keras alone."""
    model.save(path)
    if path.suffix == ".h5":
        # For these Keras would build an optimizer that knows no variables, and `fit` would fail.
        with h5py.File(path, "a") as file:
            del file["optimizer_weights"]


def load_keras_model(path: Path, shapes: tuple[Shapes, ...] | None = DIGIT_SHAPES) -> Any:
    """Return the model in a `.keras` or `.h5` file; `ModelError` if it is broken or unsafe.

    It is also refused if it does not take and give one of the pairs of `shapes`, where there are.
    """
    if not path.is_file():
        raise ModelError(f"{path} is not there, or is no file: name a .keras or .h5 file")
    describe = {".keras": _describe_keras, ".h5": _describe_h5}.get(path.suffix)
    if describe is None:
        raise ModelError(f"{path} is of no known kind: expected .keras or .h5")
    version = ""
    try:
        description, version = describe(path)
        _check_plain(description, path)
        with quietly():
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except ModelError:
        raise
    except Exception as error:
        if version.startswith(("1.", "2.")):
            raise ModelError(
                f"{path} was written by Keras {version}, and Keras 3 cannot open it: build the "
                "network in Keras 3, load its weights there, and save it anew"
            ) from error
        raise ModelError(f"{path} is damaged or no Keras model: save it anew") from error
    found = (getattr(model, "input_shape", None), getattr(model, "output_shape", None))
    if shapes and found not in shapes:
        raise ModelError(
            f"{path} reads {found[0]} and gives {found[1]}: expected "
            f"a network from {shapes[0][0]} to {shapes[0][1]}"
        )
    return model


def is_plain(model: Any) -> bool:
    """Return whether a model could be loaded again from a file: it is of known plain layers."""
    description = dict(keras.saving.serialize_keras_object(model))
    description.pop("compile_config", None)  # as of a file
    try:
        _check_plain(description, Path(str(model.name)))
    except ModelError:
        return False
    return True


def load_digit_model(path: Path) -> Any:
    """Return the digit network in a `.keras` or `.h5` file, as ours are, whoever saved it.

    Raises `ModelError` where it is broken, unsafe, or can't be that.
    """
    return _as_digit_model(load_keras_model(path, None), path)


def _as_digit_model(model: Any, path: Path) -> Any:
    try:
        return adapted(model, path.stem, (len(DIGITS), len(SINGLE_ALPHABET)))
    except SettingError as error:
        raise ModelError(f"{path}: {error}") from None


def load_any_model(path: Path) -> Any:
    """Return the network of lines, pages or digits in a `.keras` or `.h5` file, as ours are."""
    model = load_keras_model(path, None)
    if (model.input_shape, model.output_shape) in (*LINE_SHAPES, *PAGE_SHAPES):
        return model
    return _as_digit_model(model, path)


def _describe_keras(path: Path) -> tuple[Any, str]:
    """Return what a file says of its layers, and which Keras wrote it."""
    with zipfile.ZipFile(path) as archive:
        if archive.getinfo("config.json").file_size > MAX_DESCRIPTION:
            raise ModelError(f"{path} has a description far too large for a digit network")
        description = json.loads(archive.read("config.json"))
        version = json.loads(archive.read("metadata.json")).get("keras_version", "")
        if archive.getinfo(WEIGHTS).file_size > MAX_WEIGHTS:
            raise ModelError(f"{path} has weights far too large for a digit network")
        with h5py.File(io.BytesIO(archive.read(WEIGHTS)), "r") as weights:
            _check_self_contained(weights, path)
    # Not used with compile=False, and it names an optimiser, which is no layer.
    description.pop("compile_config", None)
    return description, str(version)


def _describe_h5(path: Path) -> tuple[Any, str]:
    with h5py.File(path, "r") as file:
        _check_self_contained(file, path)
        if "model_config" not in file.attrs:
            raise ModelError(f"{path} holds weights only: save the whole model, with model.save")
        return json.loads(file.attrs["model_config"]), str(file.attrs.get("keras_version", ""))


def _check_self_contained(file: h5py.File, path: Path) -> None:
    """Refuse HDF5 links and storage that would read other files of this machine."""

    # A visitor of h5py returns what it found; an error would not come through it whole.
    def outside(name: str, link: Any) -> str | None:
        if not isinstance(link, h5py.HardLink):
            return name
        item = file[name]
        elsewhere = isinstance(item, h5py.Dataset) and (item.external or item.is_virtual)
        return name if elsewhere else None

    found = file.visititems_links(outside)
    if found:
        raise ModelError(f"{path} takes {found} from elsewhere, which a model file must not do")


def _check_plain(description: Any, path: Path) -> None:
    for node in _dictionaries(description):
        name, module = node.get("class_name"), node.get("module")
        custom = node.get("registered_name") not in (None, name)
        foreign = module is not None and not f"{module}.".startswith(("keras.", "builtins."))
        if name is not None and (str(name) not in PLAIN_CLASSES or custom or foreign):
            raise ModelError(
                f"{path} asks for {name!r}, which is no plain layer and could run code: "
                "it is not loaded"
            )


def _dictionaries(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        node = list(node.values())
    if isinstance(node, list):
        for child in node:
            yield from _dictionaries(child)
