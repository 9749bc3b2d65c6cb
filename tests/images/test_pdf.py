import sys
import time
import zlib

import numpy as np
import pytest

from documents import ENCRYPTED, HALF_BLACK, document, filled_form, pdf
from inkdigit.errors import ImageError, MissingExtraError
from inkdigit.images import Grey, count_pages, open_grey, open_pages


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
        with pytest.raises(ImageError, match="the picture is encrypted: save it without a"):
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
    start = time.thread_time()
    assert open_grey(content).shape == (600, 300)
    assert time.thread_time() - start < 5
