import threading
from pathlib import Path

import pytest
from piles import READ, fields_of, settled, table_of

from inkdigit.errors import RunError, SettingError
from inkdigit.review import pile as piles_module
from inkdigit.review.journal import Journal
from inkdigit.review.pile import Pile


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return table_of(tmp_path / "results.csv", [*READ, ("88", "review", 0.7)])


def rows(handed: list[dict[str, object]]) -> list[object]:
    return [one["row"] for one in handed]


def test_a_field_is_in_one_pair_of_hands(table: Path) -> None:
    pile = Pile(fields_of(table), Journal(table))
    assert rows(pile.take("anna", 2)) == [3, 4]
    assert rows(pile.take("ben", 2)) == [1]
    assert rows(pile.take("anna", 2)) == [3, 4]
    pile.decide("anna", {3: "35"}, 700)
    with pytest.raises(RunError, match="somebody else has this field now"):
        pile.decide("ben", {3: "36"}, 700)
    assert pile.counts == {"total": 3, "left": 2}
    assert rows(Pile(fields_of(table), Journal(table)).take("eve", 5)) == [4, 1]


def test_what_someone_who_has_gone_held_is_free(
    table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pile = Pile(fields_of(table), Journal(table))
    pile.take("anna", 3)
    monkeypatch.setattr(piles_module, "_GONE", 0)
    assert rows(pile.take("ben", 3)) == [3, 4, 1]
    with pytest.raises(RunError, match="somebody else has this field now"):
        pile.decide("anna", {3: "35"}, 700)


def test_what_is_left_is_shared_fairly_among_who_is_here(tmp_path: Path) -> None:
    read = [(str(number), "review", 0.5) for number in range(7)]
    table = table_of(tmp_path / "results.csv", read)
    pile = Pile(fields_of(table), Journal(table))
    assert rows(pile.take("anna", 20)) == [1, 2, 3, 4, 5, 6, 7]
    # Who comes later gets from the end what she does not look at yet.
    assert rows(pile.take("ben", 20)) == [4, 5, 6, 7]
    pile.decide("anna", {1: "0"}, 700)
    assert rows(pile.take("anna", 20)) == [2, 3]
    with pytest.raises(RunError, match="somebody else has this field now"):
        pile.decide("anna", {5: "8"}, 700)
    # What was taken back is what anna looks at now.
    pile.back("anna")
    assert rows(pile.take("anna", 20)) == [1, 2, 3]
    assert rows(pile.take("ben", 20)) == [4, 5, 6, 7]


def test_what_somebody_looks_at_stays_theirs(tmp_path: Path) -> None:
    read = [("7", "review", 0.5) for _ in range(5)]
    pile = Pile(fields_of(table := table_of(tmp_path / "results.csv", read)), Journal(table))
    assert rows(pile.take("anna", 20)) == [1, 2, 3, 4, 5]
    assert rows(pile.take("ben", 20)) == [3, 4, 5]
    assert rows(pile.take("eve", 20)) == [4, 5]
    assert rows(pile.take("dan", 20)) == [2, 5]
    assert rows(pile.take("max", 20)) == [5]
    assert rows(pile.take("kim", 20)) == []
    # Of a grid all is looked at.
    grid = Pile(fields_of(table), Journal(table))
    assert rows(grid.take("anna", 60, alike=True)) == [1, 2, 3, 4, 5]
    assert rows(grid.take("ben", 20)) == []
    assert rows(grid.take("anna", 20)) == [1, 2, 3]
    assert rows(grid.take("ben", 60, alike=True)) == [4, 5]


def test_what_is_spare_is_no_second_look_of_ones_own(table: Path) -> None:
    pile = Pile(fields_of(table), Journal(table), blind=True)
    pile.take("ben", 1)
    assert rows(pile.take("anna", 1)) == [4]
    pile.decide("anna", {4: "86"}, 700)
    pile.decide("ben", {3: "35"}, 700)
    assert rows(pile.take("ben", 20)) == [1]
    assert rows(pile.take("eve", 20)) == [4]
    assert rows(pile.take("anna", 20)) == []


def test_what_an_audit_saw_is_not_taken_back_by_a_review(table: Path) -> None:
    fields, journal = fields_of(table), Journal(table)
    blind = Pile(fields, journal, blind=True)
    blind.take("anna", 1)
    blind.decide("anna", {3: "36"}, 700)
    review = Pile(fields, journal)
    with pytest.raises(RunError, match="nothing to take back"):
        review.back("anna")
    assert len(journal.looks(3)) == 1
    blind.back("anna")
    assert journal.looks(3) == []


def test_fields_that_were_read_alike_are_settled_together(tmp_path: Path) -> None:
    read = [(text, "review", 0.5 + number / 100) for number, text in enumerate("7177217")]
    table = table_of(tmp_path / "results.csv", read)
    blind = Pile(fields_of(table), Journal(table), blind=True)
    assert rows(blind.take("anna", 3, alike=True)) == [1, 2, 3]
    pile = Pile(fields_of(table), Journal(table))
    assert rows(pile.take("anna", 3, alike=True)) == [1, 3, 4]
    pile.decide("anna", {1: "7", 4: "7"}, 700)
    assert [(one.row, one.new, one.ms) for one in Journal(table).decisions] == [
        (1, "7", 350), (4, "7", 350),
    ]  # fmt: skip
    # The odd one out is first, and others that were read alike come behind it.
    assert rows(pile.take("anna", 3, alike=True)) == [3, 7]
    pile.decide("anna", {3: "1"}, 700)
    pile.decide("anna", {7: "7"}, 700)
    assert rows(pile.take("anna", 3, alike=True)) == [2, 6]
    with pytest.raises(RunError, match="somebody else"):
        pile.decide("anna", {2: "1", 5: "2"}, 700)
    assert pile.counts["left"] == 3


def test_a_decision_is_taken_back_also_after_a_restart(table: Path) -> None:
    pile = Pile(fields_of(table), Journal(table))
    pile.take("anna", 3)
    for row in (3, 4):
        pile.decide("anna", {row: "11"}, 700)
    again = Pile(fields_of(table), Journal(table))
    again.back("anna")
    assert rows(again.take("anna", 1)) == [4]
    again.back("anna")
    with pytest.raises(RunError, match="nothing to take back"):
        again.back("anna")
    assert rows(again.take("anna", 3)) == [3, 4, 1]
    assert Journal(table).answer(3) is None


def test_agreeing_blind_with_what_was_read_settles(table: Path) -> None:
    pile = Pile(fields_of(table), Journal(table), blind=True)
    for one in pile.take("anna", 3):
        assert "proposal" not in one
        assert "second" not in one
    pile.decide("anna", {3: "35"}, 700)
    pile.decide("anna", {4: "86"}, 700)
    assert pile.counts["left"] == 2
    # Two disagree: it comes last, and is shown to the only one who is there.
    pile.decide("anna", {1: "17"}, 700)
    (shown,) = pile.take("anna", 3)
    assert (shown["proposal"], shown["second"]) == ("88", "86")
    assert shown["reason"] == "it was keyed as 86"
    pile.decide("anna", {4: "88"}, 700)
    assert pile.counts["left"] == 0


def test_the_second_keying_is_another_persons(table: Path) -> None:
    pile = Pile(fields_of(table), Journal(table), blind=True)
    pile.take("anna", 1)
    pile.take("ben", 1)
    pile.decide("anna", {3: "36"}, 700)
    assert rows(pile.take("anna", 3)) == [1]
    pile.decide("ben", {4: "88"}, 700)
    pile.decide("anna", {1: "17"}, 700)
    (second,) = pile.take("ben", 3)
    assert (second["row"], second["blind"]) == (3, True)
    pile.decide("ben", {3: "85"}, 700)
    (third,) = pile.take("anna", 3)
    assert (third["blind"], third["proposal"], third["second"]) == (False, "35", "85")


def test_what_is_no_answer_is_refused(table: Path) -> None:
    pile = Pile(fields_of(table), Journal(table))
    pile.take("anna", 3)
    with pytest.raises(SettingError, match="received 'x'"):
        pile.decide("anna", {3: "x"}, 700)
    with pytest.raises(SettingError, match="row 2 is not for review"):
        pile.field(2)
    assert not settled(table).decisions


def test_several_at_once_share_a_pile(tmp_path: Path) -> None:
    read = [(str(number), "review", 0.5) for number in range(300)]
    table = table_of(tmp_path / "results.jsonl", read)
    pile = Pile(fields_of(table), Journal(table))

    def work(who: str) -> None:
        while mine := pile.take(who, 5):
            pile.decide(who, {mine[0]["row"]: mine[0]["proposal"]}, 1)

    people = [threading.Thread(target=work, args=(who,)) for who in "abcd"]
    for person in people:
        person.start()
    for person in people:
        person.join()
    decided = [one.row for one in Journal(table).decisions]
    assert sorted(decided) == list(range(1, 301))
