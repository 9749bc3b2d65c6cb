from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from stand_ins import Recorder, reading

from inkdigit.bulk.rows import Tally, read_rows
from inkdigit.bulk.sources import Picture, pictures
from inkdigit.errors import ImageError
from inkdigit.images import open_grey
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.reader import Reader
from inkdigit.reading.result import COLUMNS, FIELDS, Box, Reading, Row


def named(*names: str) -> list[Picture]:
    return [Picture(name, name) for name in names]


def rows(recorder: Recorder, wanted: Any, **options: Any) -> list[Row]:
    return list(read_rows(recorder, wanted, ReadOptions(**options)))  # type: ignore[arg-type]


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def tifs(tmp_path: Path) -> dict[str, str]:
    """Files that begin as documents do, by their names."""
    for name in ("two.tif", "torn.tif", "hollow.tif"):
        (tmp_path / name).write_bytes(b"II*\0")
    return {path.name: str(path) for path in tmp_path.iterdir()}


def test_a_row_of_a_reading() -> None:
    row = Row("a.png", 3, reading("07", status="review", reason="unsure"), "recorder 1").to_dict()
    assert tuple(row) == FIELDS
    assert row == {
        "source": "a.png", "page": 3, "text": "07", "confidence": 0.8, "status": "review",
        "reason": "unsure",
        "digits": "07", "number": None,
        "characters": [
            {"value": c, "confidence": 0.9, "box": [1, 2, 3, 4],
             "alternatives": [{"value": c, "confidence": 0.9}]}
            for c in "07"
        ],
        "unconstrained": None, "error": None, "model": "line 1",
    }  # fmt: skip


def test_a_row_of_a_failure() -> None:
    failure = ImageError("a.png is broken")
    row = Row("a.png", 1, failure, "recorder 1")
    assert row.failure is failure
    assert tuple(row.to_dict()) == FIELDS
    assert row.to_dict() == {
        "source": "a.png", "page": 1, "text": None, "confidence": None, "status": "failed",
        "reason": "", "digits": None, "number": None, "characters": [], "unconstrained": None,
        "error": "a.png is broken", "model": "recorder 1",
    }  # fmt: skip


def test_every_reading_has_its_fields_in_a_row() -> None:
    assert set(reading().to_dict()) | {"source", "page", "error"} == set(FIELDS)
    assert Row("a.png", 1, reading(), "").failure is None


def test_pictures_are_read_in_batches_and_in_order(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inkdigit.bulk.rows.BATCH", 3)
    names = [f"{i}.png" for i in range(7)]
    found = rows(recorder, named(*names), single=True)
    assert [row.source for row in found] == names
    assert [len(sources) for _, sources, _ in recorder.asked] == [3, 3, 1]  # type: ignore[arg-type]
    assert all(options == {"single": True} for *_, options in recorder.asked)


def test_no_more_is_taken_up_than_a_batch(
    recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("inkdigit.bulk.rows.BATCH", 4)
    taken = []

    def endless() -> Any:
        while True:
            taken.append(1)
            yield from named("a.png")

    list(islice(read_rows(recorder, endless(), ReadOptions()), 5))  # type: ignore[arg-type]
    assert len(recorder.asked) == 2
    assert len(taken) <= 9


def test_one_failure_does_not_stop_the_others(recorder: Recorder, tmp_path: Path) -> None:
    folder = str(tmp_path)
    unread = Picture(folder, ImageError(f"{folder} is a folder"))
    found = rows(recorder, [*named("a.png", "broken.png"), unread, *named("b.png")])
    assert [row.failure is None for row in found] == [True, False, False, True]
    assert [row.source for row in found] == ["a.png", "broken.png", folder, "b.png"]
    assert recorder.asked == [("batch", ["a.png", "broken.png", "b.png"], {})]


def test_documents_give_a_row_a_page_among_pictures(
    recorder: Recorder, tifs: dict[str, str]
) -> None:
    wanted = [*named("a.png"), *pictures([tifs["two.tif"]]), *named("b.png")]
    found = rows(recorder, wanted, pattern=r"\d")
    assert [(Path(row.source).name, row.page) for row in found] == [
        ("a.png", 1),
        ("two.tif", 1),
        ("two.tif", 2),
        ("b.png", 1),
    ]
    assert [kind for kind, *_ in recorder.asked] == ["batch", "pages"]
    assert all(options == {"pattern": r"\d"} for *_, options in recorder.asked)


def test_a_chosen_page_is_one_row(recorder: Recorder, tifs: dict[str, str]) -> None:
    (row,) = rows(recorder, pictures([tifs["two.tif"]]), page=2)
    assert row.page == 2
    assert recorder.asked == [("batch", [tifs["two.tif"]], {"page": 2})]


@pytest.mark.parametrize(
    ("name", "pages", "sentence"),
    [("torn.tif", [1, 2], "is broken"), ("hollow.tif", [1], "has no pages")],
)
def test_a_document_that_fails_has_a_row_for_it(
    recorder: Recorder, tifs: dict[str, str], name: str, pages: list[int], sentence: str
) -> None:
    found = rows(recorder, [*pictures([tifs[name]]), Picture("gone", ImageError("gone"))])
    assert [row.page for row in found[:-1]] == pages
    assert sentence in str(found[-2].failure)
    assert isinstance(found[-1].failure, ImageError)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader.load()


@pytest.fixture
def form(some_crops: list[Path], tmp_path: Path) -> str:
    """Two pages; on the second, a number with its top left corner at (300, 200)."""
    crop = open_grey(some_crops[0])
    page = np.full((400, 700), 255, np.uint8)
    page[200 : 200 + crop.shape[0], 300 : 300 + crop.shape[1]] = crop
    path = tmp_path / "form.tif"
    pages = [Image.fromarray(np.full_like(page, 255)), Image.fromarray(page)]
    pages[0].save(path, save_all=True, append_images=pages[1:])
    return str(path)


def read(reader: Reader, *pictures: Picture) -> list[Row]:
    return list(read_rows(reader, pictures, ReadOptions()))


def test_a_box_is_read_as_if_cut_out_and_found_on_its_page(
    reader: Reader, form: str, some_crops: list[Path]
) -> None:
    height, width = open_grey(some_crops[0]).shape
    box = (300, 200, width, height)
    cut, whole = read(
        reader,
        Picture("form.tif", form, page=2, box=box, id="field"),
        Picture("crop", str(some_crops[0])),
    )
    assert isinstance(cut.result, Reading)
    assert isinstance(whole.result, Reading)
    assert cut.result.text == whole.result.text
    assert cut.result.confidence == whole.result.confidence
    for on_page, alone in zip(cut.result.characters, whole.result.characters, strict=True):
        x, y, *size = alone.box
        assert on_page.box == (x + 300, y + 200, *size)
    assert (cut.page, cut.id, cut.to_dict(COLUMNS)["box"]) == (2, "field", list(box))


def test_a_row_says_how_its_picture_was_turned(
    reader: Reader, form: str, some_crops: list[Path]
) -> None:
    pictures = [Picture("crop", str(some_crops[0])), Picture("none", "none.png")]
    rows = read_rows(reader, [*pictures, Picture("form.tif", form)], ReadOptions(rotate=180))
    assert [row.to_dict(COLUMNS)["rotate"] for row in rows] == [180, None, 180, 180]
    assert read(reader, pictures[0])[0].rotate == 0


@pytest.mark.parametrize(
    ("box", "page", "sentence"),
    [
        ((600, 0, 101, 10), 2, "the box 600 0 101 10 reaches beyond form.tif, which measures"),
        ((0, 0, 10, 401), 2, "700×400 pixels"),
        ((0, 0, 10, 10), 3, "there is no page 3"),
        ((0, 0, 10, 10), None, "has 2 pages: choose one"),
    ],
)
def test_a_box_that_is_not_there_fails_alone(
    reader: Reader, form: str, box: Box, page: int | None, sentence: str
) -> None:
    bad, good = read(
        reader, Picture("form.tif", form, page=page, box=box), Picture("form.tif", form, page=2)
    )
    assert sentence in str(bad.failure)
    assert good.failure is None


def test_each_picture_is_read_by_its_own_rules(reader: Reader, some_crops: list[Path]) -> None:
    name = str(some_crops[0])
    rows = read(
        reader,
        Picture(name, name, pattern=r"\d{2}"),
        Picture(name, name),
        Picture(name, name, pattern=r"\d{5}"),
        Picture("missing.png", "missing.png"),
        Picture(name, name, pattern=r"\d{2}"),
    )
    lengths = [len(row.result.text) if isinstance(row.result, Reading) else None for row in rows]
    assert lengths == [2, 4, 5, None, 2]


def test_a_tally_counts_what_is_alike_but_for_its_figures_together() -> None:
    counted = Tally()
    for reason in ("confidence 0.93 is below 0.99", "confidence 0.5 is below 0.99"):
        counted.count({"status": "review", "reason": reason}, 0)
    counted.count({"status": "failed", "reason": ""}, 5)
    assert str(counted) == "0 accepted, 2 review, 0 rejected, 1 failed"
    assert counted.reasons == {"confidence … is below …": 2}
    assert Tally.from_dict(counted.to_dict()) == counted
