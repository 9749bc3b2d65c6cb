import json
from pathlib import Path

import pytest

from inkdigit.cli import main
from inkdigit.review.journal import Decision, Journal

LINE = {"source": "1.png", "page": 1, "text": "17", "status": "review", "confidence": 0.8}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "tables" / "results.jsonl"
    path.parent.mkdir()
    path.write_text(json.dumps(LINE) + "\n")
    return path


@pytest.mark.parametrize("verb", ["review", "audit"])
def test_what_cannot_be_reviewed_is_one_sentence(
    table: Path, verb: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb, str(table.with_name("none.csv"))]) == 10
    assert "none.csv cannot be read: No such file" in capsys.readouterr().err
    table.write_text("")
    assert main([verb, str(table)]) == 10
    assert "has no rows to look at" in capsys.readouterr().err
    assert list(table.parent.iterdir()) == [table]


def test_pictures_that_have_gone_and_other_journals_are_said(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["review", str(table)]) == 10
    assert "1.png is not there: say with --pictures" in capsys.readouterr().err
    journal = table.with_name("results.jsonl.review.jsonl")
    journal.write_text('{"digest": "another"}\n')
    assert main(["review", str(table), "--export", str(table.with_name("new.csv"))]) == 7
    assert "is the journal of another table" in capsys.readouterr().err
    assert not table.with_name("new.csv").exists()


def test_what_is_decided_is_written_without_a_page(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new, trail = table.with_name("new.csv"), table.with_name("trail.csv")
    for flag, out in (("--export", new), ("--trail", trail)):
        assert main(["review", str(table), flag, str(out)]) == 3
        assert "nobody has decided anything of" in capsys.readouterr().err
        assert not out.exists()
    assert main(["review", str(table), "--labels", str(table.parent / "ours")]) == 3
    assert "nobody has settled a text" in capsys.readouterr().err
    decision = Decision("2030-01-01T00:00:00Z", "anna", 1, "1.png", "17", "11", 900, "line 1")
    Journal(table).append(decision)
    assert main(["review", str(table), "--export", str(new), "--trail", str(trail)]) == 0
    told = capsys.readouterr().err
    assert "1 rows were decided by people: wrote" in told
    assert "1 decisions: wrote" in told
    assert ",11," in new.read_text()


def test_forgetting_is_said_and_needs_a_yes(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["review", str(table), "--forget", "--yes"]) == 3
    assert "1 rows of" in capsys.readouterr().err
    table.write_text(json.dumps(LINE | {"status": "accepted"}) + "\n")
    table.with_name("1.png").touch()
    assert main(["review", str(table), "--forget"]) == 2
    assert "this deletes 1 pictures" in capsys.readouterr().err
    assert table.exists()
    assert main(["review", str(table), "--forget", "--yes"]) == 0
    assert capsys.readouterr().err.endswith(f"deleted 1 pictures, {table} and its journal\n")
    assert not list(table.parent.iterdir())


def test_what_stays_of_what_is_forgotten_is_said(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failed = LINE | {"source": "2.png", "status": "failed", "text": None}
    lines = (LINE | {"status": "accepted"}, failed)
    table.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    table.with_name("1.png").touch()
    table.with_name("2.png").touch()
    assert main(["review", str(table), "--forget", "--yes"]) == 0
    left = "and its journal, but for 1 rows that were never read and their files\n"
    assert capsys.readouterr().err.endswith(left)
    assert sorted(table.parent.iterdir()) == [table.with_name("2.png"), table]
    assert json.loads(table.read_text()) == failed


def test_a_share_is_written_with_or_without_a_percent_sign(
    table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", str(table), "--wrong-at-most", "150%"]) == 2
    assert "a share lies between 0 and 100 %, received 150 %" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["audit", str(table), "--wrong-at-most", "few"])
    assert "--wrong-at-most" in capsys.readouterr().err
