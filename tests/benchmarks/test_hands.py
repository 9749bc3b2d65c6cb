import argparse
from pathlib import Path

import numpy as np
import pytest

from benchmarks import hands
from inkdigit.errors import DataError


def test_sets_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds none of the sets: expected kensanata-numbers/"):
        hands.main(argparse.Namespace(sets=tmp_path, out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_writers_digits_stand_on_his_baseline() -> None:
    strokes = [[np.array([[3.0, -10 * size], [5.0, 0.0]])] for size in (1, 1, 2)]
    placed = dict(enumerate(hands.on_baseline([("7", one) for one in strokes])))
    tops = [float(shape[0][0, 1]) for _, shape in placed.values()]
    assert tops == pytest.approx([0, 0, -1])
    assert all(float(shape[0][-1, 1]) == pytest.approx(1) for _, shape in placed.values())
    assert all(float(shape[0][0, 0]) == 0 for _, shape in placed.values())


def test_a_dot_is_a_stroke_of_two_points() -> None:
    assert hands.simplified(np.array([[0.5, 0.5]])).tolist() == [[0.5, 0.5]] * 2


def test_a_small_picture_is_enlarged_and_stays_dark_on_white() -> None:
    image = np.full((16, 16), 255, np.uint8)
    image[4:12, 7:9] = 0
    large = hands.enlarged(image)
    assert large.shape == (2 * hands.HEIGHT, 2 * hands.HEIGHT)
    assert large[0, 0] == 255
    assert large[64, 64] == 0
    # Hardly a pixel is neither ink nor paper.
    assert ((large > 60) & (large < 200)).mean() < 0.03
