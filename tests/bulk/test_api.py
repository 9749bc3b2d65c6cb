import csv
import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from openpyxl import load_workbook
from pyarrow.parquet import read_table

from inkdigit.bulk.api import read_to
from inkdigit.bulk.chunks import CHUNK
from inkdigit.bulk.progress import Progress
from inkdigit.errors import ImageError, OutputError, SettingError, SourceError

Crops = Callable[[Path, int], Path]


def rows(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".xlsx":
        header, *lines = load_workbook(path)["rows"].values
        return [dict(zip(header, line, strict=True)) for line in lines]
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def test_a_folder_is_read_to_a_table(crops: Crops, tmp_path: Path) -> None:
    folder, out = crops(tmp_path / "scans", 5), tmp_path / "out.csv"
    told: list[Progress] = []
    tally = read_to(folder, out, pattern=r"\d{4}", on_progress=told.append)
    assert (tally.rows, tally.codes) == (5, {})
    assert [row["source"] for row in rows(out)] == [str(path) for path in sorted(folder.iterdir())]
    assert {len(row["text"]) for row in rows(out)} == {4}
    assert [progress.pictures for progress in told] == [0, 5, 5]
    first, second, last = told
    assert first.count
    assert first.count() == 5
    assert len(second.rows) == 5
    assert last.note.startswith("5 pictures in ")
    assert last.note.endswith(f"wrote {out}")


@pytest.mark.parametrize("suffix", ["csv", "xlsx"])
def test_what_was_stopped_goes_on_and_what_is_finished_is_said(
    suffix: str, crops: Crops, tmp_path: Path
) -> None:
    folder, out = crops(tmp_path / "scans", 2 * CHUNK), tmp_path / f"out.{suffix}"

    def stop(progress: Progress) -> None:
        if progress.pictures == CHUNK:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        read_to(folder, out, jobs=1, on_progress=stop)
    assert caught.value.__notes__ == ["64 pictures are done: the same with --resume goes on"]
    with pytest.raises(OutputError, match="holds what an earlier run has done"):
        read_to(folder, out, jobs=1)
    told: list[Progress] = []
    assert read_to(folder, out, jobs=1, resume=True, on_progress=told.append).rows == 2 * CHUNK
    assert [progress.pictures for progress in told] == [CHUNK, 2 * CHUNK, 2 * CHUNK]
    assert len({row["source"] for row in rows(out)}) == len(rows(out)) == 2 * CHUNK
    read_to(folder, out, resume=True, on_progress=told.append)
    assert told[-1].note == f"{out} is finished: there is nothing left to read"


def test_one_name_is_as_good_as_a_list(crops: Crops, tmp_path: Path) -> None:
    folder = crops(tmp_path / "scans", 2)
    (folder / "notes.txt").write_text("no picture")
    assert read_to(folder, tmp_path / "out.csv", include="*.png").rows == 2


def test_a_path_without_a_suffix_is_a_folder(crops: Crops, tmp_path: Path) -> None:
    read_to(crops(tmp_path / "scans", 2), tmp_path / "results")
    assert read_table(tmp_path / "results").num_rows == 2


def test_what_is_left_out_of_folders_is_in_the_tally(crops: Crops, tmp_path: Path) -> None:
    folder = crops(tmp_path / "scans", 3)
    (folder / "note.txt").write_text("something I had")
    (folder / "below").mkdir()
    for out in (folder / "out.csv", folder / "out.jsonl"):
        tally = read_to(folder, out)
        assert (tally.rows, tally.left_out.folders) == (3, 1)
    assert tally.left_out.names == [
        f"{folder}/{name}" for name in ("below/", "note.txt", "out.csv")
    ]
    tally = read_to(folder, folder / "out.csv", recursive=True, overwrite=True)
    assert tally.left_out.names == [f"{folder}/{name}" for name in ("note.txt", "out.jsonl")]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"out": ""}, "the out has an empty name"),
        ({"manifest": ""}, "the manifest has an empty name"),
        ({"model": ""}, "the model has an empty name"),
        ({"jobs": "2"}, "jobs must be a whole number, received .2"),
        ({"jobs": 1.5}, "jobs must be a whole number, received 1.5"),
        ({"jobs": True}, "jobs must be a whole number, received True"),
        ({"sources": (), "manifest": "-"}, "a manifest is read twice: save it as a file first"),
        ({"out": "b.PNG", "format": "csv", "overwrite": True}, "b.PNG is named like a picture"),
        ({"recursive": "no"}, "recursive is true or false, received 'no'"),
        ({"resume": 1}, "resume is true or false, received 1"),
        ({"include": 5}, "include takes names of files or folders, received 5"),
        ({"model": 5}, "model is the name of a file or folder, received 5"),
        ({"out": b"x.csv"}, "out is the name of a file or folder, received b'x.csv'"),
        ({"overwrite": True, "resume": True}, "either overwritten or resumed, received both"),
        (
            {"out": "parts/", "bom": True},
            "a folder takes parts of Parquet: leave out format and bom",
        ),
    ],
)
def test_options_are_taken_strictly(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingError, match=sentence):
        read_to(**({"sources": "a.png"} | options))


@pytest.mark.parametrize("sources", [b"a.png", None, 5, np.zeros((2, 3)), ["a.png", 3], [b"a"]])
def test_what_names_no_picture_is_told(sources: Any) -> None:
    with pytest.raises(SettingError, match="sources takes names of files or folders, received"):
        read_to(sources)


def test_what_is_read_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, given in (("scan", {"sources": "scan"}), ("m.csv", {"manifest": "m.csv"})):
        Path(name).write_text("file\na.png\n")
        with pytest.raises(SettingError, match=f"{name} would be read and written"):
            read_to(**given, out=tmp_path / name, overwrite=True)
        assert Path(name).read_text() == "file\na.png\n"


def test_a_format_that_is_none_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(
        SettingError,
        match="the format is one of text, json, jsonl, csv, parquet, xlsx, received xls",
    ):
        read_to(tmp_path / "missing.png", tmp_path / "out.csv", format="xls")
    assert not list(tmp_path.iterdir())


def test_a_killed_run_that_finished_goes_on_with_nothing(crops: Crops, tmp_path: Path) -> None:
    folder, out = crops(tmp_path / "scans", 5), tmp_path / "out.csv"
    with pytest.raises(KeyboardInterrupt):
        read_to(folder, out, on_progress=_stop_at_5)
    assert read_to(folder, out, resume=True).rows == 5
    assert len(rows(out)) == 5


def _stop_at_5(progress: Progress) -> None:
    if progress.pictures == 5:
        raise KeyboardInterrupt


def test_parts_in_a_folder(some_crops: list[Path], tmp_path: Path) -> None:
    out = f"{tmp_path}/results/"
    assert read_to(some_crops, out).rows == 8
    assert read_table(out).column("source").to_pylist() == [str(path) for path in some_crops]


def test_one_picture_to_a_file_or_standard_output(
    some_crops: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert read_to(some_crops[0], tmp_path / "a.csv").rows == 1
    (row,) = rows(tmp_path / "a.csv")
    told: list[Progress] = []
    tally = read_to(some_crops[0], min_confidence=1.0, on_progress=told.append)
    assert capsys.readouterr().out == f"{row['text']}\n"
    assert tally.statuses["accepted"] == 0
    assert told[-1].note.startswith(("review: ", "rejected: "))


def test_an_only_picture_raises_its_error_and_others_are_counted(
    some_crops: list[Path], tmp_path: Path
) -> None:
    broken = tmp_path / "broken.png"
    broken.write_text("no picture")
    with pytest.raises(ImageError, match=r"broken\.png is not a picture"):
        read_to(broken, tmp_path / "a.txt")
    assert not (tmp_path / "a.txt").exists()
    tally = read_to([broken, some_crops[0]], tmp_path / "a.jsonl")
    assert (tally.rows, tally.codes) == (2, {ImageError.exit_code: 1})
    assert read_to([broken, some_crops[0]]) == tally


def test_standard_input(some_crops: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(some_crops[0].read_bytes())))
    assert read_to("-").rows == 1


def test_a_manifest(some_crops: list[Path], tmp_path: Path) -> None:
    manifest, out = tmp_path / "fields.csv", tmp_path / "out.csv"
    manifest.write_text(f"file,pattern,id\n{some_crops[0]},\\d{{2}},a\n{some_crops[0]},,b\n")
    assert read_to(manifest=manifest, out=out).rows == 2
    assert [(row["id"], len(row["text"])) for row in rows(out)] == [("a", 2), ("b", 4)]


def test_what_makes_no_sense_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="there is nothing to read"):
        read_to()
    with pytest.raises(SettingError, match="there is no option patern"):
        read_to("a.png", patern=r"\d")
    with pytest.raises(SettingError, match="the engine is local or ray, received 'spark'"):
        read_to("a.png", engine="spark")  # type: ignore[arg-type]
    with pytest.raises(SourceError, match="holds no pictures"):
        read_to(tmp_path, tmp_path / "out.csv")
