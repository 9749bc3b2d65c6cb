"""The pages of a TIFF and of a PDF."""

import io
import sys
import threading
import time
import tracemalloc
import warnings
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from documents import ENCRYPTED, HALF_BLACK, SHADES, document, filled_form, pdf
from PIL import Image

from inkdigit import images
from inkdigit.errors import ImageError, MissingExtraError
from inkdigit.images import Grey, count_pages, open_grey, open_pages


def shades_of(pages: images.Pages) -> list[float]:
    return [round(float(grey.mean())) for grey in pages]


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
    with pytest.raises(ImageError, match=r"has 3 pages: choose one \(page=1 … 3"):
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


def test_animations_are_their_first_frame() -> None:
    for kind in ("GIF", "PNG", "WEBP"):
        content = document(kind, lossless=True)
        assert count_pages(content) == 1
        assert open_grey(content).mean() == pytest.approx(10, abs=1)


def test_a_photo_with_a_second_picture_inside_is_one_page() -> None:
    assert shades_of(open_pages(document("MPO"))) == [10]


def test_an_image_is_the_frame_at_which_it_stands() -> None:
    with Image.open(io.BytesIO(document("TIFF"))) as image:
        image.seek(1)
        assert (open_grey(image) == 100).all()
        assert image.tell() == 1
        assert count_pages(image) == 1


def test_thumbnails_of_a_tiff_are_no_pages() -> None:
    frames = [Image.new("L", (40, 60), shade) for shade in SHADES]
    frames[1].encoderinfo = {"tiffinfo": {254: 1}}
    stream = io.BytesIO()
    frames[0].save(stream, "TIFF", save_all=True, append_images=frames[1:])
    assert shades_of(open_pages(stream.getvalue())) == [10, 200]


@pytest.mark.parametrize("kind", ["TIFF", "PDF"])
def test_more_pages_than_allowed_are_refused_at_once(kind: str) -> None:
    assert len(open_pages(document(kind), max_pages=3)) == 3
    with pytest.raises(ImageError, match="has more than 2 pages: split it, or raise max_pages"):
        open_pages(document(kind), max_pages=2)


def test_a_tiff_whose_frames_go_in_circles_ends() -> None:
    content = bytearray(document("TIFF"))
    with Image.open(io.BytesIO(content)) as image:
        image.seek(2)
        last = image.tag_v2.offset
    first = content[4:8]
    entries = int.from_bytes(content[last : last + 2], "little")
    content[last + 2 + 12 * entries :][:4] = first
    assert len(open_pages(bytes(content))) == 3


def test_a_broken_page_does_not_take_the_others_with_it() -> None:
    content = bytearray(document("TIFF", compression="tiff_adobe_deflate"))
    with Image.open(io.BytesIO(content)) as image:
        image.seek(1)
        (start,), (size,) = image.tag_v2[273], image.tag_v2[279]
    content[start : start + size] = b"\xff" * size
    pages = open_pages(bytes(content))
    assert (next(pages) == 10).all()
    with pytest.raises(ImageError, match="page 2 of the picture is broken"):
        next(pages)
    assert (next(pages) == 200).all()
    assert next(pages, None) is None


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.95])
def test_the_pages_of_a_tiff_before_its_broken_end_are_read(kept: float) -> None:
    content = document("TIFF")
    pages = open_pages(content[: int(len(content) * kept)])
    with pytest.raises(ImageError, match="is broken"):
        shades_of(pages)


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


# PDF


def test_a_pdf_is_drawn_at_300_dpi_the_right_way_round() -> None:
    grey = open_grey(pdf(HALF_BLACK))
    assert grey.shape == (600, 300)
    assert (grey[:298] == 0).all()
    assert (grey[302:] == 255).all()
    assert open_grey(pdf(HALF_BLACK, page="/Rotate 90")).shape == (300, 600)


def test_the_resolution_falls_to_stay_within_max_pixels() -> None:
    grey = open_grey(pdf(HALF_BLACK), max_pixels=5000)
    assert 4500 <= grey.size <= 5000
    assert grey.shape[0] == pytest.approx(2 * grey.shape[1], abs=2)
    for box in ("0 0 14400 14400", "0 0 100000 1", "0 0 1 1", "0 0 0.01 0.01"):
        assert 1 <= open_grey(pdf(HALF_BLACK, box=box), max_pixels=5000).size <= 5000
    with pytest.raises(ImageError, match="more than 0"):
        open_grey(pdf(HALF_BLACK), max_pixels=0)


def test_coloured_ink_on_coloured_paper_of_a_pdf() -> None:
    grey = open_grey(pdf(b"0.59 0.31 0.24 rg 0 0 72 144 re f 0.24 0.37 0.78 rg 30 30 9 90 re f"))
    assert int(grey[5, 5]) - int(grey[300, 145]) > 120


def test_annotations_and_filled_forms_of_a_pdf_are_drawn() -> None:
    grey = open_grey(filled_form())
    assert (grey[450:540, 60:150] < 99).all()
    assert (grey[80:160, 60:150] < 99).all()


def test_an_encrypted_pdf_says_so() -> None:
    for action in (open_grey, open_pages, count_pages):
        with pytest.raises(ImageError, match="the picture is encrypted: save it without its"):
            action(ENCRYPTED)


@pytest.mark.parametrize("kept", [0.01, 0.1, 0.5, 0.9, 0.99])
def test_a_pdf_that_was_cut_off_is_refused(kept: float) -> None:
    for content in (document("PDF"), pdf(HALF_BLACK, HALF_BLACK)):
        with pytest.raises(ImageError, match=r"the picture is (broken|not a picture)"):
            open_pages(content[: int(len(content) * kept)])


def test_a_pdf_with_something_before_or_after_it_is_read() -> None:
    for content in (b"\n\n" + document("PDF"), document("PDF") + b"\0" * 5000 + b"\n"):
        assert len(open_pages(content)) == 3


def test_a_pdf_that_is_none_inside() -> None:
    for content in (b"%PDF-1.7\n%%EOF", b"%PDF-1.7\nnothing\n%%EOF\n"):
        with pytest.raises(ImageError, match="the picture is broken: "):
            open_grey(content)


def test_a_page_of_a_pdf_that_is_missing_does_not_take_the_others_with_it() -> None:
    content = pdf(HALF_BLACK, b"", HALF_BLACK).replace(
        b"5 0 obj\n<</Type/Page/", b"5 0 obj\n<</Tyqe/Pagf/"
    )
    found = open_pages(content)
    results: list[Grey | str] = []
    for _ in range(len(found)):
        try:
            results.append(next(found))
        except ImageError as error:
            results.append(str(error))
    assert len(results) == 3
    assert isinstance(results[0], np.ndarray)
    assert isinstance(results[2], np.ndarray)


def test_without_pypdfium2_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdfium2", None)
    with pytest.raises(MissingExtraError, match=r"pypdfium2.*inkdigit\[pdf\]"):
        open_grey(document("PDF"))
    assert count_pages(document("TIFF")) == 3


def test_a_huge_picture_inside_a_small_pdf_takes_neither_time_nor_memory() -> None:
    side = 10_000
    packed = zlib.compress(bytes(side * side // 8), 9)
    image = (
        b"/Width %d/Height %d/BitsPerComponent 1/ColorSpace/DeviceGray" % (side, side)
        + b"/Filter/FlateDecode/Length %d>>stream\n" % len(packed)
        + packed
    )
    content = pdf(
        b"q 72 0 0 144 0 0 cm /I Do Q", page="/Resources<</XObject<</I 9 0 R>>>>"
    ).replace(
        b"xref\n",
        b"9 0 obj<</Type/XObject/Subtype/Image" + image + b"\nendstream endobj\nxref\n",
        1,
    )
    start = time.perf_counter()
    assert open_grey(content).shape == (600, 300)
    assert time.perf_counter() - start < 5


# Threads


def read_all(content: bytes) -> list[float]:
    return shades_of(open_pages(content))


@pytest.mark.parametrize("kind", ["TIFF", "PDF"])
def test_threads_read_what_one_reads(kind: str) -> None:
    content = document(kind)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read_all, [content] * 64)) == [list(SHADES)] * 64


def test_warnings_are_as_before_after_threads_overlap(recwarn: pytest.WarningsRecorder) -> None:
    before = list(warnings.filters)
    odd = document("TIFF").replace(b"\x1a\x01\x05\x00", b"\x1a\x01\x09\x00")
    both = threading.Barrier(4)

    def read(_: int) -> None:
        both.wait()
        for _ in range(20):
            count_pages(odd)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(read, range(4)))
    assert list(warnings.filters) == before
    assert not recwarn.list


def attempt(action: Callable[[], object]) -> str:
    try:
        return str(action())
    except ImageError as error:
        return str(error)


def test_a_raised_limit_does_not_outlast_the_call() -> None:
    limit = Image.MAX_IMAGE_PIXELS
    with ThreadPoolExecutor(4) as pool:
        list(
            pool.map(
                lambda most: attempt(lambda: open_grey(document("TIFF"), page=1, max_pixels=most)),
                [10, 10**10] * 20,
            )
        )
    assert limit == Image.MAX_IMAGE_PIXELS
