"""From pictures to rows: one for each picture, page or box of a page, in the order of the input."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import file_digest
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

import inkdigit
from inkdigit.bulk.folders import LeftOut
from inkdigit.bulk.sources import Picture
from inkdigit.bulk.storage import is_uri, read_object
from inkdigit.errors import ImageError, InkdigitError
from inkdigit.reading.options import ReadOptions
from inkdigit.reading.result import COLUMNS, PAGE_COLUMNS, Box, Row

if TYPE_CHECKING:
    from inkdigit.documents.forms import FormReader
    from inkdigit.images import Grey, Source
    from inkdigit.reading.reader import Reader
    from inkdigit.reading.result import Reading

# Pictures in memory at a time: enough to fill the network, few enough to hold.
BATCH = 64
# Bytes from a bucket in memory at a time, and the picture that exceeds them.
_HELD = 2**26
STATUSES = ("accepted", "review", "rejected", "failed")
_COUNTS = ("statuses", "reasons", "codes")
# A row as plain types, by the names and in the order of `ReadJob.columns`.
Record = dict[str, Any]


@dataclass(frozen=True)
class ReadJob:
    """How every picture is read: by which model file, the one inside where there is none.

    Where there are `forms`, files of templates, each picture is a form of one of them. Of whole
    pages it is asked to `find` the numbers.
    """

    model: Path | None = None
    options: ReadOptions = field(default_factory=ReadOptions)
    forms: tuple[Path, ...] = ()
    find: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the rows, in their order."""
        return PAGE_COLUMNS if self.find else COLUMNS

    def reader(self) -> "Reader | FormReader":
        """Return a reader that is warm."""
        from inkdigit.reading.reader import Reader

        reader = Reader.load(self.model)
        if not self.forms:
            return reader
        from inkdigit.documents.forms import FormReader
        from inkdigit.documents.template import Template

        return FormReader(reader, list(map(Template.load, self.forms)))

    def rows(self, reader: "Reader | FormReader", pictures: Iterable[Picture]) -> Iterator[Row]:
        """Yield the rows of pictures, lazily, as `read_rows` does.

        Or those of their forms, or of the numbers that are found on them.
        """
        if self.forms:
            return _form_rows(cast("FormReader", reader), pictures, self.options)
        if self.find:
            return _page_rows(cast("Reader", reader), pictures, self.options)
        return read_rows(cast("Reader", reader), pictures, self.options)

    def check(self) -> None:
        """Raise `ModelError` or `SettingError` where a file that is named cannot be loaded."""
        if self.model or self.forms:
            self.reader()

    def asked(self) -> dict[str, Any]:
        """Return what tells this job from others, as plain types; raises as `check` does."""
        self.check()
        return {
            "inkdigit": inkdigit.__version__,
            "model": _digest(self.model) if self.model else None,
            "forms": list(map(_digest, self.forms)),
            "find": self.find,
            **self.options.to_dict(),
        }


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


@dataclass
class Tally:
    """Counts of rows by status, of those for review by reason, of failures by exit code.

    In the end `left_out` says what of folders was not read.
    """

    statuses: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    codes: Counter[int] = field(default_factory=Counter)
    left_out: LeftOut = field(default_factory=LeftOut)

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return self.statuses.total()

    def count(self, record: Record, code: int) -> None:
        """Count one more row, and the exit code of its failure, 0 where there is none."""
        self.statuses[record["status"]] += 1
        if record["status"] == "review":
            # Alike but for their figures is alike.
            self.reasons[re.sub(r"\d[\d.]*", "…", record["reason"])] += 1
        if code:
            self.codes[code] += 1

    def to_dict(self) -> dict[str, Any]:
        """Return plain types only: of the counts, as each run finds what is left out."""
        return {kind: list(getattr(self, kind).items()) for kind in _COUNTS}

    @classmethod
    def from_dict(cls, known: dict[str, Any]) -> Self:
        """Rebuild from `to_dict`."""
        counts: dict[str, Any] = {
            kind: Counter({name: int(n) for name, n in known[kind]}) for kind in _COUNTS
        }
        return cls(**counts)

    def __str__(self) -> str:
        return ", ".join(f"{self.statuses[status]:,} {status}" for status in STATUSES)


def read_rows(reader: "Reader", pictures: Iterable[Picture], options: ReadOptions) -> Iterator[Row]:
    """Yield a row for each picture, and one for each page of a document where no page is chosen.

    Lazy: pictures are taken up and read by the batch, the pages of a document one by one, and no
    more is held. What cannot be read is a row as well. What a manifest says of a picture goes ahead
    of the options.
    """
    for some in _batches(pictures):
        yield from _read_some(reader, some, options)


def _form_rows(
    reader: "FormReader", pictures: Iterable[Picture], options: ReadOptions
) -> Iterator[Row]:
    """Yield a row for each field of the forms in pictures; those of one id are of one form."""
    from inkdigit.documents.forms import Scan

    numbered = enumerate(map(_fetched, pictures))
    for key, some in groupby(numbered, lambda one: one[1].id or one[0]):
        scans = (Scan(one.name, one.source, one.page or options.page) for _, one in some)
        yield from reader.read_scans(scans, options, None if isinstance(key, int) else key)


def _page_rows(
    reader: "Reader", pictures: Iterable[Picture], options: ReadOptions
) -> Iterator[Row]:
    """Yield a row for each number on each page of pictures, or one that says why there is none.

    The `id` is ROW/COLUMN, behind what a manifest calls the picture.
    """
    for picture in map(_fetched, pictures):
        page = picture.page or options.page
        try:
            inside = None if picture.box else page
            asked = beside(options, picture.pattern, picture.check, inside)
            for row in reader.number_rows(_source(picture, page, options), picture.name, asked):
                named = row.id if picture.id is None else f"{picture.id}/{row.id or ''}".rstrip("/")
                placed = _in_box(row, picture.box, page) if picture.box else row
                yield replace(placed, id=named)
        except InkdigitError as error:
            yield _row(reader, picture, page, error)


def _in_box(row: Row, box: Box, page: int | None) -> Row:
    """Return the row of a number that was found in a box of a page."""
    where = _moved(row.box or (0, 0, *box[2:]), box)
    return replace(row, page=page or 1, result=_on_page(row.result, box), box=where)


def _batches(pictures: Iterable[Picture]) -> Iterator[list[Picture]]:
    """Yield so many pictures, what lies in a bucket brought here; fewer where they are large."""
    some, size = list[Picture](), 0
    for picture in map(_fetched, pictures):
        some.append(picture)
        size += len(picture.source) if isinstance(picture.source, bytes) else 0
        if len(some) == BATCH or size >= _HELD:
            yield some
            some, size = [], 0
    if some:
        yield some


def _fetched(picture: Picture) -> Picture:
    """Return the picture with what lies in a bucket brought here, but for a box of it.

    A box is cut out when its turn comes, from a page that is open already.
    """
    if picture.box or not isinstance(picture.source, str) or not is_uri(picture.source):
        return picture
    try:
        return replace(picture, source=read_object(picture.source))
    except InkdigitError as error:
        return replace(picture, source=error)


def _read_some(reader: "Reader", pictures: list[Picture], options: ReadOptions) -> Iterator[Row]:
    """Yield the rows of each picture; those that are read alike are read together."""
    rows = dict[int, Iterable[Row]]()
    alike = defaultdict[ReadOptions, list[tuple[int, "Source"]]](list)
    for number, picture in enumerate(pictures):
        page = picture.page or options.page
        if not (page or picture.box) and picture.is_document():
            rows[number] = _read_pages(reader, picture, options)
            continue
        try:
            # A box is cut out of its page before it is read.
            inside = None if picture.box else page
            asked = beside(options, picture.pattern, picture.check, inside)
            alike[asked].append((number, _source(picture, page, options)))
        except InkdigitError as error:
            rows[number] = [_row(reader, picture, page, error)]
    for asked, numbered in alike.items():
        results = reader.results([source for _, source in numbered], asked)
        for (number, _), result in zip(numbered, results, strict=True):
            picture = pictures[number]
            page = picture.page or options.page
            rows[number] = [_row(reader, picture, page, result, options.rotate or 0)]
    for number in range(len(pictures)):
        yield from rows[number]


@lru_cache(maxsize=1024)
def beside(
    options: ReadOptions, pattern: str | None, check: str | None, page: int | None
) -> ReadOptions:
    """Return options with another page, and with a pattern and check ahead of theirs."""
    return replace(
        options, pattern=pattern or options.pattern, check=check or options.check, page=page
    )


def _source(picture: Picture, page: int | None, options: ReadOptions) -> "Source":
    """Return what is read of a picture: all of it, or the box that is cut out of its page."""
    if isinstance(picture.source, InkdigitError):
        raise picture.source
    if picture.box is None:
        return picture.source
    return cut_out(open_page(picture.source, page, options.max_pixels), picture.box, picture.name)


def cut_out(whole: "Grey", box: Box, name: str) -> "Grey":
    """Return a box of a page; `ImageError` where it reaches beyond."""
    height, width = whole.shape
    x, y, across, down = box
    if x + across > width or y + down > height:
        raise ImageError(
            f"the box {x} {y} {across} {down} reaches beyond {name}, which measures "
            f"{width}×{height} pixels"
        )
    return whole[y : y + down, x : x + across]


@lru_cache(maxsize=1)
def open_page(
    source: str | bytes, page: int | None = None, max_pixels: int | None = None
) -> "Grey":
    """Return a page; it is kept until the next, as a form's fields stand one after the other."""
    from inkdigit.images import open_grey

    if isinstance(source, str) and is_uri(source):
        source = read_object(source)
    return open_grey(source, page=page, max_pixels=max_pixels)


def _read_pages(reader: "Reader", picture: Picture, options: ReadOptions) -> Iterator[Row]:
    page = 0
    try:
        source = _source(picture, None, options)
        asked = beside(options, picture.pattern, picture.check, None)
        for page, result in enumerate(reader.page_results(source, asked), start=1):
            yield _row(reader, picture, page, result, options.rotate or 0)
        if not page:
            raise ImageError(f"{picture.name} has no pages")
    except InkdigitError as error:
        yield _row(reader, picture, page + 1, error)


def _row(
    reader: "Reader",
    picture: Picture,
    page: int | None,
    result: "Reading | InkdigitError",
    rotate: int | None = None,
) -> Row:
    if picture.box:
        result = _on_page(result, picture.box)
    return Row(picture.name, page or 1, result, reader.model, picture.id, picture.box, rotate)


def _on_page(result: "Reading | InkdigitError", box: Box) -> "Reading | InkdigitError":
    """Return a reading with its boxes in pixels of the page that its picture was cut out of."""
    if isinstance(result, InkdigitError):
        return result
    from inkdigit.reading.pages.page import PageNumber

    places = (replace(one, box=_moved(one.box, box)) for one in result.characters)
    result = replace(result, characters=tuple(places))
    if isinstance(result, PageNumber):
        result = replace(result, box=_moved(result.box, box))
    return result


def _moved(inner: Box, box: Box) -> Box:
    x, y, width, height = inner
    return x + box[0], y + box[1], width, height
