from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inkdigit.bulk.rows import TableRow, read_rows
from inkdigit.bulk.sources import Box, Picture
from inkdigit.images import open_grey
from inkdigit.reading.reader import Reader
from inkdigit.reading.result import Reading


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


def read(reader: Reader, *pictures: Picture) -> list[TableRow]:
    return list(read_rows(reader, pictures))


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
    for on_page, alone in zip(cut.result.digits, whole.result.digits, strict=True):
        x, y, *size = alone.box
        assert on_page.box == (x + 300, y + 200, *size)
    assert (cut.page, cut.id, cut.to_dict()["box"]) == (2, "field", list(box))


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
