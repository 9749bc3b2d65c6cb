import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from benchmarks import measuring
from benchmarks.measuring import Figure


def test_a_figure_is_held_against_its_bar() -> None:
    fast = measuring.spread("lines", "x", [900.0, 1100.0, 1200.0], "lines/s", least=1000)
    assert (fast.value, fast.low, fast.high, fast.met) == (1100, 900, 1200, "yes")
    assert str(fast).split()[-5:] == ["1200.000", "at", "least", "1000", "yes"]
    assert Figure("sizes", "wheel", 6.1, "MB", most=6).met == "no"
    assert Figure("one", "x", 6.1, "ms").met == ""
    assert measuring.bar("accuracy", 0.995, 0.99).endswith("at least 0.99  yes")


def test_parts_that_were_not_measured_again_stay_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "speed.csv"
    before = pd.DataFrame({"part": ["lines", "sizes"], "figure": ["x", "x"], "value": [1.0, 2.0]})
    before.to_csv(path, index=False)

    def measured(part: str, value: float):
        def figures(times: int) -> Iterator[Figure]:
            yield Figure(part, "x", times * value, "ms", most=7)

        return figures

    values = {"lines": 1.0, "cold": 4.0, "sizes": 3.0}
    parts = {name: measured(name, value) for name, value in values.items()}
    options = argparse.Namespace(parts=["sizes", "cold"], out=path)
    measuring.measure(parts, 2, options, " at night")
    table = pd.read_csv(path)
    assert table["part"].tolist() == ["lines", "cold", "sizes"]
    assert table["value"].tolist() == [1.0, 8.0, 6.0]
    assert table["met"].fillna("").tolist() == ["", "no", "yes"]
    assert table["hardware"].iloc[1].endswith("cores at night")


def test_what_fails_says_why() -> None:
    assert measuring.run(sys.executable, "-c", "print('done')") == "done\n"
    with pytest.raises(SystemExit, match="it is broken"):
        measuring.run(sys.executable, "-c", "raise SystemExit('it is broken')")


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="processes are not pinned here")
def test_only_so_many_cores_are_used() -> None:
    code = "from benchmarks import measuring as m; m.use_cores(1); print(m.hardware())"
    assert measuring.run(sys.executable, "-c", code, cwd=measuring.ROOT).endswith("1 cores\n")
