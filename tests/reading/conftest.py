from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from hand import Hand

    from inkdigit.learning.datasets import Dataset
    from inkdigit.reading.reader import Reader


@pytest.fixture(scope="session")
def hand(sample: "Dataset") -> "Hand":
    from hand import Hand

    return Hand(sample)


@pytest.fixture(scope="session")
def reader() -> "Reader":
    """The reader with the models in the package."""
    from inkdigit.reading.reader import Reader

    return Reader.load()
