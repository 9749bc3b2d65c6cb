"""The network of the recipes that count seconds: little arithmetic, all of it in wide layers."""

from inkdigit.learning.backend import Layers, layers


def fast() -> Layers:
    """Return Conv 16 with a stride, Conv 32, MaxPool, Dense 128, Dense 10, untrained.

    109,354 parameters. Channels fill a processor's vectors, and a stride in the first layer takes
    three quarters off what follows. Batch normalisation (Ioffe and Szegedy 2015) is slow on a
    processor, so it stands where little is left: after the pooling.
    """
    return [
        layers.Conv2D(16, 5, strides=2, activation="relu"),
        layers.Conv2D(32, 3, use_bias=False),
        layers.MaxPooling2D(2),
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),
        layers.Flatten(),
        layers.Dense(128, use_bias=False),
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),
        # In float32 whatever the rest is in: it gives probabilities.
        layers.Dense(10, activation="softmax", dtype="float32", name="digits"),
    ]
