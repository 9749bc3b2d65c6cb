"""The ways of running a digit network that `inference.py` measures."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from benchmarks.rivals.fast_keras_io import convnet
from inkdigit.learning.datasets import load_dataset
from inkdigit.learning.models.export import write_model_file
from inkdigit.learning.models.keras_files import load_keras_model
from inkdigit.learning.networks import build_network
from inkdigit.reading import DigitModel
from inkdigit.reading.model_file import ModelInfo, to_pixels

WAYS = ("keras", "exported", "optimised", "int8", "openvino", "inkdigit", "inkdigit int8")
INPUT = "images"
Way = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Subject:
    """A network as Keras has it, as a model file, and quantised."""

    model: Any
    onnx: Path
    int8: Path


def subject(name: str, folder: Path, trained: Path | None) -> Subject:
    """Return a network in all its forms."""
    model = convnet() if name == "keras.io" else build_network(name)
    if trained:
        model = load_keras_model(trained)
    found = Subject(model, folder / f"{name}.onnx", folder / f"{name}-int8.onnx")
    write_model_file(model, nameless(name), found.onnx)
    pictures = load_dataset("sample").train.images[:1000]
    write_model_file(model, nameless(name), found.int8, pictures)
    return found


def nameless(name: str) -> ModelInfo:
    """Return the description of a network about which nothing else is known."""
    return ModelInfo(
        network=name, trained_on="", trained_digits=0, accuracy=0.0, accuracy_on="",
        temperature=1.0, reject_threshold=0.0, reject_error=0.0, reject_accepted=1.0,
        reject_measured_on=0, inkdigit_version="",
    )  # fmt: skip


def ways(of: Subject, cores: int) -> dict[str, Way]:
    """Return functions by name, each from `uint8 (n, 28, 28)` to probabilities `(n, 10)`."""
    level = ort.GraphOptimizationLevel
    found: dict[str, Way] = {
        "keras": lambda digits: of.model.predict(to_pixels(digits), batch_size=1000, verbose=0),
        "exported": session(of.onnx, cores, level.ORT_DISABLE_ALL),
        "optimised": session(of.onnx, cores, level.ORT_ENABLE_ALL),
        "int8": session(of.int8, cores, level.ORT_ENABLE_ALL),
        "inkdigit": inkdigit(of.onnx, cores),
        "inkdigit int8": inkdigit(of.int8, cores),
    }
    if find_spec("openvino"):
        found["openvino"] = openvino(of.onnx, cores)
    return found


def session(path: Path, cores: int, level: ort.GraphOptimizationLevel) -> Way:
    """Return a network run by ONNX Runtime, without threads that spin while they wait."""
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.graph_optimization_level = cores, level
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    loaded = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return lambda digits: np.asarray(loaded.run(None, {INPUT: to_pixels(digits)})[0])


def inkdigit(path: Path, cores: int) -> Way:
    """Return a network run by Inkdigit, a batch shared out among as many threads as cores."""
    model, threads = DigitModel.load(path), ThreadPoolExecutor(cores)

    def read(digits: np.ndarray) -> np.ndarray:
        if len(digits) == 1 or cores == 1:
            return model.predict_proba(digits)
        return np.concatenate(list(threads.map(model.predict_proba, np.array_split(digits, cores))))

    return read


def openvino(path: Path, cores: int) -> Way:
    """Return a network run by OpenVINO."""
    import openvino as ov

    threads = {"INFERENCE_NUM_THREADS": cores, "PERFORMANCE_HINT": "LATENCY"}
    compiled = ov.Core().compile_model(path, "CPU", threads)
    return lambda digits: np.asarray(compiled(to_pixels(digits))[0])
