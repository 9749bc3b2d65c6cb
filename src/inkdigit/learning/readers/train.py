"""Training the networks that read in use, `line` and `single`, from drawn handwriting.

What they learn from is drawn as they learn; what they are validated, calibrated and tested on is
drawn with digits of MNIST, with fonts and by real hands that they did not learn from.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, cast

import numpy as np
import numpy.typing as npt
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression

from inkdigit.errors import DataError, RunError, SettingError
from inkdigit.files import write_atomically
from inkdigit.learning.datasets import Dataset, Digits, load_dataset
from inkdigit.learning.evaluation.metrics import Evaluation, calibrate, threshold_at_error
from inkdigit.learning.models.export import describe, write_line_networks
from inkdigit.learning.models.keras_files import LINE_SHAPES, load_keras_model, predict
from inkdigit.learning.models.run import KERAS_MODEL, History, Run
from inkdigit.learning.models.trainable import trainable_networks
from inkdigit.learning.readers.digit_loop import DigitReaderLoop, to_digits
from inkdigit.learning.readers.line_loop import LineLoop, evaluate
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.synthesis.glyphs import Fonts
from inkdigit.learning.synthesis.pixels import Ink
from inkdigit.learning.synthesis.real_hands import RealHands
from inkdigit.learning.synthesis.stream import Generator, Line, PageGenerator, SampleStream
from inkdigit.learning.training import Loop, Training, figures_of
from inkdigit.reading.alphabet import LINE_ALPHABET, SINGLE_ALPHABET, only_digits
from inkdigit.reading.calibration import Calibration, PlattScaling, log_odds
from inkdigit.reading.decoding.rescoring import Hypothesis
from inkdigit.reading.model_file import FALLBACK, FIRST, LineModel, to_pixels
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.preprocessing.line import LINE_HEIGHT
from inkdigit.reading.tta import PADDED_TO, Network, classify_views, pad, view_lines

# What is drawn to be learnt from has seeds of three numbers, and these have two.
SEEDS = {"validation": 99, "calibration": 98, "test": 97, "train": 96, "quantisation": 95}
_QUANTISATION_LINES = 200
# What is drawn is harder than most of what is read; so much of what is accepted may be wrong.
TARGET_ERROR = 0.02
# So many lines about as wide are read at a time.
_TOGETHER = 64

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
Weights = list[npt.NDArray[np.float32]]


class ReaderTraining(Training):
    """The training of `line` or `single` on drawn handwriting.

    The weights differ from run to run in the last digits, as the fastest arithmetic is used. Raises
    `SettingError` for another network.
    """

    # The fields of `ModelInfo` that are not those of a plain digit network.
    of_model: ClassVar[dict[str, Any]] = {
        "reads": "line",
        "classes": LINE_ALPHABET,
        "input_height": LINE_HEIGHT,
        "input_width": 0,
        "normalisation": "line image: the line of writing at a height of 32; ink 1.0, paper 0.0",
    }

    def __init__(self, settings: TrainingSettings, dataset: Dataset) -> None:
        super().__init__(settings, dataset)
        self._amounts = self.recipe.drawn
        self._fonts = Path(settings.fonts) if settings.fonts else None
        self._hands = Path(settings.hands) if settings.hands else None
        self._single = settings.network == "single"

    def check(self, *, begun: bool) -> None:
        """Raise for a lack of fonts, hands, digits or first weights, and for too large a batch."""
        Fonts(self._fonts)
        RealHands.load(self._hands, held_out=True)
        block, size = self._amounts.block, self.settings.batch_size
        if size > block:
            raise SettingError(
                f"{self.settings.network} learns from blocks of {block:,}: the batch size must be "
                f"at most that, received {size:,}"
            )
        for part in (self.fitted, self.validation, self.dataset.test):
            if part.lacking:
                raise DataError(
                    f"{self.settings.network} learns from numbers of all ten digits: "
                    f"{self.dataset.name} lacks {part.lacking} in a half"
                )
        super().check(begun=begun)

    def initial_weights(self, network: Any) -> list[npt.NDArray[np.float32]]:
        """Return the weights that a network begins with; of a line model file, the first one's."""
        path = Path(self.settings.init_from)
        if path.suffix == ".onnx" and not self._single:
            return cast(
                "Weights",
                trainable_networks(path, self.quantisation_pictures() or ())[FIRST].get_weights(),
            )
        return super().initial_weights(network)

    def notes(self) -> list[str]:
        """Return what whoever starts this training should know."""
        missing = [name for name in ("fonts", "hands") if not getattr(self.settings, name)]
        if not missing:
            return super().notes()
        without = (
            f"no {' and no '.join(missing)} are named: {self.settings.network} learns from the "
            f"digits of {self.dataset.name} and from drawn strokes"
        )
        return [without, *super().notes()]

    @contextmanager
    def loop(self) -> Iterator[Loop]:
        """Yield the loop of the network, while other processes draw for it."""
        settings = self.settings
        validation = self.draw("validation", self.validation, self._amounts.validation)
        drawing = self._generator(self.fitted, held_out=False)
        with SampleStream[Line](drawing, settings.seed) as stream:
            if self._single:
                yield DigitReaderLoop(settings, self.fitted, stream, validation)
            else:
                yield LineLoop(settings, stream, validation)

    def draw(self, part: str, digits: Digits, number: int) -> list[Any]:
        """Draw what a network is measured on; the same for every network that is."""
        draw = self._generator(digits, held_out=part != "train").begin()
        return [draw([SEEDS[part], i]) for i in range(number)]

    def _generator(self, digits: Digits, *, held_out: bool) -> Generator | PageGenerator:
        return Generator(digits, self._fonts, held_out, self._single, self._hands)

    def measure(self, model: Any, history: History) -> dict[str, Any]:
        """Return loss and accuracy on drawn handwriting, and what the model file says of itself."""
        amounts, fonts = self._amounts, Fonts(self._fonts)
        hands = " and real hands" if self._hands else ""
        learnt = self.draw("train", self.fitted, amounts.validation)
        unseen = self.draw("test", self.dataset.test, amounts.measured)
        validated = history[-1]["validation_loss"], history[-1]["validation_accuracy"]
        return {
            **figures_of("train", *self._measure(model, learnt), self._seen()),
            **figures_of("validation", *validated, amounts.validation),
            **figures_of("test", *self._measure(model, unseen), amounts.measured),
            "data": f"{self.dataset.name} and drawn handwriting with {len(fonts)} fonts{hands}",
            "hands_learnt_from": RealHands.load(self._hands).counts,
            "hands_held_out": RealHands.load(self._hands, held_out=True).counts,
            "fonts_learnt_from": fonts.names,
            "fonts_held_out": Fonts(self._fonts, held_out=True).names,
            "model": {"classes": SINGLE_ALPHABET} if self._single else self.of_model,
        }

    def _measure(self, model: Any, drawn: list[Any]) -> tuple[float, float]:
        """Return the mean loss, and the share of lines or digits that are read right."""
        if not self._single:
            return evaluate(model, drawn)
        evaluation = _evaluate_digits(model, drawn)
        return evaluation.loss, evaluation.accuracy

    def _seen(self) -> int:
        """Return how many different lines or digits were learnt from."""
        amounts = self._amounts
        fresh = amounts.fresh_blocks * (self.settings.epochs - 1)
        drawn = (amounts.epoch_blocks + fresh) * amounts.block
        return drawn + len(self.fitted) if self._single else drawn

    def calibrate(self, model: Any, path: Path) -> dict[str, float]:
        """Return the calibration as `ModelInfo` has it, on lines or digits that were not learnt."""
        drawn = self.draw("calibration", self.validation, self._amounts.measured)
        if self._single:
            return asdict(calibrate(_evaluate_digits(model, drawn), TARGET_ERROR))
        network = LineModel.load(path).frames if path.exists() else partial(frames, model)
        images, texts = zip(*drawn, strict=True)
        return calibrate_lines(*held_against(read_lines(network, images), texts))

    def quantisation_pictures(self) -> Iterator[npt.NDArray[np.uint8]] | None:
        """Return drawn lines for `line`; `single` stays in `float32`."""
        return None if self._single else quantisation_lines()


def quantisation_lines() -> Iterator[npt.NDArray[np.uint8]]:
    """Yield line images `uint8 (32, width)` as a reader shows them to its network.

    They are drawn with the sample's digits and pen strokes. They need neither MNIST nor fonts, so a
    run can be exported wherever it lies.
    """
    draw = Generator(load_dataset("sample").train, None).begin()
    for number in range(_QUANTISATION_LINES):
        pixels, _ = draw([SEEDS["quantisation"], number])
        yield pad([pixels], PADDED_TO)[0]


def export_with_fallback(run: Run, fallback: Run | Path, dataset: Dataset, path: Path) -> Path:
    """Write a model file of two line networks: the `fallback` is asked where the first is unsure.

    It is another run of `line`, or a line model file, whose fallback is taken or its only network.
    Both are calibrated and tested together, on the digits of `dataset` and in the fonts and hands
    that they were kept from. Returns the path. Raises `SettingError` for what makes no pair,
    `RunError` for other digits than theirs, `DataError` for fonts that are gone, `ModelError` for a
    broken file.
    """
    _check_first(run, dataset)
    if isinstance(fallback, Run):
        _check_fallback(run, fallback, dataset)
        second = load_keras_model(fallback.folder / KERAS_MODEL, LINE_SHAPES)
        known = fallback.metrics["train_digits"]
    else:
        networks = trainable_networks(fallback, quantisation_lines())
        second = networks.get(FALLBACK, networks[FIRST])
        known = LineModel.load(fallback).info.trained_digits
    info = replace(run.info(), trained_digits=run.metrics["train_digits"] + known)
    first = load_keras_model(run.folder / KERAS_MODEL, LINE_SHAPES)
    training = ReaderTraining(run.settings, dataset)
    measured = training.recipe.drawn.measured

    def write(target: Path) -> None:
        both = {FIRST: first, FALLBACK: second}
        networks = ((name, one, quantisation_lines()) for name, one in both.items())
        write_line_networks(networks, info, target)
        model = LineModel.load(target)

        def read(part: str, digits: Digits) -> tuple[Floats, Mask]:
            images, texts = zip(*training.draw(part, digits, measured), strict=True)
            return held_against(read_lines(model.frames, images, model.others), texts)

        calibration: dict[str, Any] = calibrate_lines(*read("calibration", training.validation))
        accuracy = float(read("test", dataset.test)[1].mean())
        describe(target, replace(info, accuracy=accuracy, **calibration))

    write_atomically(path, write)
    return path


def _check_first(run: Run, dataset: Dataset) -> None:
    if run.settings.network != "line":
        raise SettingError(
            f"{run.folder} is a run of {run.settings.network}: a fallback takes two of line"
        )
    if run.digest != dataset.digest():
        raise RunError(f"{run.folder} was started on other digits ({run.data})")


def _check_fallback(run: Run, fallback: Run, dataset: Dataset) -> None:
    _check_first(fallback, dataset)
    if run.folder.resolve() == fallback.folder.resolve():
        raise SettingError(f"{run.folder} cannot be its own fallback: name another run")
    known = {*fallback.metrics["fonts_learnt_from"]} & {*run.metrics["fonts_held_out"]}
    if known:
        raise SettingError(
            f"{fallback.folder} learnt from fonts that {run.folder} was kept from "
            f"({sorted(known)[0]}): train both with the same fonts"
        )


def _evaluate_digits(model: Any, drawn: list[Line]) -> Evaluation:
    """Hold what is read, as a reader does, against what was drawn."""
    images, labels = to_digits(drawn)
    return Evaluation(labels, classify_views(partial(predict, model), images))


def calibrate_lines(probabilities: Floats, right: Mask) -> dict[str, float]:
    """Return the calibration of a line network's confidence (Platt 1999), as `ModelInfo` has it.

    `probabilities (n,)` are those of what was read on lines that were not learnt from, and `right`
    says whether it stands there.
    """
    platt = _fit_platt(log_odds(probabilities), right)
    threshold = threshold_at_error(platt.confidence(probabilities), right, TARGET_ERROR)
    return {
        **asdict(Calibration(1.0, *threshold)),
        "confidence_slope": platt.slope,
        "confidence_intercept": platt.intercept,
    }


def _fit_platt(odds: Floats, right: Mask) -> PlattScaling:
    if right.all() or not right.any():
        return PlattScaling()  # nothing to tell apart
    fit = LogisticRegression(C=1e6).fit(odds[:, None], right)
    slope, intercept = float(fit.coef_[0, 0]), float(fit.intercept_[0])
    if slope <= 0:  # the network knows nothing yet: a surer reading is no better
        return PlattScaling(0.0, float(log_odds(right.mean())))
    return PlattScaling(slope, intercept)


def frames(model: Any, lines: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Return what a line network in Keras says of line images, as `tta.Network` does."""
    log_odds = np.asarray(model.predict_on_batch(to_pixels(lines)), np.float32)
    return np.asarray(softmax(log_odds, axis=-1))


def read_lines(
    network: Network,
    images: Sequence[Ink],
    others: Mapping[str, Network] | None = None,
    options: ReadOptions | None = None,
) -> list[Hypothesis]:
    """Return what networks read on line images, as a reader with them does, uncalibrated.

    Without the look that only helps: what is right by that alone has low confidences, and a
    calibration to them would trust no reading.
    """
    found: dict[int, Hypothesis] = {}
    order = sorted(range(len(images)), key=lambda i: images[i].shape[1])
    for start in range(0, len(order), _TOGETHER):
        some = order[start : start + _TOGETHER]
        views = view_lines(network, [images[i] for i in some], others, helped=False)
        found |= zip(some, views.choose(options or ReadOptions()), strict=True)
    return [found[number] for number in range(len(images))]


def held_against(found: Sequence[Hypothesis], labels: Sequence[str]) -> tuple[Floats, Mask]:
    """Return the probability of what was read on each line, and whether its digits are right."""
    pairs = zip(found, labels, strict=True)
    right = np.array([only_digits(one.text) == only_digits(label) for one, label in pairs])
    return np.array([one.probability for one in found]), right
