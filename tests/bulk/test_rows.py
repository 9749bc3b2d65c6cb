from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from stand_ins import Recorder, reading

from inkdigit.bulk.rows import TableRow, read_rows
from inkdigit.bulk.sources import Picture, pictures
from inkdigit.errors import ImageError
from inkdigit.reading.result import Reading
from inkdigit.reading.row import FIELDS, Row


def named(*names: str) -> list[Picture]:
    return [Picture(name, name) for name in names]


def rows(recorder: Recorder, wanted: Any, **options: Any) -> list[TableRow]:
    return list(read_rows(recorder, wanted, **options))  # type: ignore[arg-type]


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
        "digits": [
            {"value": c, "confidence": 0.9, "box": [1, 2, 3, 4],
             "alternatives": [{"value": c, "confidence": 0.9}]}
            for c in "07"
        ],
        "marks": [{"value": ",", "position": 1, "confidence": 0.5, "box": [5, 6, 7, 8]}],
        "unconstrained": None, "error": None, "model": "line 1",
    }  # fmt: skip


def test_a_row_of_a_failure() -> None:
    failure = ImageError("a.png is broken")
    row = Row("a.png", 1, failure, "recorder 1")
    assert row.failure is failure
    assert tuple(row.to_dict()) == FIELDS
    assert row.to_dict() == {
        "source": "a.png", "page": 1, "text": None, "confidence": None, "status": "failed",
        "reason": "", "digits": [], "marks": [], "unconstrained": None,
        "error": "a.png is broken", "model": "recorder 1",
    }  # fmt: skip


def test_every_reading_has_its_fields_in_a_row() -> None:
    assert set(Reading.__dataclass_fields__) | {"source", "page", "error"} == set(FIELDS)
    assert Row("a.png", 1, reading(), "").failure is None


def test_pictures_are_read_in_batches_and_in_order(recorder: Recorder) -> None:
    names = [f"{i}.png" for i in range(7)]
    found = rows(recorder, named(*names), batch=3, single=True)
    assert [row.source for row in found] == names
    assert [len(sources) for _, sources, _ in recorder.asked] == [3, 3, 1]  # type: ignore[arg-type]
    assert all(options == {"single": True} for *_, options in recorder.asked)


def test_no_more_is_taken_up_than_a_batch(recorder: Recorder) -> None:
    taken = []

    def endless() -> Any:
        while True:
            taken.append(1)
            yield from named("a.png")

    list(islice(read_rows(recorder, endless(), batch=4), 5))  # type: ignore[arg-type]
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
    found = rows(recorder, pictures([tifs[name], "missing.png"]))
    assert [row.page for row in found[:-1]] == pages
    assert sentence in str(found[-2].failure)
    assert isinstance(found[-1].failure, ImageError)
