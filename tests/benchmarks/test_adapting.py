from pathlib import Path

import numpy as np

from benchmarks.adapting import Trial
from benchmarks.pictures import Picture


def test_halves_are_learned_from_in_turn_and_one_label_in_twenty_is_wrong() -> None:
    pictures = [Picture(Path(f"{number:03}.png"), f"1{number % 10}") for number in range(300)]
    (learned, others), (first, second) = (
        Trial("cheques", "some wrong", 0, half).split(pictures) for half in (0, 1)
    )
    assert (learned, others) == (second, first)
    assert len({*map(id, learned)} | {*map(id, others)}) == 300
    known = Trial("cheques", "some wrong", 0).known(learned)
    assert known is not None
    wrong = np.array([known[str(picture.source)] != picture.text for picture in learned])
    assert wrong.sum() == 8
    assert len(Trial("registers", "all", 0).split(pictures)[0]) == 200
