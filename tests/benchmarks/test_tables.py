from pathlib import Path

import pandas as pd
import pytest

from benchmarks import tables
from inkdigit.reading.review_rules import RULES


def rows(table: str) -> dict[str, list[str]]:
    """The cells of a table behind its first ones."""
    cells = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    return {first: others for first, *others in cells}


def test_what_was_not_measured_has_an_empty_table(tmp_path: Path) -> None:
    assert [tables.made(name, tmp_path) for name in tables.TABLES] == [""] * len(tables.TABLES)


def test_robustness_is_a_mean_over_seeds_of_the_mean_over_corruptions() -> None:
    tests = [
        {"network": "fast", "seed": seed, "kind": kind, "test": test, "level": 0,
         "accuracy": accuracy + 0.02 * seed, "calibration_error": 0.01}
        for seed in (0, 1)
        for kind, test, accuracy in (
            ("clean", "clean", 0.95), ("corruption", "fog", 0.3), ("corruption", "stripe", 0.5),
            ("curve", "turned", 0.1), ("hands", "usps", 0.9),
        )
    ]  # fmt: skip
    shown = rows(tables.robustness_table(pd.DataFrame(tests)))
    assert shown["MNIST's test half"] == ["96.00 ± 1.41 %"]
    assert shown["the same corrupted, mean of fifteen"] == ["41.00 ± 1.41 %"]
    assert shown["USPS, 16×16"] == ["91.00 ± 1.41 %"]
    assert shown["calibration error on MNIST's test half"] == ["1.00 ± 0.00 %"]


def test_records_have_a_row_a_recipe() -> None:
    runs = [("small-8k", 0, 0.994, 7_000), ("small-8k", 1, 0.996, 7_000)]
    runs.append(("best, together", 10, 0.998, 2_000_000))
    names = ["recipe", "seed", "test_accuracy", "parameters"]
    table = pd.DataFrame(runs, columns=names).assign(macs=530_144, epochs=25)
    first, last = tables.records_table(table).splitlines()[-2:]
    assert first == "| `small-8k` | 7,000 | 530,144 | 25 | 99.50 ± 0.14 % | 2 |"
    assert last == "| all of `best`, their mean answer | 2,000,000 | 530,144 | 25 | 99.80 % | 10 |"


@pytest.mark.parametrize("pictures", [["real"], ["real", "drawn"]])
def test_review_rules_are_in_their_order_with_what_they_earn(pictures: list[str]) -> None:
    earned = pd.DataFrame(
        {"rule": rule.name, "pictures": kind, "n": 2822, "deferred": number, "caught": 1}
        for kind in pictures
        for number, rule in enumerate(RULES[:-1])
    )
    shown = rows(tables.rules_table(earned))
    assert list(shown) == [rule.name for rule in RULES]
    for number, rule in enumerate(RULES[:-1]):
        counts = [str(number), "1"] * len(pictures)
        assert shown[rule.name] == [f"`{rule.status}`", rule.kind, rule.reason, *counts]
    assert shown[RULES[-1].name][-1] == "–"
