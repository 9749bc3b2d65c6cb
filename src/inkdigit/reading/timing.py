"""How fast digit models read on this machine as it is."""

import timeit
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

import numpy as np
import numpy.typing as npt

from inkdigit.reading.model_file import DigitModel

Images = npt.NDArray[np.uint8]


def digits_per_second(
    models: Sequence[DigitModel],
    images: Images,
    batches: Sequence[int],
    rounds: int,
    *,
    enough: int = 10_000,
) -> list[list[float]]:
    """Return the digits a second of each model by batches of each size.

    In each round every model is timed once by every size, so that what else this machine does meets
    them all alike; the median of the rounds counts. `images (n, 28, 28)` are repeated to fill a
    batch. A model reads about `enough` digits for a time, so that it is heard above the noise.
    """
    images = np.resize(images, (max(batches), *images.shape[1:]))
    took = defaultdict(list)
    for _ in range(rounds):
        for number, model in enumerate(models):
            for size in batches:
                calls = max(5, min(1000, enough // size))
                read = partial(model.predict_proba, images[:size])
                took[number, size].append(seconds_of(read, calls))
    numbers = range(len(models))
    return [[size / median(took[number, size]) for size in batches] for number in numbers]


def seconds_of(call: Callable[[], object], calls: int) -> float:
    """Return the median seconds of so many calls."""
    return median(timeit.repeat(call, repeat=calls, number=1))
