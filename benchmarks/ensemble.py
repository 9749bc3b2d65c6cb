"""One model of several runs, whose answer is the mean of theirs: `python benchmarks/ensemble.py`.

`inkdigit evaluate` judges it, and `inkdigit train --teacher` learns from it.
"""

import argparse
from pathlib import Path
from typing import Any

from inkdigit.files import write_atomically
from inkdigit.learning.backend import keras
from inkdigit.learning.keras_files import load_keras_model
from inkdigit.learning.runs import KERAS_MODEL


def main() -> None:
    """Write the ensemble of the runs that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN")
    parser.add_argument("--out", required=True, type=Path, metavar="FILE.keras")
    options = parser.parse_args()
    write_atomically(options.out, ensemble(options.runs).save)
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


if __name__ == "__main__":
    main()
