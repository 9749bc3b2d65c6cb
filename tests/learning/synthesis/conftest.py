import shutil
from pathlib import Path

import matplotlib as mpl
import pytest

from inkdigit.learning.datasets import Digits
from inkdigit.learning.datasets.sample import load_sample


@pytest.fixture(scope="session")
def digits() -> Digits:
    """Real digits to write with."""
    return load_sample().train


@pytest.fixture(scope="session")
def fonts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of fonts: those that matplotlib carries, as no handwriting is at hand."""
    folder = tmp_path_factory.mktemp("fonts")
    for path in sorted(Path(mpl.get_data_path(), "fonts", "ttf").glob("DejaVuSans*.ttf")):
        if "Display" not in path.name:
            shutil.copy(path, folder)
    return folder
