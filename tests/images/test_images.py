"""The door: one page, or all pages, of any source."""

import io
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from samples import COLOURS, RAMP, encoded, shades_of

from documents import SHADES, document
from inkdigit.errors import ImageError
from inkdigit.images import Source, count_pages, open_grey, open_pages


def test_missing_empty_and_foreign_files(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("This is not a picture.")
    (tmp_path / "empty.png").touch()
    for name, said in [
        ("gone.png", "No such file"),
        ("text.png", "not a picture that can be read"),
        ("empty.png", "is empty"),
        (".", "is a folder"),
    ]:
        with pytest.raises(ImageError, match=said) as caught:
            open_grey(tmp_path / name)
        assert str(tmp_path / name) in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("source", [None, 7, [[0, 1], [1, 0]], object(), {"a": 1}, ()])
def test_what_is_no_source(source: Source) -> None:
    kind = type(source).__name__
    with pytest.raises(ImageError, match=f"a {kind} is no picture: expected a path, bytes"):
        open_grey(source)


@pytest.mark.parametrize("kind", ["TIFF", "PDF"])
def test_every_page_comes_in_order(kind: str, tmp_path: Path) -> None:
    content = document(kind)
    path = tmp_path / "pages"
    path.write_bytes(content)
    for source in (content, bytearray(content), memoryview(content), io.BytesIO(content), path):
        assert count_pages(source) == len(open_pages(source)) == 3
        assert shades_of(open_pages(source)) == list(SHADES)
        for number, shade in enumerate(SHADES, 1):
            assert open_grey(source, page=number).mean() == pytest.approx(shade, abs=0.5)


@pytest.mark.parametrize("kind", ["TIFF", "PDF"])
def test_a_page_must_be_chosen_of_several(kind: str) -> None:
    content = document(kind)
    with pytest.raises(ImageError, match=r"has 3 pages: choose one with page \(1 … 3\)"):
        open_grey(content)
    for wrong in (0, -1, 4, "2", 1.5):
        with pytest.raises(ImageError, match="has 3 pages, counted from 1: there is no page"):
            open_grey(content, page=wrong)  # type: ignore[arg-type]


def test_one_page_need_not_be_chosen() -> None:
    for source in (document("TIFF", (10,)), document("PDF", (10,)), np.full((3, 4), 10, np.uint8)):
        assert count_pages(source) == len(open_pages(source)) == 1
        assert (open_grey(source) == 10).all()
        assert (open_grey(source, page=1) == 10).all()
        with pytest.raises(ImageError, match="has 1 page: there is no page 2"):
            open_grey(source, page=2)


def test_an_image_is_the_frame_at_which_it_stands() -> None:
    with Image.open(io.BytesIO(document("TIFF"))) as image:
        image.seek(1)
        assert (open_grey(image) == 100).all()
        assert image.tell() == 1
        assert count_pages(image) == 1


@pytest.mark.parametrize("kind", ["TIFF", "PDF"])
def test_more_pages_than_allowed_are_refused_at_once(kind: str) -> None:
    assert len(open_pages(document(kind), max_pages=3)) == 3
    with pytest.raises(ImageError, match="has more than 2 pages: split it, or raise max_pages"):
        open_pages(document(kind), max_pages=2)


def test_pages_are_decoded_one_at_a_time() -> None:
    stream = io.BytesIO()
    page = Image.new("L", (2000, 2000), 200)
    page.save(stream, "TIFF", save_all=True, append_images=[page] * 20, compression="tiff_lzw")
    tracemalloc.start()
    pages = open_pages(stream.getvalue())
    next(pages)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 2000 * 2000


@pytest.mark.parametrize("place", ["PIL.Image.Image.load", "inkdigit.images.colour._weights"])
def test_memory_that_runs_out(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError

    content = encoded(Image.fromarray(COLOURS), "PNG")
    monkeypatch.setattr(place, fail)
    with pytest.raises(ImageError, match=r"the picture .*needs more memory than there is"):
        open_grey(content)


def test_the_limit_on_pixels_holds_for_every_source() -> None:
    sources: list[Source] = [RAMP, Image.fromarray(RAMP), encoded(Image.fromarray(RAMP), "PNG")]
    for source in sources:
        assert open_grey(source, max_pixels=RAMP.size).shape == RAMP.shape
        with pytest.raises(ImageError, match=r"720 pixels \(30×24\), more than 719"):
            open_grey(source, max_pixels=RAMP.size - 1)


def read_all(content: bytes) -> list[float]:
    return shades_of(open_pages(content))


@pytest.mark.parametrize("kind", ["TIFF", "PDF"])
def test_threads_read_what_one_reads(kind: str) -> None:
    content = document(kind)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read_all, [content] * 64)) == [list(SHADES)] * 64
