"""The network that reads one digit in use, and says when there is none."""

from inkdigit.learning.backend import Layers, layers
from inkdigit.reading.alphabet import SINGLE_ALPHABET


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
        layers.BatchNormalization(momentum=0.98),
        layers.ReLU(),
    ]
