"""One row for each picture or page, in the order of the input."""

from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import TYPE_CHECKING, Unpack

from inkdigit.bulk.sources import Picture
from inkdigit.errors import ImageError, InkdigitError
from inkdigit.reading.options import Options
from inkdigit.reading.row import Row

if TYPE_CHECKING:
    from inkdigit.reading.reader import Reader

# Pictures in memory at a time: enough to fill the network, few enough to hold.
BATCH = 32


def read_rows(
    reader: "Reader",
    pictures: Iterable[Picture],
    *,
    batch: int = BATCH,
    **options: Unpack[Options],
) -> Iterator[Row]:
    """Yield a row for each picture, and one for each page of a document where no page is chosen.

    Lazy: pictures are taken up and read by the batch, the pages of a document one by one, and no
    more is held. What cannot be read is a row as well.
    """

    def by_page(picture: Picture) -> bool:
        return options.get("page") is None and picture.is_document()

    for has_pages, group in groupby(pictures, by_page):
        if has_pages:
            for picture in group:
                yield from _read_pages(reader, picture, options)
        else:
            while some := list(islice(group, batch)):
                yield from _read_batch(reader, some, options)


def _read_batch(reader: "Reader", pictures: list[Picture], options: Options) -> Iterator[Row]:
    sources = [p.source for p in pictures if not isinstance(p.source, ImageError)]
    results = iter(reader.read_batch(sources, **options))
    for picture in pictures:
        source = picture.source
        result = source if isinstance(source, ImageError) else next(results)
        yield Row(picture.name, options.get("page") or 1, result, reader.model)


def _read_pages(reader: "Reader", picture: Picture, options: Options) -> Iterator[Row]:
    page = 0
    try:
        if isinstance(picture.source, ImageError):
            raise picture.source
        for page, result in enumerate(reader.read_pages(picture.source, **options), start=1):
            yield Row(picture.name, page, result, reader.model)
        if not page:
            raise ImageError(f"{picture.name} has no pages")
    except InkdigitError as error:
        yield Row(picture.name, page + 1, error, reader.model)
