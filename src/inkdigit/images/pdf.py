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
# The flag of a text field whose digits stand in cells (PDF 1.7, table 228), and so many at most.
_COMB, _MOST_CELLS = 1 << 24, 100
# The flag of what is neither shown nor printed (table 165), and pdfium's kinds of fields.
_HIDDEN = 1 << 1
_KINDS = dict(enumerate(("button", "check", "check", "choice", "choice", "text", "signature"), 1))
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

    Its `box` is left, top, width and height in mm on a page, counted from 1. Its `kind` is `text`,
    `check`, `button`, `choice`, `signature`, or `hidden` for any that is not to be seen. `cells` is
    how many characters a comb holds.
    """

    page: int
    name: str
    box: tuple[float, float, float, float]
    kind: str
    cells: int | None


def form_of(content: bytes, name: str) -> tuple[list[tuple[float, float]], list[FormField]]:
    """Return the size of each page in mm, and the fields of a PDF's form."""
    with _document(content, name) as document:
        document.init_forms()
        points = [document.get_page_size(index) for index in range(len(document))]
        pages = enumerate(document if document.formenv else (), start=1)
        form = document.formenv
        fields = [field for number, page in pages for field in _page_fields(page, form, number)]
    return [(width * _MM_A_POINT, height * _MM_A_POINT) for width, height in points], fields


def _page_fields(page: "PdfPage", form: Any, number: int) -> Iterator[FormField]:
    from pypdfium2 import raw

    for index in range(raw.FPDFPage_GetAnnotCount(page.raw)):
        annotation = raw.FPDFPage_GetAnnot(page.raw, index)
        if kind := _KINDS.get(raw.FPDFAnnot_GetFormFieldType(form.raw, annotation)):
            is_comb = raw.FPDFAnnot_GetFormFieldFlags(form.raw, annotation) & _COMB
            cells = _typed(page, form, annotation) if is_comb and kind == "text" else None
            kind = "hidden" if raw.FPDFAnnot_GetFlags(annotation) & _HIDDEN else kind
            name, box = _field_name(form, annotation), _field_box(page, annotation)
            yield FormField(number, name, box, kind, cells)
        raw.FPDFPage_CloseAnnot(annotation)


def _typed(page: "PdfPage", form: Any, annotation: Any) -> int | None:
    """Return how many characters a text field takes, none where more than a comb has cells.

    That may be said by a field above it, which pdfium shows to who types alone.
    """
    from pypdfium2 import raw

    text = (ctypes.c_ushort * (_MOST_CELLS + 2))(*[ord("0")] * (_MOST_CELLS + 1))
    raw.FORM_SetFocusedAnnot(form.raw, annotation)
    raw.FORM_SelectAllText(form.raw, page.raw)
    raw.FORM_ReplaceSelection(form.raw, page.raw, text)
    size = raw.FORM_GetFocusedText(form.raw, page.raw, None, 0)
    raw.FORM_ForceToKillFocus(form.raw)
    count = size // ctypes.sizeof(ctypes.c_ushort) - 1
    return count if 0 < count <= _MOST_CELLS else None


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
