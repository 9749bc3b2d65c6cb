"""`learning.evaluate`: light to import, as what is evaluated may do without Keras."""

from pathlib import Path

from inkdigit.learning.datasets import Dataset, load_dataset
from inkdigit.learning.evaluation.metrics import Evaluation
from inkdigit.learning.models.load import DigitClassifier, already_seen
from inkdigit.learning.models.run import Run


def evaluate(
    model: DigitClassifier | Run | str | Path, data: Dataset | str = "auto", split: str = "test"
) -> Evaluation:
    """Hold a trained network against labelled digits.

    `model` is a `DigitClassifier`, or a run or file that one can be loaded from. `split` is `test`,
    `validation` (a tenth of the training half), `train` or `all`. The figures are those of the
    network as it is: its temperature is not applied.

    >>> from inkdigit import learning
    >>> evaluation = learning.evaluate(learning.DigitClassifier.load(), "sample")
    >>> evaluation.accuracy > 0.99
    True
    >>> evaluation.warning[:54]
    "the sample is part of MNIST's training half, which thi"
    """
    classifier = model if isinstance(model, DigitClassifier) else DigitClassifier.load(model)
    dataset = load_dataset(data)
    digits = dataset.split(split)
    warning = already_seen(classifier.trained_on, dataset.name, split)
    probabilities = classifier.probabilities(digits.images)
    return Evaluation(digits.labels, probabilities, warning, digits.writers)
