import csv
import json
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.form_pages import DrawnForm, draw_form, fill, warp
from inkdigit import read_to
from inkdigit.bulk.api import choose_target
from inkdigit.bulk.chunks import CHUNK, chunks, read_chunk
from inkdigit.bulk.form_rows import rows_of_forms
from inkdigit.bulk.parts import Parts, Table
from inkdigit.bulk.rows import ReadJob
from inkdigit.bulk.sources import pictures
from inkdigit.cli import main
from inkdigit.errors import SettingError
from inkdigit.learning.datasets import Dataset


@pytest.fixture(scope="module")
def drawn() -> DrawnForm:
    return draw_form(1)


@pytest.fixture(scope="module")
def place(drawn: DrawnForm, sample: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A template, two filled scans of its form and a page of another form."""
    folder = tmp_path_factory.mktemp("place")
    drawn.save(folder, "claim")
    (folder / "scans").mkdir()
    for seed in (1, 2):
        page = warp(seed, fill(seed, drawn, sample.test)[0], hard=False)[0]
        Image.fromarray(page).save(folder / "scans" / f"{seed}.png")
    Image.fromarray(draw_form(6, marks=6).print).save(folder / "scans" / "other.png")
    Image.fromarray(drawn.print).save(folder / "blank.png")
    return folder


@pytest.fixture(autouse=True)
def _here(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_folder_of_forms_becomes_a_table(
    jobs: str, drawn: DrawnForm, sample: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "claims.csv"
    flags = ["--form", "claim.form.json", "-o", str(out), "--jobs", jobs]
    assert main(["read", "scans", *flags]) == 5
    count = 2 * len(drawn.fields)
    assert f"\n2 forms with {count} fields of 3 pictures in " in capsys.readouterr().err
    first, second, other = csv.DictReader(out.read_text("utf-8").splitlines())
    for seed, row in ((1, first), (2, second)):
        texts = fill(seed, drawn, sample.test)[1]
        assert sum(row[name] == text for name, text in texts.items()) >= len(texts) - 2
        assert row["form"] == "claim/1"
    assert other["status"] == "failed"
    assert "it shows no page of the form" in other["reason"]


def test_long_rows_and_excel(tmp_path: Path) -> None:
    flags = ["--form", "claim.form.json", "-q"]
    for suffix in ("jsonl", "parquet", "xlsx"):
        out = tmp_path / f"claims.{suffix}"
        assert main(["read", "scans/1.png", "scans/2.png", *flags, "-o", str(out)]) == 0
    lines = [json.loads(line) for line in (tmp_path / "claims.jsonl").read_text().splitlines()]
    assert {line["id"].rpartition("/")[0] for line in lines} == {"claim/1"}
    from openpyxl import load_workbook

    header, *rows = load_workbook(tmp_path / "claims.xlsx")["rows"].iter_rows(values_only=True)
    assert header[:6] == ("source", "page", "form", "status", "reason", "number")
    assert len(rows) == 2


def test_one_form_is_printed_with_its_fields(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["read", "scans/1.png", "--form", "claim.form.json"]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert header.split(",")[:3] == ["source", "page", "form"]
    assert row.split(",")[2] == "claim/1"


def test_what_does_not_go_with_a_form_is_told(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "list.csv").write_text("file,box\nscans/1.png,1 1 9 9\n", "utf-8")
    (tmp_path / "ids.csv").write_text("file,id\na.png,x\nb.png,y\nc.png,x\n", "utf-8")
    for flags, what in (
        (["scans", "--pattern", r"\d"], "leave out --pattern"),
        (
            ["--manifest", str(tmp_path / "list.csv")],
            "'box' that is not known (known: file, page, id)",
        ),
        (["--manifest", str(tmp_path / "ids.csv")], "line 4: the id 'x' is given twice"),
    ):
        assert main(["read", *flags, "--form", "claim.form.json"]) in {2, 10}
        assert what in capsys.readouterr().err
    with pytest.raises(SettingError, match=r"no\.form\.json cannot be read"):
        read_to("scans", form="no.form.json")


def test_pages_of_a_form_may_lie_in_several_files(
    drawn: DrawnForm, place: Path, tmp_path: Path
) -> None:
    """Those of one id in a manifest are one form, also where a chunk of work would end."""
    second = draw_form(2)
    other = second.save(tmp_path, "second")
    first = drawn.save(tmp_path, "first")
    more = replace(other.fields[0], name="more", page=2)
    both = replace(
        first, name="both", pages=(*first.pages, *other.pages), fields=(*first.fields, more)
    )
    both.save(tmp_path / "both.form.json", [drawn.print, second.print])
    Image.fromarray(second.print).save(tmp_path / "2.png")
    scans = [place / "scans" / "1.png", tmp_path / "2.png", place / "scans" / "2.png"]
    lines = [f"no-{number}.png,lost-{number}" for number in range(CHUNK - 1)]
    lines += [f"{scans[0]},a", f"{scans[1]},a", f"{scans[1]},b", f"{scans[2]},b", f"{scans[2]},c"]
    manifest, out = tmp_path / "list.csv", tmp_path / "claims.csv"
    manifest.write_text("\n".join(["file,id", *lines]), "utf-8")
    flags = ["--form", str(tmp_path / "both.form.json"), "-o", str(out), "-q"]
    assert main(["read", "--manifest", str(manifest), *flags]) == 5
    rows = list(csv.DictReader(out.read_text("utf-8").splitlines()))
    assert [row["form"] for row in rows[-3:]] == ["both/a", "both/b", "both/c"]
    assert [row["status"] for row in rows[: CHUNK - 1]] == ["failed"] * (CHUNK - 1)
    assert [row["more.status"] for row in rows[-3:]] == ["blank", "blank", "missing"]
    assert rows[-3]["number"] == rows[-3]["number"].strip() != ""
    assert f"page 2 of both is missing beside page 1 of {scans[2]}" in rows[-1]["reason"]


def test_a_run_goes_on_with_the_same_form_only(tmp_path: Path, place: Path) -> None:
    """What an earlier run was asked for holds the template itself, not its name."""
    for name in ("claim.form.json", "claim.form.1.png"):
        (tmp_path / name).write_bytes((place / name).read_bytes())
    form = tmp_path / "claim.form.json"
    out = tmp_path / "claims.csv"
    job = ReadJob(forms=(form,))
    parts = choose_target(str(out), None, shape=partial(rows_of_forms, fields=("q1",)))
    assert isinstance(parts, Parts)
    with closing(Table(parts, job.asked())) as table:
        table.append(read_chunk(job.reader(), job, next(chunks(pictures(["scans/1.png"])))))
    form.write_text(form.read_text("utf-8").replace('"total = ', '"q1 + total = q1 + '), "utf-8")
    flags = ["--form", str(form), "-o", str(out), "-q", "--jobs", "1"]
    assert main(["read", "scans", *flags, "--resume"]) == 7
    assert main(["read", "scans", *flags, "--overwrite"]) == 5


def test_a_template_is_made_of_a_blank(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new.form.json"
    assert main(["form", "new", "blank.png", "--width", "148", "-o", str(out)]) == 0
    assert "17 fields" in capsys.readouterr().err
    for path in (out, tmp_path / "new.form.1.png"):  # nothing is overwritten unasked
        assert main(["form", "new", "blank.png", "-o", str(out)]) == 8
        assert f"{path} is there already" in capsys.readouterr().err
        path.unlink()
    assert main(["form", "new", "blank.png", "-o", str(out), "-q"]) == 0
    assert main(["form", "new", "blank.png", "scans", "-o", str(tmp_path / "x.form.json")]) == 2
    assert (tmp_path / "new.form.1.png").is_file()
    capsys.readouterr()
    assert main(["form", "new", "nothere.pdf"]) == 2
    told = capsys.readouterr().err
    assert "takes one blank and --out NAME.form.json, and nothere.pdf is not there" in told


def test_a_blank_that_is_missing_is_told_with_its_template(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = tmp_path / "alone.form.json"
    alone.write_bytes(Path("claim.form.json").read_bytes())
    assert main(["form", "check", str(alone), "scans/1.png"]) == 2
    told = capsys.readouterr().err
    assert told.startswith(f"inkdigit: {alone}: the blank of page 1 cannot be opened")


def test_a_template_is_drawn_over_scans(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "check.pdf"
    scans = ["scans/1.png", "scans/other.png", "no.png"]
    assert main(["form", "check", "claim.form.json"]) == 2
    assert "takes a template and scans" in capsys.readouterr().err
    assert main(["form", "check", "claim.form.json", *scans, "-o", str(out)]) == 5
    told = capsys.readouterr()
    assert "2 would not be read: pages refused 1, scans that could not be opened 1 of 3" in told.err
    good, refused, missing = told.out.splitlines()
    assert "page 1 of claim" in good
    assert "refused" in refused
    assert "no.png cannot be opened" in missing
    from inkdigit.images import count_pages

    assert count_pages(out) == 2
    assert main(["form", "check", "claim.form.json", "scans/1.png", "scans/2.png"]) == 0
    capsys.readouterr()
    assert main(["form", "check", "claim.form.json", "scans"]) == 5  # a folder
    assert [line.partition(",")[0] for line in capsys.readouterr().out.splitlines()] == [
        f"scans/{name}.png" for name in ("1", "2", "other")
    ]


def test_nothing_is_left_where_a_template_cannot_be_written(tmp_path: Path) -> None:
    out = tmp_path / "none" / "new.form.json"
    assert main(["form", "new", "blank.png", "-o", str(out)]) == 8
    assert not out.parent.exists()
