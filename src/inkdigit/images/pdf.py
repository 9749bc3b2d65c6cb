"""The pages of a PDF, through pdfium (extra `pdf`).

pdfium is not safe in threads: one lock guards every call, and no document outlives its call, for it
might then be closed by the garbage collector in another thread.
"""

import math
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from PIL import Image

from inkdigit.errors import ImageError, needing
from inkdigit.images.colour import grey_from_colours
from inkdigit.images.grey import Grey, check_size

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

DPI = 300
_POINTS_AN_INCH = 72
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
                raise ImageError(
                    f"{name} is encrypted: save it without its password first"
                ) from None
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
