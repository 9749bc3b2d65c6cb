"""From what the page network says of each place of a page to where numbers stand."""

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from inkdigit.reading.calibration import Floats
from inkdigit.reading.preprocessing.paper import Ink
from inkdigit.reading.result import Box

# The classes of a place, in the order of the network's outputs; a number is its core and the rest.
PAPER, RULE, PRINT, WRITING, NUMBER, CORE = range(6)
CLASSES = 6
# A place is so many pixels wide and high, and the sides of a page are multiples of the other.
STRIDE, MULTIPLE = 4, 32
# A place is a number's, and a core's, from these probabilities on.
_LEAST, _LEAST_CORE = 0.5, 0.3
# What is less sure on the mean of its places is hardly ever a number.
_LEAST_MEAN = 0.7
# Ink that is weaker is the paper's grain.
_FAINT = 50


class Place(NamedTuple):
    """Where a number stands.

    `box` is that of its ink, in pixels of the page that was looked at, `cells` are the places that
    are its own, from the corner of `whole` on (in pixels), and `probability` is the network's that
    they are a number.
    """

    box: Box
    whole: Box
    cells: npt.NDArray[np.bool_]
    probability: float


def find_places(said: Floats, ink: Ink) -> list[Place]:
    """Return where numbers stand, of what the network says of the places of a page.

    `said` is `float32 (height / 4, width / 4, 6)` and `ink` `uint8 (height, width)`. Each core that
    is connected is a number's, and each place around it belongs to the core that is nearest.
    """
    number = said[..., NUMBER] + said[..., CORE]
    core = said[..., CORE] > _LEAST_CORE
    if not core.any():
        return []
    region = (number > _LEAST) | core
    _, part = cv2.connectedComponents(region.astype(np.uint8), connectivity=8)
    _, owner = cv2.distanceTransformWithLabels(
        (~core).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_CCOMP
    )
    home = np.zeros(int(owner.max()) + 1, np.int32)
    home[owner[core]] = part[core]
    owner = np.where(region & (home[owner] == part), owner, 0)
    labels = np.asarray(owner, np.int32)
    places = (_place(number, labels, each, ink) for each in _boxes(labels))
    return [place for place in places if place.probability >= _LEAST_MEAN]


def _boxes(owner: npt.NDArray[np.int32]) -> list[tuple[int, Box]]:
    """Return each label of a map with its box."""
    y, x = np.nonzero(owner)
    labels = owner[y, x]
    order = np.argsort(labels, kind="stable")
    labels, y, x = labels[order], y[order], x[order]
    found, first = np.unique(labels, return_index=True)
    left, right = np.minimum.reduceat(x, first), np.maximum.reduceat(x, first)
    top, bottom = np.minimum.reduceat(y, first), np.maximum.reduceat(y, first)
    sizes = np.stack([left, top, right - left + 1, bottom - top + 1], axis=1).tolist()
    return [(int(label), (x, y, w, h)) for label, (x, y, w, h) in zip(found, sizes, strict=True)]


def _place(
    number: Floats, owner: npt.NDArray[np.int32], labelled: tuple[int, Box], ink: Ink
) -> Place:
    label, (x, y, width, height) = labelled
    window = slice(y, y + height), slice(x, x + width)
    cells = owner[window] == label
    whole = x * STRIDE, y * STRIDE, width * STRIDE, height * STRIDE
    own = np.kron(cells, np.ones((STRIDE, STRIDE), np.uint8))
    shown = ink[whole[1] : whole[1] + whole[3], whole[0] : whole[0] + whole[2]]
    strong = ((shown > _FAINT) & (own[: shown.shape[0], : shown.shape[1]] > 0)).astype(np.uint8)
    left, top, wide, high = cv2.boundingRect(strong)
    box = (whole[0] + left, whole[1] + top, wide, high) if wide else whole
    return Place(box, whole, cells, float(number[window][cells].mean()))
