"""Keras, imported once and quietly; everything in `learning` takes it from here.

TensorFlow is the default backend; the environment variable `KERAS_BACKEND` chooses another
(`jax` is tested). Nothing else in this package names a backend.
"""

import contextlib
import logging
import os
import platform
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

import inkdigit
from inkdigit.errors import MissingExtraError, SettingError

__all__ = [
    "Layers", "computing_in", "gradients", "keras", "layers", "make_reproducible", "quicker_of",
    "quietly", "versions",
]  # fmt: skip

os.environ.setdefault("KERAS_BACKEND", "tensorflow")


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Keep warnings back, and what is written to stderr, which is shown only if the block fails.

    TensorFlow logs before its own log level is read, so only the file descriptor can silence it.
    """
    with tempfile.TemporaryFile() as log, warnings.catch_warnings(action="ignore"):
        logging.disable(logging.WARNING)
        sys.stderr.flush()
        saved = os.dup(2)
        os.dup2(log.fileno(), 2)
        try:
            yield
        except BaseException:
            log.seek(0)
            os.write(saved, log.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            logging.disable(logging.NOTSET)


try:
    with quietly():
        import absl.logging
        import keras

        # Keras announces through it that `.h5` is an old format; whoever saves one knows.
        absl.logging.set_verbosity(absl.logging.ERROR)
        # TensorFlow warns of retracing where several networks are used one after the other.
        logging.getLogger("tensorflow").setLevel(logging.ERROR)
except ModuleNotFoundError as error:
    if error.name == (backend := os.environ["KERAS_BACKEND"]) != "tensorflow":
        raise SettingError(
            f"KERAS_BACKEND is {backend}, which is not installed: install it, or unset the variable"
        ) from None
    raise MissingExtraError("learn", str(error.name)) from None
except ValueError as error:
    raise SettingError(f"Keras does not start: {error} Unset or mend KERAS_BACKEND.") from None


layers = keras.layers
# The layers of a network, one after the other.
Layers = list[keras.Layer]


@contextlib.contextmanager
def computing_in(precision: str) -> Iterator[None]:
    """Let layers that are built in the block compute in a precision, a dtype policy of Keras."""
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy(precision)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(usual)


def make_reproducible(seed: int) -> None:
    """Seed every random generator, so that on one machine the same seed gives the same weights."""
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow

        tensorflow.config.experimental.enable_op_determinism()


def gradients(
    function: Callable[[Any], Any], given: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Return the gradient of the sum of a function's values, a function of Keras's operations."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow

        variable = tensorflow.convert_to_tensor(given)
        with tensorflow.GradientTape() as tape:
            tape.watch(variable)
            values = function(variable)
        return np.asarray(tape.gradient(values, variable))
    import jax

    return np.asarray(jax.grad(lambda variable: keras.ops.sum(function(variable)))(given))


def quicker_of(precision: str) -> str:
    """Return a precision, or `float32` where a convolution learns twice as quickly in that.

    Without instructions for bfloat16, a processor takes ten times as long with it. With them it is
    quicker, so that the answer is the same each time.
    """
    if precision == "float32":
        return precision
    slow = _seconds_to_learn(precision) > 2 * _seconds_to_learn("float32")
    return "float32" if slow else precision


@cache
def _seconds_to_learn(precision: str) -> float:
    """Return what the gradient of a convolution takes in a precision, the least of several."""
    dtype = keras.DTypePolicy(precision).compute_dtype
    maps, kernel = keras.ops.ones((16, 28, 28, 16), dtype), np.ones((3, 3, 16, 32), np.float32)

    def convolved(weights: Any) -> Any:
        return keras.ops.conv(maps, keras.ops.cast(weights, dtype), padding="same")

    times = []
    for _ in range(3):  # the first of them prepares it
        start = time.perf_counter()
        gradients(convolved, kernel)
        times.append(time.perf_counter() - start)
    return min(times)


def versions() -> dict[str, str]:
    """Return the versions of what a training depends on."""
    backend = keras.backend.backend()
    return {
        "inkdigit": inkdigit.__version__,
        "python": platform.python_version(),
        "keras": keras.__version__,
        backend: sys.modules[backend].__version__,
        "numpy": np.__version__,
    }
