"""The pages of a PDF, through pdfium (extra `pdf`).

pdfium is not safe in threads: one lock guards every call, and no document outlives its call, for it
might then be closed by the garbage collector in another thread.
"""

import ctypes
import math
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PIL import Image

from inkdigit.errors import ImageError, needing
from inkdigit.images.colour import grey_from_colours
from inkdigit.images.grey import Grey, check_size

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

DPI = 300
_POINTS_AN_INCH = 72
_MM_A_POINT = 25.4 / _POINTS_AN_INCH
# The flag of a text field whose digits stand in cells (PDF 1.7, table 228).
_COMB = 1 << 24
# Where the signature and the mark of the end may lie, counted from either end.
_SEARCHED = 1024
_LOCK = threading.Lock()


def count_pages(content: bytes, name: str) -> int:
    """Return the number of pages, at least 1."""
    with _document(content, name) as document:
        return len(document)


def grey_page(content: bytes, name: str, max_pixels: int, index: int) -> Grey:
    """Return a page, counted from 0, as grey at 300 dpi, or fewer to stay within `max_pixels`."""
    with _document(content, name) as document:
        # What was typed into a form is on the page, for who looks at it.
        document.init_forms()
        picture = _rendered(document[index], f"page {index + 1} of {name}", max_pixels)
    return grey_from_colours(picture)


@dataclass(frozen=True)
class FormField:
    """A field of a PDF's form.

    Its `box` is left, top, width and height in mm on a page, counted from 1. `cells` is how many
    characters a comb holds.
    """

    page: int
    name: str
    box: tuple[float, float, float, float]
    is_button: bool
    cells: int | None


def form_of(content: bytes, name: str) -> tuple[list[tuple[float, float]], list[FormField]]:
    """Return the size of each page in mm, and the text fields and check boxes of a PDF's form."""
    with _document(content, name) as document:
        document.init_forms()
        points = [document.get_page_size(index) for index in range(len(document))]
        pages = enumerate(document if document.formenv else (), start=1)
        form = document.formenv
        fields = [field for number, page in pages for field in _page_fields(page, form, number)]
    return [(width * _MM_A_POINT, height * _MM_A_POINT) for width, height in points], fields


def _page_fields(page: "PdfPage", form: Any, number: int) -> Iterator[FormField]:
    from pypdfium2 import raw

    buttons = raw.FPDF_FORMFIELD_CHECKBOX, raw.FPDF_FORMFIELD_RADIOBUTTON
    for index in range(raw.FPDFPage_GetAnnotCount(page.raw)):
        annotation = raw.FPDFPage_GetAnnot(page.raw, index)
        kind = raw.FPDFAnnot_GetFormFieldType(form.raw, annotation)
        if kind in (*buttons, raw.FPDF_FORMFIELD_TEXTFIELD):
            most = ctypes.c_float()
            raw.FPDFAnnot_GetNumberValue(annotation, b"MaxLen", most)
            flags = raw.FPDFAnnot_GetFormFieldFlags(form.raw, annotation)
            cells = int(most.value) if flags & _COMB else 0
            name, box = _field_name(form, annotation), _field_box(page, annotation)
            yield FormField(number, name, box, kind in buttons, cells or None)
        raw.FPDFPage_CloseAnnot(annotation)


def _field_name(form: Any, annotation: Any) -> str:
    from pypdfium2 import raw

    size = raw.FPDFAnnot_GetFormFieldName(form.raw, annotation, None, 0)
    text = (ctypes.c_ushort * (size // 2))()
    raw.FPDFAnnot_GetFormFieldName(form.raw, annotation, text, size)
    return bytes(text).decode("utf-16-le", "replace").rstrip("\0")


def _field_box(page: "PdfPage", annotation: Any) -> tuple[float, float, float, float]:
    """Return a field's box in mm, on the page as it is shown."""
    from pypdfium2 import raw

    rectangle, fine = raw.FS_RECTF(), 100
    raw.FPDFAnnot_GetRect(annotation, rectangle)
    size = [round(fine * side) for side in page.get_size()]
    corners = []
    for x, y in ((rectangle.left, rectangle.top), (rectangle.right, rectangle.bottom)):
        across, down = ctypes.c_int(), ctypes.c_int()
        raw.FPDF_PageToDevice(page.raw, 0, 0, *size, 0, x, y, across, down)
        corners.append([place.value / fine * _MM_A_POINT for place in (across, down)])
    (left, right), (top, bottom) = (sorted(ends) for ends in zip(*corners, strict=True))
    return left, top, right - left, bottom - top


@contextmanager
def _document(content: bytes, name: str) -> Iterator["PdfDocument"]:
    with needing("pdf"):
        from pypdfium2 import PdfDocument, PdfiumError
        from pypdfium2.raw import FPDF_ERR_PASSWORD
    # pdfium reads what is left of a PDF that was cut off, and shows the rest as blank paper.
    if b"%%EOF" not in content.rstrip(b"\0\t\n\f\r ")[-_SEARCHED:]:
        raise ImageError(f"{name} is broken: the PDF is cut off before its end")
    with _LOCK:
        try:
            with closing(PdfDocument(content)) as document:
                yield document
        except ImageError:
            raise
        except Exception as error:
            if isinstance(error, PdfiumError) and error.err_code == FPDF_ERR_PASSWORD:
                raise ImageError(f"{name} is encrypted: save it without a password") from None
            raise ImageError(f"{name} is broken: the PDF is damaged") from error


def _rendered(page: "PdfPage", name: str, max_pixels: int) -> Image.Image:
    width, height = page.get_size()
    if not (0 < width < math.inf and 0 < height < math.inf):
        raise ImageError(f"{name} is broken: it measures {width:g}×{height:g} points")
    scale = DPI / _POINTS_AN_INCH
    while math.ceil(width * scale) * math.ceil(height * scale) > max(max_pixels, 1):
        scale *= 0.99
    check_size(math.ceil(height * scale), math.ceil(width * scale), name, max_pixels)
    with closing(page.render(scale=scale, rev_byteorder=True)) as bitmap:
        picture: Image.Image = bitmap.to_pil().copy()
    return picture
