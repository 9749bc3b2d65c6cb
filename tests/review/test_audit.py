from pathlib import Path

import numpy as np
import pytest
from piles import READ, said, settled, table_of
from scipy.stats import binom, binomtest

from inkdigit.errors import SettingError
from inkdigit.review.audit import Audit, at_most, interval, sample_size
from inkdigit.review.fields import sample


@pytest.mark.parametrize(
    ("wrong", "of"), [(0, 1), (1, 1), (0, 598), (3, 598), (598, 598), (250, 1000), (700, 20_000)]
)
def test_the_interval_is_that_of_scipy(wrong: int, of: int) -> None:
    low, high = binomtest(wrong, of).proportion_ci(0.95, method="exact")
    assert interval(wrong, of) == pytest.approx((low, high), abs=1e-9)
    if wrong < of:
        assert binom.cdf(wrong, of, at_most(wrong, of)) == pytest.approx(0.05)


def test_how_many_rows_show_a_share() -> None:
    assert (sample_size(0.005), sample_size(0.01), sample_size(0.5)) == (598, 299, 5)
    assert at_most(0, 598) <= 0.005 < at_most(0, 597)
    for wrong in (0, 1, -0.1):
        with pytest.raises(SettingError, match="between 0 and 100 %"):
            sample_size(wrong)


def test_how_far_an_audit_is(tmp_path: Path) -> None:
    table = table_of(tmp_path / "results.csv", [*READ, *[("17", "accepted", 0.99)] * 9])
    fields, accepted = sample(table, 5, "seed")
    assert accepted == 10
    first, second, third, *_ = (field.row for field in fields)
    journal = settled(table)
    assert str(Audit.of(fields, journal, accepted)) == "5 of 10 accepted rows are to be checked."
    journal.append(said(first, "17", blind=True))
    journal.append(said(second, "11", blind=True))
    found = Audit.of(fields, journal, accepted)
    assert (found.checked, found.wrong, found.again, found.is_done) == (2, 1, 1, False)
    journal.append(said(second, "17"))
    journal.append(said(third, "?", blind=True))
    journal.append(said(third, "?"))
    for field in fields[3:]:
        journal.append(said(field.row, "17", blind=True))
    found = Audit.of(fields, journal, accepted)
    assert (found.checked, found.wrong, found.again, found.is_done) == (5, 1, 0, True)
    low, high = binomtest(1, 5).proportion_ci(0.95, method="exact")
    assert str(found) == (
        "1 of 5 accepted rows that were keyed blind are wrong, drawn at random from 10: 20.00% "
        f"(95 % interval {low:.2%} to {high:.2%}). With 95 % confidence at most "
        f"{at_most(1, 5):.2%} are."
    )


def test_where_all_were_checked_nothing_is_estimated() -> None:
    found = Audit(accepted=40, planned=40, checked=40, wrong=2, again=0)
    assert str(found) == "2 of 40 accepted rows that were keyed blind are wrong."


def test_the_interval_holds_where_the_sample_is_spread() -> None:
    """All that is wrong lies in one of ten strata: the number found varies less, not more."""
    wrong, of = 30, 300
    draw, plain = np.random.default_rng(3), binom(of, wrong / of)
    found = draw.binomial(of // 10, 10 * wrong / of, size=2_000)
    held = [low <= wrong / of <= high for low, high in map(interval, found, [of] * len(found))]
    assert np.mean(held) >= 0.95
    assert np.std(found) < plain.std()


def test_each_stratum_is_told_of(tmp_path: Path) -> None:
    read = [("17", "accepted", 0.97), ("17", "accepted", 0.99), ("17", "accepted", 0.99)]
    table = table_of(tmp_path / "results.csv", read)
    fields, accepted = sample(table, 3, "seed", "confidence")
    journal = settled(table, *(said(number, "17", blind=True) for number in (1, 2)))
    journal.append(said(3, "11", blind=True), said(3, "11"))
    found = Audit.of(fields, journal, accepted, "confidence")
    assert found.strata == {"confidence 0.97": (0, 1), "confidence 0.99": (1, 2)}
    assert str(found).splitlines() == [
        "1 of 3 accepted rows that were keyed blind are wrong.",
        "confidence 0.97: 0 of 1, at most 95.00%",
        f"confidence 0.99: 1 of 2, at most {at_most(1, 2):.2%}",
    ]
