"""The line network: a CNN slid along a line of writing, for connectionist temporal classification.

It is fully convolutional, so a line image may have any width. It sees some six digits at a time, so
there is no language in it that could drop a repeated digit.
"""

from typing import Any

from inkdigit.learning.backend import keras, layers
from inkdigit.reading.alphabet import LINE_ALPHABET
from inkdigit.reading.preprocessing.line import LINE_HEIGHT


def line() -> Any:
    """Return the network, `(n, 32, width, 1)` to log-odds `(n, width / 2, len(alphabet) + 1)`.

    The last class is CTC's blank (Graves et al. 2006). Each place of the last feature map, four
    columns wide, answers for two frames, as in sub-pixel convolution (Shi et al. 2016): that costs
    little and lets two narrow digits side by side have a blank between them.
    """
    classes = len(LINE_ALPHABET) + 1
    image = keras.Input((LINE_HEIGHT, None, 1), name="lines")
    # Convolving at full size and pooling then took a third of the time.
    x = _convolution(image, 16, kernel=5, strides=2)
    x = layers.MaxPooling2D(2)(_convolution(_convolution(x, 32), 32))
    x = layers.MaxPooling2D((2, 1))(_convolution(_convolution(x, 64), 64))
    x = _block(x, 96)
    x = _block(x, 128, kernel=(4, 1), padding="valid")
    x = _block(x, 128, kernel=(1, 5))
    for _ in range(2):
        x = layers.Add()([x, _block(layers.Dropout(0.1)(x), 128, kernel=(1, 5))])
    x = layers.Dropout(0.1)(x)
    # In float32 whatever the rest is in: they give probabilities.
    x = layers.Conv2D(2 * classes, 1, dtype="float32")(x)
    frames = layers.Reshape((-1, classes), dtype="float32", name="frames")(x)
    return keras.Model(image, frames, name="line")


def _convolution(x: Any, filters: int, kernel: int = 3, strides: int = 1) -> Any:
    # Batch normalisation of the large maps would take as long as all the rest of a step.
    return layers.Conv2D(
        filters, kernel, strides, "same", activation="relu", kernel_initializer="he_normal"
    )(x)


def _block(x: Any, filters: int, kernel: Any = 3, padding: str = "same") -> Any:
    x = layers.Conv2D(filters, kernel, padding=padding, use_bias=False)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.98)(x))
