import numpy as np
import pytest

from inkdigit.learning.readers.page_loop import matched, overlaps, place_loss
from inkdigit.reading.pages.places import CORE, NUMBER, PAPER
from inkdigit.reading.result import Box


def drawn(box: Box) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    x, y, width, height = box
    canvas = np.zeros((60, 60), bool)
    canvas[y : y + height, x : x + width] = True
    return canvas


def test_overlaps_are_those_of_the_pixels() -> None:
    rng = np.random.default_rng(1)
    boxes = [tuple(map(int, row)) for row in rng.integers(1, 30, (12, 4))]
    found, true = boxes[:5], boxes[5:]
    expected = [
        [(drawn(a) & drawn(b)).sum() / (drawn(a) | drawn(b)).sum() for b in true]  # type: ignore[arg-type]
        for a in found
    ]
    np.testing.assert_allclose(overlaps(np.array(found, float), np.array(true, float)), expected)


def test_each_number_is_found_once_by_the_box_that_is_most_like_it() -> None:
    true = [(10, 10, 20, 10), (40, 10, 10, 10)]
    found = [(12, 10, 20, 10), (10, 10, 21, 10), (40, 30, 10, 10), (41, 10, 9, 10)]
    assert matched(found, true) == {1: 0, 3: 1}
    assert matched([], true) == matched(found, []) == {}


def test_the_loss_falls_as_more_places_are_right() -> None:
    what = np.full((1, 8, 8), PAPER, np.float32)
    what[0, 2:6, 1:7], what[0, 3:5, 2:6] = NUMBER, CORE
    truth = np.eye(6, dtype=np.float32)[what.astype(int)]
    losses = [float(place_loss(what, sure * truth)) for sure in (0.0, 2.0, 6.0, 20.0)]
    assert losses == sorted(losses, reverse=True)
    assert losses[0] > 2
    assert losses[-1] == pytest.approx(0, abs=1e-3)


def test_the_loss_is_the_weighted_mean_and_dice() -> None:
    what = np.array([[[PAPER, NUMBER]]], np.float32)
    log_odds = np.zeros((1, 1, 2, 6), np.float32)
    # All classes are as likely: the entropy is log 6, a core is said where there is none.
    dice = (1 - 1 / (0 + 2 / 6 + 1)) + (1 - (2 * 2 / 6 + 1) / (1 + 4 / 6 + 1))
    assert float(place_loss(what, log_odds)) == pytest.approx(np.log(6) + 0.5 * dice, abs=1e-5)
