"""Training the page network on drawn pages, place by place."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from inkdigit.learning.backend import keras
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.synthesis.pages import Shown
from inkdigit.learning.synthesis.stream import SampleStream
from inkdigit.learning.training import EpochLoop
from inkdigit.reading.calibration import Floats
from inkdigit.reading.model_file import to_pixels
from inkdigit.reading.pages.places import CLASSES, CORE, NUMBER, find_places
from inkdigit.reading.result import Box

Boxes = npt.NDArray[np.float64]

# Places of numbers are few, and their cores fewer.
_WEIGHTS = (0.6, 0.6, 1.0, 1.0, 2.0, 3.0)
_TOGETHER = 16
# A number is found where its box and the other share so much of what they cover together.
OVERLAP = 0.5


class PageLoop(EpochLoop):
    """A page network learning from pages that are drawn as it goes."""

    def __init__(
        self, settings: TrainingSettings, pages: SampleStream[Shown], validation: list[Shown]
    ) -> None:
        super().__init__(settings)
        self._pages, self._validation = pages, validation
        keras.utils.set_random_seed(settings.seed)
        self._build(settings.epochs * self.steps, place_loss)

    @property
    def steps(self) -> int:
        """The batches of an epoch."""
        drawn = self.recipe.drawn
        return drawn.epoch_blocks * (drawn.block // self.settings.batch_size)

    def _fit_epoch(self) -> dict[str, float]:
        drawn, size = self.recipe.drawn, self.settings.batch_size
        first = len(self.history) * drawn.epoch_blocks
        losses = []
        for block in self._pages.blocks(first, first + drawn.epoch_blocks, drawn.block):
            # Neighbours are cut from the same page.
            step = len(block) // size
            for start in range(step):
                losses.append(self.model.train_on_batch(*to_arrays(block[start::step][:size])))
                self._tell(losses)
        return {"loss": float(np.mean(losses))}

    def _validate(self) -> tuple[float, float]:
        return evaluate(self.model, self._validation)


def to_arrays(pages: Sequence[Shown]) -> tuple[Floats, Floats]:
    """Return what `train_on_batch` takes: pages `(n, h, w, 1)` and the classes of their places."""
    ink, what = np.stack([page[0] for page in pages]), np.stack([page[1] for page in pages])
    return to_pixels(ink), what.astype(np.float32)


@keras.saving.register_keras_serializable("inkdigit")  # type: ignore[untyped-decorator]
def place_loss(what: Any, log_odds: Any) -> Any:
    """Return the weighted cross entropy of places, and the Dice loss of numbers and their cores.

    The Dice loss (Milletari et al. 2016) does not mind how few the places of numbers are.
    """
    ops = keras.ops
    truth = ops.one_hot(ops.cast(what, "int32"), CLASSES)
    log_odds = ops.cast(log_odds, "float32")
    weights = ops.sum(truth * ops.convert_to_tensor(_WEIGHTS), axis=-1)
    entropy = -ops.sum(truth * ops.log_softmax(log_odds), axis=-1)
    said = ops.softmax(log_odds)
    dice = sum(
        1 - (2 * ops.sum(true * shown) + 1) / (ops.sum(true) + ops.sum(shown) + 1)
        for true, shown in (
            (truth[..., CORE], said[..., CORE]),
            (ops.sum(truth[..., NUMBER:], -1), ops.sum(said[..., NUMBER:], -1)),
        )
    )
    return ops.sum(weights * entropy) / ops.sum(weights) + 0.5 * dice


def evaluate(model: Any, pages: Sequence[Shown]) -> tuple[float, float]:
    """Return the mean loss, and the F1 score of the numbers that are found."""
    losses, found, true, both = [], 0, 0, 0
    for first in range(0, len(pages), _TOGETHER):
        some = pages[first : first + _TOGETHER]
        images, what = to_arrays(some)
        log_odds = np.asarray(model.predict_on_batch(images))
        losses.append(float(place_loss(what, log_odds)) * len(some))
        said = np.asarray(keras.ops.softmax(log_odds))
        for (ink, _, truths), page in zip(some, said, strict=True):
            boxes = [place.box for place in find_places(page, ink)]
            found, true = found + len(boxes), true + len(truths)
            both += len(matched(boxes, [one.box for one in truths]))
    return sum(losses) / len(pages), 2 * both / max(1, found + true)


def matched(found: Sequence[Box], true: Sequence[Box], overlap: float = OVERLAP) -> dict[int, int]:
    """Return which true box each that was found is, by their places: the most alike first."""
    if not found or not true:
        return {}
    shares = overlaps(np.array(found, float), np.array(true, float))
    pairs: dict[int, int] = {}
    for flat in np.argsort(-shares, axis=None):
        one, other = np.unravel_index(flat, shares.shape)
        if shares[one, other] < overlap:
            break
        if one not in pairs and other not in pairs.values():
            pairs[int(one)] = int(other)
    return pairs


def overlaps(found: Boxes, true: Boxes) -> Boxes:
    """Return the intersection over union of each box `(x, y, w, h)` with each other."""
    one, other = found[:, None], true[None]
    ends = np.minimum(one[..., :2] + one[..., 2:], other[..., :2] + other[..., 2:])
    sides = np.clip(ends - np.maximum(one[..., :2], other[..., :2]), 0, None)
    shared = sides.prod(axis=-1)
    both = one[..., 2:].prod(axis=-1) + other[..., 2:].prod(axis=-1) - shared
    return np.asarray(shared / both)
