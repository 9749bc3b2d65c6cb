"""Training the networks that read in use, `line` and `single`, from drawn handwriting.

What they learn from is drawn as they learn; what they are validated, calibrated and tested on is
drawn with digits of MNIST and with fonts that they did not learn from.
"""

import contextlib
import json
import os
import platform
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from inkdigit.errors import MissingExtraError, ModelError, RunError, SettingError
from inkdigit.files import write_atomically, write_text
from inkdigit.learning.backend import keras, versions
from inkdigit.learning.checkpoints import Loop, run_loop
from inkdigit.learning.datasets import Dataset, Digits
from inkdigit.learning.datasets.digits import to_pixels
from inkdigit.learning.evaluation.metrics import (
    Calibration,
    Evaluation,
    calibrate,
    threshold_at_error,
)
from inkdigit.learning.models.export import describe, export, join_with_fallback, write_model_file
from inkdigit.learning.models.load import initial_weights
from inkdigit.learning.models.run import (
    DESCRIPTION,
    HISTORY,
    KERAS_MODEL,
    METRICS,
    ONNX_MODEL,
    Run,
    open_run,
    write_history,
)
from inkdigit.learning.networks import READERS, count_macs
from inkdigit.learning.readers.digit_loop import DigitReaderLoop, to_digits
from inkdigit.learning.readers.line_loop import LineLoop, evaluate
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.synthesis.glyphs import Fonts
from inkdigit.learning.synthesis.stream import (
    FULL_SIZE,
    Generator,
    Line,
    SampleStream,
    SynthesisConfig,
)
from inkdigit.reading.alphabet import DIGITS, LINE_ALPHABET, SINGLE_ALPHABET
from inkdigit.reading.model_file import LineModel, temperature_scale
from inkdigit.reading.preprocessing.line import LINE_HEIGHT
from inkdigit.reading.tta import Network, Views, classify_views

# What is drawn to be learnt from has seeds of three numbers, and these have two.
_SEEDS = {"validation": 99, "calibration": 98, "test": 97, "train": 96}
# What is drawn is harder than most of what is read; so much of what is accepted may be wrong.
TARGET_ERROR = 0.02
# What a model file says before its network is calibrated: nothing is sure enough.
_UNCALIBRATED = Calibration(1.0, 1.0, 0.0, 0.0, 0)
# So many lines are read at a time.
_TOGETHER = 64

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def train_reader(
    settings: TrainingSettings,
    dataset: Dataset,
    folder: str | Path,
    *,
    resume: bool = False,
    after_epoch: Callable[[Loop], None] = lambda _: None,
    amounts: SynthesisConfig = FULL_SIZE,
) -> Run:
    """Train `line` or `single` into a run folder, calibrate and test it, and write its model file.

    The sibling of `inkdigit.learning.classifiers.train.train` for drawn handwriting. The weights
    differ from run to run in the last digits, as the faster arithmetic is used. Raises
    `SettingError` for another network or too large a batch, `DataError` for a folder without fonts.
    """
    _check(settings, amounts)
    if settings.start and not (resume and Path(folder, DESCRIPTION).exists()):
        initial_weights(settings.start, READERS[settings.network]())  # or fail before a folder
    fitted, validation = dataset.fit_and_validation()
    run = open_run(settings, dataset, folder, resume=resume)
    if run.finished:
        return run
    drawn = _drawn("validation", validation, settings, amounts.validation)
    drawing = Generator(fitted, _fonts(settings), single=settings.network == "single")
    with SampleStream(drawing, settings.seed) as supply:
        if settings.network == "line":
            loop: Loop = LineLoop(settings, supply, drawn, amounts)
        else:
            loop = DigitReaderLoop(settings, fitted, supply, drawn, amounts)
        run_loop(loop, run, after_epoch)
    _finish(run, loop, dataset, amounts)
    return run


def export_with_fallback(
    first: Run, second: Run, dataset: Dataset, path: Path, *, amounts: SynthesisConfig = FULL_SIZE
) -> Path:
    """Write a model file of two runs of `line`: the `second` is asked where the first is in doubt.

    They are calibrated and tested together, on the digits of `dataset` and in the fonts that both
    were kept from. Returns the path. Raises `SettingError` for runs that make no pair, `RunError`
    for other digits than theirs, `DataError` for fonts that are gone.
    """
    _check_pair(first, second, dataset)
    learnt_from = sum(run.metrics["train_digits"] for run in (first, second))
    info = replace(first.info(), trained_digits=learnt_from)
    _, validation = dataset.fit_and_validation()

    def write(target: Path) -> None:
        with TemporaryDirectory(dir=target.parent) as folder:
            files = Path(folder, "first.onnx"), Path(folder, "second.onnx")
            for run, file in zip((first, second), files, strict=True):
                export(run, file)
            join_with_fallback(*files, info, target)
        model = LineModel.load(target)

        def read(part: str, digits: Digits) -> tuple[Floats, Mask]:
            drawn = _drawn(part, digits, first.settings, amounts.measured)
            return read_lines(model.frames, drawn, model.second)

        calibration: dict[str, Any] = calibrate_lines(*read("calibration", validation))
        accuracy = float(read("test", dataset.test)[1].mean())
        describe(target, replace(info, accuracy=accuracy, **calibration))

    write_atomically(path, write)
    return path


def _check_pair(first: Run, second: Run, dataset: Dataset) -> None:
    for run in (first, second):
        if run.settings.network != "line":
            raise SettingError(
                f"{run.folder} is a run of {run.settings.network}: two of line are written as one"
            )
        if run.digest != dataset.digest():
            raise RunError(f"{run.folder} was started on other digits ({run.data})")
    if first.folder.resolve() == second.folder.resolve():
        raise SettingError(f"{first.folder} is no second opinion of itself: name another run")
    known = {*second.metrics["fonts_learnt_from"]} & {*first.metrics["fonts_held_out"]}
    if known:
        raise SettingError(
            f"{second.folder} learnt from fonts that {first.folder} was kept from "
            f"({sorted(known)[0]}): train both with the same --fonts"
        )


def _check(settings: TrainingSettings, amounts: SynthesisConfig) -> None:
    if settings.network not in READERS:
        raise SettingError(f"{settings.network} does not learn from drawn handwriting")
    Fonts(_fonts(settings))
    if settings.batch_size > amounts.block:
        raise SettingError(
            f"{settings.network} learns from blocks of {amounts.block:,}: the batch size must be "
            f"at most that, received {settings.batch_size:,}"
        )


def _fonts(settings: TrainingSettings) -> Path | None:
    return Path(settings.fonts) if settings.fonts else None


def _drawn(part: str, digits: Digits, settings: TrainingSettings, number: int) -> list[Line]:
    """Draw what a network is measured on; the same for every network that is."""
    held_out = part != "train"
    single = settings.network == "single"
    draw = Generator(digits, _fonts(settings), held_out=held_out, single=single).begin()
    return [draw([_SEEDS[part], i]) for i in range(number)]


def _finish(run: Run, loop: Loop, dataset: Dataset, amounts: SynthesisConfig) -> None:
    settings, model = run.settings, loop.result
    write_atomically(run.folder / KERAS_MODEL, model.save)
    write_atomically(run.folder / HISTORY, lambda path: write_history(path, loop.history))
    fitted, validation = dataset.fit_and_validation()
    figures: dict[str, Any] = {}
    parts = (("train", fitted, amounts.validation), ("test", dataset.test, amounts.measured))
    for part, digits, number in parts:
        loss, accuracy = _measure(model, _drawn(part, digits, settings, number))
        figures |= {f"{part}_accuracy": accuracy, f"{part}_loss": loss}
    kept_apart = _drawn("calibration", validation, settings, amounts.measured)
    metrics = {
        **figures,
        "validation_accuracy": loop.history[-1]["validation_accuracy"],
        "validation_loss": loop.history[-1]["validation_loss"],
        "parameters": model.count_params(),
        "macs": count_macs(model),
        **asdict(settings),
        "seconds": loop.seconds,
        "data": f"{run.data} and drawn handwriting with {len(Fonts(_fonts(settings)))} fonts",
        "train_digits": _seen(settings, fitted, amounts),
        "validation_digits": amounts.validation,
        "test_digits": amounts.measured,
        "fonts_learnt_from": Fonts(_fonts(settings)).names,
        "fonts_held_out": Fonts(_fonts(settings), held_out=True).names,
        "calibration": asdict(_UNCALIBRATED),
        "model": _described(settings),
        "versions": versions(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }
    _write_metrics(run, metrics)
    # A machine that trains may not be able to write ONNX; `inkdigit export` completes it elsewhere.
    with contextlib.suppress(MissingExtraError, ModelError):
        write_model_file(model, run.info(), run.folder / ONNX_MODEL)
    # What is calibrated is what will read, and that may be in eight bits.
    metrics["calibration"] = _calibration(run, model, kept_apart)
    _write_metrics(run, metrics)
    if (run.folder / ONNX_MODEL).exists():
        describe(run.folder / ONNX_MODEL, run.info())
    run.checkpoint.unlink(missing_ok=True)


def _write_metrics(run: Run, metrics: dict[str, Any]) -> None:
    write_text(run.folder / METRICS, json.dumps(metrics, indent=2) + "\n")


def _seen(settings: TrainingSettings, fitted: Digits, amounts: SynthesisConfig) -> int:
    """Return how many different lines or digits were learnt from."""
    if settings.network == "line":
        return settings.epochs * amounts.epoch_blocks * amounts.block
    fresh = min(amounts.fresh_blocks, amounts.single_blocks) * (settings.epochs - 1)
    return len(fitted) + (amounts.single_blocks + fresh) * amounts.block


def _described(settings: TrainingSettings) -> dict[str, Any]:
    """Return the fields of `ModelInfo` that are not those of a plain digit network."""
    if settings.network == "single":
        return {"classes": SINGLE_ALPHABET}
    return {
        "reads": "line",
        "classes": LINE_ALPHABET,
        "input_height": LINE_HEIGHT,
        "input_width": 0,
        "normalisation": "strip: the line of writing at a height of 32; ink 1.0, paper 0.0",
    }


def _measure(model: Any, drawn: list[Line]) -> tuple[float, float]:
    """Return the mean loss, and the share of lines or digits that are read right."""
    if model.name == "line":
        return evaluate(model, drawn)
    evaluation = _evaluated(model, drawn)
    return evaluation.loss, evaluation.accuracy


def _calibration(run: Run, model: Any, drawn: list[Line]) -> dict[str, float]:
    """Return the calibration as `ModelInfo` has it."""
    if model.name == "line":
        written = run.folder / ONNX_MODEL
        network = LineModel.load(written).frames if written.exists() else partial(_frames, model)
        return calibrate_lines(*read_lines(network, drawn))
    evaluation = _evaluated(model, drawn)
    temperature = calibrate(evaluation).temperature
    # A digit is read whatever the chance that it is none, and taken if that chance is small.
    digits = temperature_scale(evaluation.probabilities, temperature)[:, : len(DIGITS)]
    right = digits.argmax(axis=1) == evaluation.labels
    threshold = threshold_at_error(digits.max(axis=1), right, TARGET_ERROR)
    return asdict(Calibration(temperature, *threshold))


def _evaluated(model: Any, drawn: list[Line]) -> Evaluation:
    """Hold what is read, as a reader does, against what was drawn."""
    images, labels = to_digits(drawn)

    def network(digits: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        answers = model.predict(to_pixels(digits), batch_size=1000, verbose=0)
        return np.asarray(answers, np.float32)

    return Evaluation(labels, classify_views(network, images))


def calibrate_lines(probabilities: Floats, right: Mask) -> dict[str, float]:
    """Return the calibration of a line network's confidence (Platt 1999), as `ModelInfo` has it.

    `probabilities (n,)` are those of what was read on lines that were not learnt from, and `right`
    says whether it stands there.
    """
    odds = logit(np.clip(probabilities, 1e-12, 1 - 1e-9))
    slope, intercept = _platt(odds, right)
    confidences = expit(slope * odds + intercept)
    return {
        **asdict(Calibration(1.0, *threshold_at_error(confidences, right, TARGET_ERROR))),
        "confidence_slope": slope,
        "confidence_intercept": intercept,
    }


def _platt(odds: Floats, right: Mask) -> tuple[float, float]:
    if right.all() or not right.any():
        return 1.0, 0.0  # nothing to tell apart
    fit = LogisticRegression(C=1e6).fit(odds[:, None], right)
    slope = float(fit.coef_[0, 0])
    if slope <= 0:  # the network knows nothing yet: a surer reading is no better
        return 0.0, float(logit(right.mean()))
    return slope, float(fit.intercept_[0])


def _frames(model: Any, strips: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    log_odds = model.predict_on_batch(to_pixels(strips))
    return np.asarray(keras.ops.convert_to_numpy(keras.ops.softmax(log_odds, axis=-1)))


def read_lines(
    network: Network, lines: list[Line], second: Network | None = None
) -> tuple[Floats, Mask]:
    """Return the probability of what is read on each line, and whether it is right.

    They are looked at as a reader does, which is what the calibration is for.
    """
    order = sorted(range(len(lines)), key=lambda number: lines[number][0].shape[1])
    probabilities, right = np.zeros(len(lines)), np.zeros(len(lines), bool)
    for start in range(0, len(order), _TOGETHER):
        some = order[start : start + _TOGETHER]
        read = Views.of(network, [lines[number][0] for number in some], second).free
        for number, choice in zip(some, read, strict=True):
            wanted = "".join(c for c in lines[number][1] if c in DIGITS)
            probabilities[number], right[number] = choice.probability, choice.text == wanted
    return probabilities, right
