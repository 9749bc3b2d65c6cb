"""The networks of a model file learn from a pile, and keep what they knew.

What is drawn is learned beside the pile (replay, Robins 1995), and beside adapted line networks
those of before go on looking, as witnesses: without either, other hands are forgotten.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from inkdigit.errors import SettingError
from inkdigit.images import Grey
from inkdigit.learning.backend import keras, quicker_of
from inkdigit.learning.datasets import load_dataset
from inkdigit.learning.evaluation.metrics import Evaluation, calibrate
from inkdigit.learning.models.export import write_line_networks, write_model_file
from inkdigit.learning.models.keras_files import predict
from inkdigit.learning.models.trainable import trainable_networks
from inkdigit.learning.networks import build_network
from inkdigit.learning.readers.digit_loop import moved
from inkdigit.learning.readers.line_loop import ctc_loss, has_room, to_arrays
from inkdigit.learning.readers.train import (
    TARGET_ERROR,
    Weights,
    calibrate_lines,
    frames,
    held_against,
    quantisation_lines,
    read_lines,
)
from inkdigit.learning.recipes import BFLOAT16, RECIPES, Recipe
from inkdigit.learning.synthesis.pixels import Ink, shaken, warped
from inkdigit.learning.synthesis.stream import Generator, batches, vary
from inkdigit.learning.training import learning_rate, make_optimizer
from inkdigit.reading.alphabet import DIGITS, LINE_ALPHABET, SINGLE_ALPHABET
from inkdigit.reading.calibration import Floats, temperature_scale
from inkdigit.reading.decoding.rescoring import Hypothesis
from inkdigit.reading.model_file import FIRST, WITNESS, DigitModel, LineModel, ModelInfo, to_pixels
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.tta import classify_views

_NEVER = -60.0
_REPLAY_SEED = 94
# A fit sees about so many pictures of the pile, but each at least so often.
_SEEN, _LEAST_EPOCHS = 12_000, 8
# Of the classes of a line network, the blank last.
_IS_DIGIT = np.array([symbol in DIGITS for symbol in LINE_ALPHABET] + [False])
_IS_BLANK = np.arange(len(LINE_ALPHABET) + 1) == len(LINE_ALPHABET)

# The weights of the networks in a model file, by their names.
Networks = dict[str, Weights]
Confidences = npt.NDArray[np.float64]
_Batches = Iterator[tuple[Any, Any]]


@dataclass(frozen=True, kw_only=True)
class AdaptConfig:
    """How a network is adapted.

    Each epoch sees the pile, varied, and a drawn picture for each of its own, of `drawn`.
    What is read with a confidence of at least `sure` is learned as if it were a label, in `rounds`
    rounds. The pile is cut into `folds`, each of which is read by networks that learned from the
    others.
    """

    epochs: int = 80
    learning_rate: float = 2.5e-4
    batch_size: int = 64
    sure: float = 0.5
    rounds: int = 2
    folds: int = 3
    drawn: int = 1500

    @classmethod
    def for_pile(cls, size: int) -> Self:
        """Return how a pile of a size is learned from: more of them take fewer epochs."""
        return cls(epochs=max(_LEAST_EPOCHS, min(cls.epochs, _SEEN // size)))


class Example(NamedTuple):
    """What a network is shown, the text in it, and whether that is its digits alone."""

    pixels: Grey
    text: str
    digits_alone: bool = False


@dataclass(frozen=True)
class Seen(Hypothesis):
    """The digit that was chosen, with the probabilities of all classes."""

    probabilities: Floats


class _Trained(ABC):
    """A network that learns from one pile after the other, with any weights to begin with.

    It is compiled once: that takes longer than to learn from a hundred lines.
    """

    def __init__(self, model: LineModel | DigitModel, config: AdaptConfig, loss: Any) -> None:
        self.model, self.config = model, config
        self._single = isinstance(model, DigitModel)
        name = "single" if self._single else "line"
        sample = load_dataset("sample")
        # What is measured is drawn with other digits than what is learned.
        learned, measured = (
            Generator(digits, None, single=self._single).begin()
            for digits in (sample.train, sample.test)
        )
        self.draw = measured
        self._replay = [Example(*learned([_REPLAY_SEED, i])) for i in range(config.drawn)]
        self._reading = build_network(name)
        self._learning = build_network(name, quicker_of(BFLOAT16))
        # A pile is too small to measure statistics on: they would lag behind the weights.
        for layer in self._learning.layers:
            layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
        self._recipe = Recipe(warm_up=0.1, weight_decay=1e-3, clip_norm=5.0)
        self._learning.compile(make_optimizer(self._recipe, None), loss)
        self._optimizer = self._learning.optimizer
        self._optimizer.build(self._learning.trainable_variables)
        # What draws dropout is among a model's variables, and none of its weights.
        self._state = [*self._learning.variables, *self._optimizer.variables]
        self._fresh = [np.asarray(variable) for variable in self._state]

    @cached_property
    def start(self) -> Networks:
        """The weights of the networks in the model file."""
        shown = (one.pixels for one in self._replay) if self._single else quantisation_lines()
        networks = trainable_networks(self.model.path, shown)
        return {name: network.get_weights() for name, network in networks.items()}

    @property
    def learning(self) -> Networks:
        """Those that learn; the others are witnesses."""
        return {name: one for name, one in self.start.items() if not name.startswith(WITNESS)}

    def fit(self, old: Weights, examples: Sequence[Example], seed: int | Sequence[int]) -> Weights:
        """Return weights that have learned from examples, beginning with others."""
        config, rng = self.config, np.random.default_rng(seed)
        for variable, value in zip(self._state, self._fresh, strict=True):
            variable.assign(value)
        self._learning.set_weights(old)
        step = 0
        drawn = len(examples)
        steps = config.epochs * -(-2 * drawn // config.batch_size)
        rate = learning_rate(self._recipe, config.learning_rate, steps)
        for _ in range(config.epochs):
            chosen = rng.choice(len(self._replay), drawn, replace=drawn > len(self._replay))
            shown = [*examples, *(self._replay[number] for number in chosen.tolist())]
            for images, targets in self._batches(shown, rng):
                self._optimizer.learning_rate = float(rate(step))
                self._learning.train_on_batch(images, targets)
                step += 1
        learned: Weights = self._learning.get_weights()
        return learned

    def network(self, weights: Weights) -> Any:
        """Return the network with these weights, until the next are asked for."""
        self._reading.set_weights(weights)
        return self._reading

    def has_room(self, pixels: Grey, text: str) -> bool:
        """Return whether there is room for a text in what the network is shown."""
        return self._single or has_room(pixels, text)

    @abstractmethod
    def _batches(self, examples: list[Example], rng: np.random.Generator) -> _Batches:
        """Yield what `train_on_batch` takes, of the examples varied."""


class LineLearner(_Trained):
    """A line network that learns from a pile."""

    def __init__(self, model: LineModel, config: AdaptConfig) -> None:
        super().__init__(model, config, _loss)

    @property
    def witnesses(self) -> Networks:
        """What was never adapted, to look beside what is: it is not sure of the same mistakes."""
        known = {name: one for name, one in self.start.items() if name.startswith(WITNESS)}
        return known or {f"{WITNESS}{name}": one for name, one in self.start.items()}

    def read(
        self, networks: Networks, images: list[Grey], options: ReadOptions
    ) -> Sequence[Hypothesis]:
        """Return what networks read on line images, as a reader with them does, uncalibrated."""
        others = {name: partial(self._frames, weights) for name, weights in networks.items()}
        return read_lines(others.pop(FIRST), images, others, options)

    def _frames(self, weights: Weights, lines: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        return frames(self.network(weights), lines)

    def confidences(self, found: Sequence[Hypothesis], info: ModelInfo) -> Confidences:
        """Return calibrated confidences, by Platt scaling."""
        return info.platt.confidence(np.array([one.probability for one in found]))

    def calibration(self, found: Sequence[Hypothesis], labels: Sequence[str]) -> dict[str, Any]:
        """Return the fields of Platt scaling."""
        return calibrate_lines(*held_against(found, labels))

    def write(self, networks: Networks, info: ModelInfo, out: Path) -> None:
        """Write line networks into one file; those that learn are not rounded to eight bits."""
        kept = (
            (name, self.network(weights), quantisation_lines() if name in self.witnesses else None)
            for name, weights in networks.items()
        )
        write_line_networks(kept, info, out)

    def _batches(self, examples: list[Example], rng: np.random.Generator) -> _Batches:
        """Yield line images, and labels behind a column that says whether they are digits alone."""
        varied = [one._replace(pixels=_written_again(one.pixels, rng)) for one in examples]
        roomy = [one for one in varied if has_room(one.pixels, one.text)]
        for batch in batches(roomy, self.config.batch_size, rng):
            images, labels = to_arrays([(one.pixels, one.text) for one in batch])
            flags = np.array([[one.digits_alone] for one in batch], np.int32)
            yield images, np.concatenate([flags, labels], axis=1)


def _written_again(pixels: Ink, rng: np.random.Generator) -> Ink:
    """Return a line image as the same hand might have written it another time."""
    ink = vary(pixels, rng)
    height, width = ink.shape
    scale, shift = np.exp(rng.normal(-0.04, 0.1)), rng.normal(0, 1.2)
    middle = (height - 1) / 2
    matrix = np.array([[1.0, 0.0, 0.0], [0.0, scale, middle * (1 - scale) + shift]])
    return shaken(warped(ink, matrix, width, height), rng, 1.6)


@keras.saving.register_keras_serializable("inkdigit")  # type: ignore[untyped-decorator]
def _loss(labels: Any, log_odds: Any) -> Any:
    """Return the CTC loss of labels behind a column that says which are of digits alone."""
    ops = keras.ops
    # Marks and other ink count as blank, where the label names none.
    blank = ops.logsumexp(ops.where(_IS_DIGIT, _NEVER, log_odds), axis=-1, keepdims=True)
    folded = ops.where(_IS_DIGIT, log_odds, ops.where(_IS_BLANK, blank, _NEVER))
    alone = ops.cast(labels[:, 0], "bool")[:, None, None]
    return ctc_loss(labels[:, 1:], ops.where(alone, folded, log_odds))


class DigitLearner(_Trained):
    """A digit network that learns from a pile; its methods are those of `LineLearner`."""

    def __init__(self, model: DigitModel, config: AdaptConfig) -> None:
        if model.info.classes != SINGLE_ALPHABET:
            raise SettingError(
                f"{model.name} does not tell what is no digit: a model of the networks `line` and "
                "`single` can be adapted, and one that was"
            )
        self.witnesses: Networks = {}
        smoothing = RECIPES["single"].smoothing
        super().__init__(
            model, config, keras.losses.CategoricalCrossentropy(label_smoothing=smoothing)
        )

    def read(self, networks: Networks, images: list[Grey], options: ReadOptions) -> list[Seen]:
        """Return the likeliest digit of each image, of those that fit the options."""
        if not images:
            return []
        network = partial(predict, self.network(networks[FIRST]))
        fitting = [number for number, digit in enumerate(DIGITS) if options.passes(digit)]
        return [
            Seen(DIGITS[best], float(row[best]), row)
            for row in classify_views(network, np.stack(images))
            for best in [max(fitting, key=row.__getitem__)]
        ]

    def confidences(self, found: Sequence[Hypothesis], info: ModelInfo) -> Confidences:
        """Return calibrated probabilities of the digits that were read."""
        scaled = temperature_scale(_probabilities(found), info.temperature)
        chosen = [DIGITS.index(one.text) for one in found]
        return np.asarray(scaled[np.arange(len(found)), chosen], np.float64)

    def calibration(self, found: Sequence[Hypothesis], labels: Sequence[str]) -> dict[str, Any]:
        """Return the fields of temperature scaling."""
        classes = np.array([SINGLE_ALPHABET.index(label) for label in labels])
        return asdict(calibrate(Evaluation(classes, _probabilities(found)), TARGET_ERROR))

    def write(self, networks: Networks, info: ModelInfo, out: Path) -> None:
        """Write a digit network; it stays in `float32`."""
        write_model_file(self.network(networks[FIRST]), info, out)

    def _batches(self, examples: list[Example], rng: np.random.Generator) -> _Batches:
        """Yield digits and one-hot classes."""
        images = [moved(one.pixels, rng) for one in examples]
        size, one_hot = self.config.batch_size, np.eye(len(SINGLE_ALPHABET), dtype=np.float32)
        order = rng.permutation(len(examples)).tolist()
        for start in range(0, len(order), size):
            some = order[start : start + size]
            targets = one_hot[[SINGLE_ALPHABET.index(examples[number].text) for number in some]]
            yield to_pixels(np.stack([images[number] for number in some])), targets


def _probabilities(found: Sequence[Hypothesis]) -> Floats:
    return np.stack([one.probabilities for one in found if isinstance(one, Seen)])


Learner = LineLearner | DigitLearner


def make_learner(model: LineModel | DigitModel, config: AdaptConfig) -> Learner:
    """Return what the networks of a model learn with."""
    if isinstance(model, LineModel):
        return LineLearner(model, config)
    return DigitLearner(model, config)
