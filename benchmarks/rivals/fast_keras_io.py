"""The network and recipe of keras.io's `mnist_convnet`."""

import time

from inkdigit.learning.backend import keras
from inkdigit.learning.datasets.digits import Dataset, to_one_hot
from inkdigit.learning.evaluation.metrics import Evaluation
from inkdigit.learning.models.keras_files import predict
from inkdigit.reading.model_file import to_pixels

layers = keras.layers
ENOUGH, MOST_EPOCHS = 0.99, 15


def train(seed: int, mnist: Dataset) -> tuple[float, keras.Model, dict[str, object]]:
    """Train until 99 % are first reached; return the seconds, the network, and what else to say.

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
        if Evaluation(mnist.test.labels, predict(model, mnist.test.images)).accuracy >= ENOUGH:
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
