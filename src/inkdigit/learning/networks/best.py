"""The network that reads best: as in VGG, with all that a GPU makes cheap."""

from typing import Any

from inkdigit.learning.backend import keras

layers = keras.layers


def best() -> Any:
    """Return eight normalised 3×3 convolutions whose last maps are averaged: 325,994 parameters.

    As in VGG (Simonyan and Zisserman 2015), maps are halved and filters added after every few;
    as in the all-convolutional network (Springenberg et al. 2015), there is no dense hidden layer.
    """
    x = digit = keras.Input((28, 28, 1))
    x = layers.MaxPooling2D(2)(_convolutions(x, 32, 32))
    x = layers.MaxPooling2D(2)(_convolutions(x, 64, 64, 64))
    x = layers.GlobalAveragePooling2D()(_convolutions(x, 96, 96, 96))
    # In float32 whatever the rest is in: it gives probabilities.
    x = layers.Dense(10, activation="softmax", dtype="float32", name="digits")(x)
    return keras.Model(digit, x, name="best")


def _convolutions(x: Any, *filters: int) -> Any:
    for count in filters:
        x = layers.Conv2D(count, 3, padding="same", use_bias=False)(x)
        x = layers.ReLU()(layers.BatchNormalization(momentum=0.95)(x))
    return x
