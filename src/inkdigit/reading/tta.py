"""Test-time augmentation: several views of the same ink, and the fallback network.

What a network says of several views, averaged, is right more often than what it says of one, and
above all is less often sure and wrong. Where a model file holds a second network, that one looks at
what the first leaves in doubt: networks of two trainings err elsewhere. Beside networks that were
adapted, those that it read with before look too: else other hands are forgotten.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.images import Grey
from inkdigit.reading.alphabet import DIGITS, LINE_ALPHABET
from inkdigit.reading.calibration import Floats
from inkdigit.reading.decoding.posteriors import Posteriors
from inkdigit.reading.decoding.rescoring import Hypothesis, choose
from inkdigit.reading.model_file import COLUMNS_PER_FRAME
from inkdigit.reading.options import ReadOptions

# What one view says with at least this probability is not looked at again.
_SURE = 0.97
_UNCONSTRAINED = ReadOptions()
# The network takes half a megabyte for a hundred columns.
_MOST_COLUMNS = 16_384
# Line images are padded to a multiple of this, so that those about as wide share a batch. The
# network takes as long for many together as one by one: wider steps cost more than they gain.
PADDED_TO = 8
_ANGLES = (-8.0, 8.0)

# What a line network says, `(n, width / 2, classes + 1)`, of line images `uint8 (n, 32, width)`.
Network = Callable[[npt.NDArray[np.uint8]], Floats]
View = Callable[[Grey], Grey]

# Slants that are tried: these, and then those beside the best.
_SLANTS = (-0.2, 0.1, 0.4, 0.7)
_BESIDE = 0.1


def deslanted(pixels: Grey) -> Grey:
    """Return a line image `uint8 (h, w)` with its slant taken out, `(h, w + room)`.

    Of all slants it is the one whose removal gathers the ink in the fewest columns, seen at half
    the size.
    """
    height, width = pixels.shape
    half = cv2.resize(pixels, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    gathered = partial(_gathered, np.asarray(half, np.uint8))
    best = max(_SLANTS, key=gathered)
    return _sheared(pixels, max((best, best - _BESIDE, best + _BESIDE), key=gathered))


def _gathered(pixels: Grey, slant: float) -> float:
    """Return how much the ink keeps to few columns once a slant is taken out."""
    columns = cv2.reduce(_sheared(pixels, slant), 0, cv2.REDUCE_SUM, dtype=cv2.CV_32F)
    return cv2.norm(columns)


def widened(pixels: Grey, factor: float = 1.2) -> Grey:
    """Return a line image made wider by a factor."""
    height, width = pixels.shape
    size = (max(height // 2, round(width * factor)), height)
    return np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_LINEAR), np.uint8)


# The further views of a line whose first leaves doubt: of a network alone, and with a fallback.
VIEWS_ALONE: tuple[View, ...] = (deslanted, widened)
VIEWS_WITH_FALLBACK: tuple[View, ...] = (deslanted,)


def _sheared(pixels: Grey, slant: float) -> Grey:
    """Return a line image with each row moved, the middle one staying, and room at both ends."""
    height, width = pixels.shape
    middle = height / 2
    room = int(abs(slant) * middle) + 1
    matrix = np.array([[1, slant, room - slant * middle], [0, 1, 0]])
    return np.asarray(cv2.warpAffine(pixels, matrix, (width + 2 * room, height)), np.uint8)


def classify_views(
    network: Callable[[npt.NDArray[np.uint8]], Floats], digits: npt.NDArray[np.uint8]
) -> Floats:
    """Return what a digit network says of digits `uint8 (n, 28, 28)`, as they are and turned.

    `network` returns probabilities `(n, classes)` of such digits, and so does this: their mean.
    """
    height, width = digits.shape[1:]
    views = [digits]
    for angle in _ANGLES:
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1)
        views.append(np.stack([cv2.warpAffine(one, matrix, (width, height)) for one in digits]))
    return np.asarray(np.mean([network(view) for view in views], axis=0), np.float32)


@dataclass(frozen=True)
class Views:
    """What networks say of lines: of all at `first`, and of those in `doubt` in several `views`.

    `doubt` are the numbers of lines. `views` holds one view of all of those after the other, the
    first among them. `fallback` is what the second network says of them as they are, a fallback or
    a witness; of none where there is no such network.
    """

    first: Posteriors
    doubt: list[int]
    views: Posteriors
    fallback: Posteriors
    unconstrained: list[Hypothesis]

    def choose(self, options: ReadOptions) -> list[Hypothesis]:
        """Return the text of each line under a pattern and check, by all that was seen."""
        if not options.constrained:
            return self.unconstrained
        first = choose(self.first.restricted_to(options.symbols), options)
        return _rescored(first, self.doubt, self.views, options)


def view_lines(
    network: Network, images: Sequence[Grey], others: Mapping[str, Network] | None = None
) -> Views:
    """Look at line images `uint8 (32, width)`, and again where that leaves doubt.

    Then the `others` of a model file look too, if it has any.
    """
    others = others or {}
    first = run_batched(network, images)
    posteriors = Posteriors.of(first)
    proposed = choose(posteriors.restricted_to(DIGITS), _UNCONSTRAINED)
    doubt = [i for i, found in enumerate(proposed) if found.probability < _SURE]
    doubtful = [images[number] for number in doubt]
    if not doubtful:
        none = posteriors[:0]
        return Views(posteriors, doubt, none, none, proposed)
    further = VIEWS_WITH_FALLBACK if others else VIEWS_ALONE
    again = run_batched(network, [view(pixels) for view in further for pixels in doubtful])
    said = [run_batched(other, doubtful) for other in others.values()]
    views = Posteriors.of(_stacked(first[doubt], again, *said))
    second = (1 + len(further)) * len(doubt)
    opinion = views[second : second + len(doubt)]
    chosen = _rescored(proposed, doubt, views, _UNCONSTRAINED)
    return Views(posteriors, doubt, views, opinion, chosen)


def _rescored(
    first: list[Hypothesis], doubt: list[int], views: Posteriors, options: ReadOptions
) -> list[Hypothesis]:
    """Return what was chosen first, but for lines in doubt what all views of them say."""
    if not doubt:
        return first
    chosen = list(first)
    lines = views.restricted_to(options.symbols)
    for number, found in zip(
        doubt, choose(lines, options, views=len(lines) // len(doubt)), strict=True
    ):
        chosen[number] = found
    return chosen


def _stacked(*outputs: Floats) -> Floats:
    """Put what was said of several views one after the other, filled up with blanks."""
    stacked = _blank_frames(sum(map(len, outputs)), max(output.shape[1] for output in outputs))
    ends = np.cumsum([len(output) for output in outputs])
    for output, end in zip(outputs, ends, strict=True):
        stacked[end - len(output) : end, : output.shape[1]] = output
    return stacked


def _blank_frames(lines: int, count: int) -> Floats:
    frames = np.zeros((lines, count, len(LINE_ALPHABET) + 1), np.float32)
    frames[:, :, -1] = 1
    return frames


def pad(images: Sequence[Grey], multiple: int) -> Grey:
    """Return line images below each other, `uint8 (n, 32, width)`, paper to the right of each."""
    width = -(-max(image.shape[1] for image in images) // multiple) * multiple
    padded = np.zeros((len(images), len(images[0]), width), np.uint8)
    for row, image in zip(padded, images, strict=True):
        row[:, : image.shape[1]] = image
    return padded


def run_batched(network: Network, images: Sequence[Grey]) -> Floats:
    """Return what the network says of each line image; beyond its end, that it is blank.

    Only images of one width, rounded up, share a batch, so what it says of one does not depend on
    the others.
    """
    steps = np.array([-(-pixels.shape[1] // PADDED_TO) for pixels in images])
    frames = PADDED_TO // COLUMNS_PER_FRAME
    output = _blank_frames(len(images), int(steps.max()) * frames)
    for count in np.unique(steps):
        alike = np.flatnonzero(steps == count).tolist()
        together = max(1, _MOST_COLUMNS // int(count * PADDED_TO))
        for start in range(0, len(alike), together):
            same = alike[start : start + together]
            batch = pad([images[number] for number in same], PADDED_TO)
            output[same, : count * frames] = network(batch)
    return output
