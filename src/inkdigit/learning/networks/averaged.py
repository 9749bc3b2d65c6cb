"""Networks that read well for their size, for nearly all parameters sit in convolutions."""

from inkdigit.learning.backend import Layers, layers


def small_8k() -> Layers:
    """Return the network with 16 filters in every layer: 7,738 parameters."""
    return _averaged(16, 16, 16, 16)


def small_25k() -> Layers:
    """Return the network with 20 to 40 filters: 24,126 parameters."""
    return _averaged(20, 24, 32, 40)


def small_100k() -> Layers:
    """Return the network with 32 to 80 filters: 90,058 parameters."""
    return _averaged(32, 48, 64, 80)


def best() -> Layers:
    """Return the network with 48 to 128 filters: 197,370 parameters."""
    return _averaged(48, 64, 96, 128)


def _averaged(first: int, second: int, third: int, last: int) -> Layers:
    """Return four convolutions whose last maps are averaged (Lin et al. 2014), untrained.

    A stride in the first layer and a pooling after the second leave maps of 14, 12, 6 and 4 pixels
    a side. What a filter finds counts wherever it is found, so the dense layer is tiny.
    """
    return [
        layers.Conv2D(first, 5, strides=2, padding="same", use_bias=False),
        *_normalised(),
        layers.Conv2D(second, 3, use_bias=False),
        layers.MaxPooling2D(2),
        *_normalised(),
        layers.Conv2D(third, 3, padding="same", use_bias=False),
        *_normalised(),
        layers.Conv2D(last, 3, use_bias=False),
        *_normalised(),
        layers.GlobalAveragePooling2D(),
        # In float32 whatever the rest is in: it gives probabilities.
        layers.Dense(10, activation="softmax", dtype="float32", name="digits"),
    ]


def _normalised() -> Layers:
    return [layers.BatchNormalization(momentum=0.95), layers.ReLU()]
