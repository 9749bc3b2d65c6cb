"""What the page shows besides the network itself: digits, how they are read, and where they lie."""

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from sklearn.decomposition import PCA

from inkdigit.learning.datasets.digits import Dataset, Digits, public_name
from inkdigit.learning.evaluation.metrics import Evaluation
from inkdigit.learning.explainer.attribution import TESTED, deletion_test
from inkdigit.learning.explainer.network import Network
from inkdigit.learning.models.keras_files import BATCH, predict
from inkdigit.learning.models.load import already_seen
from inkdigit.reading.alphabet import LINE_ALPHABET, NOT_A_DIGIT, SINGLE_ALPHABET
from inkdigit.reading.model_file import to_pixels

Numbers = npt.NDArray[np.int64]
# How many digits are in the page: of the test half, of which so many are mistakes at most, and of
# the training half. A digit takes a third of a kilobyte.
TEST_SHOWN, MISTAKES_SHOWN, TRAIN_SHOWN = 300, 180, 300
# What a class is called that is no digit.
NONE = "none"
_COLUMNS = 20
_SIDE = 28


@dataclass(frozen=True)
class Opened:
    """A network on the page: what it is called, and what it learnt from, where that is known."""

    label: str
    network: Network
    learnt: str | None

    @property
    def reads_lines(self) -> bool:
        """Whether it reads lines of writing, and not single digits."""
        return len(self.network.model.output_shape) == 3

    @property
    def classes(self) -> list[str]:
        """What its answers stand for, in order."""
        known = [*LINE_ALPHABET, "blank"] if self.reads_lines else [*SINGLE_ALPHABET]
        count = self.network.model.output_shape[-1]
        return [NONE if name == NOT_A_DIGIT else name for name in known[:count]]


def facts_of(opened: list[Opened], dataset: Dataset) -> dict[str, Any]:
    """Return all that the page shows; networks are of one kind."""
    lines, test = opened[0].reads_lines, dataset.test
    told = [{"label": one.label, "classes": one.classes, **one.network.to_dict()} for one in opened]
    evaluations = []
    if not lines:
        answers = (predict(one.network.model, test.images) for one in opened)
        evaluations = [Evaluation(test.labels, answer) for answer in answers]
    shown = chosen_digits(evaluations, len(test))
    for about, one, evaluation in zip(told, opened, evaluations, strict=False):
        about["warning"] = already_seen(one.learnt, dataset.name, "test") or ""
        about.update(_failures(one.network, evaluation, test, shown))
    return {"lines": lines, "networks": told, "digits": _digits(dataset, shown)}


def chosen_digits(evaluations: list[Evaluation], count: int) -> Numbers:
    """Return which of so many test digits are shown: mistakes, and others at random, in order."""
    mistakes = [one.mistakes()[: MISTAKES_SHOWN // len(evaluations)] for one in evaluations]
    others = np.random.default_rng(0).permutation(count)
    first = dict.fromkeys(np.concatenate([*mistakes, others]).tolist())
    return np.sort(np.array(list(first)[:TEST_SHOWN]))


def _failures(
    network: Network, evaluation: Evaluation, test: Digits, shown: Numbers
) -> dict[str, Any]:
    """Return how a network reads the test digits, where those shown lie, and why it says so."""
    features = network.features.predict(to_pixels(test.images), batch_size=BATCH, verbose=0)
    features = features.reshape(len(test), -1)
    plane = PCA(2, svd_solver="full").fit(features)
    tested = np.random.default_rng(0).permutation(len(test))[:TESTED]
    return {
        "confusion": evaluation.confusion.tolist(),
        "read": evaluation.predictions[shown].tolist(),
        "points": _rounded(plane.transform(features[shown])),
        "plane": {"mean": _rounded(plane.mean_), "axes": _rounded(plane.components_)},
        "spread": float(plane.explained_variance_ratio_.sum()),
        "deletion": deletion_test(network.model, to_pixels(test.images[tested])),
    }


def _digits(dataset: Dataset, shown: Numbers) -> dict[str, Any]:
    """Return the digits in the page: labels, and their pictures as one PNG, test digits first."""
    chosen = np.random.default_rng(0).permutation(len(dataset.train))[:TRAIN_SHOWN]
    some = dataset.train.at(np.sort(chosen))
    test = dataset.test.at(shown)
    return {
        "test": test.labels.tolist(),
        "train": some.labels.tolist(),
        "data": public_name(dataset.name),
        "columns": _COLUMNS,
        "sheet": base64.b64encode(_sheet(np.concatenate([test.images, some.images]))).decode(),
    }


def _sheet(images: npt.NDArray[np.uint8]) -> bytes:
    """Return digits side by side in rows, as a PNG."""
    blank = np.zeros((-len(images) % _COLUMNS, _SIDE, _SIDE), np.uint8)
    rows = np.concatenate([images, blank]).reshape(-1, _COLUMNS, _SIDE, _SIDE)
    stream = io.BytesIO()
    sheet = rows.transpose(0, 2, 1, 3).reshape(-1, _COLUMNS * _SIDE)
    Image.fromarray(sheet).save(stream, "PNG", optimize=True)
    return stream.getvalue()


def _rounded(values: npt.NDArray[Any]) -> Any:
    return np.round(values.astype(float), 5).tolist()
