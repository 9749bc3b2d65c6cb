"""One row for each picture or page, in the order of the input."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Unpack

from inkdigit.bulk.boxes import cut_out, on_page
from inkdigit.bulk.sources import Box, Picture
from inkdigit.bulk.uris import is_uri
from inkdigit.errors import ImageError, InkdigitError
from inkdigit.reading.options import Options
from inkdigit.reading.row import FIELDS, Row

if TYPE_CHECKING:
    from inkdigit.images import Source
    from inkdigit.reading.reader import Reader
    from inkdigit.reading.result import Reading

# The columns of a table: of what a manifest said as well.
COLUMNS = (*FIELDS, "id", "box")
# Pictures in memory at a time: enough to fill the network, few enough to hold.
BATCH = 32
# Bytes from a bucket in memory at a time, and the picture that exceeds them.
_HELD = 2**26
# A row as plain types, by the names and in the order of `COLUMNS`.
Record = dict[str, Any]


@dataclass(frozen=True)
class TableRow(Row):
    """A row of a table; a manifest may have given it an id, and a box of the page."""

    id: str | None = None
    box: Box | None = None

    @property
    def code(self) -> int:
        """The exit code of the error, 0 where there is a reading."""
        return self.failure.exit_code if self.failure else 0

    def to_dict(self) -> Record:
        """Return plain types only, by the names and in the order of `COLUMNS`."""
        return super().to_dict() | {"id": self.id, "box": list(self.box) if self.box else None}


def read_rows(
    reader: "Reader",
    pictures: Iterable[Picture],
    *,
    batch: int = BATCH,
    **options: Unpack[Options],
) -> Iterator[TableRow]:
    """Yield a row for each picture, and one for each page of a document where no page is chosen.

    Lazy: pictures are taken up and read by the batch, the pages of a document one by one, and no
    more is held. What cannot be read is a row as well. What a manifest says of a picture goes ahead
    of the options.
    """
    for some in _batches(pictures, batch):
        yield from _read_some(reader, some, options)


def _batches(pictures: Iterable[Picture], most: int) -> Iterator[list[Picture]]:
    """Yield so many pictures, what lies in a bucket brought here; fewer where they are large."""
    some, size = list[Picture](), 0
    for picture in pictures:
        fetched = _fetched(picture)
        some.append(fetched)
        size += len(fetched.source) if isinstance(fetched.source, bytes) else 0
        if len(some) == most or size >= _HELD:
            yield some
            some, size = [], 0
    if some:
        yield some


def _read_some(reader: "Reader", pictures: list[Picture], options: Options) -> Iterator[TableRow]:
    paged = [_has_pages(picture, options) for picture in pictures]
    others = [picture for picture, many in zip(pictures, paged, strict=True) if not many]
    rows = iter(_read_batch(reader, others, options))
    for picture, many in zip(pictures, paged, strict=True):
        if many:
            yield from _read_pages(reader, picture, options)
        else:
            yield next(rows)


def _has_pages(picture: Picture, options: Options) -> bool:
    one = picture.page or picture.box or options.get("page")
    return not one and picture.is_document()


def _fetched(picture: Picture) -> Picture:
    """Return the picture with what lies in a bucket brought here, but for a box of it.

    A box is cut out when its turn comes, from a page that is open already.
    """
    if picture.box or not isinstance(picture.source, str) or not is_uri(picture.source):
        return picture
    from inkdigit.bulk.storage import read_object

    try:
        return replace(picture, source=read_object(picture.source))
    except InkdigitError as error:
        return replace(picture, source=error)


def _read_batch(reader: "Reader", pictures: list[Picture], options: Options) -> list[TableRow]:
    """Return a row for each picture; those that are read alike are read together."""
    alike = defaultdict[tuple[tuple[str, Any], ...], list[int]](list)
    for number, picture in enumerate(pictures):
        alike[tuple(_asked(picture, options).items())].append(number)
    rows: dict[int, TableRow] = {}
    for asked, numbers in alike.items():
        some = [pictures[number] for number in numbers]
        page = options.get("page") or 1
        for number, picture, result in zip(
            numbers, some, _results(reader, some, dict(asked), options), strict=True
        ):
            rows[number] = _row(reader, picture, picture.page or page, result)
    return [rows[number] for number in range(len(pictures))]


def _asked(picture: Picture, options: Options) -> dict[str, Any]:
    """Return the options for one picture, what a manifest says of it ahead of the others."""
    told = {"pattern": picture.pattern, "check": picture.check, "page": picture.page}
    asked = {**options, **{name: value for name, value in told.items() if value is not None}}
    if picture.box:  # it is cut out of its page before it is read
        asked.pop("page", None)
    return asked


def _results(
    reader: "Reader", pictures: list[Picture], asked: dict[str, Any], options: Options
) -> "list[Reading | InkdigitError]":
    sources = [_source(picture, options) for picture in pictures]
    given = [source for source in sources if not isinstance(source, InkdigitError)]
    read = iter(reader.read_batch(given, **asked) if given else [])
    return [
        source if isinstance(source, InkdigitError) else on_page(next(read), picture.box)
        for source, picture in zip(sources, pictures, strict=True)
    ]


def _source(picture: Picture, options: Options) -> "Source | InkdigitError":
    if picture.box is None or isinstance(picture.source, InkdigitError):
        return picture.source
    page = picture.page or options.get("page")
    try:
        return cut_out(picture.name, picture.source, page, picture.box, options.get("max_pixels"))
    except InkdigitError as error:
        return error


def _read_pages(reader: "Reader", picture: Picture, options: Options) -> Iterator[TableRow]:
    page = 0
    try:
        if isinstance(picture.source, InkdigitError):
            raise picture.source
        asked = _asked(picture, options)
        for page, result in enumerate(reader.read_pages(picture.source, **asked), start=1):
            yield _row(reader, picture, page, result)
        if not page:
            raise ImageError(f"{picture.name} has no pages")
    except InkdigitError as error:
        yield _row(reader, picture, page + 1, error)


def _row(
    reader: "Reader", picture: Picture, page: int, result: "Reading | InkdigitError"
) -> TableRow:
    return TableRow(picture.name, page, result, reader.model, picture.id, picture.box)
