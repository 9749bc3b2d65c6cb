"""One training for `fast`: `python -m benchmarks.fast_once NAME SEED DIGITS`.

NAME is a recipe or `keras.io`, DIGITS an `.npz` with MNIST's four arrays. Prints a line of JSON:
the seconds from arrays in memory to a trained network (compiling counted; importing, loading and
judging not), the processor's seconds for the same with the validation that recipes have, and the
accuracy on the test half.
"""

import json
import sys
import time
from typing import Any

import numpy as np

from benchmarks.rivals import fast_keras_io
from inkdigit.learning.backend import versions
from inkdigit.learning.classifiers.train import ClassifierTraining
from inkdigit.learning.datasets.digits import Dataset, Digits
from inkdigit.learning.evaluation.metrics import Evaluation
from inkdigit.learning.models.keras_files import predict
from inkdigit.learning.networks import count_macs
from inkdigit.learning.settings import TrainingSettings


def by_recipe(name: str, seed: int, mnist: Dataset) -> tuple[float, Any, dict[str, object]]:
    """Train by a recipe on nine tenths of the training half; the last tenth is for validation."""
    training = ClassifierTraining(TrainingSettings(recipe=name, seed=seed), mnist)
    start = time.perf_counter()
    loop = training.loop().enter_result
    built = time.perf_counter() - start
    loop.run()
    start = time.perf_counter()
    network = loop.result
    built += time.perf_counter() - start
    details = {
        "epochs": loop.settings.epochs,
        "batch_size": loop.settings.batch_size,
        "learning_rate": loop.recipe.learning_rate,
        "digits": len(training.fitted),
        "validation_accuracy": loop.history[-1]["validation_accuracy"],
    }
    return built + loop.seconds, network, details


def main(name: str, seed: int, path: str) -> None:
    """Train once, and say how long it took and how well it reads."""
    with np.load(path) as arrays:
        train, test = (
            Digits(arrays[f"{half}_images"], arrays[f"{half}_labels"]) for half in ("train", "test")
        )
    mnist = Dataset("mnist", train, test)
    before = time.process_time()
    if name == "keras.io":
        seconds, model, details = fast_keras_io.train(seed, mnist)
    else:
        seconds, model, details = by_recipe(name, seed, mnist)
    cpu = time.process_time() - before
    described = {
        "seconds": seconds,
        "cpu_seconds": cpu,
        "test_accuracy": Evaluation(test.labels, predict(model, test.images)).accuracy,
        "macs": count_macs(model),
        "versions": " ".join(f"{name} {version}" for name, version in versions().items()),
    }
    print(json.dumps(described | details))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
