import pytest

from inkdigit.learning.datasets import Dataset, load_dataset
from inkdigit.learning.runs import Run
from inkdigit.learning.settings import TrainingSettings
from inkdigit.learning.training import train


@pytest.fixture(scope="session")
def small() -> Dataset:
    """A tenth of the sample: real digits, few enough to train on in a test."""
    sample = load_dataset("sample")
    _, train_part = sample.train.divided(0.2)
    _, test_part = sample.test.divided(0.3)
    return Dataset("sample", train_part, test_part)


@pytest.fixture(scope="session")
def trained(small: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A finished run; tests must not change it."""
    folder = tmp_path_factory.mktemp("trained") / "run"
    return train(TrainingSettings(network="lenet5", epochs=2, batch_size=64), small, folder)
