"""Networks of one's own: a Keras model, a function that builds one, or a file that has one.

They become what ours are: `(n, 28, 28, 1)` in 0..1 to the probabilities `(n, 10)`.
"""

import hashlib
import json
import re
import runpy
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from pathlib import Path
from sysconfig import get_paths
from traceback import extract_tb
from typing import Any

import numpy as np

from inkdigit.errors import SettingError
from inkdigit.learning.backend import keras, layers, quietly
from inkdigit.learning.datasets.digits import CLASSES
from inkdigit.learning.networks import NETWORKS, READERS
from inkdigit.reading.preprocessing.digit import SIZE

Model = Any  # a keras.Model; Keras carries no types
_DIGIT = (SIZE, SIZE, 1)
# Where files lie whose lines say nothing to a user.
_LIBRARIES = [get_paths()[kind] for kind in ("stdlib", "purelib", "platlib")]
_OTHERS = ("<frozen", str(Path(__file__).parents[2]), *_LIBRARIES)
# What digits may be taken as, where a network does not say.
_SHAPES = (_DIGIT, (SIZE, SIZE), (SIZE * SIZE,))


@dataclass(frozen=True)
class OwnNetwork:
    """A network of the user's: its name, and what builds it anew or returns it as it is."""

    name: str
    given: Model | Callable[[], Model]

    @classmethod
    def of(cls, given: Model | Callable[[], Model]) -> "OwnNetwork":
        """Return a network by a Keras model, or by a function that takes nothing and returns one.

        Raises `SettingError` for anything else.
        """
        is_model = isinstance(given, keras.Model)
        if not (is_model or (callable(given) and not isinstance(given, keras.layers.Layer))):
            raise SettingError(
                "a network is a name, a Keras model or a function that builds one, received "
                f"{type(given).__name__}"
            )
        builds = getattr(given, "func", given)  # of a functools.partial
        name = _without_number(given) if is_model else getattr(builds, "__name__", "network")
        name = re.sub(r"[^\w.-]+", "", name)  # it names a folder
        return cls(f"own-{name}" if name in (*NETWORKS, *READERS) else name, given)

    @classmethod
    def in_file(cls, place: str, name: str) -> "OwnNetwork":
        """Return the network of `FILE.py:FUNCTION`, whose code is run."""
        file, _, function = place.rpartition(":")
        return cls(name, _from_file(Path(file), function))

    def build(self) -> Model:
        """Return the network as ours are; `SettingError` where it can't be that."""
        model = self.given
        if not isinstance(model, keras.Model):
            model = _called(model, self.name)
        if not isinstance(model, keras.Model):
            raise SettingError(
                f"{self.name} builds no Keras model: it returned a {type(model).__name__}"
            )
        return adapted(model, self.name)

    def digest(self) -> str:
        """Return what tells the network from others of its name.

        It is the SHA-256 without what Keras draws anew: numbers and seeds.
        """
        model = self.build()
        try:
            layers_ = json.dumps(model.get_config(), default=str, sort_keys=True)
        except (NotImplementedError, TypeError):  # a subclass that tells none
            layers_ = ""
        kept = re.sub(r'_\d+"|"seed": \d+|0x[0-9a-f]+', '"', layers_)
        shapes = [tuple(weight.shape) for weight in model.weights]
        return hashlib.sha256(f"{kept} {shapes}".encode()).hexdigest()


def _without_number(model: Model) -> str:
    """Return the name of a model, without the number that Keras adds to one that it chose."""
    chosen = re.sub(r"(?<!^)(?=[A-Z])", "_", type(model).__name__).lower()
    return re.sub(rf"^({chosen})_\d+$", r"\1", str(model.name))


def _from_file(path: Path, function: str) -> Any:
    if not path.is_file():
        raise SettingError(f"{path} is not there: name a Python file and a function in it")
    # Under a name that is not that of a module which others import.
    run = partial(runpy.run_path, str(path), run_name=f"inkdigit_own_{path.stem}")
    found = _called(run, str(path)).get(function)
    if not callable(found):
        raise SettingError(f"{path} has no function {function!r} that builds a network")
    return found


def _called(function: Callable[[], Any], name: str) -> Any:
    """Call what the user wrote; what goes wrong in it is said, and where."""
    try:
        return function()
    except (Exception, SystemExit) as error:
        frames = extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if not frame.filename.startswith(_OTHERS)]
        why = _one_line(error)
        if isinstance(error, SyntaxError):
            lines, why = [error.lineno], error.msg
        if isinstance(error, SystemExit):
            why = "it ends the program"
        where = f", line {lines[-1]}" if lines else ""
        raise SettingError(
            f"{name} does not build a network: {why} ({type(error).__name__}{where})"
        ) from error


def adapted(model: Model, name: str, classes: Sequence[int] = (CLASSES,)) -> Model:
    """Return a Keras model as ours are, `(n, 28, 28, 1)` to probabilities `(n, classes)`.

    One that is so already stays itself. Raises `SettingError` where that can't be.
    """
    digit = keras.Input(_DIGIT, name="digits")
    answers = _answers(model, digit, name)
    shape = tuple(getattr(answers, "shape", ()))
    if shape not in {(None, count) for count in classes}:
        given = shape or "several answers"
        raise SettingError(
            f"{name} gives {given} for each digit: expected {CLASSES} probabilities "
            f"or logits, (None, {CLASSES})"
        )
    is_ours = getattr(model, "input_shape", None) == (None, *_DIGIT)
    sure = _gives_probabilities(keras.Model(digit, answers))
    if is_ours and sure:
        return model
    return keras.Model(digit, answers if sure else layers.Softmax()(answers), name=name)


def _answers(model: Model, digit: Any, name: str) -> Any:
    """Return what a model says of a digit, in the first shape that it takes."""
    known = getattr(model, "input_shape", None) if model.built else None
    shapes = _SHAPES if known is None else [known[1:]] if isinstance(known, tuple) else []
    if isinstance(known, list | dict):
        raise SettingError(f"{name} has {len(known)} inputs: a network takes one, of {_DIGIT}")
    wrong = f"it takes {known}"
    for shape in shapes:
        if None in shape or prod(shape) != SIZE * SIZE:
            continue
        try:
            with quietly():
                return model(digit if shape == _DIGIT else layers.Reshape(shape)(digit))
        except Exception as error:  # noqa: BLE001  (layers raise what they like)
            wrong = _one_line(error)
    raise SettingError(f"{name} takes no digits, {_DIGIT} or {_DIGIT[:2]}: {wrong}")


def _gives_probabilities(model: Model) -> bool:
    """Return whether a model's answers are probabilities; otherwise they are logits."""
    noise = np.random.default_rng(0).random((16, *_DIGIT), np.float32)
    answers = np.asarray(model.predict_on_batch(noise))
    return bool((answers >= 0).all() and np.allclose(answers.sum(axis=1), 1, atol=1e-3))


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]
