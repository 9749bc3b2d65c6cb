"""Training the networks that read in use, `line` and `single`, from drawn handwriting.

What they learn from is drawn as they learn; what they are validated, calibrated and tested on is
drawn with digits of MNIST and with fonts that they did not learn from.
"""

import csv
import json
import os
import platform
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import logit
from sklearn.linear_model import LogisticRegression

from inkdigit.errors import SettingError
from inkdigit.files import write_atomically, write_text
from inkdigit.learning.backend import keras
from inkdigit.learning.datasets import Dataset, Digits
from inkdigit.learning.evaluation import Calibration, Evaluation, calibrate, least_confidence
from inkdigit.learning.export import write_model_file
from inkdigit.learning.handwriting.batches import BLOCK, Drawing, Line, Supply, pad
from inkdigit.learning.handwriting.glyphs import Fonts
from inkdigit.learning.line_loop import BLOCKS_PER_EPOCH, LineLoop, evaluate
from inkdigit.learning.loop import Loop, to_pixels
from inkdigit.learning.networks import count_macs
from inkdigit.learning.runs import DESCRIPTION, HISTORY, KERAS_MODEL, METRICS, ONNX_MODEL, Run
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.single_loop import DRAWN_BLOCKS, SingleLoop, drawn_digits, to_digits
from inkdigit.learning.training import versions
from inkdigit.reading.alphabet import DIGITS, LINE_ALPHABET, SINGLE_ALPHABET
from inkdigit.reading.decoding import Lines, decode
from inkdigit.reading.ink import STRIP_HEIGHT
from inkdigit.reading.model_file import LineModel

# Lines or digits that are drawn to validate after each epoch, and to calibrate and test at the end.
VALIDATION, MEASURED = 1000, 4000
_SEEDS = {"validation": 99, "calibration": 98, "test": 97, "train": 0}

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


def train_reader(
    settings: TrainingSettings,
    dataset: Dataset,
    folder: str | Path,
    *,
    resume: bool = False,
    after_epoch: Callable[[Loop], None] = lambda _: None,
) -> Run:
    """Train `line` or `single` into a run folder, calibrate and test it, and write its model file.

    As `inkdigit.learning.training.train`, of which it is the sibling for drawn handwriting. The
    weights differ from run to run in the last digits, as the faster arithmetic is used.
    """
    if resume and Path(folder, DESCRIPTION).exists():
        run = Run.open(folder)
        run.check_same(settings, dataset)
    else:
        run = Run.create(folder, settings, dataset)
    if run.finished:
        return run
    fitted, validation = dataset.fit_and_validation()
    drawing = Drawing(fitted, _fonts(settings), single=settings.network == "single")
    with Supply(drawing, settings.seed) as supply:
        loop = _loop(settings, fitted, supply, _drawn("validation", validation, settings))
        if run.checkpoint.exists():
            loop.load(run.checkpoint)

        def keep(loop: Loop) -> None:
            loop.save(run.checkpoint)
            after_epoch(loop)

        loop.run(keep)
    _finish(run, loop, validation, dataset.test)
    return run


def _fonts(settings: TrainingSettings) -> Path | None:
    return Path(settings.fonts) if settings.fonts else None


def _loop(
    settings: TrainingSettings, fitted: Digits, supply: Supply, validation: list[Line]
) -> Loop:
    if settings.network == "line":
        return LineLoop(settings, supply, validation)
    if settings.network == "single":
        return SingleLoop(settings, fitted, list(drawn_digits(supply)), validation)
    raise SettingError(f"no network that learns from drawn handwriting is {settings.network!r}")


def _drawn(part: str, digits: Digits, settings: TrainingSettings) -> list[Line]:
    """Draw what a network is measured on; the same for every network that is."""
    held_out = part != "train"
    single = settings.network == "single"
    draw = Drawing(digits, _fonts(settings), held_out=held_out, single=single).begin()
    number = VALIDATION if part == "validation" else MEASURED
    return [draw([_SEEDS[part], i]) for i in range(number)]


def _finish(run: Run, loop: Loop, validation: Digits, test: Digits) -> None:
    settings = run.settings
    write_atomically(run.folder / KERAS_MODEL, loop.model.save)
    write_atomically(run.folder / HISTORY, lambda path: _write_history(path, loop))
    calibration = _drawn("calibration", validation, settings)
    measure, calibrated = (
        (_measure_lines, calibrate_lines)
        if settings.network == "line"
        else (_measure_digits, _calibrate_digits)
    )
    test_loss, test_accuracy = measure(loop.model, _drawn("test", test, settings))
    metrics = {
        "test_accuracy": test_accuracy,
        "test_loss": test_loss,
        "train_accuracy": loop.history[-1]["validation_accuracy"],
        "train_loss": loop.history[-1]["loss"],
        "train_digits": _seen(settings),
        "test_digits": MEASURED,
        "parameters": loop.model.count_params(),
        "macs": count_macs(loop.model) if settings.network == "single" else 0,
        **asdict(settings),
        "seconds": loop.seconds,
        "data": f"{run.data} and drawn handwriting with {len(Fonts(_fonts(settings)))} fonts",
        "calibration": calibrated(loop.model, calibration),
        "model": _described(settings),
        "versions": versions(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
    }
    write_text(run.folder / METRICS, json.dumps(metrics, indent=2) + "\n")
    write_model_file(loop.model, run.info(), run.folder / ONNX_MODEL)
    run.checkpoint.unlink(missing_ok=True)


def _write_history(path: Path, loop: Loop) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, loop.history[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(loop.history)


def _seen(settings: TrainingSettings) -> int:
    """Return how many lines or digits were drawn to be learnt from."""
    blocks = settings.epochs * BLOCKS_PER_EPOCH if settings.network == "line" else DRAWN_BLOCKS
    return blocks * BLOCK


def _described(settings: TrainingSettings) -> dict[str, Any]:
    """Return the fields of `ModelInfo` that are not those of a plain digit network."""
    if settings.network == "single":
        return {"classes": SINGLE_ALPHABET}
    return {
        "reads": "line",
        "classes": LINE_ALPHABET,
        "input_height": STRIP_HEIGHT,
        "input_width": 0,
        "normalisation": "strip: the line of writing at a height of 32; ink 1.0, paper 0.0",
    }


def _measure_lines(model: Any, lines: list[Line]) -> tuple[float, float]:
    return evaluate(model, lines)


def _measure_digits(model: Any, drawn: list[Line]) -> tuple[float, float]:
    evaluation = _evaluated(model, drawn)
    return evaluation.loss, evaluation.accuracy


def _evaluated(model: Any, drawn: list[Line]) -> Evaluation:
    images, labels = to_digits(drawn)
    return Evaluation(labels, model.predict(to_pixels(images), batch_size=1000, verbose=0))


def _calibrate_digits(model: Any, drawn: list[Line]) -> dict[str, float]:
    return asdict(calibrate(_evaluated(model, drawn)))


def calibrate_lines(model: Any, lines: list[Line]) -> dict[str, float]:
    """Return the calibration of a line network's confidence (Platt 1999), as `ModelInfo` has it."""
    probabilities, right = read_lines(model, lines)
    odds = logit(np.clip(probabilities, 1e-12, 1 - 1e-9))
    fit = LogisticRegression(C=1e6).fit(odds[:, None], right)
    confidences = fit.predict_proba(odds[:, None])[:, 1]
    threshold = least_confidence(confidences, right)
    return {
        **asdict(Calibration(1.0, *threshold)),
        "confidence_slope": float(fit.coef_[0, 0]),
        "confidence_intercept": float(fit.intercept_[0]),
    }


def read_lines(model: Any, lines: list[Line]) -> tuple[Floats, Mask]:
    """Return the probability of what is read on each line, and whether it is right."""
    probabilities, right = [], []
    for pixels, text in lines:
        strips = pad([pixels], LineModel.WIDTH_STEP)[..., None] / np.float32(255)
        frames = keras.ops.softmax(model.predict_on_batch(strips), axis=-1)
        (found,) = decode(Lines.of(keras.ops.convert_to_numpy(frames)))
        wanted = "".join(character for character in text if character in DIGITS)
        probabilities.append(found.confidence if found else 0.0)
        right.append(found is not None and found.text == wanted)
    return np.array(probabilities), np.array(right)
