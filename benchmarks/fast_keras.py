"""One training for `fast.py`: `python fast_keras.py NAME SEED DIGITS`, a recipe or `keras.io`.

DIGITS is an `.npz` with MNIST's four arrays. Prints a line of JSON: the seconds from arrays in
memory to a trained network (compiling counted; importing, loading and judging not), the processor's
seconds for the same with the validation that recipes have, and the accuracy on the test half.
"""

import json
import sys
import time

import numpy as np

from inkdigit.learning.backend import keras, versions
from inkdigit.learning.classifiers.train import make_loop
from inkdigit.learning.datasets.digits import Dataset, Digits, to_one_hot, to_pixels
from inkdigit.learning.models.keras_files import predict
from inkdigit.learning.networks import count_macs
from inkdigit.learning.settings import TrainingSettings

layers = keras.layers
ENOUGH, MOST_EPOCHS = 0.99, 15
Trained = tuple[float, object, dict[str, object]]


def by_recipe(name: str, seed: int, mnist: Dataset) -> Trained:
    """Train by a recipe on nine tenths of the training half; the last tenth is for validation."""
    fitted, validation = mnist.fit_and_validation()
    start = time.perf_counter()
    loop = make_loop(TrainingSettings(recipe=name, seed=seed), fitted, validation)
    built = time.perf_counter() - start
    loop.run()
    start = time.perf_counter()
    network = loop.result
    built += time.perf_counter() - start
    details = {
        "epochs": loop.settings.epochs,
        "batch_size": loop.settings.batch_size,
        "learning_rate": loop.recipe.learning_rate,
        "digits": len(fitted),
        "validation_accuracy": loop.history[-1]["validation_accuracy"],
    }
    return built + loop.seconds, network, details


def keras_io(seed: int, mnist: Dataset) -> Trained:
    """Train the network and recipe of keras.io's `mnist_convnet` until it first reaches 99 %.

    It is judged on the test half after every epoch, uncounted, and so is its validation left out.
    """
    keras.utils.set_random_seed(seed)
    used = len(mnist.train) * 9 // 10
    images, labels = to_pixels(mnist.train.images[:used]), to_one_hot(mnist.train.labels[:used])
    seconds, epochs, start = 0.0, 0, time.perf_counter()
    model = convnet()
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    while epochs < MOST_EPOCHS:
        model.fit(images, labels, batch_size=128, epochs=1, verbose=0)
        seconds, epochs = seconds + time.perf_counter() - start, epochs + 1
        if accuracy(model, mnist.test) >= ENOUGH:
            break
        start = time.perf_counter()
    return seconds, model, {"epochs": epochs, "digits": used}


def convnet() -> keras.Model:
    """Return keras.io's network: 34,826 parameters."""
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ],
        name="convnet",
    )


def accuracy(model: object, digits: Digits) -> float:
    """Return the share of digits that a network reads right."""
    return float((predict(model, digits.images).argmax(axis=1) == digits.labels).mean())


def main() -> None:
    """Train once, and say how long it took and how well it reads."""
    name, seed, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    with np.load(path) as arrays:
        train, test = (
            Digits(arrays[f"{half}_images"], arrays[f"{half}_labels"]) for half in ("train", "test")
        )
    mnist = Dataset("mnist", train, test)
    before = time.process_time()
    train_one = keras_io(seed, mnist) if name == "keras.io" else by_recipe(name, seed, mnist)
    seconds, model, details = train_one
    cpu = time.process_time() - before
    described = {
        "seconds": seconds,
        "cpu_seconds": cpu,
        "test_accuracy": accuracy(model, test),
        "macs": count_macs(model),
        "versions": " ".join(f"{name} {version}" for name, version in versions().items()),
    }
    print(json.dumps(described | details))


if __name__ == "__main__":
    main()
