"""`inkdigit read --find`, and `find=true` of the service through the library that both share."""

import csv
import json
import re
from pathlib import Path

import pytest
from openpyxl import load_workbook
from PIL import Image

from inkdigit import Reader
from inkdigit.bulk.api import read_to
from inkdigit.bulk.progress import Progress
from inkdigit.bulk.readers import read_table
from inkdigit.cli import main
from inkdigit.errors import SettingError
from inkdigit.reading.result import PAGE_COLUMNS

PAGE = "docs/register.jpg"
OF_PAGES = ("angle", "found", "row", "column")


@pytest.fixture(scope="module")
def pdf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A document of a page with numbers, and a blank one."""
    path = tmp_path_factory.mktemp("pages") / "two.pdf"
    with Image.open(PAGE) as page:
        page.save(path, save_all=True, append_images=[Image.new("L", page.size, 255)])
    return path


def test_a_row_for_each_number(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", PAGE, "--find", "--format", "jsonl", "--quiet"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    numbers = Reader.load().read_page(PAGE).numbers
    assert [row["text"] for row in rows] == [one.text for one in numbers]
    assert [row["box"] for row in rows] == [[*one.box] for one in numbers]
    for row, one in zip(rows, numbers, strict=True):
        assert row["id"] == f"{one.row}/{one.column}"
        assert tuple(row) == PAGE_COLUMNS
        told = one.to_dict()
        assert [row[name] for name in OF_PAGES] == [told[name] for name in OF_PAGES]


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet", "xlsx"])
def test_how_a_number_stands_is_in_every_table(suffix: str, tmp_path: Path, pdf: Path) -> None:
    out = tmp_path / f"rows.{suffix}"
    read_to(pdf, out, find=True)
    *rows, nothing = read_table(out)
    numbers = [one.to_dict() for one in Reader.load().read_page(pdf, page=1).numbers]
    assert [[row[name] for name in OF_PAGES] for row in rows] == [
        [one[name] for name in OF_PAGES] for one in numbers
    ]
    assert [nothing[name] for name in OF_PAGES] == [None] * 4


def test_only_what_fits_a_pattern(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", PAGE, "--find", "--pattern", r"\d{5}", "--format", "jsonl", "-q"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "19051" in [row["text"] for row in rows]
    assert all(len(row["digits"]) == 5 for row in rows)


def test_a_page_on_which_nothing_fits_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", PAGE, "--find", "--pattern", r"\d{9}", "--format", "jsonl", "-q"]) == 0
    (row,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert row["status"] == "rejected"
    assert re.fullmatch(r"4\d numbers were found, and none fits .*", row["reason"])


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_a_table_has_the_rows_and_columns_of_the_page(suffix: str, tmp_path: Path) -> None:
    out, told = tmp_path / f"table.{suffix}", list[Progress]()
    tally = read_to(PAGE, out, find=True, table=True, on_progress=told.append)
    if suffix == "csv":
        header, *rows = csv.reader(out.read_text("utf-8").splitlines())
    else:
        sheet = load_workbook(out)["rows"]
        header, *rows = [[cell or "" for cell in row] for row in sheet.iter_rows(values_only=True)]
    table = Reader.load().read_page(PAGE).table
    assert header == [
        "source",
        "page",
        "row",
        "status",
        "reason",
        *map(str, range(1, len(table[0]) + 1)),
    ]
    wanted = [[one.text if one else "" for one in row] for row in table]
    assert [row[5:] for row in rows] == wanted
    assert tally.rows == sum(len(cell.split()) for row in wanted for cell in row)
    counted, why, wrote = told[-1].note.splitlines()
    assert counted == f"{tally.rows} numbers: {tally}"
    assert (why[:11], wrote) == ("for review:", f"wrote {out}")
    if suffix == "xlsx":
        counts = dict(load_workbook(out)["counts"].values)
        assert counts.pop("review") == tally.statuses["review"]
        reasons = {f"review: {reason}": count for reason, count in tally.reasons.items()}
        assert counts.items() >= reasons.items()


def test_the_pages_of_a_document_and_boxes_of_a_manifest(pdf: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    tally = read_to(pdf, out, find=True)
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert rows[-1]["page"] == 2
    assert rows[-1]["reason"].startswith("no handwritten number was found")
    assert tally.rows == len(rows)
    manifest = tmp_path / "boxes.csv"
    manifest.write_text(f"file,page,box,id\n{Path(PAGE).resolve()},1,0 560 760 160,lower\n")
    boxes = tmp_path / "boxes.jsonl"
    read_to(manifest=manifest, out=boxes, find=True)
    found = [json.loads(line) for line in boxes.read_text().splitlines()]
    assert "19051" in [row["text"] for row in found]
    assert all(row["id"].startswith("lower/") and row["box"][1] >= 560 for row in found)


def test_what_cannot_be_opened_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    with Image.open(PAGE) as page:
        page.save(tmp_path / "b.png")
    out = tmp_path / "rows.jsonl"
    tally = read_to(tmp_path, out, find=True, jobs=1)
    assert tally.statuses["failed"] == 1
    assert tally.rows > 10


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(SettingError, match="add find"):
        read_to(PAGE, table=True)
    for out in ("table.parquet", "table.jsonl", "parts/"):
        with pytest.raises(SettingError, match="in CSV and Excel alone: leave out table"):
            read_to(PAGE, out, find=True, table=True)
    with pytest.raises(SettingError, match="leave out find"):
        read_to(PAGE, find=True, form="claim.form.json")
    with pytest.raises(SettingError, match="leave out single"):
        read_to(PAGE, find=True, single=True)
