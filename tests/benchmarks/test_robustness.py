from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from benchmarks import robustness, tables
from benchmarks.pictures import Picture
from inkdigit.learning.datasets import Dataset
from inkdigit.learning.evaluation.corruptions import CORRUPTIONS
from inkdigit.learning.models.run import Run


def test_each_network_seed_and_test_has_a_row_and_a_place_in_the_picture(
    small: Dataset, trained: Run, tmp_path: Path
) -> None:
    path = tmp_path / "three.png"
    cv2.imwrite(str(path), 255 - np.pad(small.test.images[small.test.labels == 3][0], 20))
    # Whatever is read there, it is one of ten.
    hands = {"own-hands": [Picture(path, str(digit)) for digit in range(10)]}
    table = pd.DataFrame(robustness.rows({("lenet5", 0): trained}, small.test, hands))
    assert not table.duplicated(["network", "seed", "test", "level"]).any()
    assert table["accuracy"].between(0, 1).all()
    assert table["calibration_error"].between(0, 1).all()
    first = table.set_index("test")["accuracy"]
    assert first["clean"] == pytest.approx(trained.metrics["test_accuracy"])
    assert first["own-hands"] == pytest.approx(0.1)

    overview = robustness.overview(table)["lenet5"]
    assert overview["clean"] == pytest.approx(100 * first["clean"], abs=0.01)
    corrupted = 100 * first[list(CORRUPTIONS)].mean()
    assert overview["corrupted"] == pytest.approx(corrupted, abs=0.01)
    shown = [axes.get_title() for axes in robustness.drawn(table, small.test.images[:6]).axes]
    assert {"turned, degrees", "moved, pixels", "zoomed, times as large"} <= set(shown)

    made = tables.robustness_table(table)
    assert f"| the same corrupted, mean of fifteen | {corrupted:.2f} % |" in made
