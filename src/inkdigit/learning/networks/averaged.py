"""Networks that read well for their size, for nearly all parameters sit in convolutions."""

from inkdigit.learning.backend import Layers, layers


def averaged(first: int, second: int, third: int, last: int) -> Layers:
    """Return four convolutions of so many filters, whose last maps are averaged, untrained.

    A stride in the first layer and a pooling after the second leave maps of 14, 12, 6 and 4 pixels
    a side. What a filter finds counts wherever it is found (Lin et al. 2014), so the dense layer is
    tiny. With 16 filters in every layer there are 7,738 parameters (`small-8k`), with 20 to 40
    24,126 (`small-25k`), with 32 to 80 90,058 (`small-100k`), with 48 to 128 197,370 (`best`).
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
