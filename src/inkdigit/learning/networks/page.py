"""The page network: what lies where on a page, four pixels at a time.

It is fully convolutional, a feature pyramid (Lin et al. 2017) from 1/2 to 1/32 of the page's size
and back to 1/4, so a page may have any size that 32 divides.
"""

from typing import Any

from inkdigit.learning.backend import keras, layers

# Filters at 1/4, 1/8, 1/16 and 1/32 of the page's size, and on the way back.
_DOWN = (24, 48, 80, 112)
_UP = (24, 40, 56)


def page(classes: int = 6) -> Any:
    """Return the network, `(n, height, width, 1)` to log-odds `(n, height / 4, width / 4, 6)`."""
    image = keras.Input((None, None, 1), name="pages")
    x = _convolution(image, 12, kernel=5, strides=2)
    maps = []
    for place, filters in enumerate(_DOWN):
        # Batch normalisation of larger maps would take as long as all the rest of a step.
        step = _normalised if place >= 2 else _convolution
        x = step(step(x, filters, strides=2), filters)
        maps.append(x)
    for skipped, filters in zip(maps[-2::-1], _UP[::-1], strict=True):
        x = layers.UpSampling2D(2)(_convolution(x, filters, kernel=1))
        x = layers.Add()([x, _convolution(skipped, filters, kernel=1)])
        x = _convolution(x, filters)
    # In float32 whatever the rest is in: they give probabilities.
    x = layers.Conv2D(classes, 1, dtype="float32", name="places")(x)
    return keras.Model(image, x, name="page")


def _convolution(x: Any, filters: int, kernel: int = 3, strides: int = 1) -> Any:
    return layers.Conv2D(
        filters, kernel, strides, "same", activation="relu", kernel_initializer="he_normal"
    )(x)


def _normalised(x: Any, filters: int, strides: int = 1) -> Any:
    x = layers.Conv2D(filters, 3, strides, "same", use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.98)(x))
