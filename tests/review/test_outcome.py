import csv
import json
from pathlib import Path

import numpy as np
import pytest
from drawing import drawn
from openpyxl import load_workbook
from PIL import Image, ImageChops
from piles import READ, row, said, settled, table_of

from inkdigit.bulk.readers import characters_of, read_table
from inkdigit.bulk.writers import Output, write_parquet
from inkdigit.cli import main
from inkdigit.errors import DataError, ImageError, OutputError, SettingError, SourceError
from inkdigit.images.folder import pictures_in
from inkdigit.learning.datasets.labels import read_labels
from inkdigit.review.journal import Journal
from inkdigit.review.outcome import apply, export, forget, write_labels, write_trail

MORE = [*READ, ("9", "review", 0.5), ("8", "rejected", 0.1), ("6", "review", 0.4)]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """Six rows: one confirmed, one as it was, one mended, three that hold no text."""
    path = table_of(tmp_path / "results.csv", MORE, pictures=True)
    settled(
        path,
        said(1, "17"),
        said(3, "1.250", "ben", old="35"),
        said(4, "-", old="9"),
        said(5, "/", old="8"),
        said(6, "?", old="6"),
    )
    return path


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet", "xlsx"])
def test_a_table_is_made_anew_with_who_decided_what(table: Path, suffix: str) -> None:
    before, out = table.read_bytes(), table.with_name(f"corrected.{suffix}")
    assert export(table, out) == 5
    rows = list(read_table(out))
    found = [(row["text"], row["status"], row["reason"], row["digits"]) for row in rows]
    assert found == [
        ("17", "accepted", "", "17"),
        ("20", "accepted", "", "20"),
        ("1.250", "accepted", "", "1250"),
        ("", "accepted", "", ""),
        ("", "rejected", "crossed out", ""),
        ("", "rejected", "unreadable", ""),
    ]
    assert [row["read_as"] for row in rows] == ["17", None, "35", "9", "8", "6"]
    assert [row["decided_by"] for row in rows] == ["anna", None, "ben", *["anna"] * 3]
    assert rows[2]["decided_at"] == "2030-01-01T00:00:00Z"
    assert [row["number"] for row in rows[:3]] == ["17", None, None]
    if suffix != "xlsx":  # which has no characters
        assert [len(characters_of(row)) for row in rows] == [2, 2, 0, 0, 0, 0]
    assert table.read_bytes() == before


def test_a_workbook_counts_anew(table: Path) -> None:
    out = table.with_name("corrected.xlsx")
    export(table, out)
    counts = dict(load_workbook(out)["counts"].iter_rows(values_only=True))
    assert (counts["accepted"], counts["review"], counts["rejected"]) == (4, 0, 2)


def test_nothing_is_overwritten(table: Path) -> None:
    for write in (export, write_trail):
        out = table.with_name(f"{write.__name__}.csv")
        write(table, out)
        with pytest.raises(OutputError, match="is there already"):
            write(table, out)
        write(table, out, overwrite=True)
    with pytest.raises(SettingError, match="is the table that was read, which stays"):
        export(table, table, overwrite=True)


def test_rows_are_decided_in_python_too(table: Path) -> None:
    journal = settled(table, said(2, "21", "ben", old="20"))
    rows = list(apply(read_table(table), journal))
    assert [row["text"] for row in rows[:2]] == ["17", "21"]
    assert list(rows[0])[-3:] == ["read_as", "decided_by", "decided_at"]


def test_labels_are_what_adapt_takes(table: Path) -> None:
    folder = table.parent / "ours"
    assert write_labels(table, folder) == 2
    labels = read_labels(folder / "labels.csv", "source")
    assert {name: tuple(label) for name, label in labels.items()} == {
        "0000001.png": ("17", "1.png"), "0000003.png": ("1.250", "3.png"),
    }  # fmt: skip
    assert set(pictures_in(folder)) == set(labels)
    with Image.open(folder / "0000001.png") as ours, Image.open(table.parent / "1.png") as theirs:
        assert not ImageChops.difference(ours, theirs).getbbox()
    with pytest.raises(OutputError, match="ours is there already"):
        write_labels(table, folder)


def test_a_journal_is_what_adapt_takes(table: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ours = ["-o", str(table.parent / "ours.onnx")]
    assert main(["adapt", str(Journal(table).path), *ours]) == 3
    assert "too few pictures to learn from: 2, at least 20 are needed" in capsys.readouterr().err
    assert main(["adapt", str(table), *ours]) == 2
    assert "results.csv is no journal of a review" in capsys.readouterr().err


def test_labels_appear_whole_or_not_at_all(table: Path) -> None:
    (table.parent / "3.png").unlink()
    there = sorted(table.parent.iterdir())
    with pytest.raises(ImageError, match=r"3\.png cannot be opened"):
        write_labels(table, table.parent / "ours")
    assert sorted(table.parent.iterdir()) == there
    other = table_of(table.with_name("other.csv"))
    with pytest.raises(DataError, match="nobody has settled a text"):
        write_labels(other, table.parent / "ours")
    assert not (table.parent / "ours").exists()


def test_labels_of_a_form_are_its_digits_upright(tmp_path: Path) -> None:
    page, box = np.asarray(drawn("17").rotate(90, expand=True)), (2, 3, 20, 30)
    Image.fromarray(page).save(tmp_path / "1.png")
    form = {"box": list(box), "rotate": 90}
    comb = row(1, "17", "review", 0.8) | form | {"id": "claim/1/total"}
    lost = row(1, "", "rejected", 0.0) | form | {"id": "claim/1/q1"}
    # A tick, and whether anything is written, are read without characters.
    tick = lost | {"text": "0", "status": "review", "id": "claim/1/receipts"}
    rows = [comb, lost, tick, lost | {"id": "claim/1/seen"}]
    Output(table := tmp_path / "results.jsonl", "jsonl").write(rows, several=True)
    settled(table, said(1, "17"), said(2, "23"), said(3, "1", old="0"), said(4, "0", old=None))
    folder = tmp_path / "ours"
    assert write_labels(table, folder) == 2
    labels = read_labels(folder / "labels.csv")
    assert {name: label.text for name, label in labels.items()} == {
        "0000001.png": "17", "0000002.png": "23",
    }  # fmt: skip
    with Image.open(folder / "0000001.png") as ours:
        assert np.array_equal(np.asarray(ours), np.rot90(page[3:33, 2:22], -1))


def test_the_trail_tells_all_that_was_said(table: Path) -> None:
    settled(table, said(1, None))
    out = table.with_name("trail.csv")
    assert write_trail(table, out) == 6
    with out.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    journal = table.with_name("results.csv.review.jsonl").read_text("utf-8").splitlines()
    assert list(lines[0]) == list(json.loads(journal[1]))
    assert (lines[1]["who"], lines[1]["field"], lines[1]["old"]) == ("ben", "3.png", "35")
    assert (lines[-1]["row"], lines[-1]["new"]) == ("1", "")


def test_what_is_settled_is_forgotten_with_its_pictures(table: Path) -> None:
    out, other = table.with_name("corrected.csv"), table.with_name("other.png")
    export(table, out)
    other.write_bytes((table.parent / "1.png").read_bytes())
    before = sorted(table.parent.iterdir())
    with pytest.raises(SettingError, match=r"deletes 6 pictures, .*results\.csv and its journal"):
        forget(table)
    assert sorted(table.parent.iterdir()) == before
    (table.parent / "2.png").unlink()
    assert forget(table, sure=True) == (5, 0)
    assert sorted(table.parent.iterdir()) == [out, other]


def test_what_is_not_found_or_was_never_read_is_not_forgotten(table: Path, tmp_path: Path) -> None:
    (moved := tmp_path / "moved").mkdir()
    for picture in table.parent.glob("*.png"):
        picture.rename(moved / picture.name)
    with pytest.raises(SourceError, match="is not there: say with --pictures"):
        forget(table, sure=True)
    assert table.exists()
    assert forget(table, moved, sure=True) == (6, 0)
    lost = tmp_path / "lost.jsonl"
    failed = row(1, "", "failed", 0.0) | {"source": str(tmp_path / "1.png")}
    Output(lost, "jsonl").write([failed], several=True)
    with pytest.raises(
        DataError, match=r"1 rows of .* were never read, and .*: nothing was deleted"
    ):
        forget(lost, sure=True)


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet", "xlsx", "parts"])
def test_rows_that_were_never_read_stay_with_their_files(tmp_path: Path, suffix: str) -> None:
    """Also where another page of such a file was read, and where it has two names."""
    rows = [row(number, "17", "accepted", 0.99) for number in (1, 2, 3, 4)]
    rows.append(row(2, "", "failed", 0.0) | {"page": 2, "text": None, "error": "2.png is broken"})
    rows[3] |= {"source": str(tmp_path / "2.png")}
    table = tmp_path / f"results.{suffix}"
    if suffix == "parts":
        table.mkdir()
        write_parquet(rows[:3], table / "part-0.parquet")
        write_parquet(rows[3:], table / "part-1.parquet")
    else:
        Output(table, suffix).write(rows, several=True)
    for number in (1, 2, 3):
        (tmp_path / f"{number}.png").touch()
    settled(table, said(1, "17"))
    told = "deletes 2 pictures, .* for good, but for 1 rows that were never read and their files:"
    with pytest.raises(SettingError, match=told):
        forget(table)
    assert forget(table, sure=True) == (2, 1)
    assert sorted(tmp_path.iterdir()) == [tmp_path / "2.png", table]
    (left,) = read_table(table)
    assert {name: left[name] for name in ("source", "page", "status", "error", "text")} == {
        "source": "2.png", "page": 2, "status": "failed", "error": "2.png is broken", "text": None,
    }  # fmt: skip
    with pytest.raises(DataError, match=r"1 rows of .* were never read, and it names no other"):
        forget(table, sure=True)


def test_nothing_is_forgotten_while_a_row_waits_or_where_it_is_not_ours(tmp_path: Path) -> None:
    table = table_of(tmp_path / "results.csv", pictures=True)
    there = sorted(tmp_path.iterdir())
    with pytest.raises(DataError, match=r"2 rows of .* wait for a person: nothing was deleted"):
        forget(table, sure=True)
    assert sorted(tmp_path.iterdir()) == there
    far = row(1, "17", "accepted", 0.99) | {"source": "s3://bucket/1.png"}
    table = tmp_path / "far.jsonl"
    Output(table, "jsonl").write([far], several=True)
    with pytest.raises(SettingError, match="is in a bucket: delete it there"):
        forget(table, sure=True)
    assert table.exists()


def test_a_folder_of_parts_is_forgotten_too(table: Path) -> None:
    folder = table.parent / "parts"
    folder.mkdir()
    accepted = [row(number, "17", "accepted", 0.99) for number in (1, 3)]
    write_parquet(accepted, folder / "part-0.parquet")
    (folder / "note.txt").write_text("stays")
    assert forget(folder, table.parent, sure=True) == (2, 0)
    assert [one.name for one in folder.iterdir()] == ["note.txt"]
    assert not (table.parent / "1.png").exists()
    assert (table.parent / "2.png").exists()
