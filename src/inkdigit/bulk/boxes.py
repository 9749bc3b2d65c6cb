"""A box of a page, cut out to be read, and what was read there put back in its place."""

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from inkdigit.bulk.sources import Box
from inkdigit.bulk.uris import is_uri
from inkdigit.errors import ImageError, InkdigitError

if TYPE_CHECKING:
    from inkdigit.images import Grey
    from inkdigit.reading.result import Reading


def cut_out(
    name: str, source: str | bytes, page: int | None, box: Box, max_pixels: int | None
) -> "Grey":
    """Return the box `(x, y, width, height)` of a page as grey `uint8 (height, width)`.

    Raises `ImageError` where the page cannot be opened, or the box does not lie on it. The page is
    kept until the next one, as a form's fields stand one after the other.
    """
    grey = _page(source, page, max_pixels)
    height, width = grey.shape
    x, y, across, down = box
    if x + across > width or y + down > height:
        raise ImageError(
            f"the box {x} {y} {across} {down} reaches beyond {name}, which measures "
            f"{width}×{height} pixels"
        )
    return grey[y : y + down, x : x + across]


def on_page(result: "Reading | InkdigitError", box: Box | None) -> "Reading | InkdigitError":
    """Return a reading with its boxes in pixels of the page that its picture was cut out of."""
    if box is None or isinstance(result, InkdigitError):
        return result
    left, top, *_ = box

    def moved(within: Box) -> Box:
        x, y, width, height = within
        return x + left, y + top, width, height

    return replace(
        result,
        digits=tuple(replace(digit, box=moved(digit.box)) for digit in result.digits),
        marks=tuple(replace(mark, box=moved(mark.box)) for mark in result.marks),
    )


@lru_cache(maxsize=1)
def _page(source: str | bytes, page: int | None, max_pixels: int | None) -> "Grey":
    from inkdigit.images import MAX_PIXELS, open_grey

    return open_grey(_here(source), page=page, max_pixels=max_pixels or MAX_PIXELS)


def _here(source: str | bytes) -> str | bytes:
    if isinstance(source, bytes) or not is_uri(source):
        return source
    from inkdigit.bulk.storage import read_object

    return read_object(source)
