from collections import Counter
from pathlib import Path

import pytest
from piles import READ, row, table_of

from inkdigit.review.fields import Field, doubtful, sample


def test_a_field_proposes_what_was_read_and_the_next_best() -> None:
    field = Field.of(4, row(4, "17", "review", 0.8, (1, 2, 30, 40)))
    assert (field.proposal, field.second, field.weakest) == ("17", "11", 1)
    assert (field.row, field.name, field.box) == (4, "4.png", (1, 2, 30, 40))
    blank = Field.of(1, row(1, "", "review", 0.0))
    assert (blank.proposal, blank.second, blank.weakest) == ("-", None, 0)
    failed = Field.of(1, {"source": "a.pdf", "page": 3, "text": None, "status": "failed"})
    assert (failed.proposal, failed.name) == (None, "a.pdf, page 3")
    named = row(1, "17", "review", 0.8) | {"id": "form-1/total"}
    assert Field.of(1, named).name == "form-1/total"


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet", "xlsx"])
def test_the_riskiest_come_first(tmp_path: Path, suffix: str) -> None:
    table = table_of(tmp_path / f"results.{suffix}", [*READ, ("4", "rejected", 0.7)])
    assert [field.row for field in doubtful(table)] == [3, 4, 1]
    assert [field.row for field in doubtful(table, lambda number: number == 2)] == [3, 4, 1, 2]


def test_a_sample_is_drawn_from_all_accepted_rows_alike(tmp_path: Path) -> None:
    read = [(str(number), "review" if number % 5 else "accepted", 0.9) for number in range(50)]
    table, times = table_of(tmp_path / "results.jsonl", read), Counter[int]()
    for seed in range(200):
        fields, accepted = sample(table, 3, str(seed))
        more, _ = sample(table, 7, str(seed))
        assert accepted == 10
        assert more[:3] == fields
        times.update(field.row for field in fields)
    assert set(times) == set(range(1, 51, 5))
    # 60 ± 6.5 of each: four standard deviations.
    assert all(34 < count < 86 for count in times.values())
    every, _ = sample(table, 100, "0")
    assert len(every) == 10
