"""From anything that is a picture, or a document of pictures, to grey pages, opened safely.

The only room that decodes pictures. Nothing here knows what a digit is: `inkdigit.reading` finds
the ink on the grey pages that this room returns.

    __init__   the door: which page of which source
    sources    file or stream → bytes; which kinds hold pages
    folder     a folder → its pictures
    formats    bytes → which kind of file they are, of those that are not opened
    decoding   bytes → picture, through Pillow; the pages of a TIFF
    pdf        bytes → pages, through pdfium
    arrays     array → grey → PNG
    colour     which grey shows the ink; which paper lies under transparency
    grey       what a grey page is, and how large it may be
"""

from collections.abc import Callable, Iterator
from functools import partial
from os import PathLike

import numpy as np
import numpy.typing as npt
from PIL import Image

from inkdigit.errors import ImageError
from inkdigit.images import decoding, pdf
from inkdigit.images.arrays import as_png, grey_from_array
from inkdigit.images.formats import foreign_kind, is_picture
from inkdigit.images.grey import MAX_PIXELS, Grey, turned
from inkdigit.images.pdf import FormField
from inkdigit.images.sources import File, is_pdf, may_have_pages, name_of, read_whole

__all__ = [
    "MAX_PAGES", "MAX_PIXELS", "FormField", "Grey", "Pages", "Source", "as_png", "count_pages",
    "form_of", "is_picture", "may_have_pages", "open_grey", "open_pages", "turned",
]  # fmt: skip

Source = File | Image.Image | npt.NDArray[np.generic]

MAX_PAGES = 10_000


class Pages(Iterator[Grey]):
    """The grey pages of a document, in order, each decoded only when it is asked for.

    `len(pages)` is how many there are in all. A page that is broken raises `ImageError`; `next`
    then goes on with the page after it. No file is held open.
    """

    def __init__(self, name: str, count: int, decode: Callable[[int], Grey]) -> None:
        self.name, self._count, self._decode, self._next = name, count, decode, 0

    def __len__(self) -> int:
        return self._count

    def __next__(self) -> Grey:
        if self._next == self._count:
            raise StopIteration
        self._next += 1
        return self.page(self._next - 1)

    def page(self, index: int) -> Grey:
        """Return one of the pages, counted from 0."""
        try:
            return self._decode(index)
        except MemoryError:
            raise ImageError(
                f"{self.name} needs more memory than there is: lower max_pixels"
            ) from None


def open_grey(source: Source, *, page: int | None = None, max_pixels: int | None = None) -> Grey:
    """Return one page as grey `uint8 (height, width)`, 0 black to 255 white.

    Takes a path, bytes, a binary stream, a PIL image (the frame that it stands at), or an array:
    2-D grey, or 3-D grey, RGB or RGBA; `uint8`, `uint16`, `bool`, or float in 0..1. `page` counts
    from 1 and may be left out where there is only one. Raises `ImageError` for what is no picture,
    is broken or has more than `max_pixels` pixels, 64,000,000 by default, and where none of several
    pages is chosen; `MissingExtraError` for a PDF or HEIC without what it needs.
    """
    document = open_pages(source, max_pixels=max_pixels)
    count = len(document)
    if page is None and count > 1:
        raise ImageError(f"{document.name} has {count} pages: choose one with page (1 … {count})")
    if page is not None and page not in range(1, count + 1):
        pages = "1 page" if count == 1 else f"{count} pages, counted from 1"
        raise ImageError(f"{document.name} has {pages}: there is no page {page!r}")
    return document.page(int(page or 1) - 1)


def open_pages(
    source: Source, *, max_pixels: int | None = None, max_pages: int = MAX_PAGES
) -> Pages:
    """Return the pages of a TIFF or PDF, or the one page of anything else, as `open_grey` does.

    What is wrong with the whole, also more than `max_pages` pages, raises here; what is wrong with
    one page raises when that page is asked for.
    """
    limit = MAX_PIXELS if max_pixels is None else max_pixels
    if isinstance(source, np.ndarray):
        return Pages("the array", 1, lambda _: grey_from_array(source, limit))
    if isinstance(source, Image.Image):
        return _of_frames(source, [None], "the image", limit)
    name, content = name_of(source), read_whole(source)
    if image := decoding.open_picture(content, name, limit):
        frames = decoding.frames_of(image, max_pages + 1)
        document = _of_frames(image, frames, name, limit)
    elif is_pdf(content):
        decode = partial(pdf.grey_page, content, name, limit)
        document = Pages(name, pdf.count_pages(content, name), decode)
    elif kind := foreign_kind(content):
        raise ImageError(f"{name} is {kind}")
    else:
        formats = ", ".join((*decoding.FORMATS, "HEIC", "PDF"))
        raise ImageError(f"{name} is not a picture that can be read ({formats}), or is broken")
    if len(document) > max_pages:
        raise ImageError(f"{name} has more than {max_pages:,} pages: split it, or raise max_pages")
    return document


def _of_frames(image: Image.Image, frames: list[int | None], name: str, max_pixels: int) -> Pages:
    def decode(index: int) -> Grey:
        page = name if len(frames) == 1 else f"page {index + 1} of {name}"
        return decoding.grey_picture(image, page, max_pixels, frame=frames[index])

    return Pages(name, len(frames), decode)


def form_of(path: str | PathLike[str]) -> tuple[list[tuple[float, float]], list[FormField]]:
    """Return the size of each page of a PDF in mm, and the fields of its form.

    Nothing of any other file: a picture does not say. Raises `ImageError` as `open_pages` does.
    """
    content, name = read_whole(path), name_of(path)
    return pdf.form_of(content, name) if is_pdf(content) else ([], [])


def count_pages(source: Source) -> int:
    """Return how many pages `open_pages` would give; decodes none of them."""
    return len(open_pages(source))
