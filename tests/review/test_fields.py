from collections import Counter
from pathlib import Path

import pytest
from piles import READ, row, table_of

from inkdigit.bulk.writers import Output
from inkdigit.errors import SettingError
from inkdigit.review.fields import Field, doubtful, sample, stratum


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
    assert Field.of(1, named).title == "1.png: form-1/total"
    assert field.title == "4.png"
    # What stands there without a rule or a pattern comes first.
    ruled = row(1, "653", "review", 0.8) | {"unconstrained": "753"}
    assert (Field.of(1, ruled).proposal, Field.of(1, ruled).second) == ("653", "753")
    # It is digits alone, so a text with a mark is no other for that.
    marked = row(1, "17", "review", 0.8) | {"text": "1,7", "unconstrained": "17"}
    assert Field.of(1, marked).second == Field.of(1, marked | {"unconstrained": None}).second


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


def test_a_spread_sample_is_in_proportion_and_draws_all_rows_alike(tmp_path: Path) -> None:
    """200 accepted rows, a tenth of them of one field: each sample of 20 holds two of those."""
    named = [
        row(1, "17", "accepted", 0.99) | {"id": f"claim/{number}/{name}"}
        for number in range(100)
        for name in ("total" if number % 5 == 0 else "q1", "q2")
    ]
    table, times = tmp_path / "claims.jsonl", Counter[int]()
    Output(table, "jsonl").write(named, several=True)
    for seed in range(100):
        fields, accepted = sample(table, 20, str(seed), "field")
        assert accepted == 200
        of = Counter(stratum("field", one.name, one.confidence) for one in fields)
        assert of == {"q1": 8, "q2": 10, "total": 2}
        times.update(one.row for one in fields)
    assert sample(table, 20, "7", "field") == sample(table, 20, "7", "field")
    assert len(sample(table, 500, "7", "field")[0]) == 200
    # 10 ± 3 of each row: four standard deviations.
    assert max(times.values()) <= 22
    assert sum(times[number] for number in range(1, 201, 10)) == 200


def test_only_forms_have_fields(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="only the rows of forms say which field they are"):
        sample(table_of(tmp_path / "results.csv"), 5, "0", "field")
    assert [one.row for one in sample(table_of(tmp_path / "a.csv"), 5, "0", "confidence")[0]] == [2]
