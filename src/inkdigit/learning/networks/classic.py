"""The CNN that every tutorial starts with, and a fair measure for what comes after."""

from inkdigit.learning.backend import Layers, layers


def classic() -> Layers:
    """Return Conv 32, MaxPool, Conv 64, MaxPool, Dense 128, Dense 10, untrained.

    3×3 kernels and ReLU throughout; 225,034 parameters.
    """
    return [
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dense(10, activation="softmax", name="digits"),
    ]
