"""What a network has learned after each epoch, kept in its run for the film of the explainer.

An epoch takes about two kilobytes: the filters of the first layer, the answers to ten test digits,
and where 200 of them lie on a plane of what the last layer sees.
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg import orthogonal_procrustes

from inkdigit.files import write_atomically
from inkdigit.learning.explainer.film import FRAME, read_snapshots
from inkdigit.learning.explainer.network import Network
from inkdigit.learning.models.run import SNAPSHOTS
from inkdigit.learning.training import Onlooker, Training
from inkdigit.reading.model_file import to_pixels

Frame = dict[str, npt.NDArray[Any]]
Model = Any  # a keras.Model; Keras carries no types
Floats = npt.NDArray[np.float32]

_FILTERS, _POINTS = 32, 200
_NOTHING = np.zeros((0, 2), np.float32)


class Camera:
    """Looks at a network that learns: at its filters, and what it makes of the same few digits.

    `ten` are the first test digit of each class, and `many` those on the plane; `missing` says
    which layer can't be computed for it. A network that reads lines or finds numbers on pages shows
    its filters alone.
    """

    def __init__(self, training: Training) -> None:
        test = training.dataset.test
        if training.settings.network in ("line", "page"):
            test = test.at(np.arange(0))
        _, first = np.unique(test.labels, return_index=True)
        chosen = np.random.default_rng(0).permutation(len(test))[:_POINTS]
        self.ten, self.many = test.at(first), test.at(np.sort(chosen))
        # A copy, so that the network that learns is left alone.
        self._copy = Network.of(training.network()) if len(test) else None
        self.missing = self._copy.missing if self._copy else ""

    def frame(self, model: Model, before: Floats | None) -> Frame:
        """Return all there is to see of a network; `before` are the points of the last time."""
        frame: Frame = {"filters": filters_of(model), "answers": self.answers(model)}
        return frame | {"points": self._points(model, before)}

    def answers(self, model: Model) -> Floats:
        """Return the probabilities `(10, classes)` of the ten digits."""
        if not len(self.ten):
            return _NOTHING
        return np.asarray(model.predict_on_batch(to_pixels(self.ten.images)), np.float32)

    def _points(self, model: Model, before: Floats | None) -> Floats:
        """Return where the digits lie by the principal components of what the last layer sees.

        Turned so that they are as near as can be to where they were (Schönemann 1966), and scaled
        to a spread of 1: neither says anything of the network.
        """
        if self._copy is None:
            return _NOTHING
        self._copy.model.set_weights(model.get_weights())
        seen = self._copy.features.predict_on_batch(to_pixels(self.many.images))
        seen = np.asarray(seen, np.float64).reshape(len(self.many), -1)
        sides, sizes, _ = np.linalg.svd(seen - seen.mean(axis=0), full_matrices=False)
        points = sides[:, :2] * sizes[:2]
        points /= max(points.std(), 1e-9)
        if before is not None and len(before) == len(points):
            points = points @ orthogonal_procrustes(points, before)[0]
        return np.asarray(points, np.float32)


def filters_of(model: Model) -> Floats:
    """Return the first layer's kernels `(rows, columns, filters)`; of a dense one as pictures.

    None, where it has no such thing.
    """
    kernel = next((np.asarray(each) for each in model.weights if len(each.shape) > 1), _NOTHING)
    if kernel.ndim == 2 and len(kernel) == 28 * 28:
        kernel = kernel.reshape(28, 28, -1)
    if kernel.ndim < 3:
        return np.zeros((0, 0, 0), np.float32)
    return kernel.reshape(*kernel.shape[:2], -1)[..., :_FILTERS].astype(np.float32)


class Snapshots(Onlooker):
    """Keeps a frame in the run before the first epoch and after each.

    An epoch that is gone through again, after a kill, takes the place of what was kept of it.
    """

    def on_train_begin(self, logs: Any = None) -> None:  # noqa: ARG002
        """Take up what was kept of the epochs that are behind, or begin."""
        self.camera = Camera(self.training)
        behind = len(self.loop.history)
        self.frames = [one for one in _kept(self._path) if one["epochs"] <= behind]
        if not self.frames:
            self._add(behind, np.nan, np.nan)

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """Keep what the epoch has changed."""
        self._add(epoch + 1, logs["val_loss"], logs["val_accuracy"])

    @property
    def _path(self) -> Path:
        return self.run.folder / SNAPSHOTS

    def _add(self, epoch: int, loss: float, accuracy: float) -> None:
        before = self.frames[-1]["points"].astype(np.float32) if self.frames else None
        seen = self.camera.frame(self.model, before)
        frame = {name: values.astype(np.float16) for name, values in seen.items()}
        figures = np.array([loss, accuracy], np.float32)
        self.frames.append(frame | {"epochs": np.array(epoch), "figures": figures})
        arrays: dict[str, Any] = {
            name: np.stack([one[name] for one in self.frames]) for name in self.frames[0]
        }
        ten, many = self.camera.ten, self.camera.many
        arrays |= {"ten": ten.images, "ten_labels": ten.labels, "labels": many.labels}
        write_atomically(self._path, lambda file: np.savez_compressed(file, **arrays))


def _kept(path: Path) -> list[Frame]:
    if not path.exists():
        return []
    kept = read_snapshots(path)
    return [{name: kept[name][at] for name in FRAME} for at in range(len(kept["epochs"]))]
