"""What the tests of training share: how it is killed, and what it has learnt."""

import numpy as np

from inkdigit.learning.classifiers.loop import ClassifierLoop


class Killed(Exception):
    pass


def weights(loop: ClassifierLoop) -> list[np.ndarray]:
    return [np.asarray(variable) for variable in loop.model.variables]
