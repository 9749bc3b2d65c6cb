"""Learning: labelled digits in, a trained, evaluated, compared and exported network out.

Needs the extra `learn` (or `training` with a Keras backend of your own). The usual way through:

    from inkdigit import learning

    digits = learning.load_dataset("auto")
    run = learning.train(digits, "fast", out="runs/fast")
    learning.evaluate(run, digits).accuracy
    learning.DigitClassifier.load(run).predict(digits.test.images)

Importing it loads nothing: each name is looked up when it is first used.
"""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from inkdigit.errors import needing

if TYPE_CHECKING:
    from inkdigit.learning.adaptation.api import adapt
    from inkdigit.learning.api import compare, export, resume, train
    from inkdigit.learning.classifiers.mean import export_mean
    from inkdigit.learning.datasets import Dataset, Digits, load_dataset
    from inkdigit.learning.evaluation import figures
    from inkdigit.learning.evaluation.api import evaluate
    from inkdigit.learning.evaluation.comparison import Comparison
    from inkdigit.learning.evaluation.metrics import Evaluation
    from inkdigit.learning.explainer.api import explain
    from inkdigit.learning.models.load import DigitClassifier
    from inkdigit.learning.models.run import Run
    from inkdigit.learning.networks import build_network
    from inkdigit.learning.settings import TrainingSettings

__all__ = [
    "Comparison", "Dataset", "DigitClassifier", "Digits", "Evaluation", "Run", "TrainingSettings",
    "adapt", "build_network", "compare", "evaluate", "explain", "export", "export_mean", "figures",
    "load_dataset", "resume", "train",
]  # fmt: skip

_HOME = {
    "Comparison": "evaluation.comparison", "Dataset": "datasets", "DigitClassifier": "models.load",
    "Digits": "datasets", "Evaluation": "evaluation.metrics", "Run": "models.run",
    "TrainingSettings": "settings", "adapt": "adaptation.api", "build_network": "networks",
    "evaluate": "evaluation.api", "explain": "explainer.api", "export_mean": "classifiers.mean",
    "figures": "evaluation.figures", "load_dataset": "datasets",
}  # fmt: skip


# Before anything imports TensorFlow, which logs a lot while it starts.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = f"{__name__}.{_HOME.get(name, 'api')}"
    with needing("learn"):
        module = import_module(home)
    return module if name == "figures" else getattr(module, name)


def __dir__() -> list[str]:
    return __all__
