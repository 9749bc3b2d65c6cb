"""What the tests of training share: how it is killed, and what it has learnt."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from inkdigit.learning.classifiers.loop import ClassifierLoop
from inkdigit.learning.classifiers.train import ClassifierTraining
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.settings import TrainingSettings


class Killed(Exception):
    pass


def make_loop(
    settings: TrainingSettings, dataset: Dataset, callbacks: Sequence[Any] = ()
) -> ClassifierLoop:
    with ClassifierTraining(settings, dataset, None, callbacks).loop() as loop:
        return loop


def weights(loop: ClassifierLoop) -> list[np.ndarray]:
    return [np.asarray(variable) for variable in loop.model.variables]
