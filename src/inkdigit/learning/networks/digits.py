"""The networks that are plain sequences of layers, from the oldest to the one that reads in use."""

from inkdigit.learning.backend import Layers, layers
from inkdigit.reading.alphabet import SINGLE_ALPHABET


def lenet5() -> Layers:
    """Return LeNet-5, untrained: 61,706 parameters.

    LeCun, Bottou, Bengio and Haffner 1998, "Gradient-based learning applied to document
    recognition", section II.B.

    As in the paper: the sizes of C1, C3, C5 and F6, 2×2 averaging between, tanh, and 28×28 digits
    in a 32×32 field (by padding). Today's habit instead: every map of C3 sees every map of S2 (the
    paper left some connections out), averaging has no weights of its own, tanh is not scaled, and a
    softmax with cross-entropy and Adam stands where the paper had radial basis functions and
    stochastic Levenberg-Marquardt.
    """
    return [
        layers.Conv2D(6, 5, padding="same", activation="tanh", name="C1"),
        layers.AveragePooling2D(2, name="S2"),
        layers.Conv2D(16, 5, activation="tanh", name="C3"),
        layers.AveragePooling2D(2, name="S4"),
        layers.Conv2D(120, 5, activation="tanh", name="C5"),
        layers.Flatten(),
        layers.Dense(84, activation="tanh", name="F6"),
        layers.Dense(10, activation="softmax", name="digits"),
    ]


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


def modern() -> Layers:
    """Return a three-convolution network with batch normalisation (Ioffe and Szegedy 2015).

    The digits are read straight off the last feature maps, as in all-convolutional networks
    (Springenberg et al. 2015), so most of `classic`'s parameters, which sit in its dense hidden
    layer, are gone: 62,506 are left. A stride in the first layer and normalising after the pooling
    keep an epoch about as long as `classic`'s.
    """
    return [
        layers.Conv2D(32, 5, strides=2, use_bias=False),
        *_normalised(0.9),
        layers.Conv2D(64, 3, use_bias=False),
        layers.MaxPooling2D(2),
        *_normalised(0.9),
        layers.Conv2D(64, 3, use_bias=False),
        *_normalised(0.9),
        layers.Flatten(),
        layers.Dropout(0.3),
        layers.Dense(10, activation="softmax", name="digits"),
    ]


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
        *_normalised(0.9),
        layers.Flatten(),
        layers.Dense(128, use_bias=False),
        *_normalised(0.9),
        # In float32 whatever the rest is in: it gives probabilities.
        layers.Dense(10, activation="softmax", dtype="float32", name="digits"),
    ]


def averaged(first: int, second: int, third: int, last: int) -> Layers:
    """Return four convolutions of so many filters, whose last maps are averaged, untrained.

    A stride in the first layer and a pooling after the second leave maps of 14, 12, 6 and 4 pixels
    a side. What a filter finds counts wherever it is found (Lin et al. 2014), so the dense layer is
    tiny. With 16 filters in every layer there are 7,738 parameters (`small-8k`), with 20 to 40
    24,126 (`small-25k`), with 32 to 80 90,058 (`small-100k`), with 48 to 128 197,370 (`best`).
    """
    return [
        layers.Conv2D(first, 5, strides=2, padding="same", use_bias=False),
        *_normalised(0.95),
        layers.Conv2D(second, 3, use_bias=False),
        layers.MaxPooling2D(2),
        *_normalised(0.95),
        layers.Conv2D(third, 3, padding="same", use_bias=False),
        *_normalised(0.95),
        layers.Conv2D(last, 3, use_bias=False),
        *_normalised(0.95),
        layers.GlobalAveragePooling2D(),
        # In float32 whatever the rest is in: it gives probabilities.
        layers.Dense(10, activation="softmax", dtype="float32", name="digits"),
    ]


def _normalised(momentum: float) -> Layers:
    return [layers.BatchNormalization(momentum=momentum), layers.ReLU()]


def single() -> Layers:
    """Return a network like `modern`, wider and deeper, with a class for what is no digit."""
    return [
        *_block(32, kernel=5, strides=2),
        *_block(64, pool=True),
        *_block(96),
        *_block(128),
        layers.Flatten(),
        layers.Dropout(0.3),
        layers.Dense(len(SINGLE_ALPHABET), activation="softmax", dtype="float32", name="digits"),
    ]


def _block(filters: int, *, kernel: int = 3, strides: int = 1, pool: bool = False) -> Layers:
    return [
        layers.Conv2D(filters, kernel, strides=strides, padding="same", use_bias=False),
        *([layers.MaxPooling2D(2)] if pool else []),
        *_normalised(0.98),
    ]
