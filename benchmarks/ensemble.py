"""One model of several runs, whose answer is the mean of theirs: `python benchmarks/ensemble.py`.

`inkdigit evaluate` judges it, and `inkdigit train --teacher` learns from it. As `.onnx` it answers
in eight bits, in a third of the time; its accuracy and calibration are of the validation digits.
"""

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from inkdigit.files import write_atomically
from inkdigit.learning.backend import keras
from inkdigit.learning.datasets import load_dataset
from inkdigit.learning.evaluation.metrics import Evaluation, calibrate
from inkdigit.learning.models.export import write_model_file
from inkdigit.learning.models.keras_files import load_keras_model, predict
from inkdigit.learning.models.run import KERAS_MODEL, Run
from inkdigit.reading.model_file import ModelInfo


def main() -> None:
    """Write the ensemble of the runs that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE")
    parser.add_argument("--data-dir", type=Path, help="where MNIST lies, as for inkdigit train")
    options = parser.parse_args()
    model = ensemble(options.runs)
    if options.out.suffix == ".onnx":
        info = described(model, options.runs, options.data_dir)
        write_model_file(model, info, options.out, eight_bits=True)
    else:
        write_atomically(options.out, model.save)
    print(f"wrote {options.out}, of {len(options.runs)} runs")


def ensemble(runs: list[Path]) -> Any:
    """Return a network whose probabilities are the mean of those of the runs' networks."""
    digit = keras.Input((28, 28, 1))
    answers = []
    for number, run in enumerate(runs):
        member = load_keras_model(run / KERAS_MODEL)
        member.name = f"member-{number}"
        answers.append(member(digit))
    return keras.Model(digit, keras.layers.Average()(answers), name="ensemble")


def described(model: Any, runs: list[Path], data_dir: Path | None) -> ModelInfo:
    """Return what a model file says of an ensemble, whose runs have all learnt from the same."""
    first = Run.open(runs[0])
    _, validation = load_dataset(first.data, data_dir=data_dir).fit_and_validation()
    answers = Evaluation(validation.labels, predict(model, validation.images))
    return replace(
        first.info(),
        network=model.name,
        accuracy=answers.accuracy,
        accuracy_on=f"{first.data}, validation part, {len(validation):,} digits",
        **asdict(calibrate(answers)),
    )


if __name__ == "__main__":
    main()
