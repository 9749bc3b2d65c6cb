"""What the page shows besides the network itself: digits, how they are read, and where they lie."""

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA

from inkdigit.learning.backend import quietly
from inkdigit.learning.datasets.digits import Dataset, Digits, public_name
from inkdigit.learning.evaluation.metrics import Evaluation
from inkdigit.learning.explainer.attribution import TESTED, deletion_test
from inkdigit.learning.explainer.network import Network
from inkdigit.learning.explainer.sheet import sheet_of
from inkdigit.learning.models.keras_files import BATCH, predict
from inkdigit.learning.models.load import already_seen
from inkdigit.reading.alphabet import LINE_ALPHABET, NOT_A_DIGIT, SINGLE_ALPHABET
from inkdigit.reading.model_file import to_pixels

Numbers = npt.NDArray[np.int64]
# How many digits are in the page: of the test half at random, of mistakes beside these at most, and
# of the training half. A digit takes a third of a kilobyte.
TEST_SHOWN, MISTAKES_SHOWN, TRAIN_SHOWN = 300, 90, 300
# What a class is called that is no digit.
NONE = "none"


@dataclass(frozen=True)
class Opened:
    """A network on the page: what it is called, and its digits.

    They are those that it `learnt` from, if that is known; its film is in a run that kept one.
    """

    label: str
    network: Network
    learnt: str | None
    known: Dataset
    film: dict[str, Any] | None

    @property
    def reads_lines(self) -> bool:
        """Whether it reads lines of writing, and not single digits."""
        return len(self.network.model.output_shape) == 3

    @property
    def classes(self) -> list[str]:
        """What its answers stand for, in order."""
        return class_names(self.network.model)


def class_names(model: Any) -> list[str]:
    """Return what the answers of a Keras model stand for, in order."""
    shape = model.output_shape
    known = [*LINE_ALPHABET, "blank"] if len(shape) == 3 else [*SINGLE_ALPHABET]
    return [NONE if name == NOT_A_DIGIT else name for name in known[: shape[-1]]]


def facts_of(opened: list[Opened]) -> dict[str, Any]:
    """Return all that the page shows; networks are of one kind, and the test digits the first's."""
    lines, dataset = opened[0].reads_lines, opened[0].known
    test, known = dataset.test, list({id(one.known): one.known for one in opened}.values())
    told = [
        {"label": one.label, "classes": one.classes, "film": one.film, **one.network.to_dict()}
        for one in opened
    ]
    evaluations = []
    if not lines:
        answers = (predict(one.network.model, test.images) for one in opened)
        evaluations = [Evaluation(test.labels, answer) for answer in answers]
    sample, more = chosen_digits(evaluations, len(test))
    shown = np.concatenate([sample, more])
    for about, one, evaluation in zip(told, opened, evaluations, strict=False):
        about["known"] = [each is one.known for each in known].index(True)
        about["warning"] = already_seen(one.learnt, dataset.name, "test") or ""
        about.update(_failures(one.network, evaluation, test, sample))
        about["read"] = evaluation.predictions[shown].tolist()
    of = {"data": public_name(dataset.name), "sample": len(sample)}
    shown_test = {**_digits(test.at(shown)), **of}
    learnt = [] if lines else [_learnt(each) for each in known]
    return {"lines": lines, "networks": told, "digits": shown_test, "known": learnt}


def chosen_digits(evaluations: list[Evaluation], count: int) -> tuple[Numbers, Numbers]:
    """Return which of so many test digits are shown, in order: some at random, and more mistakes.

    Mistakes have their share of the first alone.
    """
    sample = np.sort(np.random.default_rng(0).permutation(count)[:TEST_SHOWN])
    others = (some[~np.isin(some, sample)] for some in (one.mistakes() for one in evaluations))
    more = [some[: MISTAKES_SHOWN // len(evaluations)] for some in others]
    return sample, np.unique(np.concatenate([sample[:0], *more]))


def _failures(
    network: Network, evaluation: Evaluation, test: Digits, shown: Numbers
) -> dict[str, Any]:
    """Return how a network reads the test digits, where some lie, and why it says so."""
    features = network.features.predict(to_pixels(test.images), batch_size=BATCH, verbose=0)
    features = features.reshape(len(test), -1)
    plane = PCA(2, svd_solver="full").fit(features)
    tested = np.random.default_rng(0).permutation(len(test))[:TESTED]
    return {
        "confusion": evaluation.confusion.tolist(),
        "points": _rounded(plane.transform(features[shown])),
        "plane": {"mean": _rounded(plane.mean_), "axes": _rounded(plane.components_)},
        "umap": _umap(features[shown]),
        "spread": float(plane.explained_variance_ratio_.sum()),
        "deletion": deletion_test(network.model, to_pixels(test.images[tested])),
    }


def _umap(features: npt.NDArray[np.float32]) -> Any:
    """Return where digits lie by UMAP (McInnes et al. 2018), `None` where it is not installed."""
    if find_spec("umap") is None:
        return None
    with quietly():  # it tells what a fixed seed costs
        return _rounded(import_module("umap").UMAP(random_state=0).fit_transform(features))


def _learnt(dataset: Dataset) -> dict[str, Any]:
    """Return some of the training half, as the page has them."""
    chosen = np.random.default_rng(0).permutation(len(dataset.train))[:TRAIN_SHOWN]
    some = dataset.train.at(np.sort(chosen))
    return {**_digits(some), "data": public_name(dataset.name)}


def _digits(some: Digits) -> dict[str, Any]:
    """Return digits as the page has them: labels, and their pictures as one PNG."""
    return {"labels": some.labels.tolist(), **sheet_of(some.images)}


def _rounded(values: npt.NDArray[Any]) -> Any:
    return np.round(values.astype(float), 5).tolist()
