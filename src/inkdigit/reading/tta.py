"""Test-time augmentation: several views of the same ink, and the fallback network.

What a network says of several views, averaged, is right more often than what it says of one, and
above all is less often sure and wrong. Where a model file holds a second network, that one looks at
what the first leaves in doubt: networks of two trainings err elsewhere. Beside networks that were
adapted, those that it read with before look too: else other hands are forgotten. A last view, of
digits made even, helps to tell what is written; how sure that is, the others say.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.images import Grey
from inkdigit.reading.alphabet import LINE_ALPHABET
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
# Digits are made even by the ink that is so near, in heights of the line image, but for so much of
# it at each end; and so much paper is left above and below.
_AROUND, _ASTRAY, _EDGE = 0.7, 0.03, 0.05
# Fainter ink does not count, and columns around which there is less of it have none.
_FAINT, _LEAST_INK = 60, 32


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


def evened(pixels: Grey) -> Grey:
    """Return a line image `uint8 (h, w)` whose digits are of one height and on one level.

    Around each column the ink's top and bottom are moved to those of the image, and the line is as
    much wider there as it is higher (local normalisation, after Kozielski et al. 2013).

    >>> import numpy as np
    >>> line = np.zeros((32, 64), np.uint8)
    >>> line[2:30, 10:14] = line[14:22, 50:54] = 255
    >>> [int((evened(line)[:, half] > 128).any(axis=1).sum()) for half in np.s_[:40, 60:]]
    [28, 28]
    """
    height, width = pixels.shape
    around = round(_AROUND * height) | 1
    rows = cv2.boxFilter(np.where(pixels > _FAINT, pixels, 0), cv2.CV_32F, (around, 1))
    ink = rows.sum(axis=0)
    inked = np.flatnonzero(ink > _LEAST_INK)
    if not len(inked):
        return pixels
    below = rows[:, inked].cumsum(axis=0) / ink[inked]
    columns = np.arange(width)
    ends = np.array([(below < share).sum(axis=0) for share in (_ASTRAY, 1 - _ASTRAY)])
    ends = np.array([np.interp(columns, inked, end) for end in ends], np.float32)
    top, bottom = cv2.blur(ends, (around, 1), borderType=cv2.BORDER_REPLICATE)
    larger = (1 - 2 * _EDGE) * height / np.maximum(bottom + 1 - top, height / 4)
    places = np.concatenate([[0.0], larger.cumsum()])
    wide = max(height // 2, round(places[-1]))
    x = np.interp(np.arange(wide) + 0.5, places, np.arange(width + 1)) - 0.5
    middle, times = (np.interp(x, columns, of) for of in ((top + bottom + 1) / 2, larger))
    y = (np.arange(height)[:, None] + 0.5 - height / 2) / times + middle - 0.5
    across = np.broadcast_to(x, y.shape).astype(np.float32)
    return np.asarray(cv2.remap(pixels, across, y.astype(np.float32), cv2.INTER_LINEAR), np.uint8)


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
    """What networks say of lines: of all at `first`, and of those in `doubt` in several `looks`.

    `doubt` are the numbers of lines. The looks at those are the first, further views, and what
    other networks say of them as they are; `fallback` is the first of these, a fallback or a
    witness, and `None` where there is no such network, or no doubt. The `helping` look is at the
    same lines with digits made even.
    """

    first: Posteriors
    doubt: list[int]
    looks: list[Posteriors]
    helping: list[Posteriors]
    fallback: Posteriors | None
    unconstrained: list[Hypothesis]

    def choose(self, options: ReadOptions) -> list[Hypothesis]:
        """Return the text of each line under a pattern and check, by all that was seen."""
        if not options.constrained:
            return self.unconstrained
        chosen = choose([self.first], options)
        return _rescored(chosen, self.doubt, self.looks, self.helping, options)


def view_lines(
    network: Network,
    images: Sequence[Grey],
    others: Mapping[str, Network] | None = None,
    *,
    helped: bool = True,
) -> Views:
    """Look at line images `uint8 (32, width)`, and again where that leaves doubt.

    Then the `others` of a model file look too, if it has any; at last, if `helped`, the first looks
    at digits made even.
    """
    others = others or {}
    first = Posteriors.of(run_batched(network, images))
    proposed = choose([first], _UNCONSTRAINED)
    doubt = [i for i, found in enumerate(proposed) if found.probability < _SURE]
    doubtful = [images[number] for number in doubt]
    if not doubtful:
        return Views(first, doubt, [], [], None, proposed)
    further = [
        run_batched(network, [view(pixels) for pixels in doubtful])
        for view in (VIEWS_WITH_FALLBACK if others else VIEWS_ALONE)
    ]
    said = [run_batched(other, doubtful) for other in others.values()]
    looks = [first[np.array(doubt)], *map(Posteriors.of, [*further, *said])]
    fallback = looks[1 + len(further)] if said else None
    views = (evened,) if helped else ()
    helping = [Posteriors.of(run_batched(network, [*map(view, doubtful)])) for view in views]
    chosen = _rescored(proposed, doubt, looks, helping, _UNCONSTRAINED)
    return Views(first, doubt, looks, helping, fallback, chosen)


def _rescored(
    first: list[Hypothesis],
    doubt: list[int],
    looks: list[Posteriors],
    helping: list[Posteriors],
    options: ReadOptions,
) -> list[Hypothesis]:
    """Return what was chosen first, but for lines in doubt what all looks at them say."""
    if not doubt:
        return first
    chosen = zip(doubt, choose(looks, options, helping), strict=True)
    return list((dict(enumerate(first)) | dict(chosen)).values())


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
    output = np.zeros((len(images), int(steps.max()) * frames, len(LINE_ALPHABET) + 1), np.float32)
    output[:, :, -1] = 1
    for count in np.unique(steps):
        alike = np.flatnonzero(steps == count).tolist()
        together = max(1, _MOST_COLUMNS // int(count * PADDED_TO))
        for start in range(0, len(alike), together):
            same = alike[start : start + together]
            batch = pad([images[number] for number in same], PADDED_TO)
            output[same, : count * frames] = network(batch)
    return output
